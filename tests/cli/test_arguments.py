# SPDX-License-Identifier: PostgreSQL
"""Every helper takes its command line apart in the same way."""

import re
import subprocess
import unittest

import pgv


# What only keepalived, the guard and sshd give.
MACHINE = {
    "check_answer": "keepalived serving",
    "check_primary": "auto watch",
    "check_setup": "answer",
    "fence_old": "auto observe",
    "fence_self": "answer auto",
    "promote_safe": "auto",
    "rejoin": "auto",
    "replication_slots": "auto",
    "switchover": "shutdown",
    "witness_record": "auto",
}


class Arguments(pgv.Case):
    def test_every_helper_is_built(self):
        built = sorted(path.name for path in (pgv.BUILD / "libexec").iterdir())
        self.assertEqual(built, pgv.PROGRAMS)
        self.assertTrue(pgv.program("pg_vrrp").exists())

    @pgv.each(pgv.HELPERS)
    def test_help_is_on_standard_output_and_names_every_common_option(self, name):
        result = self.run_helper(name, "--help")
        self.assertEqual((result.code, result.err, result.log), (0, "", []))
        self.assertTrue(result.out.startswith(f"{name} - "), result.out)
        for option in ("--help", "--version", "--config", "--node", "--verbose"):
            self.assertIn(option, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 80)

    @pgv.each(pgv.HELPERS)
    def test_options_for_programs_are_not_in_the_help_for_people(self, name):
        """Each of them is in -v --help, below its heading, and works."""
        shown = self.run_helper(name, "--help").out
        self.assertNotIn("For keepalived", shown)
        whole = self.run_helper(name, "-v", "--help").out
        machine = re.findall(r"--[a-z-]+", whole.partition("For keepalived")[2])
        for option in machine:
            self.assertNotIn(f"{option} ", shown)
        self.assertEqual(set(machine), {f"--{word}" for word in MACHINE.get(name, "").split()})

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
            self.assertLessEqual(max(map(len, result.out.splitlines())), 80)

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

    def test_the_words_that_people_type(self):
        for word, helper in (("status", "cluster_status"), ("history", "cluster_status"),
                             ("config", "cluster_config")):
            with self.subTest(word=word):
                result = self.run_helper("pg_vrrp", word, "--version")
                self.assertTrue(result.out.startswith(f"{helper} "), result)
        for word in ("help", "--help"):
            self.assertIn("promote_safe", self.run_helper("pg_vrrp", word).out)

    def test_help_of_a_word_is_that_of_its_helper(self):
        for word, helper in (("promote_safe", "promote_safe"), ("status", "cluster_status"),
                             ("history", "cluster_status")):
            with self.subTest(word=word):
                result = self.run_helper("pg_vrrp", "help", word)
                self.assertEqual(result, self.run_helper(helper, "--help"))
        self.assertEqual(self.run_helper("pg_vrrp", "help", "nothing").code, pgv.USAGE)

    def test_the_caller_is_answered_in_one_line(self):
        """Over ssh, from cron, in a pipe: the reason is worth more than the number."""
        for words, printed in (([], 1), (["--quiet"], 0), (["--auto"], 0)):
            with self.subTest(words=words):
                result = self.run_helper("promote_safe", "-c", self.config(), "-n", "n1", *words)
                self.assertEqual(len(result.err.splitlines()), printed, result.err)
                if printed:
                    self.assertRegex(result.err, r"^promote_safe: (refused|unknown) \[[a-z-]+\]: ")

    def test_help_fits_a_terminal(self):
        for name in pgv.HELPERS:
            for words in (["--help"], ["-v", "--help"]):
                out = self.run_helper(name, *words).out
                # A column for options, one for what they mean, and blanks between.
                options = [line for line in out.splitlines() if line.startswith("  -")
                           or line.startswith("      --")]
                self.assertGreater(len(options), 5)
                for line in options:
                    self.assertRegex(line, r"^  (-\w, |    )--[a-z-]+( [A-Z_.a-z]+)?(  +\S.*)?$")
                self.assertEqual([line for line in out.splitlines() if len(line) > 80], [], name)

    def test_the_list_of_parts_fits_a_terminal(self):
        out = self.run_helper("cluster_config").out
        self.assertIn("known_hosts", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

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
