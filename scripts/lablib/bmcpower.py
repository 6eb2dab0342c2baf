# SPDX-License-Identifier: PostgreSQL
"""The power switch behind a management board: what OpenIPMI's simulator runs.

    bmcpower.py LAB NODE get power | set power 0|1
"""

import os
import subprocess
import sys

SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SCRIPTS)

from lablib import kernel, places  # noqa: E402


def is_on(lab: str, node: str) -> bool:
    try:
        with open(f"{places.node_dir(lab, node)}/pid", encoding="ascii") as file:
            pid, started = (int(word) for word in file.read().split())
    except (OSError, ValueError):
        return False
    return kernel.alive(pid, started)


def switch(lab: str, node: str, on: bool) -> int:
    if on == is_on(lab, node):
        return 0
    argv = ["/usr/bin/python3", "-B", f"{SCRIPTS}/lab", "fault", "--name", lab,
            "boot" if on else "power-off", node]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode


def main(lab: str, node: str, *words: str) -> int:
    if words[:2] == ("get", "power"):
        print(f"power:{int(is_on(lab, node))}")
        return 0
    if words[:2] == ("set", "power") and words[2:] in (("0",), ("1",)):
        return switch(lab, node, words[2] == "1")
    return 1  # all else is not on this board


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
