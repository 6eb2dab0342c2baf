# SPDX-License-Identifier: PostgreSQL
"""A board that speaks Redfish: what the lab makes for bmcredfishd.py, and what the nodes know of it."""

import os

from . import tls
from .bmcboard import PYTHON, USER, Board, program
from .redfish import SYSTEM

# What update-ca-certificates(8) makes of every authority that the host trusts.
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"


def prepare(board: Board) -> None:
    """Each board has an authority of its own, as when each made its certificate itself."""
    tls.issue(f"{board.directory}/tls", [board.address])


def options(board: Board) -> str:
    return (f"ip={board.address}\nusername={USER}\npassword={board.password}\n"
            f"systems_uri={SYSTEM}\n")


def trust(boards: list[Board]) -> list[tuple[str, str, int]]:
    texts = [board.read("tls/ca.crt") for board in boards]
    if os.path.exists(TRUSTED):
        with open(TRUSTED, encoding="utf-8") as file:
            texts.append(file.read())
    return [(TRUSTED, "".join(texts), 0o644)]


def argv(board: Board) -> list[str]:
    return [*PYTHON, program("bmcredfishd.py"), board.lab, board.node, board.address]
