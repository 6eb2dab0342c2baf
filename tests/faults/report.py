# SPDX-License-Identifier: PostgreSQL
"""What a campaign of fault runs found: a table for documents and terminals, and one page of HTML
that needs nothing else.

A run is {"seed", "setup", "mode", "witness", "versions", "history", "report"}, and may have
"replay", the command that does it again.
"""

import re
import statistics
from html import escape

import style
import timeline

HEADS = ["seed", "setup", "mode", "witness", "faults", "acknowledged", "unknown", "lost",
         "two writers", "VIP on two", "backwards", "outages", "longest", "hands needed",
         "verdict"]
WORDS = {"setup", "mode", "witness", "verdict"}
KIND_HEADS = ["fault", "times", "felt", "median outage", "longest outage"]


# ---- figures ----

def _seconds(ms: float | None) -> str:
    return "?" if ms is None else "0" if ms == 0 else timeline.seconds(ms)


def _ms(value: float | None) -> str:
    if value is None:
        return "?"
    return timeline.seconds(value) if value >= 1000 else f"{round(value, 1):g} ms" if value else "0"


def _cells(run: dict) -> list[str]:
    report = run["report"]
    return [str(run["seed"]), run["setup"], run["mode"], run["witness"],
            str(len(run["history"]["faults"])), str(report["acked"]), str(report["unknown"]),
            "?" if report["lost"] is None else str(report["lost"]), _ms(report["dual_ms"]),
            _ms(report["vip_dual_ms"]), str(report["backwards"]), str(len(report["outages"])),
            _seconds(report["outage_ms"]), str(report["hands"]),
            "FAILED" if report["bad"] else "held"]


def _known(runs: list[dict], key: str) -> list:
    return [run["report"][key] for run in runs if run["report"][key] is not None]


def sums(runs: list[dict]) -> dict[str, float]:
    """What is unknown of a run counts as nothing here; its verdict says so."""
    return {
        "runs": len(runs), "failed": sum(bool(run["report"]["bad"]) for run in runs),
        "faults": sum(len(run["history"]["faults"]) for run in runs),
        "minutes": sum(run["history"]["ended_ms"] - run["history"]["begun_ms"]
                       for run in runs) / 60000,
        **{key: sum(_known(runs, key)) for key in
           ("acked", "unknown", "lost", "dual_ms", "vip_dual_ms", "backwards", "hands")},
        "outages": sum(len(run["report"]["outages"]) for run in runs),
        "outage_ms": max(_known(runs, "outage_ms"), default=0.0),
    }


def _sum_cells(runs: list[dict]) -> list[str]:
    all_of = sums(runs)
    failed = all_of["failed"]
    return ["all", "", "", "", f"{all_of['faults']}", f"{all_of['acked']}", f"{all_of['unknown']}",
            f"{all_of['lost']}", _ms(all_of["dual_ms"]),
            _ms(all_of["vip_dual_ms"]), f"{all_of['backwards']}", f"{all_of['outages']}",
            _seconds(all_of["outage_ms"]), f"{all_of['hands']}",
            f"{failed} FAILED" if failed else "held"]


def _in_order(runs: list[dict]) -> list[dict]:
    """What failed is what people look for."""
    return sorted(runs, key=lambda run: (not run["report"]["bad"], run["setup"], run["seed"]))


def _kind(words: str, nodes: list[str]) -> str:
    """Of whichever node, and however much or long."""
    names = "|".join(map(re.escape, sorted(nodes, key=len, reverse=True)))
    words = re.sub(rf"\b({names})\b", "node", words)
    return re.sub(r"[+-]\d+", "N", re.sub(r"\d+(%|ms)", r"N\1", words))


