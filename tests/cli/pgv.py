# SPDX-License-Identifier: PostgreSQL
"""Runs the built binaries as keepalived, sshd or a person would, without a cluster around them."""

import functools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PGV_BUILD", TOP / "build")).resolve()

HELPERS = [
    "check_answer",
    "check_primary",
    "check_setup",
    "cluster_config",
    "cluster_status",
    "drill",
    "fence_old",
    "fence_self",
    "node_health",
    "pause",
    "promote_safe",
    "rejoin",
    "reload",
    "replication_slots",
    "restart",
    "resume",
    "switchover",
    "witness_record",
]
# With those that are scripts.
PROGRAMS = sorted([*HELPERS, "node-setup", "report"])
# Those that change something, and so offer --dry-run and --explain.
ACTING = ["drill", "fence_old", "fence_self", "pause", "promote_safe", "rejoin", "reload",
          "replication_slots", "restart", "resume", "switchover", "witness_record"]

YES, NO, REFUSED, UNKNOWN, INCOMPLETE = 0, 1, 2, 3, 4
USAGE, BUG, SYSTEM, CONFIG = 64, 70, 71, 78

CONFIG_TEXT = """\
[cluster]
name = clitest
vip = 192.0.2.100/24
interface = lo
virtual_router_id = 51
run_dir = {top}/run
state_dir = {top}/state
[node n1]
address = 192.0.2.1
[node n2]
address = 192.0.2.2
[witness]
kind = ping
address = 192.0.2.3
[postgresql]
port = 5432
version = 15
bin_dir = /usr/lib/postgresql/15/bin
data_dir = {top}/data
socket_dir = {top}
os_user = postgres
role = keeper
database = postgres
[replication]
mode = async
[fencing]
methods = ssh
ssh_user = root
ssh_key = {top}/key
ssh_known_hosts = {top}/known_hosts
[timing]
lease = 5s
margin = 1s
"""


@dataclass
class Result:
    code: int
    out: str
    err: str
    log: list  # what went to syslog, one line each

    @property
    def verdicts(self):
        return [line for line in self.log if "outcome=" in line]


def each(names):
    """The method is run for every one of the names, its first argument."""

    def decorate(method):
        @functools.wraps(method)
        def run(self, *args):
            for name in names:
                with self.subTest(helper=name):
                    method(self, name, *args)

        return run

    return decorate


def program(name):
    return BUILD / ("bin" if name == "pg_vrrp" else "libexec") / name


class Syslog:
    """Reads all the time, because the kernel queues no more than ten lines."""

    def __init__(self, path):
        self.path = str(path)
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while (line := self.socket.recv(65536).decode(errors="replace")) != "over":
            if line == "taken":
                self.taken.set()
            else:
                self.lines.append(line)

    def send(self, word):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(word.encode(), self.path)

    def take(self):
        """What has come so far: lines do not overtake each other."""
        self.taken = threading.Event()
        self.send("taken")
        self.taken.wait(10)
        lines, self.lines = self.lines, []
        return lines

    def close(self):
        self.send("over")
        self.reader.join(10)
        self.socket.close()


class Case(unittest.TestCase):
    """Each test has its own directory, network namespace and system log."""

    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("needs root for namespaces")
        self.top = Path(tempfile.mkdtemp(prefix="pgv-cli-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.top.chmod(0o755)
        # A /dev of our own, because that is where the log socket has to be.
        self.dev = self.top / "dev"
        self.dev.mkdir()
        for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            os.mknod(self.dev / name, 0o20666, os.makedev(1, minor))
            (self.dev / name).chmod(0o666)
        self.syslog = Syslog(self.dev / "log")
        self.addCleanup(self.syslog.close)

    def run_helper(self, name, *args, env=None, stdout=subprocess.PIPE, setup="", redirect="",
                   after="", limit=30):
        """Shell words: setup before the call, redirect behind it, after when it has ended."""
        script = f"""mount --bind "$1" /dev && shift && ip link set lo up || exit 99
            {setup}
            "$@" {redirect}
            code=$?
            {after}
            exit $code"""
        argv = ["unshare", "-m", "-n", "sh", "-c", script, "sh", str(self.dev), str(program(name))]
        done = subprocess.run(
            [*argv, *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=limit,
            env={**os.environ, **(env or {})},
            check=False,
        )
        self.assertNotEqual(done.returncode, 99, done.stderr)
        return Result(done.returncode, done.stdout or "", done.stderr, self.syslog.take())

    def config(self, replace=(), text=None):
        """A sound file, with (old, new) pairs exchanged in it."""
        body = CONFIG_TEXT.format(top=self.top) if text is None else text
        for old, new in replace:
            self.assertIn(old, body)
            body = body.replace(old, new, 1)
        path = self.top / "clitest.ini"
        path.write_text(body)
        return path

    def wait_until(self, condition, limit=10):
        deadline = time.monotonic() + limit
        while not condition():
            self.assertLess(time.monotonic(), deadline, "the condition did not come true")
            time.sleep(0.02)

    def assert_one_verdict(self, result, outcome):
        self.assertEqual(len(result.verdicts), 1, result)
        self.assertIn(f"outcome={outcome} ", result.verdicts[0])
        form = r' rule=[a-z0-9-]+ .*message="[^"]+".* elapsed_ms=\d+$'
        self.assertRegex(result.verdicts[0], form)
