# SPDX-License-Identifier: PostgreSQL
"""Who is what: seen from outside, without the helpers' own opinion where that is possible."""

import os

from . import places, switch, vipwatch, witness
from .errors import LabError
from .kernel import boot_ms
from .node import Node
from .pgsession import ask_kept, ask_once, socket_dsn
from .settings import PG_VRRP, Settings

SERVER = """
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery()
            THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
            ELSE pg_current_wal_lsn() END::text,
       CASE WHEN pg_is_in_recovery()
            THEN (SELECT received_tli FROM pg_stat_wal_receiver)
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
       (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'),
       (SELECT string_agg(sync_state, ',') FROM pg_stat_replication),
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
"""


def stamp(node: Node, path: str) -> dict[str, str]:
    """A file of key=value lines; empty when it is not there."""
    try:
        with open(node.path(path), encoding="utf-8", errors="replace") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return {}


def number_in(node: Node, path: str) -> int | None:
    try:
        with open(node.path(path), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def has_vip(node: Node, settings: Settings) -> bool:
    try:
        return vipwatch.is_here(f"/proc/{node.pid()}/ns/net", str(settings.vip.ip))
    except OSError:
        return False  # it went off meanwhile


def of_server(node: Node, settings: Settings) -> dict:
    directory = node.path(settings.socket_dir)
    if not os.path.exists(f"{directory}/.s.PGSQL.{settings.port}"):
        return {"role": "down"}
    rows = ask_kept(socket_dsn(directory, settings.port, "lab"), SERVER)
    if not rows:
        running = node.postmaster(settings.data_dir) is not None
        return {"role": "unknown" if running else "down"}
    standby, lsn, timeline, senders, sync, receiving = rows[0]
    return {"role": "standby" if standby else "primary", "lsn": lsn, "timeline": timeline,
            "streaming": receiving if standby else senders > 0, "sync_state": sync}


def of_node(node: Node, settings: Settings) -> dict:
    off = {"power": "off", "role": "down", "vip": False}
    try:
        return of_running(node, settings) if node.is_on() else off
    except LabError:
        if node.is_on():
            raise
        return off  # by its management board, while we looked


def of_running(node: Node, settings: Settings) -> dict:
    kinds = {process.kind() for process in node.processes()}
    run, state = settings.run_dir, settings.state_dir
    lease = stamp(node, f"{run}/lease")
    until = next((lease[key] for key in ("at_ms", "until_ms", "at") if key in lease), "")
    return {
        "power": "on",
        **of_server(node, settings),
        "vip": has_vip(node, settings),
        "serving": number_in(node, f"{run}/serving") == 1,
        "lease_left_ms": round(float(until) - boot_ms()) if until.strip("0").isdecimal() else None,
        "fenced": os.path.exists(node.path(f"{state}/fenced")),
        "withdrawn": os.path.exists(node.path(f"{state}/withdrawn")),
        "guard": "guard" in kinds,
        "keepalived": "keepalived" in kinds,
    }


def of_lab(lab: str, settings: Settings) -> dict:
    nodes = {host.name: of_node(Node(lab, host), settings) for host in settings.nodes()}
    cables = switch.load(lab)
    others = {host.name: {"power": "on" if Node(lab, host).is_on() else "off"}
              for host in settings.hosts.values() if host.kind != "node"}
    record = None
    if settings.has_record:
        others[places.WITNESS]["server"], record = witness.state(
            Node(lab, settings.host(places.WITNESS)), settings, places.WITNESS in cables.frozen)
    primaries = [name for name, node in nodes.items() if node["role"] == "primary"]
    return {
        "lab": lab,
        "setup": settings.setup,
        "cluster": settings.cluster,
        "mode": settings.mode,
        "witness": settings.witness_kind,
        "vip": str(settings.vip.ip),
        "vip_at": [name for name, node in nodes.items() if node["vip"]],
        "primary": primaries[0] if len(primaries) == 1 else None,
        "primaries": primaries,
        "term": record["term"] if record else
                max((node.get("timeline") or 0 for node in nodes.values()), default=0),
        "record": record,
        "nodes": nodes,
        "hosts": others,
        "cables": {"down": cables.down, "frozen": cables.frozen, "cut": cables.cut,
                   "loss": cables.loss, "mtu": cables.mtu},
    }


def writes_as_application(settings: Settings) -> bool:
    """To be asked on the client's network."""
    return any(ask_once(f"host={address} port={settings.port} user=lab dbname=postgres",
                        "INSERT INTO lab.rows (run, n) SELECT 'ready', coalesce(max(n), 0) + 1 "
                        "FROM lab.rows WHERE run = 'ready' RETURNING n", limit_ms=500)
               for address in settings.entries())


def as_text(status: dict) -> str:
    what = (f"witness {status['witness']}" if status["setup"] == PG_VRRP
            else f"set-up {status['setup']}")
    out = [f"lab {status['lab']}: cluster {status['cluster']}, mode {status['mode']}, "
           f"{what}, VIP {status['vip']} at "
           f"{', '.join(status['vip_at']) or 'no node'}"]
    heads = ["node", "power", "role", "tli", "lsn", "streams", "vip", "serving", "lease", "fenced",
             "guard", "keepalived"]
    rows = [heads]
    for name, node in status["nodes"].items():
        left = node.get("lease_left_ms")
        rows.append([name, node["power"], node["role"], str(node.get("timeline") or "-"),
                     node.get("lsn") or "-", _word(node.get("streaming")), _word(node["vip"]),
                     _word(node.get("serving")), "-" if left is None else f"{left} ms",
                     _word(node.get("fenced")), _word(node.get("guard")),
                     _word(node.get("keepalived"))])
    out += _table(rows)
    if "server" in status["hosts"].get(places.WITNESS, {}):
        out += _record_lines(status)
    cables = status["cables"]
    faults = [f"{name} cut off" for name in cables["down"]]
    faults += [f"{name} frozen" for name in cables["frozen"]]
    faults += [f"{a} -> {b} cut" for a, b in cables["cut"]]
    faults += [f"{pair.replace(' ', ' -> ')} loses {percent} %"
               for pair, percent in cables["loss"].items()]
    out.append(f"network: {', '.join(faults) or 'whole'}")
    return "\n".join(out)


def _record_lines(status: dict) -> list[str]:
    server, record = status["hosts"][places.WITNESS]["server"], status["record"]
    if record is None:
        return ["record: none" if server == "up" else f"record: the witness's server is {server}"]
    end = record["final_lsn"]
    released = "no" if not record["released"] else f"yes, at {end}" if end else "yes"
    state = "paired" if record["paired"] else "solo"
    state += ", sync" if record["sync"] else ""
    state += ", paused" if record["paused"] else ""
    state += "" if record["sealed"] else ", EDITED BY HAND"
    return _table([["record", "term", "holder", "state", "released", "version"],
                   ["", str(record["term"]), record["holder"], state, released,
                    str(record["version"])]])


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows]


def _word(fact: bool | None) -> str:
    return "-" if fact is None else "yes" if fact else "no"
