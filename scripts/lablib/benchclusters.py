# SPDX-License-Identifier: PostgreSQL
"""scripts/bench clusters: many clusters on one pair of hosts, with one witness: what each further one
costs beside the first."""

import argparse
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable

from . import benchrest, golden, keys, places, status
from .benchfault import LAB
from .benchfigures import machine, markdown, said_of, table
from .benchrest import KEEPALIVED, MANAGER, POSTGRES
from .errors import LabError
from .inifile import IniFile
from .lab import Lab, remove
from .node import Node
from .run import CLEAN_ENV, run
from .seeds import LIBEXEC, Seeds
from .settings import Host, Settings

COUNTS = (1, 5, 20)
# Each cluster has a port, an address, and a pair of router ids of its own.
PORT, ROUTER_ID, ADDRESS = 5432, 51, "10.77.0.{}/24"
SETTLE_S, READY_S = 20.0, 180.0
# So many are made at a time: servers that start are not what is measured.
AT_ONCE = 5
KEEPALIVED_CONF = "/etc/keepalived/keepalived.conf"
# Twenty servers on a node: smaller ones, and the last line of a file wins.
SMALL = "\nshared_buffers = 8MB\nmin_wal_size = 32MB\nmax_wal_size = 64MB\nport = {port}\n"


class Further:
    """One more cluster on the hosts of a lab that runs."""

    def __init__(self, lab: Lab, number: int):
        self.lab = lab
        self.name = f"more{number}"
        first = lab.settings
        ini = IniFile(first.ini.text(), self.name)
        for section, key, value in (
                ("cluster", "name", self.name), ("cluster", "vip", ADDRESS.format(100 + number)),
                ("cluster", "virtual_router_id", str(ROUTER_ID + 2 * number)),
                ("postgresql", "port", str(PORT + number)),
                ("postgresql", "data_dir", f"{os.path.dirname(first.data_dir)}/{self.name}"),
                ("fencing", "ssh_known_hosts", first.ssh_known_hosts),
                ("witness", "passfile", first.witness_passfile)):
            ini.set(section, key, value)
        self.settings = Settings(ini)
        self.seeds = Seeds(lab.name, self.settings)
        self.guards: list[subprocess.Popen] = []

    def make(self, data: str) -> None:
        """data: a database as that of the first cluster, whose role and password it has as well."""
        conf, hba, ident, _ = self.seeds.database()
        keys.make(self.keys(), [host.name for host in self.settings.nodes()])
        for host in self.settings.nodes():
            node = self.lab.node(host.name)
            self._data(node, host, data, {"postgresql.conf": conf + SMALL.format(port=self.settings.port),
                                          "pg_hba.conf": hba, "pg_ident.conf": ident})
            self._files(node, host)

    def keys(self) -> str:
        return f"{self.lab.dir}/keys-{self.name}"

    def _data(self, node: Node, host: Host, data: str, texts: dict[str, str]) -> None:
        target = node.path(self.settings.data_dir)
        run(["cp", "-a", "--reflink=auto", data, target], timeout=120)
        owner = pwd.getpwnam(self.settings.os_user)
        for name, text in {**texts, **self.seeds.data_files(host)}.items():
            # Who may come in is this cluster's word alone; the observers of the lab stay out.
            with open(f"{target}/{name}", "w" if name.startswith("pg_") else "a", encoding="utf-8") as file:
                file.write(text)
            os.chown(f"{target}/{name}", owner.pw_uid, owner.pw_gid)

    def _files(self, node: Node, host: Host) -> None:
        run(["cp", "-a", node.path(self.lab.settings.passfile), node.path(self.settings.passfile)])
        for reader in (node, self.lab.node(places.WITNESS)):
            with open(reader.path(self.settings.ini_path()), "w", encoding="utf-8") as file:
                file.write(self.settings.ini.text())
        shutil.copyfile(f"{self.keys()}/{host.name}", node.path(self.settings.ssh_key))
        os.chmod(node.path(self.settings.ssh_key), 0o600)
        other = next(one for one in self.settings.nodes() if one.name != host.name)
        self._let_in(node, f"{self.keys()}/{other.name}.pub", "-n", host.name)
        self._let_in(self.lab.node(places.WITNESS), f"{self.keys()}/{host.name}.pub", "--witness")
        with open(node.path(KEEPALIVED_CONF), "a", encoding="utf-8") as file:
            file.write(self.seeds.config("keepalived", "-n", host.name, "--include"))
        os.makedirs(node.path(self.settings.run_dir), exist_ok=True)

    def _let_in(self, node: Node, key: str, *where: str) -> None:
        with open(node.path("/root/.ssh/authorized_keys"), "a", encoding="utf-8") as file:
            file.write(self.seeds.config("authorized_keys", *where, "--key", key))

    def start(self) -> None:
        """Its guards; the nodes' pid 1 keeps those of the first cluster alone."""
        for host in self.settings.nodes():
            argv = self.lab.node(host.name).command(
                ["setsid", f"{LIBEXEC}/fence_self", "--watch", "-c", self.settings.ini_path()])
            self.guards.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                stderr=subprocess.DEVNULL, env=CLEAN_ENV))

    def serves(self) -> bool:
        """By the file that says so, which it writes while its lease runs: nobody is asked."""
        nodes = [self.lab.node(host.name) for host in self.settings.nodes()]
        return any(status.number_in(node, f"{self.settings.run_dir}/serving") == 1
                   and status.has_vip(node, self.settings) for node in nodes)

    def end(self) -> None:
        for guard in self.guards:
            guard.kill()
            guard.wait()


