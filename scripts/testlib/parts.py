# SPDX-License-Identifier: PostgreSQL
"""The parts of the test suite: what each one builds and which jobs it consists of."""

import functools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lablib import trees

from . import killtable
from .longest import LONGEST
from .runner import Job
from .thorough import is_variant

TOP = Path(__file__).resolve().parents[2]
TAP = Path(__file__).resolve().parent / "tap.py"
FAULTS = TOP / "tests/faults/faults_run.py"
PYTHON = [sys.executable, "-B"]

# Unit and command line tests at a time: each has a directory, ports and namespaces of its own.
PARALLEL = 2
# Seconds.  A unit test binary, a file of command line tests, a lab and each scenario in it.
UNIT_LIMIT, CLI_LIMIT, LAB_LIMIT, SCENARIO_LIMIT = 120, 180, 60, 120
# With sanitizers a program takes two to three times as long (the sanitizers' own manuals).
SANITIZED_LIMIT = 2 * UNIT_LIMIT
# What asan runs in the lab: a failover with each kind of witness, a rewind, a host switched off; and so
# many rounds of each fixed seed of the fault suite.
SANITIZED = [
    ("test_failover", "Sync.test_crash_of_the_postmaster"),
    ("test_record_failover", "Async.test_power_off_and_return_by_itself"),
    ("test_heal", "TcpWitness.test_power_off"),
    ("test_fencing", "Ipmi.test_host_that_hangs_is_switched_off"),
]
SANITIZED_ROUNDS = 6
BUILD_LIMIT, LINT_LIMIT, MODEL_LIMIT, SIM_LIMIT, FUZZ_LIMIT = 600, 1200, 600, 1200, 600
# Making a Debian, and each test on hosts; the releases that "hosts" takes, and with --all.
TREE_LIMIT, HOSTS_LIMIT = 1200, 300
RELEASES, ALL_RELEASES = ["12"], ["12", "13", "sid"]
# Of "hosts" what "systemd" runs, on one bed: the set-up by README's commands, a crash, a reboot, and the two
# commands that went wrong most often.
ON_SYSTEMD = [
    ("test_hosts_actions", ["Actions.test_crash_and_return_are_in_the_unit_and_in_debians_log",
                            "Actions.test_orderly_reboot_of_the_primary",
                            "Actions.test_pg_ctlcluster_promote_on_the_standby",
                            "Actions.test_systemctl_restart_on_the_primary"]),
]
KILL_LIMIT, KILL_ALL_LIMIT = 180, 6 * 3600
# Jobs that keep a processor busy all the time, where the others mostly wait: one at a time, beside others.
BUSY = {"kill": "busy", "faults": "busy", "asan/faults": "busy"}
# What overloads a host of the lab on purpose would do it to the labs beside it too.
ALONE = {"scenario/test_overload.Overload"}
# Labs at a time: a machine that starts a program within so many ms bears the more of them.
LABS, LABS_OF_A_SLOW_MACHINE, QUICK_START_MS = 3, 2, 1.2
# Of --all what takes longest (tests/kill/README.md), so that no lab is left alone with it at the end.
KILL_LONGEST = ["CutOff", "Ping", "Crash", "Standby"]
# What a lab's name begins with, so that two parts can run side by side.
LAB_LETTER = {"scenario": "t", "kill": "k", "hosts": "h", "systemd": "s", "asan/scenario": "a", "faults": "f", "asan/faults": "b"}
# Where the labs are when there is room for all that are at work at a time: on a disk that they share,
# writing is most of what they do. Now and then a node's disk is full; with kill --all both nodes' of
# every lab.
MEMORY = Path("/dev/shm/pg_vrrp-lab")
LAB_BYTES, FULL_LAB_BYTES, SPARE_BYTES = 3 << 30, 6 << 30, 1 << 30
# The fixed seeds of the fault suite stop by themselves before that.
FAULT_MINUTES, FAULT_LIMIT = 9, 900


def memory_available():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))


def keep_labs_in_memory(labs, lab_bytes):
    """For all that is started from here on; PGV_LAB_DIR in the environment has the last word."""
    disk = os.statvfs(MEMORY.parent)
    room = min(disk.f_bavail * disk.f_frsize, memory_available() - SPARE_BYTES)
    if "PGV_LAB_DIR" not in os.environ and room >= labs * lab_bytes:
        os.environ["PGV_LAB_DIR"] = str(MEMORY)


def labs_at_a_time():
    """Starting programs is most of what a lab does; on some virtual machines it is ten times as dear."""
    took = []
    for _ in range(20):
        began = time.monotonic()
        subprocess.run(["/bin/true"], check=True)
        took.append(time.monotonic() - began)
    return LABS if min(took) * 1000 < QUICK_START_MS else LABS_OF_A_SLOW_MACHINE


