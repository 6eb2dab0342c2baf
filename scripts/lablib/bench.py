# SPDX-License-Identifier: PostgreSQL
"""scripts/bench WHAT: one module for each thing that is measured.

Such a module has NAME, HELP, and
    arguments(parser)       adds its options
    figures(args, say)      measures; a dictionary that JSON can hold
    text(figures)           for a terminal
    page(figures)           for docs/benchmarks.md
    fits(figures)           is every figure as it is wanted?
"""

import argparse
import json
import os
import signal
import sys

from . import benchclusters, benchcost, benchfailover, benchpeers, benchreturn, benchstalls, benchtps
from .benchfault import LAB
from .benchfigures import PAGE, path_of, read_json, write_docs, write_json
from .errors import LabError
from .lab import remove
from .run import require_root

MODULES = [benchfailover, benchreturn, benchtps, benchcost, benchstalls, benchpeers,
           benchclusters]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", allow_abbrev=False,
                                     description="Medians, each beside the figure that is wanted.")
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for module in MODULES:
        one = whats.add_parser(module.NAME, help=module.HELP, description=module.HELP,
                               allow_abbrev=False)
        module.arguments(one)
        one.add_argument("--json", action="store_true", help="print the figures as JSON")
        one.add_argument("--write-docs", action="store_true",
                         help=f"put the tables into {os.path.relpath(PAGE)}")
        one.add_argument("--last", action="store_true",
                         help="measure nothing: the figures of the last run")
        one.set_defaults(module=module)
    return parser


def _measured(module, args: argparse.Namespace) -> dict:
    require_root()
    found = module.figures(args, say)
    write_json(module.NAME, found)
    return found


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    module = args.module
    # Whoever ends us ends the lab as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found = read_json(module.NAME) if args.last else _measured(module, args)
        if found is None:
            raise LabError(f"there is no last run: {path_of(module.NAME)} cannot be read")
        print(json.dumps(found, indent=1) if args.json else module.text(found))
        say(f"all figures: {path_of(module.NAME)}")
        if args.write_docs:
            write_docs(module.NAME, module.page(found))
        return 0 if module.fits(found) else 1
    except LabError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.code
    finally:
        if os.geteuid() == 0 and not args.last:
            remove(LAB)