def widen(lab: Lab) -> None:
    """The lab's witness has room for the connections of one cluster."""
    lab.witness_sql("ALTER SYSTEM SET max_connections = 200")
    lab.fault("restart", "witness")
    lab.wait(lambda: lab.record() is not None, 20, "the witness is back")
    lab.wait_ready()


def grow(lab: Lab, more: list[Further], count: int) -> None:
    """Until the pair has so many clusters, each of them serves with its address up, and is paired."""
    base = golden.get(lab.settings, *Seeds(lab.name, lab.settings).database())
    while len(more) + 1 < count:
        new = [Further(lab, number)
               for number in range(len(more) + 1, min(count, len(more) + 1 + AT_ONCE))]
        more += new
        for cluster in new:
            cluster.make(base.data)
            cluster.start()
        for host in lab.settings.nodes():
            lab.fault("reload", host.name, "keepalived")
        lab.wait(lambda: all(cluster.serves() for cluster in more), READY_S,
                 f"{len(more) + 1} clusters serve")
        lab.wait(lambda: paired(lab) == len(more) + 1, READY_S, f"{len(more) + 1} clusters are paired")


def paired(lab: Lab) -> int:
    """Clusters whose record lets the standby take over."""
    return lab.witness_sql("SELECT count(*) FROM pgvrrp.record WHERE paired")[0][0]


# ---- the sub-command ----

NAME = "clusters"
HELP = "many clusters on one pair of hosts: what each further one costs"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)), metavar="N,N",
                        help="of clusters on the pair, rising, 1 first")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    at, rows, failed = machine(), [], ""
    more: list[Further] = []
    remove(LAB)
    lab = Lab.up(LAB, witness="postgres", mode="async")
    try:
        widen(lab)
        for count in map(int, args.counts.split(",")):
            grow(lab, more, count)
            time.sleep(SETTLE_S)
            hosts = benchrest.at_rest(lab)
            rows.append({"clusters": count, "hosts": hosts})
            say(f"  {count}: {_sum(rows[-1], 'cpu_ms', KEEPALIVED, MANAGER, POSTGRES):.1f} ms/s")
            lab.wait(lambda: all(cluster.serves() for cluster in more), 5, "all still serve")
    except LabError as error:
        failed = str(error)  # what was measured before it stands
        say(f"  FAILED: {failed}")
    finally:
        lab.down()
        for cluster in more:
            cluster.end()
    return {"machine": at, "rows": rows, "failed": failed}


def _sum(row: dict, key: str, *groups: str) -> float:
    return benchrest.total(row["hosts"], key, groups)


HEADS = ["clusters on the pair", "ms of CPU a second, all hosts", "keepalived", "ours", "PostgreSQL",
         "a further one, times the first", "PSS of ours, MiB"]


def further(found: dict, row: dict) -> float | None:
    """What each one after the first costs, times the first."""
    first = _sum(found["rows"][0], "cpu_ms", KEEPALIVED, MANAGER, POSTGRES)
    now = _sum(row, "cpu_ms", KEEPALIVED, MANAGER, POSTGRES)
    return (now - first) / (row["clusters"] - 1) / first if row["clusters"] > 1 and first else None


def cells(found: dict) -> list[list[str]]:
    rows = []
    for row in found["rows"]:
        times = further(found, row)
        rows.append([str(row["clusters"]), f"{_sum(row, 'cpu_ms', KEEPALIVED, MANAGER, POSTGRES):.1f}",
                     *(f"{_sum(row, 'cpu_ms', group):.1f}" for group in (KEEPALIVED, MANAGER, POSTGRES)),
                     "-" if times is None else f"{times:.2f}",
                     f"{_sum(row, 'pss_kib', MANAGER) / 1024:.1f}"])
    return rows


def text(found: dict) -> str:
    return "\n\n".join(filter(None, [table(HEADS, cells(found)), found["failed"]]))


def page(found: dict) -> str:
    failed = f"Not measured: {found['failed']}." if found["failed"] else ""
    return "\n\n".join(filter(None, [said_of(found["machine"]) + ".", markdown(HEADS, cells(found)), failed]))


def fits(found: dict) -> bool:
    return not found["failed"] and all((further(found, row) or 0) < 1 for row in found["rows"])
