# SPDX-License-Identifier: PostgreSQL
"""A planned change of roles: nothing is lost, and up to the last moment every failure goes back."""

import os
import signal
import subprocess
import time
import unittest

from scenario import Scenario

from lablib.seeds import LIBEXEC


class Planned(Scenario):
    witness = "postgres"
    sets: list[str] = ["timing.retry_interval=1s"]  # the lease of a real cluster: it bounds the stop

    def switchover(self, *arguments: str) -> subprocess.CompletedProcess:
        return self.lab.helper(self.old, "switchover", *arguments)

    def assert_refused(self, rule: str, *arguments: str, code: int = 2) -> None:
        done = self.switchover(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(f"[{rule}]", done.stderr)
        self.assertTrue(self.serves(self.old)())

    def assert_follows(self) -> None:
        """The old primary is a standby that could take over, and was not rewound for it."""
        self.wait(self.promotable(self.old), 40, "the old primary could take over")
        self.assertFalse(self.said(self.old, "pg_rewind"))
        self.assertFalse(os.path.exists(self.state_file(self.old, "fenced")))

    def started(self, node: str) -> str:
        return self.sql(node, "SELECT pg_postmaster_start_time()")

    def begin(self, program: str = "switchover") -> subprocess.Popen:
        command = self.lab.node(self.old).command(
            [f"{LIBEXEC}/{program}", "-c", self.lab.settings.ini_path()])
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_stopping(self) -> None:
        until = time.monotonic() + 40
        while not os.path.exists(self.run_file(self.old, "handover")):
            self.assertLess(time.monotonic(), until, "it does not stop the server")
            time.sleep(0.001)


class SlowStop(Planned):
    def test_primary_whose_stop_is_held_up_keeps_its_role(self):
        """Its walsender waits for a walreceiver that stands still; the rest of the standby is ready."""
        # A walsender that gives up while the stop is still being prepared (after a lease) holds nothing up.
        self.sql(self.old, "ALTER SYSTEM SET wal_sender_timeout = '60s'")
        self.sql(self.old, "SELECT pg_reload_conf()")
        load = self.lab.load_begin(60)
        receiver = next(process for process in self.lab.node(self.new).processes()
                        if "walreceiver" in process.argv[0])
        receiver.signal(signal.SIGSTOP)
        done = self.lab.helper(self.old, "restart")
        receiver.signal(signal.SIGCONT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.said(self.old, "the server was stopped: fast"), "nothing held it up")
        self.wait(self.serves(self.old), 20, "the same primary serves")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.wait(self.promotable(self.new), 40, "the standby could take over")


class SlowStopWithoutRecord(SlowStop):
    witness = "ping"


class Switchover(Planned):
    def test_roles_change_and_nothing_is_lost(self):
        load = self.lab.load_begin(60)
        done = self.switchover()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the other node is the primary now", done.stderr)
        self.wait(self.serves(self.new), 20, "the new primary has the address")
        report = load.stop()
        self.assert_safe(report)
        self.assert_took_over(report)
        self.assert_follows()
        # And back, as after planned work.
        self.old, self.new = self.new, self.old
        self.assertEqual(self.switchover("--to", self.new).returncode, 0)
        self.assert_follows()

    def test_asked_for_at_the_standby(self):
        self.wait(self.uses_its_slot, 40, "the standby streams with its slot")
        done = self.lab.helper(self.new, "switchover", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("every condition holds", done.stderr)
        done = self.lab.helper(self.new, "switchover", "--to", self.old)
        self.assertIn("[already-primary]", done.stderr)
        self.assertTrue(self.serves(self.old)())
        load = self.lab.load_begin(60)
        done = self.lab.helper(self.new, "switchover", "--to", self.new)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\[asked\].*\[switched-over\]")
        self.wait(self.serves(self.new), 20, "the new primary has the address")
        report = load.stop()
        self.assert_safe(report)
        self.assert_took_over(report)
        self.assert_follows()

    def test_standby_that_begins_to_use_its_slot(self):
        """It connects anew for that: a stop in that moment had nobody to send its last record to."""
        self.wait(self.uses_its_slot, 40, "the standby streams with its slot")
        self.sql(self.new, "ALTER SYSTEM RESET primary_slot_name")
        self.sql(self.new, "SELECT pg_reload_conf()")
        self.wait(lambda: not self.uses_its_slot(), 20, "the standby streams without its slot")
        done = self.switchover("--dry-run")
        self.assertIn("[standby-settles]", done.stderr)
        running = self.begin()
        self.assertIn(self.lab.helper(self.new, "replication_slots").returncode, (0, 4))
        self.assertEqual(running.wait(60), 0)
        self.assert_follows()

    def test_dry_run_changes_nothing(self):
        self.wait(self.uses_its_slot, 40, "the standby streams with its slot")
        done = self.switchover("--dry-run", "--explain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("every condition holds", done.stderr)
        self.assertTrue(self.serves(self.old)())
        self.assertEqual(self.switchover("--to", self.old).returncode, 0)
        self.assertTrue(self.serves(self.old)())

    def test_refused_before_anything_is_touched(self):
        self.assert_refused("usage", "--wait", "soon", code=64)
        self.assert_refused("usage", "--to", "nobody", code=64)
        self.sql(self.new, "SELECT pg_wal_replay_pause()")
        self.assert_refused("no-successor")
        done = self.lab.helper(self.new, "switchover")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"\[asked-in-vain\].*\[no-successor\]")
        self.sql(self.new, "SELECT pg_wal_replay_resume()")

    def test_standby_that_does_not_answer_behind_the_stop(self):
        """It cannot show that it has all: the primary starts again, and loses nothing."""
        load = self.lab.load_begin(60)
        running = self.begin()
        self.wait_stopping()
        self.lab.fault("freeze", self.new, "postgres")
        self.assertEqual(running.wait(90), 2)
        self.lab.fault("heal")
        self.wait(self.serves(self.old), 20, "the former primary serves")
        self.assert_safe(load.stop())
        self.wait(self.promotable(self.new), 40, "the standby could take over")

    def test_killed_behind_the_stop(self):
        """The guard goes on: the standby takes over as after a stop by hand."""
        load = self.lab.load_begin(60)
        running = self.begin()
        self.wait_stopping()
        self.wait(lambda: self.role(self.old) == "down", 10, "its server is down", each_s=0.01)
        self.kill_helper(self.old, "switchover")
        running.wait(20)
        self.wait(lambda: self.serves(self.new)() or self.serves(self.old)(), 30, "somebody serves")
        self.assert_safe(load.stop())

    def test_restart_keeps_the_roles(self):
        began = {node: self.started(node) for node in (self.old, self.new)}
        load = self.lab.load_begin(60)
        for node in (self.new, self.old):
            done = self.lab.helper(node, "restart")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("[restarted]", done.stderr)
            self.assertNotEqual(self.started(node), began[node])
        self.wait(self.serves(self.old), 20, "the same primary serves")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.wait(self.promotable(self.new), 40, "the standby could take over")

    def test_rolling_restart_keeps_the_roles(self):
        self.wait(self.promotable(self.new), 40, "the standby could take over")
        for node in (self.old, self.new):
            began = {name: self.started(name) for name in (self.old, self.new)}
            done = self.lab.helper(node, "restart", "--rolling", "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual({name: self.started(name) for name in began}, began)
            load = self.lab.load_begin(90)
            done = self.lab.helper(node, "restart", "--rolling")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("both servers were restarted", done.stderr)
            self.wait(self.serves(self.old), 20, "the same primary serves")
            report = load.stop()
            self.assert_safe(report)
            self.assertEqual(report["final"], self.old)
            for name, when in began.items():
                self.assertNotEqual(self.started(name), when)
            self.wait(self.promotable(self.new), 40, "the standby could take over")

    def test_restart_of_the_other_node(self):
        began = self.started(self.new)
        self.assertEqual(self.lab.helper(self.old, "restart", "nobody").returncode, 64)
        done = self.lab.helper(self.old, "restart", self.new)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\[asked\].*\[restarted\]")
        self.assertNotEqual(self.started(self.new), began)
        self.wait(self.promotable(self.new), 40, "the standby could take over")

    def test_restart_of_a_primary_that_does_not_come_up(self):
        """A setting that it refuses: the standby takes over."""
        load = self.lab.load_begin(60)
        self.sql(self.old, "ALTER SYSTEM SET shared_buffers = '900GB'")
        self.lab.helper(self.old, "restart")
        self.wait(self.serves(self.new), 90, "the standby serves")
        self.assert_took_over(load.stop())
        self.drop_lab()


class Lagging(Planned):
    """In async mode the primary acknowledges what its standby has not."""

    sets = [*Planned.sets, "replication.max_lag=1GB"]

    def test_what_the_standby_lacks_is_sent_first(self):
        self.lab.fault("freeze", self.new, "postgres")
        self.sql(self.old, "CREATE TABLE bulk AS SELECT repeat(md5(n::text), 32) AS filler"
                           " FROM generate_series(1, 50000) AS n")
        self.assert_refused("no-successor", "--wait", "0s")
        self.lab.fault("thaw", self.new)
        # Paired again, and behind by most of it: a session of ours would have no vote before.
        self.wait(lambda: self.switchover("--dry-run", "--wait", "0s").returncode == 0
                  or self.said(self.old, "standby-behind"), 20, "a standby that could take over")
        self.assertEqual(self.switchover().returncode, 0)
        self.assertEqual(self.sql(self.new, "SELECT count(*) FROM bulk"), "50000")
        self.assert_follows()


class SwitchoverSync(Switchover):
    mode = "sync"


class SwitchoverWithoutRecord(Switchover):
    witness = "ping"


if __name__ == "__main__":
    unittest.main()
