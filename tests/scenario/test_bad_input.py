# SPDX-License-Identifier: PostgreSQL
"""Configurations, directories and hosts that are not what they should be: refused with a reason, and healed by mending them."""

import contextlib
import shutil
import signal
import unittest

from damage import Damaging
from scenario import NOTICED_S

from lablib.node import Process

QUICK_RESTART = Damaging.sets + ["timing.restart_wait=4s"]


class BadInput(Damaging):
    sets = QUICK_RESTART

    def test_wrong_version_on_the_standby(self):
        load = self.lab.load_begin(60)
        wrong = "version = 16\nbin_dir = /usr/lib/postgresql/15/bin"
        with self.ini(self.new, "version = 15", wrong):
            self.wait_said(self.new, "rule=wrong-version", 4)
            done = self.lab.helper(self.new, "rejoin", "-v")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("not of the configured major version", done.stderr)
            self.assertEqual(self.vip_seen(1), {self.old})
        self.wait(self.is_well, 5, "all is well")
        self.assert_nothing_happened(load.stop())

    def test_wrong_version_on_the_primary(self):
        load = self.lab.load_begin(60)
        wrong = "version = 16\nbin_dir = /usr/lib/postgresql/15/bin"
        with self.ini(self.old, "version = 15", wrong):
            self.wait_said(self.old, "rule=wrong-version", 4)
            self.wait(lambda: self.lab.status()["vip_at"] == [], 4, "the VIP goes")
            self.wait_said(self.new, "rule=peer-serves", 5)
        self.wait(self.is_well, 5, "all is well")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)

    def test_file_that_is_refused(self):
        """On the primary, whose guard goes on by what it has read."""
        load = self.lab.load_begin(60)
        with self.ini(self.old, "[timing]", "[timming]"):
            for helper in ("check_primary", "promote_safe", "rejoin", "fence_old", "fence_self",
                           "cluster_status"):
                done = self.lab.helper(self.old, helper)
                self.assertEqual(done.returncode, 78, helper)
                self.assertRegex(done.stderr, r'/main\.ini:\d+: .*timming', helper)
            self.wait(lambda: self.lab.status()["vip_at"] == [], 4, "the VIP goes")
            self.assertEqual(self.role(self.old), "primary")
        self.wait(self.is_well, 5, "all is well")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)

    def test_role_that_lacks_a_right(self):
        """Nobody is fenced for a takeover that cannot be: the old primary starts again."""
        load = self.lab.load_begin(60)
        right = "EXECUTE ON FUNCTION pg_promote(boolean, integer)"
        self.sql(self.old, f"REVOKE {right} FROM pgvrrp")
        try:
            for node in (self.old, self.new):
                self.wait(lambda node=node: "rights-missing" in
                          self.lab.helper(node, "cluster_status", "--json").stdout, 5,
                          f"cluster_status says it on {node}")
            self.lab.fault("crash", self.old)
            self.wait_said(self.new, "rule=rights-missing", 8)
            self.wait(self.serves(self.old), 20, "the old primary serves again")
        finally:
            self.wait(self.primary_is(self.old), 20, "there is a primary that can grant it")
            self.sql(self.old, f"GRANT {right} TO pgvrrp")
        self.wait(self.is_well, 10, "all is well")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)
        self.assertFalse(self.said(self.old, "making this node harmless: the other node"))

    def test_role_that_lacks_a_right_and_the_primary_is_lost(self):
        """What docs/operations.md tells a person to do: no server is left that could grant it."""
        right = "EXECUTE ON FUNCTION pg_promote(boolean, integer)"
        data = self.lab.settings.data_dir
        self.sql(self.old, f"REVOKE {right} FROM pgvrrp")
        self.wait(lambda: "rights-missing" in
                  self.lab.helper(self.new, "cluster_status", "--json").stdout, 5,
                  "the standby knows it")
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, "rule=rights-missing", 10)
        with contextlib.ExitStack() as changes:
            changes.enter_context(self.changed(
                self.new, f"{data}/pg_hba.conf", "local all lab trust",
                "local all postgres peer map=main\nlocal all lab trust"))
            changes.enter_context(self.changed(
                self.new, f"{data}/pg_ident.conf", "main   root   pgvrrp",
                "main   root   pgvrrp\nmain root postgres\nmain postgres postgres"))
            self.sql(self.new, "SELECT pg_reload_conf()")
            changes.enter_context(self.ini(self.new, "[postgresql]",
                                           "[postgresql]\nrole = postgres"))
            self.wait(self.serves(self.new), 30, "the standby serves")
            self.sql(self.new, f"GRANT {right} TO pgvrrp")
        self.sql(self.new, "SELECT pg_reload_conf()")
        self.lab.fault("boot", self.old)
        self.wait(self.promotable(self.old), 40, "the old primary is a standby")

    def test_wrong_password(self):
        """Neither vote nor contact: the witness keeps the lease, and a failover still works."""
        load = self.lab.load_begin(60)
        path = self.lab.settings.passfile
        with contextlib.ExitStack() as wrong:
            for node in (self.old, self.new):
                wrong.enter_context(self.changed(node, path, ":pgvrrp:", ":pgvrrp:not-"))
            for node in (self.old, self.new):
                self.wait_said(node, "refuses us: password authentication failed", NOTICED_S)
            self.assertEqual(self.vip_seen(2.5), {self.old})
            self.assertEqual(self.promotions(), 0)
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 10, "the standby serves")
            self.wait_said(self.old, "password authentication failed", 5)
            self.assertEqual(self.role(self.old), "down")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_witness_name_that_does_not_resolve(self):
        """Nor does the name server answer: nobody waits for it who must not."""
        load = self.lab.load_begin(60)
        with contextlib.ExitStack() as wrong:
            for node in (self.old, self.new):
                wrong.enter_context(self.ini(node, "address = 10.77.0.3", "address = witness.invalid"))
                wrong.enter_context(self.changed(node, "/etc/resolv.conf", "nameserver ",
                                                 "nameserver 10.77.0.77\n#"))
                self.lab.fault("kill", node, "guard")
            self.assertEqual(self.vip_seen(4), {self.old})
            self.lab.fault("crash", self.old)
            self.wait_said(self.new, "rule=witness-unseen", 6)
            self.wait_said(self.new, "witness.invalid", 1)
            self.assertEqual(self.role(self.new), "standby")
        for node in (self.old, self.new):
            self.assertFalse(self.said(node, "did not run for"), node)
            self.lab.fault("kill", node, "guard")
        self.wait(lambda: len(self.lab.status()["vip_at"]) == 1, 15, "one of them serves")
        self.assert_safe(load.stop())


    def test_other_cluster_in_the_place_of_the_standby(self):
        """The data directory is not this cluster's, and then not there."""
        settings = self.lab.settings
        where, bin_dir = settings.data_dir, settings.bin_dir
        load = self.lab.load_begin(60)
        with self.without(self.new, "guard"):
            self.lab.fault("crash", self.new)
            self.wait(lambda: self.role(self.new) == "down", 3, "the standby is down")
            self.sh(self.new, f"mv {where} {where}.away && "
                              f"setpriv --reuid=postgres --regid=postgres --init-groups "
                              f"{bin_dir}/initdb -N -A trust -D {where}")
        self.wait_said(self.new, "rule=wrong-system", 6)
        done = self.lab.helper(self.new, "rejoin", "-v")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("different clusters", done.stderr)
        # Somebody starts it all the same: a primary without a right.
        self.sh(self.new, f"setpriv --reuid=postgres --regid=postgres --init-groups "
                          f"{bin_dir}/pg_ctl -D {where} -l /tmp/other.log -W start")
        self.wait_said(self.new, "a primary runs here that nobody gave the right to serve", 6)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        self.wait(lambda: self.role(self.new) == "down", 3, "it is ended")
        shutil.rmtree(self.lab.node(self.new).path(where))
        self.wait_said(self.new, "rule=directory-missing", 4)
        self.sh(self.new, f"mv {where}.away {where}")
        self.wait(self.is_well, 15, "the standby is back")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)


