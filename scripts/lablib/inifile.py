# SPDX-License-Identifier: PostgreSQL
"""Reading and changing a cluster's INI file without losing the user's own lines.

The helpers are the strict readers; what the lab does not know it leaves for them to refuse.
"""

import re

from .errors import CONFIG, LabError

_SECTION = re.compile(r"\[\s*([^\]]+?)\s*\]\s*")
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")


class IniFile:
    def __init__(self, text: str, name: str):
        self.name = name
        self.lines = text.splitlines()

    def _walk(self):
        """Yields (line number, section, key, value); key is None for the section's own line."""
        section = ""
        for number, line in enumerate(self.lines):
            match = _SECTION.fullmatch(line.strip())
            if match:
                section = " ".join(match.group(1).split())
                yield number, section, None, ""
                continue
            match = _PAIR.fullmatch(line)
            if match:
                yield number, section, match.group(1), match.group(2)

    def sections(self) -> list[str]:
        return [section for _, section, key, _ in self._walk() if key is None]

    def get(self, section: str, key: str, default: str = "") -> str:
        for _, found, name, value in self._walk():
            if found == section and name == key:
                return value
        return default

    def number(self, section: str, key: str, default: int) -> int:
        value = self.get(section, key, str(default))
        if not value.isdecimal():
            raise LabError(f"{self.name}: {section}.{key} is \"{value}\", not a number",
                           code=CONFIG)
        return int(value)

    def set(self, section: str, key: str, value: str) -> None:
        """Replaces the key's line, or adds it to the end of its section, or adds the section."""
        end = None
        for number, found, name, _ in self._walk():
            if found != section:
                continue
            if name == key:
                self.lines[number] = f"{key} = {value}"
                return
            end = number + 1
        if end is None:
            self.lines += ["", f"[{section}]"]
            end = len(self.lines)
        self.lines.insert(end, f"{key} = {value}")

    def text_without(self, section: str) -> str:
        """What the file says but for one section, which is the last one."""
        return self.text().partition(f"\n[{section}]\n")[0]

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def parse_set(argument: str) -> tuple[str, str, str]:
    """section.key=value; the section of a node is written "node n1"."""
    name, equals, value = argument.partition("=")
    section, dot, key = name.strip().rpartition(".")
    if not equals or not dot or not section or not key:
        raise LabError(f'--set "{argument}" is not section.key=value',
                       'for example --set timing.lease=2s or --set "node n1.ssh_port=2222"', 64)
    return " ".join(section.split()), key, value.strip()