def kinds(runs: list[dict]) -> list[list[str]]:
    """For each kind of fault, what it did to who wrote through the VIP."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for gap in run["report"]["gaps"]:
            kind = _kind(gap["fault"], run["history"]["nodes"])
            found.setdefault(kind, []).append(gap["outage_ms"])
    rows = []
    for kind, outages in sorted(found.items()):
        felt = [outage for outage in outages if outage]
        rows.append([kind, str(len(outages)), str(len(felt)),
                     _seconds(statistics.median(felt)) if felt else "-",
                     _seconds(max(felt)) if felt else "-"])
    return rows


def replay(run: dict) -> str:
    return run.get("replay") or (
        f"sudo scripts/test faults --seed {run['seed']} --setup {run['setup']} "
        f"--mode {run['mode']} --witness {run['witness']}")


# ---- the table ----

def _markdown(heads: list[str], rows: list[list[str]], words: set[str]) -> list[str]:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    def line(cells: list[str]) -> str:
        padded = [cell.ljust(width) if head in words else cell.rjust(width)
                  for head, cell, width in zip(heads, cells, widths)]
        return "| " + " | ".join(padded) + " |"
    rule = ["-" * width if head in words else "-" * (width - 1) + ":"
            for head, width in zip(heads, widths)]
    return [line(heads), "| " + " | ".join(rule) + " |", *map(line, rows)]


def table(runs: list[dict]) -> str:
    lines = _markdown(HEADS, [*map(_cells, _in_order(runs)), _sum_cells(runs)], WORDS)
    if faults := kinds(runs):
        lines += ["", *_markdown(KIND_HEADS, faults, {"fault"})]
    return "\n".join(lines) + "\n"


# ---- the page ----

def _table(heads: list[str], rows: list[list[str]], words: set[str], links: bool = False) -> str:
    def cell(tag: str, head: str, text: str) -> str:
        kind = ["word"] if head in words else []
        if head == "verdict" and tag == "td":
            kind.append("bad" if "FAILED" in text else "good")
        shown = escape(text)
        if links and head == "seed" and tag == "td" and text != "all":
            shown = f'<a href="#run{shown}">{shown}</a>'
        names = f' class="{" ".join(kind)}"' if kind else ""
        return f"<{tag}{names}>{shown}</{tag}>"
    out = ["<tr>" + "".join(cell("th", head, head) for head in heads) + "</tr>"]
    out += ["<tr>" + "".join(cell("td", head, text) for head, text in zip(heads, row)) + "</tr>"
            for row in rows]
    return f'<div class="scroll"><table>{"".join(out)}</table></div>'


def _tiles(runs: list[dict]) -> str:
    all_of = sums(runs)
    tiles = [(f"{all_of['faults']}", "faults injected", None),
             (f"{all_of['acked']}", "writes acknowledged", None),
             (f"{all_of['lost']}", "of them lost", all_of["lost"]),
             (_ms(all_of["dual_ms"]), "two nodes accepting", all_of["dual_ms"]),
             (_ms(all_of["vip_dual_ms"]), "VIP on two nodes", None),
             (f"{all_of['backwards']}", "reads gone backwards", all_of["backwards"]),
             (_seconds(all_of["outage_ms"]), "longest outage", None),
             (f"{all_of['hands']}", "times hands needed", None),
             (f"{all_of['failed']} of {all_of['runs']}", "runs failed", all_of["failed"])]
    out = []
    for value, words, wrong in tiles:
        kind = "" if wrong is None else ' class="bad"' if wrong else ' class="good"'
        out.append(f'<div class="sum"><b{kind}>{escape(value)}</b><span>{words}</span></div>')
    return f'<div class="sums">{"".join(out)}</div>'


def _key(nodes: list[str]) -> str:
    parts = [("fault", "a fault, until it is healed"), ("acks", "acknowledged writes each second")]
    for number, node in enumerate(nodes):
        parts += [(f"node{number % 2}", f"{node} accepts writes"),
                  (f"vip{number % 2} thin", f"{node} answers for the VIP")]
    parts += [("gap", "no acknowledged write"), ("twice", "two at once")]
    return '<div class="key">' + "".join(f'<span><i class="{kind}"></i>{escape(words)}</span>'
                                         for kind, words in parts) + "</div>"


def _sentences(words: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in words) + "</ul>"


def _anchors(runs: list[dict]) -> dict[int, str]:
    """The first run of a seed is where its row in the table leads."""
    names: dict[int, str] = {}
    taken: set[int] = set()
    for run in runs:
        names[id(run)] = "" if run["seed"] in taken else f' id="run{run["seed"]}"'
        taken.add(run["seed"])
    return names


def _section(run: dict, anchor: str) -> str:
    report, history = run["report"], run["history"]
    minutes = (history["ended_ms"] - history["begun_ms"]) / 60000
    final = f", {report['final']} served at the end" if report["final"] else ""
    out = [f'<section{anchor}{" class=bad" if report["bad"] else ""}>',
           f"<h2>Seed {run['seed']}: {escape(run['setup'])}, mode {escape(run['mode'])}, "
           f"witness {escape(run['witness'])}</h2>",
           f'<p class="soft">{minutes:.1f} minutes, faults: {len(history["faults"])}, '
           f"{report['acked']} writes acknowledged{escape(final)}</p>"]
    if report["bad"]:
        out.append(f'<div class="verdict"><b>The promise was broken</b>{_sentences(report["bad"])}'
                   f"<p>Again: <code>{escape(replay(run))}</code></p></div>")
    out.append(f'<div class="scroll">{timeline.svg(history, report)}</div>')
    if report["notes"]:
        out.append(f"<details><summary>notes, {len(report['notes'])}: what nobody is promised, "
                   f"what is not known</summary>{_sentences(report['notes'])}</details>")
    rows = [[gap["fault"], timeline.seconds(gap["begun_ms"] - history["begun_ms"]),
             _seconds(gap["outage_ms"])] for gap in report["gaps"]]
    if rows:
        out.append("<details><summary>each fault and its outage</summary>"
                   + _table(["fault", "begun at", "outage"], rows, {"fault"}) + "</details>")
    return "\n".join(out) + "</section>"


def page(runs: list[dict]) -> str:
    ordered = _in_order(runs)
    all_of = sums(runs)
    made_of = ", ".join(f"{name} {version}" for name, version in runs[0]["versions"].items())
    anchors = _anchors(ordered)
    rows = [*map(_cells, ordered), _sum_cells(runs)]
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Fault results</title><style>{style.CSS}</style></head><body>",
        "<h1>Fault results</h1>",
        f'<p class="soft">Runs: {all_of["runs"]}, with {all_of["minutes"]:.0f} minutes of load. '
        f"{escape(made_of)}</p>", _tiles(runs), _table(HEADS, rows, WORDS, links=True),
        _key(runs[0]["history"]["nodes"]),
        *(_section(run, anchors[id(run)]) for run in ordered),
        "<section><h2>Outages by kind of fault</h2>", _table(KIND_HEADS, kinds(runs), {"fault"}),
        "</section></body></html>"]) + "\n"
