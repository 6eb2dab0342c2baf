# SPDX-License-Identifier: PostgreSQL
"""node-setup where nothing can be set up: it says why, and leaves the host as it was.  What it makes is
tested on hosts with systemd (tests/hosts/test_hosts_setup.py).
"""

import os
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import pgv

INI = """\
[cluster]
name = orders
vip = 198.51.100.100/24
interface = lo
virtual_router_id = 51
[node a]
address = 198.51.100.1
[node b]
address = 198.51.100.2
[witness]
kind = ping
address = 198.51.100.3
[postgresql]
version = 15
data_dir = /var/lib/postgresql/15/main
config_file = /etc/postgresql/15/main/postgresql.conf
"""


class NodeSetup(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="pgv-setup-")
        self.addCleanup(temporary.cleanup)
        self.top = Path(temporary.name)
        self.ini = self.top / "orders.ini"
        self.ini.write_text(INI)

    def run_setup(self, *words, code: int) -> str:
        done = subprocess.run([str(pgv.BUILD / "libexec/node-setup"), *map(str, words)], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, cwd=self.top)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_words_that_are_none(self):
        for words, said in ((["-x"], "-x is not an option"), ([], "which part?"), (["third"], '"third" is no part'),
                            (["primary", "file"], "primary takes no file"), (["standby"], "needs the file"),
                            (["pair"], "needs the file"), (["primary", "-c"], "-c needs a value"),
                            (["standby", "a", "b"], "one word too many"),
                            (["standby", "a", "--restart"], '--restart is for "primary"'),
                            (["primary", "--anyway"], '--anyway is for "remove"'),
                            (["remove", "file"], "remove takes no file")):
            self.assertIn(said, self.run_setup(*words, code=64), words)

    def test_a_file_that_is_not_there(self):
        self.assertIn("cannot be read", self.run_setup("standby", self.top / "none", code=78))

    def test_a_file_that_is_no_bundle(self):
        (self.top / "x").write_text("no archive")
        self.assertIn("is not the file that", self.run_setup("standby", "x", code=78))

    def test_a_bundle_of_somebody_elses_names(self):
        """Nothing but the files that it should have is taken out, wherever the others want to go."""
        with tarfile.open(self.top / "x", "w") as archive:
            archive.add(self.ini, "../escaped")
        self.run_setup("standby", "x", code=78)
        self.assertFalse((self.top.parent / "escaped").exists())
        self.assertEqual(sorted(os.listdir(self.top)), ["orders.ini", "x"])

    def bundle(self, ini: str = INI) -> None:
        for name in ("pgpass", "key", "known_hosts", "witness.pgpass"):
            (self.top / name).write_text("")
        (self.top / "ini").write_text(ini)
        with tarfile.open(self.top / "x", "w") as archive:
            for name in ("ini", "pgpass", "key", "known_hosts", "witness.pgpass", "witness.crt"):
                archive.add(self.top / name, f"./{name}")

    def test_a_bundle_with_a_link(self):
        """It would bring what another program has put on this host, into a file that everybody reads."""
        (self.top / "witness.crt").symlink_to("/etc/shadow")
        self.bundle()
        self.assertIn("witness.crt is no file in it", self.run_setup("standby", "x", code=78))

    def test_a_bundle_of_a_cluster_that_is_named_like_a_directory(self):
        (self.top / "witness.crt").write_text("")
        self.bundle(INI.replace("name = orders", "name = ../../tmp/orders"))
        self.assertIn("without a name", self.run_setup("standby", "x", code=78))

    @unittest.skipIf(os.path.isdir("/run/systemd/system"), "systemd runs here")
    def test_a_bundle_that_is_one(self):
        (self.top / "witness.crt").write_text("")
        self.bundle()
        self.assertIn("systemd does not run", self.run_setup("standby", "x", "-n", "b", "--dry-run", code=71))

    def test_a_configuration_with_an_error(self):
        self.ini.write_text(INI.replace("virtual_router_id", "virtual_ruter_id"))
        said = self.run_setup("primary", "-c", self.ini, code=78)
        self.assertIn("virtual_ruter_id", said)
        self.assertIn("is not sound", said)

    def test_a_host_that_is_none_of_the_nodes(self):
        self.assertIn("none of the nodes", self.run_setup("primary", "-c", self.ini, code=78))
        self.assertIn("none of the nodes", self.run_setup("primary", "-c", self.ini, "-n", "c", code=78))

    @unittest.skipIf(os.path.isdir("/run/systemd/system"), "systemd runs here")
    def test_without_systemd(self):
        said = self.run_setup("primary", "-c", self.ini, "-n", "a", "--dry-run", code=71)
        self.assertIn("systemd does not run", said)
        self.assertIn("Setting up by hand", said)


if __name__ == "__main__":
    unittest.main()
