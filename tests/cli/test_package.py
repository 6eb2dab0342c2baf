# SPDX-License-Identifier: PostgreSQL
"""make deb: both packages, what is in them, and what their scripts do to a host."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import pgv

MISSING = [tool for tool in ("dpkg-buildpackage", "dh", "dpkg-deb") if not shutil.which(tool)]
SCRIPTS = {"pg-vrrp": ["postinst", "postrm", "prerm"], "pg-vrrp-witness": ["postrm"]}
AT_WITNESS = ["cluster_config", "fence_old", "witness-setup"]

# A host of its own for $1, a script, as far as those scripts look: what they may change is in memory.  A
# systemctl that only says what it was told stands in front.
HOST = """
for place in /etc /run /var/lib /usr/local; do mount -t tmpfs tmpfs $place || exit 99; done
mkdir -p /run/systemd/system /etc/systemd/system /etc/tmpfiles.d /etc/pg_vrrp /usr/local/bin
printf '#!/bin/sh\\necho "systemctl $*"\\n' >/usr/local/bin/systemctl
chmod 755 /usr/local/bin/systemctl
PATH=/usr/local/bin:$PATH
"""


def run(*argv, **more):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False,
                          **more)


def made(top):
    """The packages by name, unpacked below top: their files, and their scripts in DEBIAN."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    # Without the optimizer, whose work test_install and the lint of hardening look at.
    env["DEB_BUILD_OPTIONS"] = f"noopt nocheck parallel={os.cpu_count() or 1}"
    done = run("make", "-s", "-C", pgv.TOP, f"BUILD={top / 'build'}", "deb", env=env)
    if done.returncode != 0:
        raise AssertionError(f"make deb: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    packages = {}
    for deb in (top / "build/deb").glob("*.deb"):
        name = deb.name.partition("_")[0]
        packages[name] = top / name
        run("dpkg-deb", "-R", deb, packages[name])
    return packages


@unittest.skipIf(MISSING, f"{' and '.join(MISSING)} not installed (scripts/install-deps deb)")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = Path(tempfile.mkdtemp(prefix="pgv-cli-"))
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.packages = made(cls.top)
        cls.node, cls.witness = (cls.packages.get(name) for name in SCRIPTS)

    def control(self, package, field):
        return run("dpkg-deb", "-f", next((self.top / "build/deb").glob(f"{package}_*.deb")),
                   field).stdout.strip()

    def names(self, package, pattern):
        return sorted(path.name for path in self.packages[package].glob(pattern))

    def test_two_packages_of_the_makefiles_version(self):
        self.assertEqual(sorted(self.packages), sorted(SCRIPTS))
        version = re.search(r"^VERSION\s*:= (\S+)", (pgv.TOP / "Makefile").read_text(), re.M)[1]
        for name in SCRIPTS:
            self.assertEqual(self.control(name, "Version"), version)
        self.assertIn(f"pg-vrrp-witness (= {version})", self.control("pg-vrrp", "Depends"))

    def test_programs_once_each_and_below_usr(self):
        self.assertEqual(self.names("pg-vrrp-witness", "usr/libexec/pg_vrrp/*"), AT_WITNESS)
        self.assertEqual(self.names("pg-vrrp", "usr/libexec/pg_vrrp/*"),
                         sorted(set(pgv.PROGRAMS) - set(AT_WITNESS)))
        for part in ("witness.sql", "witness-server.sh", "words.sh", "authorized_keys.in"):
            self.assertTrue((self.witness / "usr/share/pg_vrrp" / part).exists(), part)
        self.assertIn(b"/usr/libexec/pg_vrrp", (self.node / "usr/bin/pg_vrrp").read_bytes())
        self.assertTrue((self.node / "usr/share/bash-completion/completions/pg_vrrp").exists())
        for package in self.packages.values():
            self.assertFalse((package / "usr/local").exists())
            self.assertEqual((package / "etc/pg_vrrp").stat().st_mode & 0o7777, 0o755)

    def test_documents_name_the_places_of_the_package(self):
        docs = self.node / "usr/share/doc/pg-vrrp"
        example = docs / "examples/two-node/keepalived.n1.conf"
        self.assertIn('"/usr/libexec/pg_vrrp/check_answer', example.read_text())
        for page in ("README.md", "operations.md"):
            self.assertNotRegex((docs / page).read_text(), "/usr/local/(libexec|share)/pg_vrrp")

    def test_each_page_that_is_named_is_there(self):
        pages = {name.removesuffix(".gz") for package in SCRIPTS
                 for name in self.names(package, "usr/share/man/man?/*")}
        self.assertEqual(pages, {"pg_vrrp.8", "pg_vrrp.ini.5",
                                 *(f"pg_vrrp-{name}.8" for name in pgv.PROGRAMS)})
        units = list(self.node.glob("**/systemd/system/pg_vrrp-*"))
        self.assertGreaterEqual(len(units), 5)
        for unit in units:
            said = unit.read_text()
            for name, section in re.findall(r"^Documentation=man:(\S+)\((\d)\)$", said, re.M):
                self.assertIn(f"{name}.{section}", pages, unit.name)
            for program in re.findall(r"^Exec\w+=(/usr/libexec/pg_vrrp/(\S+))", said, re.M):
                self.assertIn(program[1], pgv.HELPERS, unit.name)

    def test_scripts_are_sound_and_are_those_that_should_be(self):
        for name, wanted in SCRIPTS.items():
            there = [script for script in self.names(name, "DEBIAN/p*") if script != "control"]
            self.assertEqual(there, wanted)
            for script in there:
                done = run("sh", "-n", self.packages[name] / "DEBIAN" / script)
                self.assertEqual((done.returncode, done.stderr), (0, ""), script)

    def on_host(self, package, script, *args, before="", after=""):
        """What is printed; before and after are shell words around the run of the script."""
        if os.getuid() != 0:
            self.skipTest("needs root for a mount namespace")
        done = run("unshare", "-m", "sh", "-c", f'{HOST}\n{before}\n"$@" || exit 98\n{after}', "sh",
                   self.packages[package] / "DEBIAN" / script, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_an_installation_starts_nothing_and_an_upgrade_restarts_what_runs(self):
        self.assertEqual(self.on_host("pg-vrrp", "postinst", "configure", ""),
                         "systemctl daemon-reload\n")
        upgraded = self.on_host("pg-vrrp", "postinst", "configure", "0.0.9")
        self.assertRegex(upgraded, r"^systemctl daemon-reload\nsystemctl try-restart "
                                   r"pg_vrrp-guard@\*\.service pg_vrrp-health@\*\.service\n$")
        self.assertEqual(self.on_host("pg-vrrp", "prerm", "upgrade", "9"), "")
        self.assertEqual(self.on_host("pg-vrrp", "postinst", "configure", "0.0.9",
                                      before="rm -r /run/systemd"), "")

    def test_removing_stops_ours_and_says_what_runs_on(self):
        before = """wants=/etc/systemd/system/multi-user.target.wants
            mkdir -p $wants /etc/keepalived
            ln -s /lib/systemd/system/pg_vrrp-guard@.service $wants/pg_vrrp-guard@main.service
            ln -s /lib/systemd/system/ssh.service $wants/ssh.service
            echo 'script "/usr/libexec/pg_vrrp/check_answer"' >/etc/keepalived/keepalived.conf"""
        said = self.on_host("pg-vrrp", "prerm", "remove", before=before, after="ls $wants")
        self.assertIn("systemctl stop pg_vrrp-rejoin@*.timer", said)
        self.assertIn("PostgreSQL servers, which run on", said)
        self.assertIn("systemctl disable --now keepalived", said)
        self.assertTrue(said.endswith("\nssh.service\n"), said)

    def test_purging_leaves_nothing_of_ours_and_all_of_others(self):
        before = f"""mkdir -p /etc/pg_vrrp/witness /var/lib/pg_vrrp/main /run/pg_vrrp/main
            cd /etc/systemd/system && mkdir keepalived.service.d a.service.d
            cp {self.node}/usr/share/pg_vrrp/keepalived-restart.conf keepalived.service.d/pg_vrrp.conf
            echo '# mine' >a.service.d/pg_vrrp.conf
            touch /etc/pg_vrrp/main.ini /etc/tmpfiles.d/pg_vrrp-mine.conf
            echo '# /etc/tmpfiles.d/pg_vrrp-main.conf: a track' >/etc/tmpfiles.d/pg_vrrp-main.conf"""
        after = "find /etc /run /var/lib -type f -o -name '*pg_vrrp*' -o -name witness -o -name '*.d'"
        left = self.on_host("pg-vrrp", "postrm", "purge", before=before, after=after)
        self.assertEqual(sorted(left.splitlines()[1:]),
                         ["/etc/pg_vrrp", "/etc/pg_vrrp/witness", "/etc/systemd/system/a.service.d",
                          "/etc/systemd/system/a.service.d/pg_vrrp.conf", "/etc/tmpfiles.d",
                          "/etc/tmpfiles.d/pg_vrrp-mine.conf"])
        left = self.on_host("pg-vrrp-witness", "postrm", "purge", before=before, after=after)
        self.assertNotIn("/etc/pg_vrrp\n", left)


if __name__ == "__main__":
    unittest.main()
