# SPDX-License-Identifier: PostgreSQL
"""ssh for a lab: one key a host, and host keys that everybody knows beforehand."""

import os

from .run import run
from .settings import Settings

SSHD_CONFIG = """\
Port {port}
HostKey /etc/ssh/lab_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 64
AllowTcpForwarding yes
"""


def make(directory: str, hosts: list[str]) -> None:
    """DIRECTORY/NAME (user key) and DIRECTORY/NAME.host (host key), with .pub each."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    for name in hosts:
        for suffix in ("", ".host"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name,
                 "-f", f"{directory}/{name}{suffix}"])


def public(directory: str, name: str) -> str:
    with open(f"{directory}/{name}.pub", encoding="ascii") as file:
        return file.read().strip()


def known_hosts(directory: str, settings: Settings) -> str:
    """Pinned by name (HostKeyAlias), as the helpers look for it."""
    names = [host.name for host in settings.hosts.values() if host.kind != "client"]
    return "".join(f"{name} {' '.join(public(directory, name + '.host').split()[:2])}\n"
                   for name in names)
