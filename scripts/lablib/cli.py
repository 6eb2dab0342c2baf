# SPDX-License-Identifier: PostgreSQL
"""The command line of scripts/lab: an interface, other programs drive it."""

import argparse
import json
import sys
from collections.abc import Callable

from . import faults, peers, places
from . import lab as labs
from .errors import LabError, USAGE
from .run import require_root
from .settings import PG_VRRP, TEXTBOOK
from .writer import ROW_PAUSE_MS


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        sys.exit(USAGE)


def verbs_of(top: Parser, default: str) -> Callable[..., Parser]:
    """A function that adds a verb; each is about one lab."""
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    def verb(name: str, text: str, **more) -> Parser:
        parser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False, **more)
        parser.add_argument("--name", default=default, metavar="L", help=f"which lab (default {default})")
        return parser
    return verb


def add_status(verb: Callable[..., Parser]) -> None:
    verb("status", "who is what, who holds the VIP").add_argument("--json", action="store_true")


def add_exec(verb: Callable[..., Parser]) -> None:
    execute = verb("exec", "run a command inside a host of the lab: exec NODE -- CMD...")
    execute.add_argument("node", metavar="NODE")
    execute.add_argument("command", nargs="+", metavar="CMD")


def add_logs(verb: Callable[..., Parser]) -> None:
    logs = verb("logs", "what the hosts logged, in the order of time")
    logs.add_argument("node", nargs="?", metavar="NODE")


def add_down(verb: Callable[..., Parser]) -> None:
    down = verb("down", "end a lab and remove every trace")
    down.add_argument("--all", action="store_true", help="every lab of this machine")


def _parser() -> Parser:
    top = Parser(prog="scripts/lab", allow_abbrev=False,
                 description="A whole cluster of real parts in network namespaces of this machine.")
    verb = verbs_of(top, "main")
    up = verb("up", "make a lab and wait until it serves")
    up.add_argument("--setup", choices=[PG_VRRP, TEXTBOOK, *peers.NAMES], default=PG_VRRP,
                    help="textbook: keepalived with bash scripts; plain: streaming alone; another "
                         "manager of failovers: all to compare")
    up.add_argument("--witness", choices=["ping", "tcp", "postgres", "etcd"])
    up.add_argument("--mode", choices=["async", "sync"])
    up.add_argument("--set", dest="sets", action="append", default=[], metavar="SECTION.KEY=VALUE",
                    help='change the configuration, e.g. timing.lease=2s, "node n1.ssh_port=2222"')
    up.add_argument("--config", metavar="FILE", help="rehearse this configuration")
    up.add_argument("--shim", action="store_true",
                    help="hosts whose clocks can be set and whose disks can be slowed")
    add_status(verb)
    add_exec(verb)
    load = verb("load", "write through the VIP, then check what is there")
    load.add_argument("--seconds", type=float, required=True, metavar="S")
    load.add_argument("--report", metavar="FILE")
    load.add_argument("--pause", type=float, default=ROW_PAUSE_MS, metavar="MS",
                      help="from row to row (default %(default)g)")
    load.add_argument("--calm", type=float, metavar="S",
                      help="end when writes have gone on for S seconds after a fault")
    fault = verb("fault", "do something bad", epilog=faults.HELP,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    fault.add_argument("words", nargs="+", metavar="FAULT")
    add_logs(verb)
    add_down(verb)
    return top


def _up(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        print(f"lab {args.name}: {text}", file=sys.stderr, flush=True)
    lab = labs.Lab.up(args.name, witness=args.witness, mode=args.mode, sets=args.sets,
                      config=args.config, setup=args.setup, shimmed=args.shim, say=say)
    say("ready")
    del lab
    return 0


def show_status(args: argparse.Namespace) -> int:
    from .status import as_text
    now = labs.Lab.open(args.name).status()
    print(json.dumps(now, indent=2) if args.json else as_text(now))
    return 0


def run_inside(args: argparse.Namespace) -> int:
    labs.Lab.open(args.name).exec(args.node, args.command)
    return 70  # not reached: exec replaced this process


def _load(args: argparse.Namespace) -> int:
    from . import loadrun
    lab = labs.Lab.open(args.name)
    if args.seconds <= 0:
        raise LabError("--seconds must be more than 0", code=USAGE)
    report = loadrun.main(lab.name, lab.settings, args.seconds, args.report, args.calm, args.pause)
    print(json.dumps(report, indent=2))
    if report["lost"] is None:
        print("lab load: no primary was left to be asked what it has", file=sys.stderr)
        return 3
    return 0


def _fault(args: argparse.Namespace) -> int:
    labs.Lab.open(args.name).fault(*args.words)
    return 0


def show_logs(args: argparse.Namespace, kind: type[labs.Lab] = labs.Lab) -> int:
    for line in kind.open(args.name).logs(args.node):
        print(f"{line.wall} {line.boot_ms / 1000:.3f} {line.node:<8} {line.level:<7} "
              f"{line.tag}[{line.pid}]: {line.text}")
    return 0


def remove(args: argparse.Namespace) -> int:
    require_root()
    names = places.lab_names() if args.all else [places.check_name(args.name)]
    if not args.all and args.name not in places.lab_names():
        print(f'lab {args.name}: nothing is there', file=sys.stderr)
    for name in names:
        labs.remove(name)
    return 0


VERBS = {"up": _up, "status": show_status, "exec": run_inside, "load": _load, "fault": _fault,
         "logs": show_logs, "down": remove}


def main(argv: list[str]) -> int:
    return obey("scripts/lab", _parser(), VERBS, argv)


def obey(name: str, parser: Parser, verbs: dict[str, Callable[[argparse.Namespace], int]],
         argv: list[str]) -> int:
    try:
        labs.python_of_debian()
        # "exec NODE -- CMD": argparse drops the first "--" only where it stands before CMD.
        args = parser.parse_args(argv)
        return verbs[args.verb](args)
    except LabError as error:
        print(f"{name}: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
