# SPDX-License-Identifier: PostgreSQL
"""What the bed of hosts makes of text: the mirror, the file that the hosts get, a tree that is kept."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from lablib import kept, machine, trees  # noqa: E402
from lablib.inifile import IniFile  # noqa: E402

DEB822 = """\
Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates

Types: deb
URIs: http://mirror.example/debian-security
"""
ONE_LINE = """\
# deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb http://security.example/debian-security bookworm-security main
deb [signed-by=/usr/share/keyrings/k.gpg] https://mirror.example/debian/ bookworm main
"""


class Mirror(unittest.TestCase):
    def test_is_taken_from_both_kinds_of_sources(self):
        self.assertEqual(trees.MIRROR.search(DEB822)[1], "http://mirror.example/debian")
        self.assertEqual(trees.MIRROR.search(ONE_LINE)[1], "https://mirror.example/debian")

    def test_is_none_where_only_security_is(self):
        self.assertIsNone(trees.MIRROR.search("deb http://a.example/debian-security x main\n"))


class File(unittest.TestCase):
    def test_hosts_get_no_section_of_the_bed(self):
        ini = IniFile("[cluster]\nname = main\n", "test")
        whole = ini.text()
        ini.set("lab", "setup", "debian")
        ini.set("lab", "release", "12")
        self.assertEqual(ini.text_without("lab"), whole)
        self.assertEqual(ini.get("lab", "release"), "12")


class Kept(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        patch = mock.patch.object(kept.places, "CACHE", top.name)
        patch.start()
        self.addCleanup(patch.stop)
        self.made = []

    def make(self, new: str) -> None:
        self.made.append(new)

    def test_is_made_once_for_the_same_parts(self):
        first = kept.get(["a"], self.make, "kind-")
        self.assertEqual(kept.get(["a"], self.make, "kind-"), first)
        self.assertNotEqual(kept.get(["b"], self.make, "kind-"), first)
        self.assertEqual(len(self.made), 2)

    def test_leaves_nothing_when_it_fails(self):
        def fail(new: str) -> None:
            raise OSError(new)
        with self.assertRaises(OSError):
            kept.get(["a"], fail)
        self.assertEqual(os.listdir(kept.places.CACHE), ["lock"])


class Groups(unittest.TestCase):
    def test_of_another_lab_stay(self):
        with tempfile.TemporaryDirectory() as top, mock.patch.object(machine, "HIERARCHIES", [top]):
            for name in ("pgv-a-n1/payload/x", "pgv-a-n2", "pgv-a-b-n1", "user"):
                os.makedirs(f"{top}/{name}")
            machine.remove_groups("a")
            self.assertEqual(sorted(os.listdir(top)), ["pgv-a-b-n1", "user"])


if __name__ == "__main__":
    unittest.main()
