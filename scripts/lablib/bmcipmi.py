# SPDX-License-Identifier: PostgreSQL
"""A board that speaks IPMI over LAN (RMCP+): OpenIPMI's simulator."""

import os
import secrets

from .bmcboard import PYTHON, USER, Board, program
from .errors import LabError, SYSTEM

SIMULATOR = "/usr/bin/ipmi_sim"
PORT = 623

LAN = """\
name "{node}"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_admin md5
    guid {guid}
  endlan
  chassis_control "{power} {lab} {node}"
  user 2 true "{user}" "{password}" admin 10 md5
"""

BOARD = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""


def prepare(board: Board) -> None:
    if not os.access(SIMULATOR, os.X_OK):
        raise LabError(f"{SIMULATOR} is not installed", "run scripts/install-deps first", SYSTEM)
    os.makedirs(f"{board.directory}/state", mode=0o700)
    board.write("board", BOARD)
    board.write("lan", LAN.format(node=board.node, lab=board.lab, address=board.address, port=PORT,
                                  guid=secrets.token_hex(16), user=USER, password=board.password,
                                  power=" ".join([*PYTHON, program("bmcpower.py")])))


def options(board: Board) -> str:
    """The file that tells the agent how to switch the node off.  Without the cipher ipmitool asks which
    there are, which the simulator does not answer."""
    return (f"ip={board.address}\nusername={USER}\npassword={board.password}\n"
            "lanplus=1\ncipher=3\npower_wait=0\n")


def trust(_boards: list[Board]) -> list[tuple[str, str, int]]:
    return []  # the password is all


def argv(board: Board) -> list[str]:
    return [SIMULATOR, "-c", f"{board.directory}/lan", "-f", f"{board.directory}/board",
            "-s", f"{board.directory}/state", "-n"]
