# SPDX-License-Identifier: PostgreSQL
"""Is the runner red when it must be?  Each case is a small program and the words it has to earn."""

import io
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from . import junit, parts, thorough
from . import tap as unittests
from .runner import Job, Queue, Runner

SH = ["/bin/sh", "-c"]

# name, shell program, is TAP, (passed, failed, skipped)
CASES = [
    ("passing", "echo 1..2; echo ok 1 - a; echo ok 2 - b", True, (2, 0, 0)),
    ("failing", "echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1", True, (1, 1, 0)),
    ("failing_with_exit_0", "echo 1..1; echo not ok 1 - a", True, (0, 1, 0)),
    ("skipping", "echo 1..2; echo 'ok 1 # SKIP no network'; echo ok 2 - b", True, (1, 0, 1)),
    ("hanging", "echo ok 1 - a; exec sleep 60", True, (1, 1, 0)),
    ("deaf_to_sigterm", "trap '' TERM; exec sleep 60", True, (0, 1, 0)),
    ("crashing", "echo 1..2; echo ok 1 - a; kill -SEGV $$", True, (1, 1, 0)),
    ("stopping_early", "echo 1..3; echo ok 1 - a", True, (1, 1, 0)),
    ("silent", "exit 0", True, (0, 1, 0)),
    ("ending_badly", "echo 1..1; echo ok 1 - a; exit 1", True, (1, 1, 0)),
    ("exit_0", "exit 0", False, (1, 0, 0)),
    ("exit_3", "exit 3", False, (0, 1, 0)),
]

FILE = """
import time, unittest
class Case(unittest.TestCase):
    def test_good(self):
        pass
    def test_bad(self):
        self.assertEqual("a\\nb", "a\\nc", "on purpose")
    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertEqual(i, 0)
    @unittest.skip("no reason")
    def test_skipped(self):
        pass
class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("on purpose")
    def test_never(self):
        pass
"""


HANGING = """
import pathlib, time, unittest
class Case(unittest.TestCase):
    def test_hangs(self):
        self.addCleanup(pathlib.Path("{left}").touch)
        while True:
            try:
                time.sleep(60)
            except Exception:
                pass
"""


def count(job, folder):
    runner = Runner(folder, io.StringIO())
    runner.run([job])
    tally = runner.tally
    return (tally.passed, tally.failed, tally.skipped), tally


def said(jobs, folder):
    runner = Runner(folder, io.StringIO())
    runner.run(jobs, len(jobs))
    return runner.out.getvalue()


def junit_of(cases, folder):
    """Written, and read again."""
    runner = Runner(folder, io.StringIO())
    runner.run([Job(name, SH + [program], 5, tap=tap) for name, program, tap, _ in cases])
    junit.write(folder / "junit.xml", runner.results, 1.0)
    suite = ElementTree.parse(folder / "junit.xml").getroot()
    wanted = {name: str(sum(counts[place] for *_, counts in cases))
              for place, name in ((1, "failures"), (2, "skipped"))}
    wanted["tests"] = str(sum(sum(counts) for *_, counts in cases))
    got = {name: suite.get(name) for name in wanted}
    return got == wanted and len(suite) == int(wanted["tests"]), f"{got}"


