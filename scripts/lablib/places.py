# SPDX-License-Identifier: PostgreSQL
"""Where a lab keeps its things, and what its namespaces are called."""

import contextlib
import os
import re

from .errors import LabError, USAGE

# Where the next lab is made.
BASE = os.environ.get("PGV_LAB_DIR", "/var/lib/pg_vrrp-lab")
# Where each lab is: NAME, a symbolic link to its directory.
KNOWN = "/run/pg_vrrp-lab"
CACHE = os.environ.get("PGV_LAB_CACHE", "/var/cache/pg_vrrp-lab")
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
    """Wherever it was made, or else would be."""
    try:
        return os.readlink(f"{KNOWN}/{lab}")
    except OSError:
        return f"{BASE}/{lab}"


def settle(lab: str) -> None:
    """Makes the lab's directory, and its name known."""
    top = f"{BASE}/{lab}"
    os.makedirs(KNOWN, exist_ok=True)
    os.symlink(top, f"{KNOWN}/{lab}")
    os.makedirs(top)


def forget(lab: str) -> None:
    """The lab's directory is gone; those that were made for it go, when they are empty."""
    above = os.path.dirname(lab_dir(lab))
    with contextlib.suppress(OSError):
        os.unlink(f"{KNOWN}/{lab}")
    for directory in (above, KNOWN):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def bases() -> set[str]:
    """Every directory with a lab in it."""
    return {BASE, *(os.path.dirname(lab_dir(lab)) for lab in _entries(KNOWN))}


def node_dir(lab: str, node: str) -> str:
    return f"{lab_dir(lab)}/{node}"


def log_path(lab: str, node: str) -> str:
    return f"{lab_dir(lab)}/log/{node}.log"


def netns(lab: str, node: str) -> str:
    """No "-" in the last part, so that a name can be taken apart again."""
    return f"{PREFIX}{lab}-{node.replace('-', '_')}"


def netns_path(lab: str, node: str) -> str:
    return f"{NETNS_DIR}/{netns(lab, node)}"


def lab_names() -> list[str]:
    """Every lab of which anything is left: a directory, its name, or only a namespace."""
    names = {*_entries(BASE), *_entries(KNOWN)}
    for entry in _entries(NETNS_DIR):
        if entry.startswith(PREFIX):
            names.add(entry[len(PREFIX):].rpartition("-")[0])
    return sorted(names - {""})


def lab_netns(lab: str) -> list[str]:
    """The namespaces of one lab that exist now, whatever its configuration said."""
    return sorted(entry for entry in _entries(NETNS_DIR)
                  if entry.rpartition("-")[0] == PREFIX + lab)


def _entries(directory: str) -> list[str]:
    return os.listdir(directory) if os.path.isdir(directory) else []
