# SPDX-License-Identifier: PostgreSQL
"""The management boards of the nodes: OpenIPMI's simulator speaks IPMI over LAN (RMCP+), and its power
switch is the lab's own.

They are on the bridge itself, so that a node that is cut off, frozen or off still has one that can be
reached: the power and the network of a board are not those of its host.
"""

import os
import secrets
import subprocess

from . import places
from .errors import LabError, SYSTEM
from .run import CLEAN_ENV, ip
from .settings import Settings

AGENT = "fence_ipmilan"
SIMULATOR = "/usr/bin/ipmi_sim"
POWER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bmcpower.py")
PORT = 623
USER = "pgvrrp"

LAN = """\
name "{node}"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_admin md5
    guid {guid}
  endlan
  chassis_control "{python} -E -s -S -B {program} {lab} {node}"
  user 2 true "{user}" "{password}" admin 10 md5
"""

BOARD = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""


def wanted(settings: Settings) -> bool:
    return os.path.basename(settings.agent) == AGENT


def _dir(lab: str, node: str) -> str:
    return f"{places.lab_dir(lab)}/bmc/{node}"


def prepare(lab: str, settings: Settings) -> None:
    """What the boards are told, passwords included."""
    if not os.access(SIMULATOR, os.X_OK):
        raise LabError(f"{SIMULATOR} is not installed", "run scripts/install-deps first", SYSTEM)
    for node in settings.nodes():
        directory = _dir(lab, node.name)
        os.makedirs(f"{directory}/state", mode=0o700)
        password = secrets.token_hex(8)
        texts = {
            "password": password, "board": BOARD,
            "lan": LAN.format(node=node.name, lab=lab, address=settings.bmc_address(node.name),
                              port=PORT, guid=secrets.token_hex(16), python="/usr/bin/python3",
                              program=POWER, user=USER, password=password)}
        for name, text in texts.items():
            with open(f"{directory}/{name}", "w", encoding="ascii") as file:
                file.write(text)


def options(lab: str, settings: Settings, node: str) -> str:
    """The file that tells the agent how to switch the node off.  Without the cipher ipmitool asks which
    there are, which the simulator does not answer."""
    with open(f"{_dir(lab, node)}/password", encoding="ascii") as file:
        password = file.read()
    return (f"ip={settings.bmc_address(node)}\nusername={USER}\npassword={password}\n"
            "lanplus=1\ncipher=3\npower_wait=0\n")


def start(lab: str, settings: Settings) -> None:
    netns = places.netns(lab, places.SWITCH)
    prefix = settings.vip.network.prefixlen
    for node in settings.nodes():
        ip(f"addr add {settings.bmc_address(node.name)}/{prefix} dev br0", netns=netns)
        directory = _dir(lab, node.name)
        with open(f"{directory}/log", "w", encoding="ascii") as log:
            # It ends with the namespace, as all that is in it.
            subprocess.Popen(["nsenter", f"--net={places.netns_path(lab, places.SWITCH)}", "--",
                              SIMULATOR, "-c", f"{directory}/lan", "-f", f"{directory}/board",
                              "-s", f"{directory}/state", "-n"], cwd="/", env=CLEAN_ENV,
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
