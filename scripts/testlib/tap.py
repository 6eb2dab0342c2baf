# SPDX-License-Identifier: PostgreSQL
"""Runs the unittest cases of one file and reports them as TAP, with the seconds that each took.

    tap.py FILE --list          the names, one a line
    tap.py FILE [-k TEXT] [NAME...]

SIGTERM becomes an exception, so that a test which runs out of time still clears up after itself.
"""

import argparse
import importlib.util
import signal
import sys
import time
import unittest
from pathlib import Path

WRONG_CHARS = 200


class Tap(unittest.TestResult):
    """One line a test; subtests count towards the test they belong to."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.bad = []
        self.skip = None

    def stopTest(self, test):
        super().stopTest(test)
        self.count += 1
        for text in self.bad:
            print("".join(f"# {line}\n" for line in text.splitlines()), end="")
        note = f" # SKIP {self.skip}" if self.skip and not self.bad else ""
        note = note or f" # {time.monotonic() - self.began:.1f} s"
        if self.bad:
            # What was wrong stands where it is looked for first.
            note += f", {raised(self.bad[0])[:WRONG_CHARS]}"
        word = "not ok" if self.bad else "ok"
        print(f"{word} {self.count} - {short(test)}{note}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        if isinstance(test, unittest.TestCase):
            self.bad.append(self.errors[-1][1])
            return
        # setUpClass or setUpModule failed: no test will report, so this does.
        self.count += 1
        print("".join(f"# {line}\n" for line in self.errors[-1][1].splitlines()), end="")
        print(f"not ok {self.count} - {test}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.append(self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        if err is not None:
            text = "".join(self._exc_info_to_string(err, subtest))
            self.failures.append((subtest, text))
            self.bad.append(f"{subtest._subDescription()}\n{text}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip = reason

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.bad.append("succeeded, and was expected to fail")


def raised(text):
    """The exception of a traceback, without the rest of its message, which may be a long comparison."""
    frames = text.rpartition("Traceback ")[2].splitlines()[1:]
    return next((line for line in frames if line and not line.startswith(" ")), text.splitlines()[-1])


def short(test):
    return ".".join(test.id().split(".")[1:])


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def load(path):
    path = Path(path).resolve()
    # The file's own directory for its helpers, scripts/ for lablib and testlib.
    sys.path[:0] = [str(path.parent), str(Path(__file__).resolve().parents[1])]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return list(cases(unittest.defaultTestLoader.loadTestsFromModule(module)))


class OutOfTime(BaseException):
    """Not caught by a test's own `except Exception`; unittest still runs the cleanups."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-k", default="", help="only tests whose name contains this")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    chosen = [
        case
        for case in load(args.file)
        if args.k in short(case) and (not args.names or short(case) in args.names)
    ]
    if args.list:
        print("\n".join(short(case) for case in chosen))
        return 0
    print(f"1..{len(chosen)}", flush=True)
    result = Tap()

    def terminated(_number, _frame):
        result.stop()  # no further test
        raise OutOfTime("ended by the runner")

    signal.signal(signal.SIGTERM, terminated)
    unittest.TestSuite(chosen).run(result)
    return 0 if result.wasSuccessful() and chosen else 1


if __name__ == "__main__":
    sys.exit(main())
