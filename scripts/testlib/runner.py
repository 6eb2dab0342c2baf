# SPDX-License-Identifier: PostgreSQL
"""Runs programs that report tests, under a time limit, and counts what they said.

A job speaks TAP on its standard output ("ok 3 - name", "not ok 4 - name", "# SKIP why", a plan
"1..N"), or has one result: its exit code.  Silence is a failure: a job that says nothing, says less
than its plan, or dies after its last line has failed.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 15  # seconds to clear up, for a test that ran out of time

RESULT = re.compile(r"^(not ok|ok)\b\s*\d*\s*(?:-\s*)?(.*?)\s*(?:#\s*(.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#.*)?$")


@dataclass
class Job:
    name: str  # unit/test_lock
    argv: list
    limit: float  # seconds
    tap: bool = True
    step: bool = False  # a preparation: it can fail, but its success is not a test
    only: str = ""  # count only tests whose name contains this
    env: dict = field(default_factory=dict)
    grace: float = GRACE
    after: list = field(default_factory=list)  # always run afterwards: removes what was left
    room: str = ""  # of the jobs with the same one, one at a time
    in_time: bool = False  # not begun any more, and told as skipped, when the time of the run is over


class Queue:
    """Jobs in their order, but for those whose room is taken: they wait until it is free."""

    def __init__(self, jobs):
        self.jobs = list(jobs)
        self.taken = set()
        self.changed = threading.Condition()

    def take(self):
        """The next job, or None when no more is to be given out."""
        with self.changed:
            while self.jobs:
                for job in self.jobs:
                    if not job.room or job.room not in self.taken:
                        self.jobs.remove(job)
                        self.taken.add(job.room)
                        return job
                self.changed.wait()
            return None

    def work(self, run):
        while (job := self.take()) is not None:
            try:
                run(job)
            finally:
                with self.changed:
                    self.taken.discard(job.room)
                    self.changed.notify_all()


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")

    def good(self):
        return self.failed == 0 and self.passed > 0


class Runner:
    def __init__(self, logs, out=sys.stdout, minutes=0):
        """minutes: the time of the run; 0: no limit."""
        self.logs = Path(logs)
        self.over = time.monotonic() + 60 * minutes if minutes else float("inf")
        self.out = out
        self.tally = Tally()
        self.failures = []
        self.results = []  # (word, name, detail), in the order in which they came
        self.lock = threading.Lock()
        self.running = set()
        self.took = {}  # seconds, by the name of the job
        self.stopped = False

    def run(self, jobs, parallel=1):
        """Runs every job; returns whether all went well."""
        failed = self.tally.failed
        queue = Queue(jobs)
        with ThreadPoolExecutor(max_workers=parallel) as pool:
            for worker in [pool.submit(queue.work, self.job) for _ in range(parallel)]:
                worker.result()
        return self.tally.failed == failed

    def stop(self):
        """Ends what runs and starts nothing more: for a signal."""
        self.stopped = True
        for process in list(self.running):
            kill_group(process, signal.SIGTERM)

    def say(self, text):
        with self.lock:
            print(text, file=self.out, flush=True)

    def longest(self, count=20):
        """Where the time went: one line for each of the longest jobs."""
        longest = sorted(self.took.items(), key=lambda one: -one[1])[:count]
        return "\n".join(f"  {seconds:4.0f} s  {name}" for name, seconds in longest)

    def result(self, word, name, detail=""):
        with self.lock:
            self.results.append((word, name, detail))
            if word == "ok":
                self.tally.passed += 1
            elif word == "skip":
                self.tally.skipped += 1
            elif word == "FAILED":
                self.tally.failed += 1
                self.failures.append(name)
        self.say(f"{word:8}{name}" + (f"  ({detail})" if detail else ""))

    def job(self, job):
        if self.stopped:
            return
        if job.in_time and time.monotonic() > self.over:
            self.result("skip", job.name, "the time of the run is over: see --within")
            return
        log = self.logs / (job.name + ".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with open(log, "wb") as sink:
            process = subprocess.Popen(
                job.argv,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **job.env},
                start_new_session=True,
            )
        self.running.add(process)
        report = Report(self, job, log)
        hung = not self.wait(process, report, began + job.limit, job.grace)
        self.running.discard(process)
        self.took[job.name] = time.monotonic() - began
        report.finish(process.returncode, hung, self.took[job.name])
        if job.after:
            with open(log, "ab") as sink:
                subprocess.run(job.after, stdout=sink, stderr=sink, check=False, timeout=60)
        if report.failed:
            self.show(log)

    def wait(self, process, report, deadline, grace):
        """Follows the log until the process has ended; False when it had to be killed."""
        in_time = True
        while True:
            try:
                process.wait(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                report.read()
            if time.monotonic() > deadline:
                in_time = False
                kill_group(process, signal.SIGTERM)
                try:
                    process.wait(timeout=grace)
                except subprocess.TimeoutExpired:
                    kill_group(process, signal.SIGKILL)
                    process.wait()
                break
        # What it started and left behind would disturb the next one.
        kill_group(process, signal.SIGKILL)
        return in_time

    def show(self, log):
        lines = log.read_text(errors="replace").splitlines()
        lines = [line for line in lines if not line.startswith("ok ")]
        head = f"--- {log}" + (f", the last 40 of {len(lines)} lines that are not ok" if len(lines) > 40 else "")
        self.say("\n".join([head] + ["    " + line for line in lines[-40:]] + ["---"]))


class Report:
    """Reads the results out of one job's log while it grows."""

    def __init__(self, runner, job, log):
        self.runner = runner
        self.job = job
        self.log = log
        self.offset = 0
        self.planned = None
        self.seen = 0
        self.bad = 0
        self.failed = False  # a test of it, or the job itself

    def read(self, last=False):
        if not self.job.tap:
            return
        with open(self.log, "rb") as log:
            log.seek(self.offset)
            data = log.read()
        end = len(data) if last else data.rfind(b"\n") + 1
        self.offset += end
        for line in data[:end].decode(errors="replace").splitlines():
            self.take(line)

    def take(self, line):
        plan = PLAN.match(line)
        if plan:
            self.planned = (self.planned or 0) + int(plan[1])
        match = RESULT.match(line)
        if not match:
            return
        self.seen += 1
        word, name, note = match.groups()
        if self.job.only and self.job.only not in name:
            return
        if word == "ok" and note and note.upper().startswith("SKIP"):
            word, note = "skip", note[4:].strip(" :-")
            if not name:  # cmocka writes the name behind the word
                name, note = note, ""
        elif word == "not ok":
            word = "FAILED"
            self.bad += 1
            self.failed = True
        self.runner.result(word, f"{self.job.name}: {name}", note or "")

    def finish(self, code, hung, seconds):
        self.read(last=True)
        took = f"{seconds:.1f} s"
        if hung:
            self.fail(f"killed after {self.job.limit:g} s")
        elif code < 0:
            self.fail(f"ended by signal {-code} ({signal.Signals(-code).name})")
        elif not self.job.tap and code != 0:
            self.fail(f"exit code {code}, {took}")
        elif not self.job.tap:
            self.runner.result("step" if self.job.step else "ok", self.job.name, took)
        elif self.seen == 0:
            self.fail(f"exit code {code}, and not one test was reported")
        elif self.planned is not None and self.seen < self.planned:
            self.fail(f"exit code {code} after {self.seen} of {self.planned} tests")
        elif code != 0 and not self.bad and not self.job.only:
            self.fail(f"exit code {code}, although no test said that it failed")

    def fail(self, why):
        self.failed = True
        self.runner.result("FAILED", self.job.name, why)


def kill_group(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass
