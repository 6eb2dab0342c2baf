# SPDX-License-Identifier: PostgreSQL
"""The node's log: what came in through /dev/log, each line with both clocks, in ms."""

import dataclasses
import datetime
import re

from .kernel import boot_ms

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_PACKET = re.compile(rb"<(\d{1,3})>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?(.*)", re.DOTALL)
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (\d+\.\d{3}) (\S+) (\S+) "
                   r"([^\s:\[]+)(?:\[(\d+)\])?: (.*)")


@dataclasses.dataclass
class Line:
    wall: str
    boot_ms: float
    node: str
    level: str
    tag: str
    pid: int
    text: str


def stamp() -> str:
    wall = datetime.datetime.now().isoformat(sep=" ", timespec="milliseconds")
    return f"{wall} {boot_ms() / 1000:.3f}"


def packet_to_lines(packet: bytes, node: str, now: str) -> list[str]:
    """A datagram of syslog(3) as lines of the node's log; several when the message has several."""
    level = "info"
    match = _PACKET.match(packet)
    if match:
        level = LEVELS[int(match.group(1)) & 7]
        packet = match.group(2)
    text = packet.decode("utf-8", "replace").replace("\0", "").rstrip("\n")
    tag, colon, rest = text.partition(": ")
    if not colon or " " in tag:
        tag, rest = "unknown", text
    return [f"{now} {node} {level} {tag}: {part}" for part in rest.split("\n")]


def parse(line: str) -> Line | None:
    match = _LINE.fullmatch(line.rstrip("\n"))
    if match is None:
        return None
    wall, boot, node, level, tag, pid, text = match.groups()
    return Line(wall, float(boot) * 1000, node, level, tag, int(pid or 0), text)


def read(path: str, since_ms: float = 0) -> list[Line]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [parse(text) for text in file]
    except FileNotFoundError:
        return []
    return [line for line in lines if line is not None and line.boot_ms >= since_ms]
