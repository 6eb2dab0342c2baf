# SPDX-License-Identifier: PostgreSQL
"""The management boards of the nodes, of the kind that the configured agent speaks to; their power switch
is the lab's own (bmcpower.py).

They are on the bridge itself, so that a node that is cut off, frozen or off still has one that can be
reached: the power and the network of a board are not those of its host.
"""

import os
import secrets
import subprocess

from . import bmcipmi, bmcredfish, places
from .bmcboard import Board
from .run import CLEAN_ENV, ip
from .settings import Settings

KINDS = {"fence_ipmilan": bmcipmi, "fence_redfish": bmcredfish}


def _agent(settings: Settings) -> str:
    return os.path.basename(settings.agent)


def wanted(settings: Settings) -> bool:
    return _agent(settings) in KINDS


def _boards(lab: str, settings: Settings) -> list[Board]:
    return [Board(lab, node.name, settings.bmc_address(node.name)) for node in settings.nodes()]


def prepare(lab: str, settings: Settings) -> None:
    """What the boards are told, passwords included."""
    for board in _boards(lab, settings):
        os.makedirs(board.directory, mode=0o700)
        board.write("password", secrets.token_hex(8))
        KINDS[_agent(settings)].prepare(board)


def node_files(lab: str, settings: Settings) -> list[tuple[str, str, int]]:
    """Path, text and mode of what both nodes have: how the agent switches each off, and what it trusts."""
    kind = KINDS[_agent(settings)]
    boards = _boards(lab, settings)
    return ([(settings.host(board.node).agent_options, kind.options(board), 0o600)
             for board in boards] + kind.trust(boards))


def start(lab: str, settings: Settings) -> None:
    netns = places.netns(lab, places.SWITCH)
    prefix = settings.vip.network.prefixlen
    for board in _boards(lab, settings):
        ip(f"addr add {board.address}/{prefix} dev br0", netns=netns)
        with open(f"{board.directory}/log", "w", encoding="ascii") as log:
            # It ends with the namespace, as all that is in it.
            subprocess.Popen(["nsenter", f"--net={places.netns_path(lab, places.SWITCH)}", "--",
                              *KINDS[_agent(settings)].argv(board)], cwd="/", env=CLEAN_ENV,
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