def selftest():
    bad = 0
    done = 0

    def check(name, good, detail=""):
        nonlocal bad, done
        done += 1
        bad += not good
        print(f"{'ok' if good else 'not ok'} {done} - {name} {detail}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        for name, program, tap, wanted in CASES:
            got, tally = count(Job(name, SH + [program], 1, tap=tap, grace=1), folder)
            check(name, got == wanted and tally.good() == (wanted[1] == 0), f"{got}")

        got, tally = count(Job("step", SH + ["exit 0"], 1, tap=False, step=True), folder)
        check("building_is_not_a_test", got == (0, 0, 0) and not tally.good())

        got, tally = count(Job("none", SH + ["echo 1..1; echo ok 1 - a"], 1, only="zzz"), folder)
        check("nothing_ran_is_not_good", got == (0, 0, 0) and not tally.good())

        source = Path(folder) / "test_python.py"
        source.write_text(FILE)
        tap = str(Path(__file__).resolve().parent / "tap.py")
        python = Job("python", [sys.executable, "-B", tap, str(source)], 20)
        got, _ = count(python, folder)
        check("python_cases", got == (1, 3, 1), f"{got}")
        wrong = "s, AssertionError: 'a\\nb' != 'a\\nc')"
        check("what_was_wrong_is_told_at_once", wrong in said([python], folder))
        source.write_text("import no_such_module_here\n")
        got, _ = count(Job("import", [sys.executable, "-B", tap, str(source)], 20), folder)
        check("python_file_that_does_not_load", got == (0, 1, 0), f"{got}")

        left = Path(folder) / "left"
        source.write_text(HANGING.format(left=left))
        got, _ = count(Job("hang", [sys.executable, "-B", tap, str(source)], 2), folder)
        check("python_case_that_hangs_clears_up", got[1] > 0 and left.exists(), f"{got}")

        job = Job("orphan", SH + [f"sleep 60 & echo $! >{left}; echo ok 1 - a"], 5)
        count(job, folder)
        check("nothing_is_left_behind", gone(int(left.read_text())))

        text = said([Job("bad", SH + ["sleep 0.3; echo not ok 1 - a"], 5),
                     Job("good", SH + ["sleep 0.6; echo ok 1 - a"], 5)], folder)
        check("only_the_log_of_what_failed_is_shown", "bad.log" in text and "good.log" not in text)

        check("junit_has_each_result", *junit_of(CASES[:4], Path(folder)))

        job = Job("after", SH + ["exec sleep 60"], 1, after=SH + [f"echo after >{left}"])
        count(job, folder)
        check("after_runs_after_a_hang", left.read_text() == "after\n")

        late = Runner(folder, io.StringIO(), minutes=1e-9)
        late.run([Job("late", SH + ["exit 0"], 1, tap=False, in_time=True),
                  Job("first", SH + ["exit 0"], 1, tap=False)])
        check("what_there_is_no_time_for_is_told_as_skipped",
              (late.tally.passed, late.tally.skipped) == (1, 1) and "skip    late" in late.out.getvalue())

        got = most_at_a_time(["busy", "", "busy", "busy", ""])
        check("one_at_a_time_in_a_room", got == (1, 3), f"{got}")
    unused = thorough.unused(lab_tests())
    check("each_variant_that_is_left_out_exists", not unused, f"{unused}")
    named = {f"{source}.{test}" for source, tests in parts.ON_SYSTEMD for test in tests}
    named |= {f"{source}.{test}" for source, test in parts.SANITIZED}
    there = set(lab_tests(("scenario", "hosts")))
    check("each_test_that_another_part_runs_exists", named <= there, f"{named - there}")
    print(f"1..{done}")
    return 1 if bad else 0


def most_at_a_time(rooms):
    """(of those in the room "busy", of all): how many ran side by side."""
    running, most = [], [0, 0]
    queue = Queue([Job(str(number), [], 0, room=room) for number, room in enumerate(rooms)])

    def run(job):
        running.append(job.room)
        most[:] = max(most[0], running.count("busy")), max(most[1], len(running))
        time.sleep(0.2)
        running.remove(job.room)

    with ThreadPoolExecutor(3) as pool:
        for worker in [pool.submit(queue.work, run) for _ in range(3)]:
            worker.result()
    return tuple(most)


def lab_tests(folders=("scenario", "kill")):
    """FILE.CLASS.TEST of each test that needs a lab."""
    tests = Path(__file__).resolve().parents[2] / "tests"
    return [f"{source.stem}.{unittests.short(case)}"
            for folder in folders for source in sorted((tests / folder).glob("test_*.py"))
            for case in unittests.load(source)]


def gone(pid):
    """The process has ended, or is a zombie that init has not fetched."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False
