# SPDX-License-Identifier: PostgreSQL
"""A configuration that is not entirely understood is refused, with file, line and remedy."""

import os
import unittest

import pgv

# what is wrong, (old, new) in the sound file, text whose line is named, words of the message
FAULTS = [
    ("unknown_section", ("[timing]", "[timings]"), "[timings]", "timings"),
    ("unknown_key", ("mode = async", "mood = async"), "mood =", "mood"),
    ("key_twice", ("mode = async", "mode = async\nmode = sync"), "mode = sync", "mode"),
    ("section_twice", ("[timing]", "[timing]\n[cluster]"), "[cluster]\nlease", "cluster"),
    ("no_value", ("mode = async", "mode ="), "mode =", "mode"),
    ("no_equals_sign", ("mode = async", "mode async"), "mode async", "key = value"),
    ("bad_word", ("mode = async", "mode = fast"), "mode = fast", "async"),
    ("bad_number", ("port = 5432", "port = 5432x"), "port = 5432x", "5432x"),
    ("number_out_of_range", ("port = 5432", "port = 65536"), "port = 65536", "65535"),
    ("negative_number", ("port = 5432", "port = -1"), "port = -1", "-1"),
    ("number_too_long", ("port = 5432", "port = 99999999999999999999"), "port = 9", "port"),
    ("unit_missing", ("lease = 5s", "lease = 5"), "lease = 5", "lease"),
    ("unit_unknown", ("lease = 5s", "lease = 5d"), "lease = 5d", "5d"),
    ("bad_address", ("address = 192.0.2.1", "address = 192.0.2.256"), ".256", "192.0.2.256"),
    ("vip_without_prefix", ("192.0.2.100/24", "192.0.2.100"), "vip =", "vip"),
    ("bad_name", ("name = clitest", "name = ../x"), "name = ../x", "name"),
    ("semicolon_in_value", ("role = keeper", "role = kee;per"), "role = kee;per", ";"),
    ("indented_key", ("port = 5432", "  port = 5432"), "  port = 5432", "indented"),
    ("line_too_long", ("role = keeper", "role = " + "x" * 5000), "role = x", "bytes"),
    ("role_that_postgresql_reserves", ("role = keeper", "role = pg_x"), "role = pg_x", "pg_"),
    ("byte_order_mark", ("[cluster]", "\ufeff[cluster]"), "[cluster]", ""),
    ("lease_shorter_than_a_fence", ("lease = 5s", "lease = 1s"), "lease = 1s", "lease"),
    ("margin_too_small", ("margin = 1s", "margin = 10ms"), "margin = 10ms", "margin"),
    ("witness_is_a_node", ("address = 192.0.2.3", "address = 192.0.2.2"), None, "of the witness"),
    ("one_address", ("address = 192.0.2.2", "address = 192.0.2.1"), None, 'of node "n1"'),
    ("vip_is_a_node", ("192.0.2.100/24", "192.0.2.1/24"), None, "address of the VIP"),
    ("families_differ", ("192.0.2.100/24", "2001:db8::100/64"), None, "families"),
    ("two_vrids_needed", ("router_id = 51", "router_id = 255"), "router_id = 255", "254"),
]


class Config(pgv.Case):
    def refused(self, name, path, *words):
        result = self.run_helper(name, "-c", path, "-n", "n1")
        self.assertEqual((result.code, result.out), (pgv.CONFIG, ""), result.err)
        for word in words:
            self.assertIn(word, result.err)
        self.assert_one_verdict(result, "config")
        return result

    def test_each_fault_is_refused_with_its_line(self):
        for fault, (old, new), at, word in FAULTS:
            with self.subTest(fault=fault):
                path = self.config([(old, new)])
                place = f"{path}:"
                if at is not None:
                    body = path.read_text()
                    place += f"{body[: body.index(at)].count(chr(10)) + 1}:"
                result = self.refused("check_primary", path, place, "HINT:", word)
                self.assertFalse((self.top / "run").exists(), "something was done")
                self.assertLess(len(result.err.splitlines()), 12, result.err)

    @pgv.each(pgv.HELPERS)
    def test_every_helper_refuses_a_faulty_file(self, name):
        path = self.config([("port = 5432", "prot = 5432")])
        line = path.read_text().split("prot")[0].count("\n") + 1
        self.refused(name, path, f"{path}:{line}:", "prot", "HINT:")

    def test_all_faults_of_a_file_are_told_at_once(self):
        path = self.config([("port = 5432", "port = x"), ("mode = async", "mode = y")])
        self.refused("check_primary", path, "port", "mode")

    @pgv.each(pgv.HELPERS)
    def test_missing_file(self, name):
        self.refused(name, self.top / "none.ini", "none.ini", "No such file")

    def test_missing_section_or_key(self):
        for old in ("[witness]\nkind = ping\naddress = 192.0.2.3\n", "address = 192.0.2.2\n",
                    "version = 15\n"):
            with self.subTest(without=old):
                self.refused("check_primary", self.config([(old, "")]))

    def test_directory_instead_of_a_file(self):
        self.refused("check_primary", self.top, "irectory")

    def test_device_and_fifo_instead_of_a_file(self):
        fifo = self.top / "fifo"
        os.mkfifo(fifo)
        for path in (fifo, "/dev/zero"):
            with self.subTest(path=path):
                self.refused("check_primary", path)

    def test_empty_and_binary_files(self):
        path = self.top / "clitest.ini"
        for body in (b"", b"\n" * 10, b"\0" * 100, os.urandom(4096), b"[", b"[cluster", b"=\n"):
            with self.subTest(body=body[:10]):
                path.write_bytes(body)
                self.refused("check_primary", path, str(path))

    def test_huge_file(self):
        path = self.top / "clitest.ini"
        path.write_text("# comment\n" * 2_000_000)
        self.refused("check_primary", path, str(path))

    def test_no_file_named_and_none_there(self):
        """/etc/pg_vrrp does not exist on a host where nothing was set up."""
        if os.path.exists("/etc/pg_vrrp"):
            self.skipTest("this host has a cluster")
        result = self.run_helper("check_primary")
        self.assertEqual(result.code, pgv.CONFIG)
        self.assertIn("/etc/pg_vrrp", result.err)

    @pgv.each(["check_primary", "promote_safe", "rejoin", "fence_self"])
    def test_unknown_node_is_refused(self, name):
        path = self.config()
        result = self.run_helper(name, "-c", path, "-n", "n3")
        self.assertEqual(result.code, pgv.CONFIG, result.err)
        self.assert_one_verdict(result, "config")

    @pgv.each(["check_primary", "promote_safe", "rejoin", "fence_self"])
    def test_host_that_is_no_node_is_refused(self, name):
        path = self.config()
        result = self.run_helper(name, "-c", path)
        self.assertEqual(result.code, pgv.CONFIG, result.err)
        self.assertIn("192.0.2.1", result.err + "".join(result.log))


if __name__ == "__main__":
    unittest.main()
