# SPDX-License-Identifier: PostgreSQL
"""The command line of scripts/lab: an interface, other programs drive it."""

import argparse
import json
import sys

from . import faults, places
from . import lab as labs
from .errors import LabError, USAGE
from .run import require_root
from .settings import PG_VRRP, TEXTBOOK


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        sys.exit(USAGE)


def _parser() -> Parser:
    top = Parser(prog="scripts/lab", allow_abbrev=False,
                 description="A whole cluster of real parts in network namespaces of this machine.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    def verb(name: str, text: str, **more) -> Parser:
        parser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False, **more)
        parser.add_argument("--name", default="main", metavar="L", help="which lab (default main)")
        return parser

    up = verb("up", "make a lab and wait until it serves")
    up.add_argument("--setup", choices=[PG_VRRP, TEXTBOOK], default=PG_VRRP,
                    help="textbook: keepalived with bash scripts, to compare")
    up.add_argument("--witness", choices=["ping", "tcp", "postgres", "etcd"])
    up.add_argument("--mode", choices=["async", "sync"])
    up.add_argument("--set", dest="sets", action="append", default=[], metavar="SECTION.KEY=VALUE",
                    help='change the configuration, e.g. timing.lease=2s, "node n1.ssh_port=2222"')
    up.add_argument("--config", metavar="FILE", help="rehearse this configuration")
    up.add_argument("--shim", action="store_true",
                    help="hosts whose clocks can be set and whose disks can be slowed")
    status = verb("status", "who is what, who holds the VIP")
    status.add_argument("--json", action="store_true")
    execute = verb("exec", "run a command inside a host of the lab: exec NODE -- CMD...")
    execute.add_argument("node", metavar="NODE")
    execute.add_argument("command", nargs="+", metavar="CMD")
    load = verb("load", "write through the VIP, then check what is there")
    load.add_argument("--seconds", type=float, required=True, metavar="S")
    load.add_argument("--report", metavar="FILE")
    fault = verb("fault", "do something bad", epilog=faults.HELP,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    fault.add_argument("words", nargs="+", metavar="FAULT")
    logs = verb("logs", "what the hosts logged, in the order of time")
    logs.add_argument("node", nargs="?", metavar="NODE")
    down = verb("down", "end a lab and remove every trace")
    down.add_argument("--all", action="store_true", help="every lab of this machine")
    return top


def _up(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        print(f"lab {args.name}: {text}", file=sys.stderr, flush=True)
    lab = labs.Lab.up(args.name, witness=args.witness, mode=args.mode, sets=args.sets,
                      config=args.config, setup=args.setup, shimmed=args.shim, say=say)
    say("ready")
    del lab
    return 0


def _status(args: argparse.Namespace) -> int:
    from .status import as_text
    now = labs.Lab.open(args.name).status()
    print(json.dumps(now, indent=2) if args.json else as_text(now))
    return 0


def _exec(args: argparse.Namespace) -> int:
    labs.Lab.open(args.name).exec(args.node, args.command)
    return 70  # not reached: exec replaced this process


def _load(args: argparse.Namespace) -> int:
    from . import loadrun
    lab = labs.Lab.open(args.name)
    if args.seconds <= 0:
        raise LabError("--seconds must be more than 0", code=USAGE)
    report = loadrun.main(lab.name, lab.settings, args.seconds, args.report)
    print(json.dumps(report, indent=2))
    if report["lost"] is None:
        print("lab load: no primary was left to be asked what it has", file=sys.stderr)
        return 3
    return 0


def _fault(args: argparse.Namespace) -> int:
    labs.Lab.open(args.name).fault(*args.words)
    return 0


def _logs(args: argparse.Namespace) -> int:
    for line in labs.Lab.open(args.name).logs(args.node):
        print(f"{line.wall} {line.boot_ms / 1000:.3f} {line.node:<8} {line.level:<7} "
              f"{line.tag}[{line.pid}]: {line.text}")
    return 0


def _down(args: argparse.Namespace) -> int:
    require_root()
    names = places.lab_names() if args.all else [places.check_name(args.name)]
    if not args.all and args.name not in places.lab_names():
        print(f'lab {args.name}: nothing is there', file=sys.stderr)
    for name in names:
        labs.remove(name)
    return 0


VERBS = {"up": _up, "status": _status, "exec": _exec, "load": _load, "fault": _fault,
         "logs": _logs, "down": _down}


def main(argv: list[str]) -> int:
    try:
        labs.python_of_debian()
        # "exec NODE -- CMD": argparse drops the first "--" only where it stands before CMD.
        args = _parser().parse_args(argv)
        return VERBS[args.verb](args)
    except LabError as error:
        print(f"scripts/lab: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
