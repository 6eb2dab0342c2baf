# SPDX-License-Identifier: PostgreSQL
"""The timeline of one run as inline SVG: faults, acknowledged writes, who accepted them, who
answered for the VIP, the times without service.  A long run is wrapped into rows, like text."""

import bisect
import math
from html import escape

from ops import acked_writes, of_history

from lablib import checker as lab_checker
from lablib.svg import held

WIDTH, LEFT, RIGHT = 1160, 92, 14
FAULT, AREA, NODE, AXIS, BETWEEN = 17, 44, 26, 20, 16
LETTER = 6.2  # width of one, in the small size, on the safe side
# So long is a row, and so far apart are its ticks.
ROWS_S, ROWS_MAX = {30: 2, 60: 5, 120: 10, 240: 20}, 8


def row_seconds(length_s: float) -> int:
    """So few rows that a run is seen at once, and so short that a second is still something."""
    return next((choice for choice in ROWS_S if length_s / choice <= ROWS_MAX), max(ROWS_S))


def _joined(spans: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Two reasons for one time are drawn once."""
    out: list[tuple[float, float, str]] = []
    for begin, end, why in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]), f"{out[-1][2]}; {why}")
        else:
            out.append((begin, end, why))
    return out


def seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s"


class Run:
    """What there is to draw, computed once for all rows; times are ms since the beginning."""

    def __init__(self, history: dict, report: dict):
        self.begin = history["begun_ms"]
        self.length = max(history["ended_ms"] - self.begin, 1.0)
        rows = acked_writes(of_history(history))
        self.nodes = history["nodes"]
        self.acks = sorted(op.ended - self.begin for op in rows if op.through_vip)
        self.faults = [(begin - self.begin, self._end(end), words)
                       for begin, end, words in sorted(history["faults"], key=lambda one: one[0])]
        self.accepted = {
            node: [(begin - self.begin, end - self.begin) for begin, end in lab_checker.runs(
                [[op.n, op.sent, op.ended, "acked"] for op in rows if op.node == node])]
            for node in self.nodes}
        self.vip = {node: self._vip(history, node) for node in self.nodes}
        self.gaps = [(begin - self.begin, end - self.begin,
                      "" if cause is None else history["faults"][cause][2])
                     for begin, end, cause in report["outages"]]
        self.twice = _joined([(begin - self.begin, end - self.begin, why)
                              for begin, end, why in report["dual"]])
        self.twice += [(begin - self.begin, end - self.begin, "the VIP on two nodes")
                       for begin, end in report["vip_dual"] or []]
        self.most = max([1, *self.per_second(0, math.ceil(self.length / 1000))])

    def _end(self, end: float | None) -> float:
        return self.length if end is None else end - self.begin

    def _vip(self, history: dict, node: str) -> list[tuple[float, float]]:
        """Who answered on the network; else, where nobody asked, what the node's kernel says."""
        if history["probes"] is None:
            spans = held(history, node)
        else:
            marks = [*history["probes"], [history["ended_ms"], []]]
            spans = [(moment, following[0]) for (moment, nodes), following in zip(marks, marks[1:])
                     if node in nodes]
        return [(begin - self.begin, end - self.begin) for begin, end in spans]

    def per_second(self, first: int, last: int) -> list[int]:
        return [bisect.bisect_left(self.acks, (second + 1) * 1000)
                - bisect.bisect_left(self.acks, second * 1000) for second in range(first, last)]


class Row:
    """A piece of the run, drawn below the ones before it."""

    def __init__(self, run: Run, begin: float, length: float, top: float):
        self.run = run
        self.begin, self.length, self.end = begin, length, begin + length
        self.top = self.y = top
        self.out: list[str] = []

    def x(self, moment: float) -> float:
        share = (min(max(moment, self.begin), self.end) - self.begin) / self.length
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def here(self, spans: list) -> list:
        return [span for span in spans if span[1] >= self.begin and span[0] < self.end]

    def box(self, kind: str, begin: float, end: float, y: float, height: float, title: str) -> None:
        x = self.x(begin)
        width = max(self.x(end) - x, 1.5)
        self.out.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                        f'height="{height:.1f}"><title>{escape(title)}</title></rect>')

    def text(self, kind: str, x: float, y: float, words: str, anchor: str = "start") -> None:
        self.out.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
                        f"{escape(words)}</text>")

    def draw(self) -> None:
        self._faults()
        body = self.y
        self._acks()
        for number, node in enumerate(self.run.nodes):
            self._node(number, node)
        self._over(body)
        self._axis(body)
        self.y += AXIS + BETWEEN

    def _faults(self) -> None:
        """Each with its name, in as many lines as are needed for none to cover another."""
        lines: list[float] = []
        for begin, end, words in self.here(self.run.faults):
            begins_here = begin >= self.begin
            label = words if begins_here else "… " + words
            x, width = self.x(begin), len(label) * LETTER + 8
            # A name that would leave the picture begins further left.
            at = min(x, WIDTH - RIGHT - width)
            line = next((number for number, until in enumerate(lines) if until <= at), len(lines))
            lines[line:line + 1] = [max(self.x(end), at + width) + 4]
            y = self.y + line * FAULT
            healed = f"{seconds(begin)} to {seconds(end)}"
            self.box("fault", begin, end, y, FAULT - 3, f"{words}, {healed}")
            self.text("name", at + 4, y + 11, label)
        self.y += max(len(lines), 1) * FAULT + 4

    def _acks(self) -> None:
        bottom = self.y + AREA
        first = int(self.begin / 1000)
        counts = self.run.per_second(first, math.ceil(min(self.end, self.run.length) / 1000))
        points = [f"{self.x(self.begin):.1f},{bottom:.1f}"]
        for number, count in enumerate(counts):
            y = bottom - (AREA - 6) * count / self.run.most
            for moment in (first + number, first + number + 1):
                points.append(f"{self.x(min(moment * 1000, self.run.length)):.1f},{y:.1f}")
        points.append(f"{self.x(min((first + len(counts)) * 1000, self.run.length)):.1f},"
                      f"{bottom:.1f}")
        self.out.append(f'<polygon class="acks" points="{" ".join(points)}"><title>acknowledged '
                        "writes through the VIP each second</title></polygon>")
        self.text("label", LEFT - 8, bottom - AREA / 2 + 1, "writes/s", "end")
        self.text("small", LEFT - 8, bottom - AREA / 2 + 14, f"0 to {self.run.most}", "end")
        self.y = bottom + 4

    def _node(self, number: int, node: str) -> None:
        """Above: it accepted writes.  Below, thin: it answered for the VIP."""
        self.text("label", LEFT - 8, self.y + 14, node, "end")
        self.out.append(f'<line class="grid" x1="{LEFT}" y1="{self.y + 17:.1f}" '
                        f'x2="{self.x(self.run.length):.1f}" y2="{self.y + 17:.1f}"/>')
        for begin, end in self.here(self.run.accepted[node]):
            self.box(f"node{number % 2}", begin, end, self.y + 3, 11,
                     f"{node} accepted writes, {seconds(begin)} to {seconds(end)}")
        for begin, end in self.here(self.run.vip[node]):
            self.box(f"vip{number % 2}", begin, end, self.y + 16, 4,
                     f"{node} answered for the VIP, {seconds(begin)} to {seconds(end)}")
        self.y += NODE

    def _over(self, body: float) -> None:
        """Times without service, and what must never be, across all lanes."""
        for begin, end, cause in self.here(self.run.gaps):
            length = seconds(end - begin)
            self.box("gap", begin, end, body, self.y - body,
                     f"no acknowledged write for {length}" + (f", {cause}" if cause else ""))
            x, right = self.x(begin), self.x(end)
            if begin >= self.begin and right - x > len(length) * LETTER:
                self.text("length", (x + right) / 2, body + 14, length, "middle")
        for begin, end, why in self.here(self.run.twice):
            self.box("twice", begin, end, body, self.y - body, why)

    def _axis(self, body: float) -> None:
        lines, self.out = self.out, []
        first, length = round(self.begin / 1000), round(self.length / 1000)
        for second in range(first, first + length + 1, ROWS_S[length]):
            if second * 1000 > self.run.length:
                break
            x = self.x(second * 1000)
            self.out.append(f'<line class="grid" x1="{x:.1f}" y1="{body:.1f}" x2="{x:.1f}" '
                            f'y2="{self.y:.1f}"/>')
            self.text("small", x, self.y + 13, f"{second // 60}:{second % 60:02d}", "middle")
        self.out += lines


def svg(history: dict, report: dict) -> str:
    run = Run(history, report)
    length = row_seconds(run.length / 1000) * 1000.0
    out: list[str] = []
    y = 4.0
    for number in range(math.ceil(run.length / length)):
        row = Row(run, number * length, length, y)
        row.draw()
        out += row.out
        y = row.y
    return (f'<svg viewBox="0 0 {WIDTH} {y:.0f}" role="img" aria-label="timeline">'
            + "\n".join(out) + "</svg>")
