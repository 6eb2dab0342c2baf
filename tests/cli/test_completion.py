# SPDX-License-Identifier: PostgreSQL
"""Completion of bash offers what the programs themselves say that they take."""

import re
import subprocess
import unittest

import pgv

# $1: the file; the line as it was typed, word by word, of which the last one is completed.
ASK = """
shopt -u extglob
. "$1" && shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_pg_vrrp
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""
FILE = pgv.BUILD / "completion/pg_vrrp"


class Completion(unittest.TestCase):
    def complete(self, *words):
        done = subprocess.run(["bash", "--norc", "-c", ASK, "bash", FILE, "pg_vrrp", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def helped(self, name):
        return subprocess.run([pgv.program(name), "--help"], capture_output=True, text=True,
                              check=True).stdout

    def test_bash_asks_it(self):
        done = subprocess.run(["bash", "--norc", "-c", '. "$1" && complete -p pg_vrrp', "bash", FILE],
                              capture_output=True, text=True, check=False)
        self.assertIn("-F _pg_vrrp pg_vrrp", done.stdout, done.stderr)

    def test_names_of_programs_and_the_words_that_people_type(self):
        short = re.findall(r"^  (\S+) +short for", self.helped("pg_vrrp"), re.M)
        self.assertIn("status", short)
        offered = self.complete("")
        self.assertEqual(sorted(set(offered) - {"help", "--help", "--version"}),
                         sorted([*pgv.PROGRAMS, *short]))
        self.assertEqual(self.complete("rej"), ["rejoin"])
        self.assertEqual(self.complete("help", "prom"), ["promote_safe"])

    @pgv.each(pgv.HELPERS)
    def test_options_of_each_program_and_no_others(self, name):
        offered = self.complete(name, "--")
        listed = re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)", self.helped(name), re.M)
        self.assertEqual(sorted(offered), sorted(listed))
        self.assertIn("--config", offered)

    def test_a_short_word_has_the_options_of_its_program(self):
        self.assertEqual(self.complete("history", "--"), self.complete("cluster_status", "--"))
        self.assertEqual(self.complete("rejoin", "--lift"), ["--lift-fence"])

    def test_parts_of_cluster_config(self):
        for name in ("cluster_config", "config"):
            self.assertEqual(self.complete(name, "pg_"), ["pg_hba", "pg_ident"])

    def test_where_a_file_is_wanted_bash_is_left_to_offer_files(self):
        self.assertEqual(self.complete("cluster_config", "-c", ""), [])
        self.assertEqual(self.complete("rejoin", ""), [])
        self.assertEqual(self.complete("no_such_program", "--"), [])


if __name__ == "__main__":
    unittest.main()
