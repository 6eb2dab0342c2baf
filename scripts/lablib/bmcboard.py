# SPDX-License-Identifier: PostgreSQL
"""One management board: whose it is, where it answers, and what it keeps."""

import dataclasses
import os

from . import places

PYTHON = ["/usr/bin/python3", "-E", "-s", "-S", "-B"]
USER = "pgvrrp"


@dataclasses.dataclass(frozen=True)
class Board:
    lab: str
    node: str
    address: str

    @property
    def directory(self) -> str:
        return f"{places.lab_dir(self.lab)}/bmc/{self.node}"

    @property
    def password(self) -> str:
        return self.read("password")

    def write(self, name: str, text: str) -> None:
        with open(f"{self.directory}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def read(self, name: str) -> str:
        with open(f"{self.directory}/{name}", encoding="ascii") as file:
            return file.read()


def program(name: str) -> str:
    """One of the programs beside this file."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
