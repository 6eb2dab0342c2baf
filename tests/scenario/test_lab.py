# SPDX-License-Identifier: PostgreSQL
"""The lab itself: what it promises to those who build on it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lablib import Lab, LabError, places  # noqa: E402
from lablib.lab import remove  # noqa: E402

NAME = os.environ.get("PGV_LAB", f"t{os.getpid()}")
LAB = os.path.join(ROOT, "scripts", "lab")


def command(*arguments: str, env: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([LAB, *arguments], capture_output=True, text=True, check=False,
                          timeout=120, env=env)


def traces(name: str) -> list[str]:
    """Whatever is left of a lab on this machine."""
    found = places.lab_netns(name)
    if name in places.lab_names():
        found.append(places.lab_dir(name))
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        found += [line for line in file if f"{places.lab_dir(name)}/" in line]
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if f"{places.lab_dir(name)}/".encode() in file.read():
                    found.append(f"process {entry}")
        except OSError:
            pass
    loops = subprocess.run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"],
                           capture_output=True, text=True, check=True).stdout
    return found + [line for line in loops.splitlines() if f"{places.lab_dir(name)}/" in line]


class TwoLabs(unittest.TestCase):
    def tearDown(self):
        for name in (NAME, NAME + "b"):
            remove(name)

    def test_side_by_side_under_different_names(self):
        first = Lab.up(NAME)
        second = Lab.up(NAME + "b", witness="tcp", mode="sync")
        self.assertEqual(first.settings.vip, second.settings.vip, "the same addresses on purpose")
        first.fault("power-off", "n1")
        # Its standby may just be connecting anew, for the slot that it was given.
        second.wait_ready(10)
        first.down()
        self.assertEqual(traces(NAME), [])
        second.wait_ready(10)

    def test_killed_half_way_leaves_nothing_after_down(self):
        for seconds in (0.3, 0.6, 0.9, 1.4):
            process = subprocess.Popen([LAB, "up", "--name", NAME], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.assertEqual(command("down", "--name", NAME).returncode, 0)
            limit = time.monotonic() + 5
            while traces(NAME) and time.monotonic() < limit:
                time.sleep(0.05)
            self.assertEqual(traces(NAME), [], f"killed after {seconds} s")

    def test_made_elsewhere_is_found_by_its_name_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
            base = f"{elsewhere}/labs"
            up = command("up", "--name", NAME, env={**os.environ, "PGV_LAB_DIR": base})
            self.assertEqual(up.returncode, 0, up.stderr)
            self.assertEqual(places.lab_dir(NAME), f"{base}/{NAME}")
            self.assertTrue(Lab.open(NAME).ready())
            self.assertEqual(command("fault", "--name", NAME, "crash", "n1").returncode, 0)
            self.assertEqual(command("down", "--name", NAME).returncode, 0)
            self.assertEqual(traces(NAME), [])
            self.assertEqual(os.listdir(elsewhere), [])

    def test_up_twice_is_refused_and_harms_nothing(self):
        lab = Lab.up(NAME)
        again = command("up", "--name", NAME)
        self.assertEqual(again.returncode, 1)
        self.assertIn("already", again.stderr)
        self.assertTrue(lab.ready())


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab.up(NAME)

    @classmethod
    def tearDownClass(cls):
        cls.lab.down()

    def test_wrong_words_are_refused_with_64(self):
        for arguments in (["fault"], ["fault", "explode", "n1"], ["fault", "crash", "n3"],
                          ["fault", "cut", "n1"], ["fault", "drop", "x%", "n1", "n2"],
                          ["fault", "freeze", "n1", "nginx"], ["fault", "crash", "witness"],
                          ["fault", "wipe-record"], ["fault", "restart", "n1"], ["load", "--seconds", "soon"],
                          ["up", "--set", "lease=2s"], ["up", "--witness", "nfs"], ["nothing"]):
            with self.subTest(arguments):
                verb, *rest = arguments
                self.assertEqual(command(verb, "--name", NAME, *rest).returncode, 64)

    def test_configuration_that_the_helpers_refuse_is_refused_with_78(self):
        other = NAME + "c"
        for setting in ("timing.lease=1ms", "cluster.nme=x", "postgresql.role=pg_x"):
            with self.subTest(setting):
                done = command("up", "--name", other, "--set", setting)
                self.assertEqual(done.returncode, 78, done.stderr)
                self.assertEqual(traces(other), [])
        done = command("up", "--name", other, "--witness", "etcd")
        self.assertEqual(done.returncode, 78)
        self.assertIn("not in this version", done.stderr)

    def test_exec_is_inside_and_passes_the_exit_code_on(self):
        done = command("exec", "--name", NAME, "n2", "--", "sh", "-c", "hostname; exit 7")
        self.assertEqual((done.stdout, done.returncode), ("n2\n", 7))

    def test_the_log_has_what_was_said_before_it_was_asked_for(self):
        pid = self.lab.node("n1").pid()
        os.kill(pid, signal.SIGSTOP)  # pid 1, that writes the log down, is late
        late = threading.Timer(0.5, os.kill, (pid, signal.SIGCONT))
        late.start()
        self.addCleanup(late.join)
        done = self.lab.run("n1", ["sh", "-c", "seq 100 | logger -t burst"])
        self.assertEqual(done.returncode, 0, done.stderr)
        told = [line.text for line in self.lab.logs("n1") if line.tag == "burst"]
        self.assertEqual(told, [str(number) for number in range(1, 101)])

    def test_status_as_json(self):
        status = json.loads(command("status", "--name", NAME, "--json").stdout)
        self.assertEqual(status["primary"], "n1")
        self.assertEqual(status["vip_at"], ["n1"])
        self.assertEqual({name: node["role"] for name, node in status["nodes"].items()},
                         {"n1": "primary", "n2": "standby"})

    def test_load_report(self):
        path = f"/tmp/{NAME}.json"
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        done = command("load", "--name", NAME, "--seconds", "2", "--report", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(json.loads(done.stdout), report)
        self.assertGreater(report["acked"], 50)
        self.assertEqual((report["lost"], report["dual_ms"]), (0, 0))
        self.assertGreater(report["local_acked"]["n1"], 10)

    def test_second_writer_made_by_hand_is_seen(self):
        """The checker on real servers: a standby that is promoted beside its primary is dual."""
        name = NAME + "d"
        self.addCleanup(remove, name)
        lab = Lab.up(name)
        try:
            load = lab.load_begin(60)
            # Nobody may prevent or clear up what is to be seen.
            for node in ("n1", "n2"):
                for service in ("keepalived", "guard"):
                    lab.node(node).order(f"stop {service}")
            lab.run("n2", ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                           "psql", "-c", "SELECT pg_promote()"])
            lab.wait(lambda: len(lab.status()["primaries"]) == 2, 10, "two primaries")
            time.sleep(1)
            report = load.stop()
        finally:
            lab.down()
        self.assertGreater(report["dual_ms"], 300, report)
        self.assertGreater(report["local_acked"]["n2"], 3, report)

    def test_unknown_lab_is_named(self):
        with self.assertRaises(LabError) as caught:
            Lab.open(NAME + "nobody")
        self.assertIn("there is no lab", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
