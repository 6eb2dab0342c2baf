# SPDX-License-Identifier: PostgreSQL
"""The faults of the lab do what they say, and heal takes each of them back."""

import os
import select
import subprocess
import time
import unittest

from scenario import Scenario

from lablib import LabError, events, shim
from lablib.pgsession import ask_once, socket_dsn


class LabFaults(Scenario):
    """On the standby where that is possible: what the cluster makes of a fault is tested elsewhere."""
    shimmed = True

    def run_on(self, node: str, *argv: str) -> subprocess.CompletedProcess:
        return self.lab.run(node, list(argv))

    def pids(self, node: str, kind: str) -> set[int]:
        return {process.inner_pid for process in self.lab.node(node).processes()
                if process.kind() == kind}

    def free_blocks(self, node: str, path: str) -> int:
        return os.statvfs(self.lab.node(node).path(path)).f_bavail

    def struck(self) -> list[list[str]]:
        return [event["fault"] for event in events.read(self.lab.name)
                if event["fault"][0] == "struck" and event["boot_ms"] >= self.begun_ms]

    def heal(self) -> None:
        self.lab.fault("heal")

    # ---- load ----

    def hogs(self, node: str) -> int:
        return sum("hogs" in process.argv for process in self.lab.node(node).processes())

    def test_busy_host_has_so_many_processes_that_never_sleep(self):
        self.lab.fault("busy", self.new, "5")
        self.wait(lambda: self.hogs(self.new) == 5, 10, "five hogs")
        self.assertEqual(self.hogs(self.old), 0)
        self.heal()
        self.wait(lambda: self.hogs(self.new) == 0, 10, "no hog is left")

    def test_server_that_stands_still_by_turns_answers_late(self):
        def answer_ms() -> float:
            began = self.now_ms()
            self.assertEqual(self.sql(self.new, "SELECT 1"), "1")
            return self.now_ms() - began
        self.lab.fault("slow-server", self.new, "1500ms")
        self.wait(lambda: answer_ms() > 500, 20, "an answer that is late")
        self.heal()
        self.wait(lambda: max(answer_ms() for _ in range(3)) < 500, 30, "no answer is late")

    # ---- disks ----

    def test_full_disk_of_the_state_is_not_that_of_the_data(self):
        self.lab.fault("fill-disk", self.new, "state")
        self.assertEqual(self.free_blocks(self.new, "/var/lib/pg_vrrp"), 0)
        self.assertGreater(self.free_blocks(self.new, "/var/lib/postgresql"), 1000)
        self.heal()
        self.assertGreater(self.free_blocks(self.new, "/var/lib/pg_vrrp"), 1000)

    def test_full_disk_of_the_data_is_not_that_of_the_state(self):
        self.lab.fault("fill-disk", self.new, "data")
        self.assertEqual(self.free_blocks(self.new, "/var/lib/postgresql"), 0)
        self.assertGreater(self.free_blocks(self.new, "/var/lib/pg_vrrp"), 1000)
        self.heal()
        self.assertGreater(self.free_blocks(self.new, "/var/lib/postgresql"), 1000)

    def test_full_disk_without_a_word_is_both(self):
        self.lab.fault("fill-disk", self.new)
        for path in ("/var/lib/postgresql", "/var/lib/pg_vrrp"):
            self.assertEqual(self.free_blocks(self.new, path), 0, path)

    def test_heal_of_a_host_that_is_off_is_seen_when_it_is_on_again(self):
        """Its disk stayed full and slow, and a standby that was to be whole again within 90 s synced
        its directory for five minutes (seed 20)."""
        free = self.free_blocks(self.new, self.lab.settings.data_dir)
        self.lab.fault("fill-disk", self.new)
        self.lab.fault("slow-disk", self.new, "400ms")
        self.lab.fault("power-off", self.new)
        self.lab.fault("boot", self.new)
        self.assertLess(self.free_blocks(self.new, self.lab.settings.data_dir), free / 2)
        self.lab.fault("power-off", self.new)
        self.heal()
        self.lab.fault("boot", self.new)
        self.assertGreater(self.free_blocks(self.new, self.lab.settings.data_dir), free / 2)
        self.assertEqual(shim.delay_ms(self.lab.node(self.new)), 0)

    def test_slow_disk(self):
        def write_ms(node: str) -> float:
            directory = self.lab.node(node).path("/run/postgresql")
            began = self.now_ms()
            rows = ask_once(socket_dsn(directory, self.lab.settings.port, "lab"),
                            "INSERT INTO lab.rows SELECT 'slow', coalesce(max(n), 0) + 1 "
                            "FROM lab.rows WHERE run = 'slow' RETURNING n", limit_ms=20000)
            self.assertTrue(rows)
            return self.now_ms() - began
        self.lab.fault("slow-disk", self.old, "400ms")
        self.assertGreater(write_ms(self.old), 400)
        self.heal()
        self.assertLess(min(write_ms(self.old) for _ in range(5)), 400)

    # ---- clocks ----

    def test_clock_of_one_host(self):
        def shift_s(node: str) -> float:
            return float(self.run_on(node, "date", "+%s").stdout) - time.time()
        self.lab.fault("clock", self.new, "+86400")
        self.assertAlmostEqual(shift_s(self.new), 86400, delta=10)
        self.assertAlmostEqual(shift_s(self.old), 0, delta=10)
        self.heal()
        self.assertAlmostEqual(shift_s(self.new), 0, delta=10)

    # ---- exhaustion ----

    def test_exhausted_connections(self):
        def refused() -> bool:
            done = self.run_on(self.new, "psql", "-U", "lab", "postgres", "-c", "SELECT 1")
            return "remaining connection slots" in done.stderr
        self.lab.fault("exhaust", self.new, "connections")
        self.wait(refused, 10, "no connection for an application")
        self.heal()
        self.wait(lambda: not refused(), 10, "connections again")

    def test_exhausted_processes(self):
        self.lab.fault("exhaust", self.new, "processes")
        self.wait_said(self.new, "Resource temporarily unavailable", 10)
        self.heal()
        self.wait(self.promotable(self.new), 30, "the standby is well")

    def test_exhausted_files(self):
        self.lab.fault("exhaust", self.new, "files")
        self.wait_said(self.new, "Too many open files", 10)
        self.heal()
        said = len([line for line in self.lab.logs(self.new) if "Too many open" in line.text])
        self.wait(self.promotable(self.new), 30, "the standby is well")
        time.sleep(2)
        self.assertEqual(said, len([line for line in self.lab.logs(self.new)
                                    if "Too many open" in line.text]))

    def test_a_descriptor_that_is_open_half_of_the_time_is_exhausted_too(self):
        program = ("import time\n"
                   "while True:\n"
                   "    try:\n"
                   "        with open('/dev/null'):\n"
                   "            time.sleep(0.1)\n"
                   "    except OSError as error:\n"
                   "        print(error, flush=True)\n"
                   "    time.sleep(0.1)\n")
        argv = self.lab.node(self.new).command(["/usr/bin/python3", "-c", program])
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                time.sleep(0.5)
                self.lab.fault("exhaust", self.new, "files")
                self.assertTrue(select.select([process.stdout], [], [], 5)[0])
                self.assertIn("Too many open files", process.stdout.readline())
            finally:
                process.kill()

    # ---- processes ----

    def test_hunt_kills_the_next_run_of_a_helper_and_no_other(self):
        def run() -> bool:
            return self.lab.helper(self.new, "rejoin", "--check").returncode == 0

        def struck() -> list:
            run()
            return self.struck()
        self.lab.fault("hunt", self.new, "rejoin", "1ms")
        # It may have been a run of the guard, and the hunter tells after the blow.
        self.wait(struck, 30, "the hunter has struck")
        for _ in range(3):
            self.assertTrue(run())
        self.assertEqual(self.struck(), [["struck", self.new, "rejoin", "kill"]])

    def test_heal_calls_the_hunters_back(self):
        self.lab.fault("hunt", self.new, "promote_safe")
        self.heal()
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assertEqual(self.struck(), [])

    def test_keepalived_restarted_and_reloaded(self):
        before = self.pids(self.new, "keepalived")
        self.lab.fault("reload", self.new, "keepalived")
        self.wait_said(self.new, "Reloading", 10)
        self.assertTrue(before & self.pids(self.new, "keepalived"), "the parent stays")
        self.lab.fault("restart", self.new, "keepalived")
        self.wait(lambda: (now := self.pids(self.new, "keepalived")) and not now & before, 10,
                  "another keepalived")

    def test_killed_backend_makes_the_server_start_itself_anew(self):
        load = self.lab.load_begin(60)
        self.lab.fault("kill", self.old, "backend")
        self.wait_said(self.old, "terminating any other active server processes", 10)
        self.assert_safe(load.stop())

    def test_frozen_sshd_is_thawed(self):
        self.lab.fault("freeze", self.new, "sshd")
        def stopped() -> set[str]:
            return {open(f"/proc/{process.pid}/stat", encoding="ascii").read().split()[2]
                    for process in self.lab.node(self.new).processes()
                    if process.kind() == "sshd"}
        # One that was just at it stops when it is next on a processor.
        self.wait(lambda: stopped() == {"T"}, 5, "each sshd stands still")
        self.heal()
        self.assertNotIn("T", stopped())

    # ---- words ----

    def test_wrong_words_are_refused_with_64(self):
        for words in (["fill-disk", "n1", "logs"], ["slow-disk", "n1", "much"], ["clock", "n1", "x"],
                      ["exhaust", "n1", "luck"], ["hunt", "n1", "nginx"], ["kill", "n1", "nginx"],
                      ["hunt", "n1", "rejoin", "1ms", "hug"], ["reload", "n1", "guard"],
                      ["restart", "n1"], ["exhaust", "witness", "connections"]):
            with self.subTest(words), self.assertRaises(LabError) as caught:
                self.lab.fault(*words)
            self.assertEqual(caught.exception.code, 64, words)


class WithoutShim(Scenario):
    def test_clock_and_slow_disk_say_what_is_missing(self):
        for words in (["clock", "n1", "+5"], ["slow-disk", "n1", "5ms"]):
            with self.subTest(words), self.assertRaises(LabError) as caught:
                self.lab.fault(*words)
            self.assertIn("--shim", caught.exception.hint)


if __name__ == "__main__":
    unittest.main()
