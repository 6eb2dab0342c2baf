#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""Attacks a cluster with random faults, and proves from the histories of its clients what it lost.

    scripts/test faults                          the fixed seeds of CI, some minutes
    scripts/test faults --seeds 30 --minutes 90  the long run: seeds 1 to 30, at most so long
    scripts/test faults --seed 7                 this one again, as it was
    scripts/test faults --days --seeds 10        150 things that people do, with a fault behind some
    scripts/test faults --days --hosts 12 --seeds 5
                                                 the same on Debian hosts with a systemd
    scripts/test faults --seeds 5 --setup textbook --keep-going
                                                 the usual bash scripts under the same attack

Everything of a run is below build/faults: a page with a picture of each seed, the table, and for each
seed its schedule, its history and the logs of every host.  Exit code 0 only when nothing was wrong.
"""

import argparse
import os
import signal
import sys
import time
import typing

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "scripts"), os.path.dirname(os.path.abspath(__file__))]

import nemesis  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import seed_run  # noqa: E402
from lablib import LabError, errors, places, trees  # noqa: E402

# What CI runs: of all pairs among the first two hundred, the one with the most kinds of faults.
FIXED = (68, 97)


def lab_name(text: str) -> str:
    """Asked before the first seed: every one of them would fail for it."""
    try:
        return places.check_name(text)
    except LabError as error:
        raise argparse.ArgumentTypeError(f"{error}: {error.hint}") from error


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number from 1 on")
    return int(text)


class Parser(argparse.ArgumentParser):
    """Its exit code for a wrong command line is the helpers', not Python's."""

    def error(self, message: str) -> typing.NoReturn:
        self.print_usage(sys.stderr)
        self.exit(errors.USAGE, f"{self.prog}: {message}\n")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        prog="scripts/test faults", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=count, metavar="N", help="so many, beginning with --first")
    which.add_argument("--seed", type=count, metavar="K", help="this one")
    which.add_argument("--fixed", action="store_true", help="those of CI (the default)")
    parser.add_argument("--first", type=count, default=1, metavar="K", help="default: 1")
    parser.add_argument("--minutes", type=float, default=90, metavar="M",
                        help="then no further round begins (default 90)")
    parser.add_argument("--rounds", type=count, default=nemesis.ROUNDS, metavar="R",
                        help=f"in each seed (default {nemesis.ROUNDS})")
    parser.add_argument("--setup", choices=[seed_run.PG_VRRP, seed_run.TEXTBOOK],
                        default=seed_run.PG_VRRP)
    parser.add_argument("--mode", choices=["sync", "async"], default="sync")
    parser.add_argument("--witness", choices=["postgres", "ping", "tcp"], default="postgres")
    parser.add_argument("--days", action="store_true",
                        help="what people do on ordinary days, not what breaks")
    parser.add_argument("--hosts", choices=list(trees.SUITES), default="", metavar="RELEASE",
                        help="of days: on hosts with a systemd and this Debian (docs/lab.md)")
    parser.add_argument("--keep-going", action="store_true", help="after a seed that failed, too")
    parser.add_argument("--name", type=lab_name, default="faults", metavar="L",
                        help="of the lab")
    parser.add_argument("--build", default="build", metavar="DIR", help="default: build")
    parser.add_argument("--tap", action="store_true", help="one line a seed, for scripts/test")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the table into docs/fault-results.md")
    args = parser.parse_args(argv)
    # Disks, clocks and limits of such a host cannot be spoiled, and it has nothing but pg_vrrp.
    if args.hosts and (not args.days or args.setup != seed_run.PG_VRRP):
        parser.error(f"--hosts goes with --days, and with --setup {seed_run.PG_VRRP}")
    return args


class Campaign:
    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.out = os.path.abspath(f"{args.build}/faults")
        witness = args.witness if args.setup == seed_run.PG_VRRP else "none"
        self.plan = seed_run.Plan(args.setup, args.mode, witness, args.rounds, args.name,
                                  args.days, args.hosts)
        self.until = time.monotonic() + args.minutes * 60
        self.runs: list[dict] = []
        self.failed: list[int] = []
        self.now = 0

    def seeds(self) -> list[int]:
        if self.args.seed is not None:
            return [self.args.seed]
        if self.args.seeds is not None:
            return list(range(self.args.first, self.args.first + self.args.seeds))
        return list(FIXED)

    def say(self, text: str) -> None:
        left = max(0, self.until - time.monotonic()) / 60
        print(("# " if self.args.tap else "") + f"{left:3.0f} min left, seed {self.now}, {text}",
              flush=True)

    def run(self) -> None:
        seeds = self.seeds()
        if self.args.tap:
            print(f"1..{len(seeds)}", flush=True)
        for number, self.now in enumerate(seeds, 1):
            if time.monotonic() > self.until:
                self.not_begun(number)
                continue
            good = self.seed(self.now)
            if self.args.tap:
                print(f"{'ok' if good else 'not ok'} {number} - seed_{self.now}", flush=True)
            if not good and not self.args.keep_going:
                break

    def not_begun(self, number: int) -> None:
        if self.args.tap:
            print(f"ok {number} - seed_{self.now} # SKIP no time left", flush=True)
        else:
            self.say("not begun: no time left")

    def seed(self, seed: int) -> bool:
        one = seed_run.SeedRun(self.plan, seed, self.out, self.say)
        try:
            run = one.run(self.until)
        except (LabError, OSError) as error:
            bad = [f"the lab failed: {error}"]
        else:
            self.runs.append(run)
            bad = run["report"]["bad"]
        for sentence in bad:
            self.say(f"BAD: {sentence}")
        if bad:
            self.failed.append(seed)
            self.say(f"all that is known of it is in {one.out}; again: {self.plan.command(seed)}")
        return not bad

    def end(self) -> int:
        if self.runs:
            page = f"{self.out}/index.html"
            with open(page, "w", encoding="utf-8") as file:
                file.write(report.page(self.runs))
            table = report.table(self.runs)
            with open(f"{self.out}/table.md", "w", encoding="utf-8") as file:
                file.write(table)
            injected = sum(len(run["history"]["faults"]) for run in self.runs)
            text = f"\n{table}\n{injected} faults injected in {len(self.runs)} seeds; see {page}"
            print("\n".join(f"# {line}" if self.args.tap else line for line in text.splitlines()))
            if self.args.write_docs:
                results.write(self.runs, table, self.failed, self.args)
        for seed in self.failed:
            print(f"{'# ' if self.args.tap else ''}failed: {self.plan.command(seed)}")
        return 0 if self.runs and not self.failed else 1


def main() -> int:
    args = arguments()
    os.chdir(TOP)
    os.environ["PGV_BUILD"] = os.path.abspath(args.build)
    campaign = Campaign(args)

    def ended(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(number)
    signal.signal(signal.SIGTERM, ended)
    try:
        campaign.run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        campaign.end()
        return 1
    return campaign.end()


if __name__ == "__main__":
    sys.exit(main())
