# SPDX-License-Identifier: PostgreSQL
"""witness_record as a person, a script or the guard calls it, on a node that has nothing."""

import json
import unittest

import pgv

POSTGRES = ("kind = ping", "kind = postgres")
DEEDS = ("--release", "--pause", "--resume")


class WitnessRecord(pgv.Case):
    def call(self, *args, **more):
        return self.run_helper("witness_record", "-c", self.path, "-n", "n1", *args, **more)

    def test_a_witness_that_keeps_none_is_refused_with_the_remedy(self):
        for kind in ("kind = ping", "kind = tcp\nport = 80"):
            self.path = self.config([("kind = ping", kind)])
            for args in ([], *([deed] for deed in DEEDS), ["--json"], ["--explain"]):
                with self.subTest(kind=kind, args=args):
                    result = self.call(*args)
                    self.assertEqual(result.code, pgv.REFUSED, result)
                    self.assertIn("rule=keeps-no-record", result.verdicts[0])
                    self.assertIn("kind = postgres", result.verdicts[0])

    def test_what_excludes_each_other_is_a_wrong_call(self):
        self.path = self.config([POSTGRES])
        for args in (["--release", "--pause"], ["--pause", "--resume"], ["--auto"],
                     ["--pause", "--auto"], ["--release", "--json"], ["--json", "--explain"]):
            with self.subTest(args=args):
                result = self.call(*args)
                self.assertEqual(result.code, pgv.USAGE, result)
                self.assert_one_verdict(result, "usage")
                self.assertFalse((self.top / "run").exists())

    def test_nothing_is_known_of_a_node_without_a_directory(self):
        self.path = self.config([POSTGRES])
        for args in ([], *([deed] for deed in DEEDS), ["--dry-run", "--release"]):
            with self.subTest(args=args):
                result = self.call(*args)
                self.assertEqual(result.code, pgv.UNKNOWN, result)
                self.assertIn("rule=system-unknown", result.verdicts[0])

    def test_json_is_there_also_when_nothing_is_known(self):
        self.path = self.config([POSTGRES])
        shown = json.loads(self.call("--json").out)
        self.assertEqual((shown["outcome"], shown["rule"]), ("unknown", "system-unknown"))
        self.assertIsNone(shown["record"])

    def test_the_guards_call_says_the_same_thing_once(self):
        self.path = self.config([POSTGRES])
        told = [len(self.call("--release", "--auto").verdicts) for _ in range(3)]
        self.assertEqual(told, [1, 0, 0])
        # A person is always answered.
        self.assertEqual(len(self.call("--release").verdicts), 1)

    def test_showing_leaves_no_trace(self):
        self.path = self.config([POSTGRES])
        self.call()
        self.assertFalse((self.top / "run").exists())
        self.assertFalse((self.top / "state").exists())


if __name__ == "__main__":
    unittest.main()
