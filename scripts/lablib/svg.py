# SPDX-License-Identifier: PostgreSQL
"""A recorded load as a picture: who accepted writes, who had the VIP, what happened when."""

from html import escape

from . import checker

WIDTH, LEFT, RIGHT = 1160, 190, 20
LANE, TOP = 34, 96
COLORS = ["#2f6fb2", "#c2711a", "#4a8f4a", "#8a4fa3"]
INK, FAINT, FAULT = "#222222", "#d8d8d8", "#b3261e"


def spans_of(moments: list[float], gap_ms: float) -> list[tuple[float, float]]:
    out: list[list[float]] = []
    for moment in sorted(moments):
        if out and moment - out[-1][1] <= gap_ms:
            out[-1][1] = moment
        else:
            out.append([moment, moment])
    return [(begin, end) for begin, end in out]


def held(history: dict, node: str) -> list[tuple[float, float]]:
    """When the VIP was configured on the node, by the node's own kernel."""
    spans, since = [], None
    for moment, name, here in history["addresses"]:
        if name != node:
            continue
        if here and since is None:
            since = moment
        elif not here and since is not None:
            spans.append((since, moment))
            since = None
    return spans + ([(since, history["ended_ms"])] if since is not None else [])


class Picture:
    def __init__(self, history: dict, title: str):
        self.history = history
        self.begin, self.end = history["begun_ms"], history["ended_ms"]
        faults = [moment for moment, _ in history["faults"]]
        self.zero = faults[0] if faults else self.begin
        self.title = title
        self.out: list[str] = []
        self.y = TOP

    def x(self, moment: float) -> float:
        share = (min(max(moment, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def text(self, x: float, y: float, words: str, anchor: str = "start", color: str = INK,
             size: int = 13) -> None:
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" '
                        f'font-size="{size}">{escape(words)}</text>')

    def line(self, x: float, y1: float, y2: float, color: str, dash: str = "") -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.out.append(f'<line x1="{x:.1f}" y1="{y1:.1f}" x2="{x:.1f}" y2="{y2:.1f}" '
                        f'stroke="{color}"{dashes}/>')

    def lane(self, name: str, spans: list[tuple[str, float, float]]) -> None:
        """spans: (color, begin, end)."""
        middle = self.y + LANE / 2
        self.text(LEFT - 10, middle + 4, name, "end")
        self.out.append(f'<line x1="{LEFT}" y1="{middle:.1f}" x2="{WIDTH - RIGHT}" '
                        f'y2="{middle:.1f}" stroke="{FAINT}"/>')
        for color, begin, end in spans:
            width = max(self.x(end) - self.x(begin), 1.5)
            self.out.append(f'<rect x="{self.x(begin):.1f}" y="{self.y + 8:.1f}" '
                            f'width="{width:.1f}" height="{LANE - 16}" rx="2" fill="{color}"/>')
        self.y += LANE

    def axis(self) -> None:
        seconds = (self.end - self.begin) / 1000
        step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if seconds / step <= 16)
        number = -int((self.zero - self.begin) / 1000 / step)
        while self.zero + number * step * 1000 <= self.end:
            x = self.x(self.zero + number * step * 1000)
            self.line(x, TOP, self.y + 4, FAINT)
            self.text(x, self.y + 20, f"{number * step:g} s", "middle", size=12)
            number += 1

    def marks(self, report: dict) -> None:
        """Faults above the lanes; the phases of the failover below them, each on its own line."""
        row = 0
        for moment, words in self.history["faults"]:
            self.line(self.x(moment), TOP - 22 + 13 * (row % 2), self.y, FAULT, "4 3")
            self.text(self.x(moment) + 3, TOP - 26 + 13 * (row % 2), " ".join(words), color=FAULT,
                      size=12)
            row += 1
        words = [f"{name} +{value:.0f} ms" for name, value in report["phases"].items()]
        y = self.y + 44
        self.text(LEFT - 10, y, "failover", "end")
        self.text(LEFT, y, ", ".join(words) or "none")
        y += 22
        self.text(LEFT - 10, y, "result", "end")
        lost = "unknown" if report["lost"] is None else report["lost"]
        self.text(LEFT, y, f"acknowledged {report['acked']}, lost {lost}, "
                           f"two writers {report['dual_ms']:g} ms, "
                           f"longest outage {report['outage_ms']:.0f} ms")
        self.y = y + 20

    def render(self, report: dict) -> str:
        nodes = list(self.history["local"])
        color = {name: COLORS[number % len(COLORS)] for number, name in enumerate(nodes)}
        acks = [(color.get(node, INK), begin, end) for node in nodes
                for begin, end in spans_of([row[2] for row in checker.acked(self.history["vip"])
                                          if row[4] == node], 60)]
        self.lane("writes through the VIP", acks)
        for name in nodes:
            rows = checker.acked(self.history["local"][name])
            self.lane(f"{name} accepts writes",
                      [(color[name], *span) for span in spans_of([row[2] for row in rows], 200)])
        for name in nodes:
            self.lane(f"{name} has the VIP",
                      [(color[name], *span) for span in held(self.history, name)])
        body_from = len(self.out)
        self.axis()
        grid, self.out = self.out[body_from:], self.out[:body_from]
        self.out = grid + self.out
        self.text(LEFT, 30, self.title, size=17)
        self.text(LEFT, 50, "seconds since the first fault", size=12)
        self.marks(report)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.y:.0f}" '
                f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>'
                + "\n".join(self.out) + "</svg>\n")


def timeline(history: dict, report: dict, title: str) -> str:
    return Picture(history, title).render(report)
