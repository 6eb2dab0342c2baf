# SPDX-License-Identifier: PostgreSQL
"""Where a lab keeps its things, and what its namespaces are called."""

import os
import re

from .errors import LabError, USAGE

BASE = os.environ.get("PGV_LAB_DIR", "/var/lib/pg_vrrp-lab")
CACHE = "/var/cache/pg_vrrp-lab"
NETNS_DIR = "/run/netns"
PREFIX = "pgv-"

SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.dirname(SCRIPTS)

WITNESS = "witness"
CLIENT = "client"
SWITCH = "sw"


def check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise LabError(f'"{name}" is not a name for a lab',
                       "use up to 32 of a-z, 0-9, _ and -, and begin with a letter", USAGE)
    return name


def lab_dir(lab: str) -> str:
    return f"{BASE}/{lab}"


def node_dir(lab: str, node: str) -> str:
    return f"{BASE}/{lab}/{node}"


def log_path(lab: str, node: str) -> str:
    return f"{BASE}/{lab}/log/{node}.log"


def netns(lab: str, node: str) -> str:
    """No "-" in the last part, so that a name can be taken apart again."""
    return f"{PREFIX}{lab}-{node.replace('-', '_')}"


def netns_path(lab: str, node: str) -> str:
    return f"{NETNS_DIR}/{netns(lab, node)}"


def lab_names() -> list[str]:
    """Every lab of which anything is left: a directory, or only a namespace."""
    names = set()
    if os.path.isdir(BASE):
        names.update(os.listdir(BASE))
    if os.path.isdir(NETNS_DIR):
        for entry in os.listdir(NETNS_DIR):
            if entry.startswith(PREFIX):
                names.add(entry[len(PREFIX):].rpartition("-")[0])
    return sorted(names - {""})


def lab_netns(lab: str) -> list[str]:
    """The namespaces of one lab that exist now, whatever its configuration said."""
    if not os.path.isdir(NETNS_DIR):
        return []
    return sorted(entry for entry in os.listdir(NETNS_DIR)
                  if entry.rpartition("-")[0] == PREFIX + lab)
