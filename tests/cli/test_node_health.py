# SPDX-License-Identifier: PostgreSQL
"""node_health: answers made of files, over HTTP; and what whoever asks badly costs."""

import json
import os
import resource
import socket
import subprocess
import time
import unittest
from pathlib import Path

import pgv

SEGMENT = 16 << 20


def boottime_ms():
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)


class NodeHealth(pgv.Case):
    def setUp(self):
        super().setUp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.path = self.config(text=pgv.CONFIG_TEXT.format(top=self.top)
                                + f"[health]\nlisten = local\nport = {self.port}\n")
        for name in ("run", "state", "data"):
            (self.top / name).mkdir()
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    # ---- the node ----

    def put(self, name, **values):
        lines = "".join(f"{key}={value}\n" for key, value in values.items())
        new = self.top / "run" / f"{name}.new"
        new.write_text(f"boot={self.boot}\n{lines}")
        new.rename(self.top / "run" / name)

    def lease(self, left_ms):
        self.put("lease", at_ms=boottime_ms() + left_ms, word="vote")

    def make_primary(self):
        self.lease(5000)
        self.put("answer", at_ms=boottime_ms(), word="yes primary")
        (self.top / "run/serving").write_text("1\n")

    def make_standby(self, behind=0):
        now = boottime_ms()
        (self.top / "run/serving").write_text("0\n")
        self.put("answer", at_ms=now, word="yes standby")
        self.put("contact", seen_ms=now - 10, streaming_ms=now - 10, primary_lsn=SEGMENT + behind,
                 received_lsn=SEGMENT + behind, timeline=3, leased_system=1, replayed_lsn=SEGMENT,
                 mark_lsn=SEGMENT, mark_ms=now - 10, reached_ms=now - 10)

    # ---- who asks ----

    def start(self):
        argv = [pgv.program("node_health"), "--serve", "-c", self.path, "-n", "n1"]
        server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop, server)
        self.wait_until(self.listens, 20)
        return server

    def stop(self, server):
        if server.poll() is None:
            server.terminate()
        server.wait(20)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def listens(self):
        try:
            return bool(self.raw(b"HEAD /health HTTP/1.0\r\n\r\n"))
        except ConnectionRefusedError:
            return False

    def raw(self, request):
        with self.connect() as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer.decode()

    def code(self, path, method="GET"):
        return int(self.raw(f"{method} {path} HTTP/1.1\r\nHost: n1\r\n\r\n".encode()).split()[1])

    def body(self, path):
        return self.raw(f"GET {path} HTTP/1.1\r\n\r\n".encode()).partition("\r\n\r\n")[2]

    # ---- answers ----

    def test_a_primary_and_then_a_standby(self):
        self.start()
        self.make_primary()
        for path in ("/", "/primary", "/read-write", "/read-only", "/health", "/liveness", "/readiness"):
            for method in ("GET", "HEAD", "OPTIONS"):
                self.assertEqual(self.code(path, method), 200, path)
        for path in ("/replica", "/sync", "/async"):
            self.assertEqual(self.code(path), 503, path)
        self.assertEqual(json.loads(self.body("/primary"))["role"], "primary")
        self.assertEqual(self.raw(b"OPTIONS /primary HTTP/1.0\r\n\r\n").partition("\r\n\r\n")[2], "")
        self.make_standby(behind=2 << 20)
        for path in ("/primary", "/sync", "/replica?lag=1MB"):
            self.assertEqual(self.code(path), 503, path)
        for path in ("/replica", "/replica?lag=2MB", "/replica?lag=1min", "/read-only", "/async"):
            self.assertEqual(self.code(path), 200, path)
        node = json.loads(self.body("/replica"))
        self.assertEqual((node["role"], node["state"], node["lag"]), ("replica", "running", 2 << 20))
        members = json.loads(self.body("/cluster"))["members"]
        self.assertEqual([(m["name"], m["role"]) for m in members], [("n1", "replica"), ("n2", "leader")])

    def test_no_primary_once_the_fence_is_due(self):
        """lease 5s: a fence takes 500 + 300 + 200 ms, and begins so long before the lease ends."""
        self.start()
        self.make_primary()
        self.assertEqual(self.code("/primary"), 200)
        self.lease(999)
        self.assertEqual(self.code("/primary"), 503)
        self.lease(5000)
        self.assertEqual(self.code("/primary"), 200)
        (self.top / "state/fenced").write_text("")
        self.assertEqual(self.code("/primary"), 503)
        (self.top / "state/fenced").unlink()
        (self.top / "run/serving").write_text("0\n")
        self.assertEqual(self.code("/primary"), 503)

    def test_old_and_unreadable_files_are_no_yes(self):
        self.start()
        yes = ("/primary", "/replica", "/read-only", "/health", "/liveness", "/readiness")
        self.assertEqual({self.code(path) for path in yes}, {503})
        self.make_standby()
        self.put("answer", at_ms=boottime_ms() - 6500, word="yes standby")
        self.assertEqual({self.code(path) for path in ("/replica", "/health", "/readiness")}, {503})
        self.make_primary()
        for garbage in (b"", b"1", b"\0\n", b"at_ms=99999999999999\n"):
            for name in ("lease", "serving", "answer"):
                (self.top / "run" / name).write_bytes(garbage)
            self.assertEqual({self.code(path) for path in yes}, {503}, garbage)

    def test_nothing_can_be_written(self):
        self.start()
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = self.raw(f"{method} /switchover HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            self.assertTrue(answer.startswith("HTTP/1.1 405 "), answer)
            self.assertIn("\r\nAllow: GET, HEAD, OPTIONS\r\n", answer)
        self.assertEqual(self.code("/nothing"), 404)
        self.assertEqual(self.code("/replica?lag=much"), 400)

    def test_metrics_are_the_same_in_a_file(self):
        self.start()
        self.make_standby(behind=100)
        over_http = self.body("/metrics")
        self.assertIn('pg_vrrp_lag_bytes{cluster="clitest",node="n1"} 100\n', over_http)
        self.assertIn('pg_vrrp_serving{cluster="clitest",node="n1"} 0\n', over_http)
        file = self.top / "pg_vrrp.prom"
        result = self.run_helper("node_health", "-c", self.path, "-n", "n1", "--metrics", file)
        self.assertEqual((result.code, result.out), (0, ""), result)
        names = [[line.split(" ")[0] for line in text.splitlines() if line[0] != "#"]
                 for text in (over_http, file.read_text())]
        self.assertEqual(names[0], names[1])
        self.assertEqual(len(names[0]), len(set(names[0])))

    def test_one_answer_by_hand(self):
        self.make_primary()
        result = self.run_helper("node_health", "-c", self.path, "-n", "n1", "/primary")
        self.assertEqual((result.code, json.loads(result.out)["role"]), (0, "primary"), result)
        result = self.run_helper("node_health", "-c", self.path, "-n", "n1", "/replica")
        self.assertEqual(result.code, pgv.NO, result)
        self.assertEqual(self.run_helper("node_health", "-c", self.path, "-n", "n1", "/x").code,
                         pgv.USAGE)

    def test_off_unless_configured(self):
        path = self.config()
        result = self.run_helper("node_health", "-c", path, "-n", "n1", "--serve")
        self.assertEqual(result.code, pgv.REFUSED, result)

    def test_it_ends_when_the_configuration_changes(self):
        server = self.start()
        self.path.write_text(self.path.read_text() + "# changed\n")
        self.assertEqual(server.wait(20), 0)

    # ---- the same for plugins and cron ----

    def test_check_primary_as_a_plugin(self):
        """There is no server here; what it says of that is a plugin's line and code."""
        before = sorted(os.listdir(self.top / "run"))
        result = self.run_helper("check_primary", "-c", self.path, "-n", "n1", "--nagios",
                                 "--warning", "16MB", "--critical", "1GB")
        self.assertIn(result.code, (2, 3), result)
        self.assertRegex(result.out, r"^PG_VRRP (CRITICAL|UNKNOWN) - [^|\n]+ \|[^|\n]*\n$")
        self.assertEqual(sorted(os.listdir(self.top / "run")), before)
        result = self.run_helper("check_primary", "-c", self.path, "-n", "n1", "--nagios",
                                 "--warning", "16mb")
        self.assertEqual((result.code, result.out[:16]), (3, "PG_VRRP UNKNOWN "), result)
        result = self.run_helper("check_primary", "-c", "/nowhere.ini", "--nagios")
        self.assertEqual((result.code, result.out[:16]), (3, "PG_VRRP UNKNOWN "), result)

    def test_check_primary_from_cron_tells_what_is_wrong(self):
        result = self.run_helper("check_primary", "-c", self.path, "-n", "n1", "--cron")
        self.assertIn(result.code, (pgv.NO, pgv.UNKNOWN), result)
        self.assertEqual(result.out, "")
        self.assertEqual(len(result.err.splitlines()), 1, result)

    # ---- who asks badly ----

    def test_slow_and_silent_clients_keep_nobody_out(self):
        """Far more than it has places for: some say nothing, some half a head, some never read."""
        server = self.start()
        self.make_primary()
        kinds = (b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01garbage\r\n\r\n")
        held = []
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.addCleanup(lambda: [connection.close() for connection in held])
        for i in range(600):
            connection = self.connect()
            held.append(connection)
            connection.sendall(kinds[i % len(kinds)])
            if i % 50 == 0:
                self.lease(5000)
                self.assertEqual(self.code("/primary"), 200, i)
        self.lease(5000)
        self.assertEqual(self.code("/primary"), 200)
        # It has not grown with them, and waits without turning.
        self.assertLess(len(os.listdir(f"/proc/{server.pid}/fd")), 100)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, server.pid), 10)
        spent = self.ticks(server.pid)
        time.sleep(1)
        self.assertLess(self.ticks(server.pid) - spent, os.sysconf("SC_CLK_TCK") // 4)

    @staticmethod
    def ticks(pid):
        words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return int(words[11]) + int(words[12])

    def test_a_head_in_pieces_and_one_without_end(self):
        self.start()
        self.make_primary()
        with self.connect() as connection:
            for byte in b"GET /primary HTTP/1.1\r\nHost: n1\r\n\r\n":
                connection.sendall(bytes([byte]))
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(self.raw(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 680).startswith("HTTP/1.1 431 "))


if __name__ == "__main__":
    unittest.main()
