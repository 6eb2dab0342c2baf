# SPDX-License-Identifier: PostgreSQL
"""What cluster_config says of the witness: which faults are survived, how to set one up."""

import re
import subprocess
import unittest

import pgv
import test_cluster_config as shared

RECORD = shared.RECORD


class Check(shared.Config):
    """What follows from a file: which faults are survived, and which are not."""

    def ends(self, *replace):
        text = self.render("check", replace=replace)
        found = re.findall(r"(?m)^  (survived|waits|refused|DANGER) +([^:]+): \S.*$", text)
        self.assertGreaterEqual(len(found), 10, text)
        self.assertLess(max(map(len, text.splitlines())), 160, text)
        return {what: end for end, what in found}

    def test_ping_without_proof_refuses_to_replace_a_silent_host(self):
        ends = self.ends()
        self.assertEqual(ends["the primary's host loses power"], "refused")
        self.assertEqual(ends["PostgreSQL crashes or hangs on the primary"], "survived")
        ends = self.ends(("kind = ping", "kind = ping\nssh = yes"))
        self.assertEqual(ends["the primary's host loses power"], "survived")

    def test_the_one_fault_that_can_make_two_writers_is_named(self):
        ends = self.ends(("methods = ssh", "methods = ssh\nunproven = promote"))
        self.assertEqual([what for what, end in ends.items() if end == "DANGER"],
                         ["the nodes are cut from each other"])

    def test_says_what_proves_who_answers(self):
        text = self.render("check")
        self.assertIn("other server are proven by nothing", text)
        self.assertNotIn("of the witness by", text)
        text = self.render("check", replace=(RECORD,))
        self.assertRegex(text, r"of the witness by (its certificate|nothing)")
        text = self.render("check", replace=(
            ("[postgresql]", "[postgresql]\nconninfo = sslmode=verify-full"),))
        self.assertIn("other server are proven by its certificate", text)

    def test_a_record_survives_every_single_fault(self):
        for mode in ("async", "sync"):
            with self.subTest(mode=mode):
                ends = self.ends(RECORD, ("mode = async", f"mode = {mode}"))
                self.assertEqual([what for what, end in ends.items() if end != "survived"],
                                 ["the witness, then the primary",
                                  "the witness and the standby at once",
                                  "the standby, then the primary"])

    def test_sync_waits_for_the_standby_without_a_record(self):
        ends = self.ends(("mode = async", "mode = sync"))
        self.assertEqual(ends["the standby is lost"], "waits")

    def test_it_says_what_the_margin_is_for(self):
        what = "100 for clocks that drift, 200 for a guard that wakes late"
        self.assertIn(f"  margin     300 ms: {what}\n",
                      self.render("check", replace=[RECORD, ("margin = 1s\n", "")]))
        self.assertIn(f"  margin     1000 ms, as it was set; 300 would do: {what}\n",
                      self.render("check", replace=[RECORD]))
        self.assertIn(f"  margin     1000 ms: {what}, 700 for", self.render("check"))

    def test_it_says_how_many_answers_may_be_lost(self):
        for lease, lost in (("5s", 2), ("2s", 0), ("60s", 48)):
            with self.subTest(lease=lease):
                text = self.render("check", replace=[
                    RECORD, ("lease = 5s", f"lease = {lease}\npromote_budget = 2min"),
                    ("margin = 1s", "margin = 2s")])
                self.assertIn(f"alone may miss {lost} in a row\n", text)
        self.assertNotIn("renewals", self.render("check"))


class Witness(shared.Config):
    """The page for the witness host, word by word: its command is one that people paste."""

    def test_how_to_set_it_up(self):
        text = self.render("witness", replace=[RECORD])
        self.assertIn("     ./witness-setup --address 192.0.2.3 --allow 192.0.2.1 --allow 192.0.2.2 "
                      "--allow 192.0.2.100 \\\n"
                      "         --port 5432 --database pgvrrp --role pgvrrp\n", text)
        self.assertIn("     /etc/pg_vrrp/witness/pgvrrp.pgpass   to /etc/pg_vrrp/clitest.witness.pgpass, "
                      "mode 600", text)
        self.assertIn("     /etc/pg_vrrp/witness/ca.crt   to /etc/pg_vrrp/clitest.witness.crt, "
                      "mode 644\n", text)
        self.assertIn("     conninfo = sslmode=verify-full "
                      "sslrootcert=/etc/pg_vrrp/clitest.witness.crt\n", text)
        self.assertIn(f"pg_vrrp witness_record -c {self.top}/clitest.ini\n", text)

    def test_what_the_file_says_is_taken_from_it(self):
        text = self.render("witness", replace=[(RECORD[0], RECORD[1] + (
            "\nport = 5433\ndatabase = w\nrole = r\npassfile = /etc/w.pass\n"
            "conninfo = sslmode=verify-full host=w.example.org sslrootcert=/etc/w.crt"))])
        self.assertIn("--port 5433 --database w --role r --name w.example.org\n", text)
        self.assertIn("/etc/pg_vrrp/witness/r.pgpass   to /etc/w.pass, ", text)
        self.assertIn("ca.crt   to /etc/w.crt, ", text)
        self.assertNotIn("conninfo", text)

    def test_witness_setup_takes_what_is_printed(self):
        text = self.render("witness", replace=[RECORD])
        known = subprocess.run([pgv.TOP / "scripts/setup/witness-setup", "--help"], check=True,
                               capture_output=True, text=True).stdout
        for option in set(re.findall(r"(?<= )--[a-z-]+", text)):
            self.assertRegex(known, rf"(?m)^ +(-\w, )? *{option}\b")

    def test_a_witness_without_a_record_has_no_such_page(self):
        result = self.render("witness", code=pgv.REFUSED)
        self.assertEqual(result.out, "")
        self.assert_one_verdict(result, "refused")


if __name__ == "__main__":
    unittest.main()
