# SPDX-License-Identifier: PostgreSQL
"""Is everything that reads bytes from outside in the table of tests/fuzz/README.md, and does every
target in it have seeds?"""

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
FUZZ = TOP / "tests/fuzz"

# Calls that bring bytes from outside: from files, sockets, other programs, servers, the environment.
SOURCES = re.compile(
    r"\b(p?read|recv\w*|fgets|getline|fread|readlink(at)?|readdir|glob|getenv|ioctl"
    r"|state_read|boot_file_read|pgdata_read|proc_run|proc_start|pg_query|conninfo_get"
    r"|mnl_socket_recvfrom|nl_recvmsgs_default|PQerrorMessage|ini_parse_stream|cli_parse)\("
)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def table():
    """The rows: where it is read, by which target or why by none."""
    rows = {}
    for line in (FUZZ / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            for name in re.findall(r"`([^`]+)`", cells[0]):
                rows[name] = (re.findall(r"`(\w+)`", cells[2]), cells[2])
    return rows


def readers():
    for path in sorted((TOP / "helpers").rglob("*.c")):
        if SOURCES.search(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(TOP / "helpers").with_suffix("")).removeprefix("lib/")


class FuzzTargets(unittest.TestCase):
    def setUp(self):
        self.targets = {path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c")}
        self.rows = table()

    def test_every_reader_of_outside_bytes_is_in_the_table(self):
        self.assertEqual([name for name in readers() if name not in self.rows], [])

    def test_what_is_in_the_table_is_there(self):
        gone = [name for name in self.rows if not list((TOP / "helpers").rglob(f"{Path(name).name}.c"))]
        self.assertEqual(gone, [])
        for name, (targets, words) in self.rows.items():
            with self.subTest(name):
                self.assertTrue(set(targets) <= self.targets, targets)
                self.assertTrue(targets or words.startswith("none: "), words)

    def test_every_target_is_in_the_table(self):
        named = {target for targets, _ in self.rows.values() for target in targets}
        self.assertEqual(named, self.targets)

    def test_every_target_has_seeds(self):
        folders = {path.name for path in (FUZZ / "seeds").iterdir()}
        self.assertEqual(folders, self.targets)
        for name in sorted(folders):
            with self.subTest(name):
                sizes = [path.stat().st_size for path in (FUZZ / "seeds" / name).iterdir()]
                self.assertGreaterEqual(len(sizes), 3)
                self.assertLess(max(sizes), 20000)


if __name__ == "__main__":
    unittest.main()
