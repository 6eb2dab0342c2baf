# SPDX-License-Identifier: PostgreSQL
"""Which points were right, so that a run of hours can be cut off and gone on with: scripts/test kill --all --resume."""

import hashlib
import json
import os


class Ledger:
    """Of one test.  A point counts for the program that it was done to: one that was built anew has to be done again."""

    def __init__(self, path: str, programs: str, resume: bool):
        """programs: the directory of the helpers.  Without resume it begins empty."""
        self.path = path
        self.programs = programs
        self.hashes: dict[str, str] = {}
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # Only ever added to, so that whoever is ended at once has lost nothing.
        self.right = set(self._read()) if resume else set()
        if not resume:
            with open(path, "w", encoding="utf-8"):
                pass

    def _read(self):
        try:
            with open(self.path, "r+", encoding="utf-8") as file:
                lines = file.read().split("\n")
                # Whoever wrote the last one may have been ended within it.
                file.truncate(sum(len(line.encode()) + 1 for line in lines[:-1]))
        except FileNotFoundError:
            return
        for line in lines[:-1]:
            yield tuple(json.loads(line))

    def _key(self, helper: str, what: str, point: str) -> tuple[str, str, str, str]:
        if helper not in self.hashes:
            with open(f"{self.programs}/{helper}", "rb") as file:
                self.hashes[helper] = hashlib.sha256(file.read()).hexdigest()[:16]
        return helper, self.hashes[helper], what, point

    def has(self, helper: str, what: str, point: str) -> bool:
        return self._key(helper, what, point) in self.right

    def note(self, helper: str, what: str, point: str) -> None:
        key = self._key(helper, what, point)
        if key not in self.right:
            self.right.add(key)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(key) + "\n")
