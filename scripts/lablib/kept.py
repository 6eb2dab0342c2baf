# SPDX-License-Identifier: PostgreSQL
"""What labs begin with and is dear to make: made once below the cache directory, and kept.

The name of each is a digest of all that went into it, so nothing stale is ever used.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable

from . import places


def _directory(parts: list[str], kind: str) -> str:
    return f"{places.CACHE}/{kind}" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def there(parts: list[str], kind: str = "") -> bool:
    """Is it made already?"""
    return os.path.isdir(_directory(parts, kind))


def get(parts: list[str], make: Callable[[str], None], kind: str = "") -> str:
    """The directory that was made of these parts, or is made now.  kind: a word for people, before the
    digest; what is of one kind is made by one process at a time."""
    directory = _directory(parts, kind)
    os.makedirs(places.CACHE, mode=0o755, exist_ok=True)
    with open(f"{places.CACHE}/{kind}lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(directory):
            return directory
        new = directory + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.mkdir(new, mode=0o755)
        try:
            make(new)
            os.rename(new, directory)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    return directory
