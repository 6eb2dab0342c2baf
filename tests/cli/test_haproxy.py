# SPDX-License-Identifier: PostgreSQL
"""Debian's haproxy with examples/haproxy as it stands, but for addresses and ports, before two node_health."""

import contextlib
import socket
import subprocess
import threading
import unittest
from pathlib import Path

import pgv
from test_node_health import boottime_ms

EXAMPLE = pgv.TOP / "examples/haproxy/haproxy.cfg"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Database:
    """Says its name to whoever connects, and keeps the connection."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.clients = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                self.clients.append(client)
                client.sendall(self.name.encode())

    def close(self):
        for each in (self.socket, *self.clients):
            each.close()


class Haproxy(pgv.Case):
    def setUp(self):
        super().setUp()
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        self.writes, self.reads = free_port(), free_port()
        self.ports = {}
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in (("*:5000", f"127.0.0.1:{self.writes}"), ("*:5001", f"127.0.0.1:{self.reads}")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        for name, example in (("n1", "192.0.2.1:5432"), ("n2", "192.0.2.2:5432")):
            database, port = Database(name), self.node(name)
            self.addCleanup(database.close)
            line = f"server {name} {example} maxconn 500 check port 8008"
            self.assertEqual(text.count(line), 3)
            self.ports[name] = port
            text = text.replace(line, f"server {name} 127.0.0.1:{database.port} maxconn 500 check port {port}")
        (self.top / "haproxy.cfg").write_text(text)
        # HAProxy takes a server for a good one until its first check.
        for name in ("n1", "n2"):
            self.wait_until(lambda name=name: self.listens(name), 30)
        self.is_primary("n1")
        self.start(["/usr/sbin/haproxy", "-db", "-f", self.top / "haproxy.cfg"])

    def listens(self, name):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[name])):
            return True
        return False

    def start(self, argv):
        program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(program.wait, 20)
        self.addCleanup(program.kill)

    def node(self, name):
        top, port = self.top / name, free_port()
        for part in ("", "run", "state", "data"):
            (top / part).mkdir(exist_ok=True)
        path = top / "clitest.ini"
        path.write_text(pgv.CONFIG_TEXT.format(top=top) + f"[health]\nlisten = local\nport = {port}\n")
        self.start([pgv.program("node_health"), "--serve", "-c", path, "-n", name])
        return port

    def put(self, name, file, **values):
        new = self.top / name / "run" / f"{file}.new"
        new.write_text(f"boot={self.boot}\n" + "".join(f"{key}={value}\n" for key, value in values.items()))
        new.rename(self.top / name / "run" / file)

    def is_primary(self, name):
        self.put(name, "lease", at_ms=boottime_ms() + 5000, word="vote")
        self.put(name, "answer", at_ms=boottime_ms(), word="yes primary")
        (self.top / name / "run/serving").write_text("1\n")

    def ends_serving(self, name):
        (self.top / name / "run/serving").write_text("0\n")
        self.put(name, "answer", at_ms=boottime_ms(), word="no down")

    def leads_to(self, port, name):
        """Each look prolongs the lease, as a round does."""
        def look():
            self.is_primary(name)
            return self.reached(port) == name
        return look

    def holds_one(self):
        self.is_primary("n1")
        self.held = socket.create_connection(("127.0.0.1", self.writes), timeout=60)
        if self.held.recv(16) == b"n1":
            return True
        self.held.close()
        return False

    def reached(self, port):
        """Whose database; None: nobody's."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            return client.recv(16).decode() or None

    def test_clients_go_where_the_right_is(self):
        self.wait_until(self.leads_to(self.writes, "n1"), 60)
        # There is no standby: the primary has the reads too.
        self.wait_until(self.leads_to(self.reads, "n1"), 60)
        self.wait_until(self.holds_one, 30)
        stays = self.held
        self.addCleanup(stays.close)
        self.ends_serving("n1")
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(stays.recv(16), b"", "a session of the old primary goes on")
        self.wait_until(lambda: self.reached(self.writes) is None, 60)
        self.wait_until(self.leads_to(self.writes, "n2"), 60)


if __name__ == "__main__":
    unittest.main()
