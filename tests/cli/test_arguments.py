# SPDX-License-Identifier: PostgreSQL
"""Every helper takes its command line apart in the same way."""

import subprocess
import unittest

import pgv


class Arguments(pgv.Case):
    def test_every_helper_is_built(self):
        built = sorted(path.name for path in (pgv.BUILD / "libexec").iterdir())
        self.assertEqual(built, pgv.HELPERS)
        self.assertTrue(pgv.program("pg_vrrp").exists())

    @pgv.each(pgv.HELPERS)
    def test_help_is_on_standard_output_and_names_every_common_option(self, name):
        result = self.run_helper(name, "--help")
        self.assertEqual((result.code, result.err, result.log), (0, "", []))
        self.assertTrue(result.out.startswith(f"{name} - "), result.out)
        for option in ("--help", "--version", "--config", "--node", "--verbose"):
            self.assertIn(option, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)

    @pgv.each(pgv.ACTING)
    def test_helpers_that_act_can_be_asked_without_acting(self, name):
        result = self.run_helper(name, "--help")
        self.assertIn("--dry-run", result.out)
        self.assertIn("--explain", result.out)

    @pgv.each(pgv.HELPERS)
    def test_version(self, name):
        result = self.run_helper(name, "--version")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, rf"^{name} \(pg_vrrp\) \d+\.\d+\.\d+\n$")

    @pgv.each(pgv.HELPERS)
    def test_help_that_cannot_be_written_is_an_error(self, name):
        with open("/dev/full", "w", encoding="ascii") as full:
            self.assertEqual(self.run_helper(name, "--help", stdout=full).code, pgv.SYSTEM)

    @pgv.each(pgv.HELPERS)
    def wrong(self, name, *args):
        result = self.run_helper(name, *args)
        self.assertEqual((result.code, result.out), (pgv.USAGE, ""), result.err)
        self.assertIn(f"{name} --help", result.err)  # the remedy
        self.assert_one_verdict(result, "usage")

    def test_unknown_option_is_refused(self):
        self.wrong("--no-such-option")

    def test_unknown_letter_is_refused(self):
        self.wrong("-Z")

    def test_abbreviated_option_is_refused(self):
        self.wrong("--verb")

    def test_option_without_its_value_is_refused(self):
        self.wrong("--config")

    def test_empty_value_is_refused(self):
        self.wrong("--config=")

    def test_flag_with_a_value_is_refused(self):
        self.wrong("--verbose=yes")

    def test_option_given_twice_is_refused(self):
        self.wrong("-c", "/a.ini", "-c", "/b.ini")

    def test_too_many_operands_are_refused(self):
        self.wrong("one", "two", "three", "four")

    @pgv.each(pgv.HELPERS)
    def test_control_characters_do_not_reach_the_log(self, name):
        result = self.run_helper(name, "--no\n\033[31mred")
        self.assertEqual(result.code, pgv.USAGE)
        self.assertNotIn("\033", result.err + "".join(result.log))
        self.assert_one_verdict(result, "usage")

    @pgv.each(pgv.HELPERS)
    def test_closed_standard_descriptors_do_no_harm(self, name):
        """keepalived and cron start programs with less than three open files."""
        result = self.run_helper(name, "-c", "/nowhere.ini", redirect="<&- >&- 2>&-")
        self.assertEqual(result.code, pgv.CONFIG)
        self.assert_one_verdict(result, "config")

    @pgv.each(pgv.HELPERS)
    def test_hostile_environment_makes_no_difference(self, name):
        env = {
            "PATH": "/nowhere:/usr/bin:/bin:/usr/sbin:/sbin",
            "PGHOST": "203.0.113.1",
            "PGOPTIONS": "-c nonsense",
            "PGSERVICE": "nonsense",
            "LC_ALL": "nonsense",
            "IFS": "x",
        }
        result = self.run_helper(name, "-c", "/nowhere.ini", env=env)
        self.assertEqual(result.code, pgv.CONFIG)


class Front(pgv.Case):
    def test_without_a_name_it_lists_the_helpers(self):
        for args in ([], ["--help"]):
            result = self.run_helper("pg_vrrp", *args)
            self.assertEqual((result.code, result.err), (0, ""))
            for name in pgv.HELPERS:
                self.assertIn(name, result.out)

    def test_version(self):
        result = self.run_helper("pg_vrrp", "--version")
        self.assertRegex(result.out, r"^pg_vrrp \d+\.\d+\.\d+\n$")

    @pgv.each(pgv.HELPERS)
    def test_it_runs_the_helper_of_that_name_and_hands_on_its_code(self, name):
        result = self.run_helper("pg_vrrp", name, "--version")
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out.startswith(f"{name} "), result.out)
        self.assertEqual(self.run_helper("pg_vrrp", name, "--bad").code, pgv.USAGE)

    def test_nothing_but_a_helper_is_run(self):
        for name in ("no_such_helper", "../../../bin/sh", "/bin/sh", "", "sh"):
            with self.subTest(name=name):
                result = self.run_helper("pg_vrrp", name, "-c", "echo reached")
                self.assertEqual((result.code, result.out), (pgv.USAGE, ""))
                self.assertIn("no helper", result.err)

    def test_a_near_miss_gets_a_hint(self):
        self.assertIn("promote_safe", self.run_helper("pg_vrrp", "promote").err)


class Links(unittest.TestCase):
    def test_the_guard_does_not_load_libpq(self):
        """It is locked into memory for ever and has to stay small."""
        argv = ["readelf", "-d", str(pgv.program("fence_self"))]
        listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        self.assertIn("libc.so", listed)
        self.assertNotIn("libpq", listed)


if __name__ == "__main__":
    unittest.main()