class Suite:
    def __init__(self, build, runner, match="", building=True, parallel=1, minutes=0,
                 depth=0, resume=False, thorough=False):
        self.build = Path(build)
        self.runner = runner
        self.match = match
        self.building = building
        self.parallel = parallel
        self.minutes = minutes
        self.depth = depth  # of kill, in full; 0: its sample
        self.resume = resume  # of kill, in full
        self.thorough = thorough or depth > 0
        self.made = {}

    def steps(self, wanted):
        """What is run one after the other: the parts whose jobs are labs are one step, since the last
        labs of a part would leave the machine half idle."""
        for part in wanted:
            if part not in LAB_PARTS:
                yield part, getattr(self, part)
            elif part == next(part for part in wanted if part in LAB_PARTS):
                parts = [part for part in LAB_PARTS if part in wanted]
                yield "+".join(parts), functools.partial(self.labs, parts)

    # --- building ---

    def make(self, name, *words, step=True):
        """Builds quietly; nothing that needs it runs when it failed."""
        if self.building and (name, words) not in self.made:
            argv = ["make", f"-j{os.cpu_count() or 1}", "CFLAGS_EXTRA=-Werror", *words]
            job = Job(name, argv, BUILD_LIMIT, tap=False, step=step)
            self.made[name, words] = self.runner.run([job])
        return self.made.get((name, words), True)

    def built(self, *more):
        """The programs, and no more than what is named besides: linking the unit tests takes longer
        than most tests run."""
        return self.make("build/gcc", f"BUILD={self.build}", "all", *more)

    def matching(self):
        """The binaries of the unit tests that were asked for, "ROOM/test_NAME", each with the name of tests
        in it, or "" for all."""
        found = []
        for source in sorted((TOP / "tests/unit").glob("*/test_*.c")):
            binary = f"{source.parent.name}/{source.stem}"
            # The name of the binary, or else of tests in it.
            if self.match in source.stem:
                found.append((binary, ""))
            elif self.match in source.read_text():
                found.append((binary, self.match))
        return found

    def clang(self):
        """clang sees other mistakes than gcc does."""
        self.make("build/clang", f"BUILD={self.build}/clang", "CC=clang", "all", "tests",
                  step=False)

    # --- parts ---

    def lint(self):
        if not self.built():
            return
        argv = [str(TOP / "scripts/lint"), "--build", str(self.build)]
        if self.match:
            argv += ["-k", self.match]
        self.runner.run([Job("lint", argv, LINT_LIMIT)])

    def unit(self, prefix="unit"):
        found = self.matching()
        wanted = [f"{self.build}/tests/{name}" for name, _ in found] if self.match else ["tests"]
        if not self.built(*wanted):
            return
        jobs = []
        for name, only in found:
            env = {"CMOCKA_MESSAGE_OUTPUT": "TAP", "PGV_BUILD": str(self.build), **sanitizer()}
            argv = [str(self.build / "tests" / name)]
            if not Path(argv[0]).exists():
                argv = ["/bin/sh", "-c", f"echo 'not ok 1 - {name} is not built'"]
            limit = UNIT_LIMIT if prefix == "unit" else SANITIZED_LIMIT
            jobs.append(Job(f"{prefix}/{Path(name).name}", argv, limit, only=only, env=env))
        self.runner.run([*jobs, *self.python_jobs("unit", prefix)], PARALLEL)

    def cli(self, prefix="cli"):
        if self.built():
            self.runner.run([*self.python_jobs("cli", prefix)], PARALLEL)

    def python_jobs(self, folder, prefix):
        env = {"PGV_BUILD": str(self.build.resolve()), **sanitizer()}
        for source in sorted((TOP / "tests" / folder).glob("**/test_*.py")):
            argv = [*PYTHON, str(TAP), str(source)]
            if self.match and self.match not in source.stem:
                if not self.names(source):
                    continue
                argv += ["-k", self.match]
            yield Job(f"{prefix}/{source.stem}", argv, CLI_LIMIT, env=env)

    def asan(self):
        """Unit and command line tests once more, with address and undefined sanitizers; and a few
        scenarios, in which the helpers of every kind take part."""
        inner = Suite(self.build / "asan", self.runner, self.match, building=False, thorough=self.thorough)
        if not self.make("build/asan", f"BUILD={inner.build}", "SANITIZE=yes", "all", "tests"):
            return
        reports = inner.build / "reports"
        for old in reports.glob("*"):
            old.unlink()
        inner.unit("asan/unit")
        inner.cli("asan/cli")
        if os.getuid() == 0:
            env = {"PGV_SANITIZE": "yes"}
            jobs = [inner.lab_job(source, tests, number, prefix="asan/scenario", env=env)
                    for number, (source, tests) in enumerate(inner.sanitized())]
            if self.thorough or self.match:
                jobs += inner.fault_jobs("asan/faults", ["--rounds", str(SANITIZED_ROUNDS)], env)
            # Sanitized helpers take several times as long, and a lab's leases are short.
            self.runner.run(jobs, max(1, self.parallel - 1))
        for report in sorted(reports.glob("*")):
            self.runner.result("FAILED", "asan/report", str(report))
            self.runner.show(report)

    def sanitized(self):
        """The files and tests of SANITIZED that were asked for."""
        for source, test in SANITIZED:
            if self.match in f"asan/scenario/{source}.{test}":
                yield TOP / "tests/scenario" / f"{source}.py", [test]

    def fuzz(self):
        """The parsers of outside input, from the seeds; with --minutes for as long as that."""
        if not self.make("build/fuzz", f"BUILD={self.build}", "fuzz"):
            return
        argv = [*PYTHON, str(TOP / "tests/fuzz/run"), "--build", str(self.build), "-k", self.match]
        if self.minutes:
            argv += ["--minutes", str(self.minutes)]
        listed = subprocess.run([*argv, "--list"], capture_output=True, check=False)
        if listed.returncode != 0 or listed.stdout.strip():
            self.runner.run([Job("fuzz", argv, FUZZ_LIMIT + 60 * 2 * self.minutes)])

    def model(self):
        """The protocol and each of its rules taken away, by the model checker."""
        argv = [*PYTHON, str(TOP / "tests/model/run")]
        if self.match and self.match not in "model":
            argv += ["-k", self.match]
            listed = subprocess.run([*argv, "--list"], capture_output=True, check=False)
            if listed.returncode == 0 and not listed.stdout:
                return
        self.runner.run([Job("model", argv, MODEL_LIMIT)])

    def labs(self, wanted):
        """The jobs of these parts, each of which has a lab of its own."""
        if not self.built(*([f"{self.build}/kill/stopat"] if "kill" in wanted else [])):
            return
        jobs = [job for part in wanted for job in getattr(self, part)()]
        # The longest first, so that none is left alone at the end.
        jobs.sort(key=lambda job: (-LONGEST.get(job.name, 0), -job.limit))
        if self.depth:
            jobs.sort(key=lambda job: next((rank for rank, name in enumerate(KILL_LONGEST)
                                            if f".{name}." in job.name), len(KILL_LONGEST)))
        if jobs and os.getuid() != 0:
            print(f"a lab needs root: sudo scripts/test {wanted[0]}", file=sys.stderr)
            jobs = [Job(f"{wanted[0]}/needs-root", ["/bin/false"], 1, tap=False)]
        if "kill" in wanted:
            killtable.forget(self.build / "logs/kill")
        self.runner.run([job for job in jobs if job.name not in ALONE], self.parallel)
        self.runner.run([job for job in jobs if job.name in ALONE])
        if "kill" in wanted:
            killtable.show(self.build / "logs/kill", self.runner.say)

    def sim(self):
        """Whole failovers in one process, by seeds; and rules taken away, which must show."""
        if not self.make("build/sim", f"BUILD={self.build}", f"{self.build}/sim/sim"):
            return
        argv = [*PYTHON, str(TOP / "tests/sim/run"), "--build", str(self.build)]
        if self.match and self.match not in "sim":
            argv += ["-k", self.match]
            listed = subprocess.run([*argv, "--list"], capture_output=True, check=False)
            if listed.returncode == 0 and not listed.stdout:
                return
        self.runner.run([Job("sim", argv, SIM_LIMIT)])

    def scenario(self):
        return self.lab_jobs("scenario", SCENARIO_LIMIT)

    def hosts(self):
        """Hosts with a real systemd, and what an administrator does on them."""
        for release in ALL_RELEASES if self.depth else RELEASES:
            if why := trees.why_not(release):
                self.runner.result("skip", f"hosts-{release}", why)
                continue
            argv = [str(TOP / "scripts/hosts"), "tree", "--debian", release]
            if self.runner.run([Job(f"hosts/debian-{release}", argv, TREE_LIMIT, tap=False, step=True)]):
                jobs = self.lab_jobs("hosts", HOSTS_LIMIT, {"PGV_DEBIAN": release},
                                     title=f"hosts-{release}")
                self.runner.run(jobs, self.parallel)

    def systemd(self):
        """A few of them.  The first one makes the tree when there is none, while other labs are at work."""
        release, = RELEASES
        if why := trees.why_not(release):
            self.runner.result("skip", "systemd", why)
            return []
        return [self.lab_job(TOP / "tests/hosts" / f"{source}.py", wanted, number, TREE_LIMIT + HOSTS_LIMIT,
                             "systemd", {"PGV_DEBIAN": release})
                for number, (source, tests) in enumerate(ON_SYSTEMD)
                if (wanted := [test for test in tests if self.match in f"systemd/{source}.{test}"])]

    def kill(self):
        """Helpers that die, and calls that fail: a sample, or with --all each of them."""
        env = {"PGV_KILL_ALL": "1", "PGV_KILL_DEPTH": str(self.depth),
               "PGV_KILL_RESUME": str(int(self.resume))} if self.depth else {}
        return self.lab_jobs("kill", KILL_ALL_LIMIT if self.depth else KILL_LIMIT, env,
                             apart=self.depth > 0)

    def faults(self):
        """The fixed seeds; `scripts/test faults --seeds N` is the long run."""
        return self.fault_jobs("faults")

    def lab_jobs(self, folder, limit, env=None, apart=False, title=""):
        """apart: tests so long that a lab for each costs nothing beside them.  title: the folder's tests
        are reported under it, where they are run more than once."""
        jobs = []
        for source in sorted((TOP / "tests" / folder).glob("test_*.py")):
            # The tests of a class share a lab, so that a class is the job.
            classes = {}
            for name in self.names(source):
                classes.setdefault(name if apart else name.split(".")[0], []).append(name)
            for tests in classes.values():
                job = self.lab_job(source, tests, len(jobs), limit, folder, env)
                job.name = f"{folder}/{source.stem}.{tests[0]}" if apart else job.name
                job.name = job.name.replace(folder, title or folder, 1)
                jobs.append(job)
        return jobs

    def lab_job(self, source, tests, number, limit=SCENARIO_LIMIT, prefix="scenario", env=None):
        lab = f"{LAB_LETTER[prefix]}{os.getpid() % 10000}-{number}"
        return Job(
            f"{prefix}/{source.stem}.{tests[0].split('.')[0]}",
            [*PYTHON, str(TAP), str(source), *tests],
            LAB_LIMIT + limit * len(tests),
            env={"PGV_BUILD": str(self.build.resolve()), "PGV_LAB": lab, **(env or {})},
            after=[str(TOP / "scripts/lab"), "down", "--name", lab],
            # With --all there is nothing else to run beside them.
            room="" if self.depth else BUSY.get(prefix, ""),
            in_time=True,
        )

    def fault_jobs(self, name, words=(), env=None):
        if self.match not in name:
            return []
        lab = f"{LAB_LETTER[name]}{os.getpid() % 10000}-faults"
        argv = [*PYTHON, str(FAULTS), "--fixed", "--tap", "--keep-going", "--name", lab,
                "--minutes", str(FAULT_MINUTES), "--build", str(self.build), *words]
        return [Job(name, argv, FAULT_LIMIT, env=env or {}, room=BUSY[name], in_time=True,
                    after=[str(TOP / "scripts/lab"), "down", "--name", lab])]

    def names(self, source):
        """The tests in a file that were asked for; a file that cannot be read fails by itself."""
        argv = [*PYTHON, str(TAP), str(source), "--list"]
        if self.match and self.match not in source.stem:
            argv += ["-k", self.match]
        listed = subprocess.run(argv, capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            print(listed.stderr, file=sys.stderr)
            self.runner.result("FAILED", f"{source.parent.name}/{source.stem}", "cannot be loaded")
            return []
        names = listed.stdout.split()
        if self.match or self.thorough:
            return names
        return [name for name in names if not is_variant(source.stem, name)]

    def selftest(self):
        argv = [*PYTHON, str(TOP / "scripts/test"), "--selftest", "--build", str(self.build)]
        self.runner.run([Job("selftest", argv, 120)])


# In the order of a full run: what fails soonest comes first.
# Unit and command line tests are run once, with the sanitizers; --thorough runs them without, too.
USUAL = ["selftest", "lint", "asan", "clang", "fuzz", "model", "sim", "systemd", "scenario", "kill", "faults"]
THOROUGH = ["selftest", "lint", "unit", "cli", *USUAL[2:]]
LAB_PARTS = ["systemd", "scenario", "kill", "faults"]
# All tests on hosts only where they are named: "systemd" is a few of them.
PARTS = [*THOROUGH, "hosts"]


def sanitizer():
    return {
        "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:check_initialization_order=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }


def install(group):
    """Installs what is missing; says so when that is not possible."""
    if shutil.which("dpkg-query") is None:
        return True
    return subprocess.run([str(TOP / "scripts/install-deps"), group], check=False).returncode == 0
