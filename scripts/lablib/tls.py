# SPDX-License-Identifier: PostgreSQL
"""Certificates for a configuration that asks for TLS ([postgresql] conninfo = sslmode=...): a CA
that exists for this lab alone, and one certificate for both servers and the VIP.  The boards that speak
HTTPS (bmcredfish.py) have the same."""

import os

from .run import run
from .settings import Settings, root_certificate

SERVER_CERT, SERVER_KEY = "/etc/ssl/lab-server.crt", "/etc/ssl/lab-server.key"

CONF = f"""
# of the lab: the configuration asks for TLS
ssl = on
ssl_cert_file = '{SERVER_CERT}'
ssl_key_file = '{SERVER_KEY}'
"""

_NEW = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "30"]


def wanted(settings: Settings) -> bool:
    return settings.ini.get("postgresql", "conninfo").find("sslmode=") >= 0


def root_path(settings: Settings) -> str:
    """Where the nodes expect the certificate of the CA; empty when the configuration does not say."""
    return root_certificate(settings.ini.get("postgresql", "conninfo"))


def make(directory: str, settings: Settings) -> None:
    """One for both servers and the VIP."""
    issue(directory, [host.address for host in settings.nodes()] + [str(settings.vip.ip)])


def issue(directory: str, addresses: list[str]) -> None:
    """DIRECTORY/ca.crt, server.crt and server.key."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    names = [f"IP:{address}" for address in addresses]
    run([*_NEW, "-keyout", f"{directory}/ca.key", "-out", f"{directory}/ca.crt",
         "-subj", f"/CN=lab ca of {addresses[0]}"])
    run([*_NEW, "-keyout", f"{directory}/server.key", "-out", f"{directory}/server.crt",
         "-CA", f"{directory}/ca.crt", "-CAkey", f"{directory}/ca.key", "-subj", "/CN=lab server",
         "-addext", "basicConstraints=critical,CA:FALSE",
         "-addext", "subjectAltName=" + ",".join(names)])
