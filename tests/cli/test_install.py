# SPDX-License-Identifier: PostgreSQL
"""make install: by rename, owned by root, and nothing left after uninstall."""

import os
import re
import shutil
import stat
import subprocess
import unittest
from pathlib import Path

import pgv


class Install(pgv.Case):
    def make(self, *words):
        # The build under test stays as it is: another prefix is compiled into a build of its own.
        argv = ["make", "-s", "-C", str(pgv.TOP), f"BUILD={self.top / 'build'}",
                f"DESTDIR={self.top / 'dest'}", "prefix=/opt/pgv", "CFLAGS=-O0", *words]
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
        done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_install_and_uninstall(self):
        old = os.umask(0o077)  # a careful administrator's
        self.addCleanup(os.umask, old)
        self.make("install")
        root = self.top / "dest/opt/pgv"
        helpers = root / "libexec/pg_vrrp"
        self.assertEqual(sorted(os.listdir(helpers)), sorted([*pgv.PROGRAMS, "witness-setup"]))
        self.modes(root)
        self.assertIn(b"/opt/pgv/libexec/pg_vrrp", (root / "bin/pg_vrrp").read_bytes())
        self.pages(root / "share/man")
        self.assertTrue((root / "share/bash-completion/completions/pg_vrrp").exists())
        self.assertEqual(stat.S_IMODE((self.top / "dest/etc/pg_vrrp").stat().st_mode), 0o755)
        self.assertTrue(list((root / "share/pg_vrrp").glob("keepalived*.in")))
        # The script for the witness host finds its parts where they were installed.
        for name in ("witness.sql", "witness-server.sh", "node-server.sh", "node-exchange.sh",
                     "node-remove.sh", "words.sh"):
            self.assertTrue((root / "share/pg_vrrp" / name).exists(), name)
        asked = subprocess.run([helpers / "witness-setup", "--address", "192.0.2.3", "--allow",
                                "192.0.2.1", "--allow", "192.0.2.2", "--socket-dir", self.top],
                               capture_output=True, text=True, check=False)
        self.assertIn("there is no server at", asked.stderr)
        unit = (root / "lib/systemd/system/pg_vrrp-guard@.service").read_text()
        self.assertIn("ExecStart=/opt/pgv/libexec/pg_vrrp/fence_self --watch", unit)
        self.assertNotIn("@libexecdir@", unit)
        self.assertIn("Documentation=man:pg_vrrp-fence_self(8)", unit)
        unit = (root / "lib/systemd/system/pg_vrrp-rejoin@.service").read_text()
        self.assertIn("ExecStart=/opt/pgv/libexec/pg_vrrp/rejoin --auto", unit)
        self.assertTrue((root / "lib/systemd/system/pg_vrrp-rejoin@.timer").exists())

        self.replaced_by_rename(helpers / "check_primary")

        self.make("uninstall")
        self.assertEqual([str(path) for path in root.rglob("*") if not path.is_dir()], [])
        self.assertFalse((self.top / "dest/etc/pg_vrrp").exists())

    def pages(self, man):
        """As git names its own; each names itself and others by the names that "man" finds, and so
        does --help."""
        installed = {path.stem: path for path in man.glob("man?/*")}
        self.assertEqual(sorted(installed), sorted(["pg_vrrp", "pg_vrrp.ini",
                                                    *(f"pg_vrrp-{name}" for name in pgv.PROGRAMS)]))
        for name, path in installed.items():
            page = path.read_text()
            self.assertIn(f".Dt {name.upper()} {path.suffix[1:]}\n", page)
            self.assertIn(f".Sh NAME\n.Nm {name}\n", page)
            self.assertNotIn("/usr/local", page)
            named = re.findall(r"\bXr (\S+) \d|\b(\w+)\(8\)", page)
            self.assertFalse({a or b for a, b in named} & set(pgv.HELPERS), name)
        for name in pgv.HELPERS:
            helped = subprocess.run([pgv.program("pg_vrrp"), "help", name], capture_output=True,
                                    text=True, check=False).stdout
            self.assertIn(f"man pg_vrrp-{name}\n", helped)
        if shutil.which("mandoc"):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *installed.values()],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(lint.stdout, "")

    def modes(self, root):
        """keepalived's script security: root's, and nobody else may write, all the way up."""
        for path in [root, *root.rglob("*")]:
            status = path.stat()
            program = path.parent.name == "bin" or "libexec" in path.parts
            wanted = 0o755 if path.is_dir() or program else 0o644
            self.assertEqual(stat.S_IMODE(status.st_mode), wanted, path)
            self.assertEqual((status.st_uid, status.st_gid), (0, 0), path)

    def replaced_by_rename(self, path):
        """For keepalived a script that is missing for a moment is a healthy one."""
        with open(path, "rb") as before:
            inode = os.fstat(before.fileno()).st_ino
            self.make("install")
            self.assertNotEqual(path.stat().st_ino, inode, "written in place")
            self.assertTrue(before.read(4) == b"\x7fELF", "the running copy was damaged")
        self.assertEqual([p.name for p in Path(path).parent.iterdir() if ".new" in p.name], [])


if __name__ == "__main__":
    unittest.main()