class Silence(Damaging):
    """Those who take the connection and say nothing."""
    sets = QUICK_RESTART

    def signal_sshd(self, node: str, number: signal.Signals) -> None:
        for process in self.lab.node(node).processes():
            if process.exe == "sshd":
                process.signal(number)

    def test_ssh_that_hangs(self):
        load = self.lab.load_begin(60)
        self.signal_sshd(self.old, signal.SIGSTOP)
        self.lab.fault("crash", self.old)
        self.wait_said(self.new, "fencing of " + self.old + " by observe: unknown", 6)
        # Longer than lease + margin: nothing is proven by waiting.
        self.assertEqual(self.vip_seen(3.5), {""})
        self.assertEqual(self.role(self.new), "standby")
        self.signal_sshd(self.old, signal.SIGCONT)
        self.wait(lambda: len(self.lab.status()["vip_at"]) == 1, 15, "one of them serves")
        self.assert_safe(load.stop())

    def test_sshd_that_is_silent(self):
        """The standby gives up, and the primary comes back by its vote."""
        load = self.lab.load_begin(60)
        with self.without(self.old, "sshd"), self.listener(self.old, 22):
            self.lab.fault("crash", self.old)
            self.wait_said(self.new, "rule=unproven", 10)
            self.assertEqual(self.promotions(), 0)
            self.wait(self.serves(self.old), 20, "the primary serves again")
        self.wait(self.is_well, 10, "all is well")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)

    def hold_recovery(self) -> Process | None:
        """Stops the recovery of the primary just after it has begun."""
        for process in self.lab.node(self.old).processes():
            if process.exe == "postgres" and "startup" in " ".join(process.argv):
                process.signal(signal.SIGSTOP)
                return process
        return None

    def test_recovery_that_takes_longer_than_the_lease(self):
        """The witness is away and the server does not answer; the standby's vote lets it go on."""
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", "witness")
        self.lab.fault("crash", self.old)
        held: list[Process] = []
        self.wait(lambda: held.append(self.hold_recovery()) or held[-1] is not None, 15,
                  "recovery has begun", each_s=0.005)
        self.assertEqual(self.vip_seen(4), {""})
        self.assertTrue(held[-1].signal(signal.SIGCONT), "it was let go on")
        self.wait(self.serves(self.old), 5, "the primary serves again")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertFalse(self.said(self.old, "was seen for one lease"))

    def test_standby_that_never_answers(self):
        load = self.lab.load_begin(60)
        with self.without(self.new, "guard"):
            self.lab.fault("crash", self.new)
            self.wait(lambda: self.role(self.new) == "down", 3, "the standby is down")
            with self.listener(self.new, self.lab.settings.port):
                self.assertEqual(self.vip_seen(4), {self.old})
        self.wait(self.is_well, 15, "all is well")
        self.assert_nothing_happened(load.stop())

    def test_primary_that_never_answers(self):
        load = self.lab.load_begin(60)
        with self.without(self.old, "guard"):
            self.lab.fault("crash", self.old)
            with self.listener(self.old, self.lab.settings.port):
                self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
