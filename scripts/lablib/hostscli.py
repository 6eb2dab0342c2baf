# SPDX-License-Identifier: PostgreSQL
"""The command line of scripts/hosts.  What it has in common with a lab is scripts/lab's."""

import argparse
import sys

from . import cli, hosts, trees
from .run import require_root

DEFAULT_NAME = "hosts"


def _parser() -> cli.Parser:
    top = cli.Parser(prog="scripts/hosts", allow_abbrev=False,
                     description="Hosts with Debian and a real systemd, as a cluster, on this machine.")
    verb = cli.verbs_of(top, DEFAULT_NAME)
    up = verb("up", "boot three hosts and set them up as README says")
    _release(up)
    up.add_argument("--witness", choices=["ping", "tcp", "postgres"], default="postgres")
    up.add_argument("--mode", choices=["async", "sync"], default="sync")
    up.add_argument("--set", dest="sets", action="append", default=[], metavar="SECTION.KEY=VALUE",
                    help="change the configuration, as scripts/lab does")
    up.add_argument("--bare", action="store_true",
                    help="leave the setting up to you: an existing database on n1, pg_vrrp installed")
    tree = verb("tree", "make Debian's tree, so that `up` need not")
    _release(tree)
    cli.add_status(verb)
    cli.add_exec(verb)
    for name, text in (("power-off", "cut the power of a host"), ("boot", "switch a host on")):
        verb(name, text).add_argument("node", metavar="HOST")
    cli.add_logs(verb)
    cli.add_down(verb)
    return top


def _release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debian", dest="release", choices=list(trees.SUITES), default=hosts.RELEASE)


def _up(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        print(f"hosts {args.name}: {text}", file=sys.stderr, flush=True)
    hosts.Hosts.up(args.name, release=args.release, witness=args.witness, mode=args.mode, sets=args.sets,
                   bare=args.bare, say=say)
    say("ready")
    return 0


def _tree(args: argparse.Namespace) -> int:
    require_root()
    print(trees.get(args.release))
    return 0


def _power(args: argparse.Namespace) -> int:
    hosts.Hosts.open(args.name).fault(args.verb, args.node)
    return 0


VERBS = {"up": _up, "tree": _tree, "status": cli.show_status, "exec": cli.run_inside, "power-off": _power,
         "boot": _power, "logs": lambda args: cli.show_logs(args, hosts.Hosts), "down": cli.remove}


def main(argv: list[str]) -> int:
    return cli.obey("scripts/hosts", _parser(), VERBS, argv)
