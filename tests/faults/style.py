# SPDX-License-Identifier: PostgreSQL
"""How the page of a fault run looks, by day and by night."""

CSS = """\
:root { color-scheme: light dark;
  --page: #fcfcfb; --card: #ffffff; --ink: #0b0b0b; --soft: #52514e; --line: #e1e0d9;
  --node0: #2a78d6; --node1: #d9730d; --acks: #b9c7d6; --fault: #e4e2da; --name: #0b0b0b;
  --gap: #d03b3b; --bad: #b42626; --good: #156f15; --badbox: #fdf0ef; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0f0f0e; --card: #1a1a19; --ink: #f4f4f2; --soft: #b8b6ae; --line: #34342f;
  --node0: #4b94e8; --node1: #ef8c2f; --acks: #47525e; --fault: #3b3a35; --name: #f4f4f2;
  --gap: #e66767; --bad: #ff8a80; --good: #6fcf6f; --badbox: #2c1a19; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 24px 20px 60px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 24px; margin: 0 0 2px; }
h2 { font-size: 18px; margin: 0 0 4px; }
p { margin: 4px 0; }
.soft { color: var(--soft); }
.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 10px;
  margin: 18px 0; }
.sum { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 10px 12px; }
.sum b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.sum span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: 14px; }
th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th.word, td.word { text-align: left; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px 18px; margin: 18px 0; }
section.bad { border-color: var(--bad); }
.verdict { background: var(--badbox); border-radius: 6px; padding: 8px 12px; margin: 8px 0; }
.verdict ul { margin: 4px 0; padding-left: 20px; overflow-wrap: anywhere; }
.bad b, b.bad, td.bad { color: var(--bad); } b.good, td.good { color: var(--good); }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--soft); }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 16px 0 0; font-size: 13px;
  color: var(--soft); }
.key i { display: inline-block; width: 22px; height: 11px; border-radius: 2px; margin-right: 6px;
  vertical-align: -1px; }
.key i.thin { height: 4px; vertical-align: 3px; }
svg { display: block; width: 100%; min-width: 900px; height: auto; margin-top: 8px;
  font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
svg text { fill: var(--ink); font-size: 13px; }
svg .small { fill: var(--soft); font-size: 11px; }
svg .name { fill: var(--name); font-size: 11px; }
svg .length { fill: var(--gap); font-size: 11px; font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; }
.fault { fill: var(--fault); background: var(--fault); }
.acks { fill: var(--acks); background: var(--acks); }
.node0, .vip0 { fill: var(--node0); background: var(--node0); }
.node1, .vip1 { fill: var(--node1); background: var(--node1); }
.gap { fill: var(--gap); fill-opacity: .2; background: var(--gap); }
i.gap { opacity: .35; }
.twice { fill: var(--bad); fill-opacity: .38; stroke: var(--bad); stroke-width: 1.5;
  background: var(--bad); }
"""
