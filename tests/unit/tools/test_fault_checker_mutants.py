#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""Each check of the fault checker, taken away or turned round, makes a test of it red."""

import importlib.util
import sys
import types
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
FAULTS = TOP / "tests/faults"
TESTS = ("test_fault_checker", "test_fault_checker_times")
sys.path[:0] = [str(TOP / "scripts"), str(FAULTS)]

MODULES = ("checker", "contents", "moments", "ops", "planted", "reads")

# Module, what is there, what is there instead.
MUTANTS = [
    ("contents", "        out.lose(op)\n    elif",
     "        pass\n    elif"),
    ('contents', 'elif op.outcome == "refused" and here:',
     'elif False:'),
    ("contents", "out.unknown_present += 1",
     "pass"),
    ('contents', 'out.wrong.append(f"{what} {row[0]}/{row[1]} was done twice")',
     'pass'),
    ("contents", "    _claimed_twice(ops, out)\n",
     "    pass\n"),
    ('contents', 'if op.what == "write":\n        return [(',
     'if False:\n        return [('),
    ('contents', 'if op.what == "move":\n        source',
     'if False:\n        source'),
    ("contents", "and list(row) != list(op.data)",
     "and False"),
    ('contents', '    _ledger(history["bank"], final, out)\n',
     '    pass\n'),
    ('contents', 'len(final["accounts"]) != bank["accounts"] or total !=',
     'total !='),
    ('contents', 'or total != bank["accounts"] * bank["balance"]',
     ''),
    ("contents", "if has != balance[number]:",
     "if False:"),
    ("contents", "if sorted(versions[number]) != list(range(1, version + 1)):",
     "if False:"),
    ("contents", "    _registers(final, ops, out)\n",
     "    pass\n"),
    ("contents", "    _set(final, ops, out)\n",
     "    pass\n"),
    ("contents", "    _transfers(final, ops, out)\n",
     "    pass\n"),
    ("contents", "strip()] += 1",
     "strip()] += 2"),
    ("reads", "(op.through_vip or not op.data[2])",
     "op.through_vip"),
    ("reads", "(op.through_vip or not op.data[2])",
     "not op.data[2]"),
    ("reads", "(op.through_vip or not op.data[2])",
     "True"),
    ("reads", "if version < told:",
     "if False:"),
    ("reads", "elif version < known:",
     "elif False:"),
    ("reads", "elif version < known:",
     "elif version <= known:"),
    ("reads", "before(op.sent) if key in acked",
     "before(op.ended) if key in acked"),
    ("reads", "op.data[0] != right]",
     "False]"),
    ("moments", "_at_once(history, rows) + _old",
     "_old"),
    ("moments", "+ _old_timeline(history, rows)",
     ""),
    ("moments", "min(op.ended, _gone_ms(history, later))",
     "op.ended"),
    ("moments", "(op.sent >= until or op",
     "(op"),
    ("moments", "+ _shared_timeline(rows)",
     ""),
    ("moments", "        return left\n    return op.ended",
     "        return op.ended\n    return op.ended"),
    ("moments", "        return left\n    return op.ended",
     "        return left\n    return op.sent"),
    ("moments", "and (op.what, op.client, op.n) in there",
     ""),
    ("moments", "op.sent <= left < op.ended and",
     "left < op.ended and"),
    ("moments", "or newest[at].ended >= op.sent",
     "or newest[at].ended >= op.ended"),
    ("moments", "return [[begin, end] for begin, end in lab_checker.vip_dual_spans(history)]",
     "return []"),
    ("moments", "active = [item for item in before if",
     "active = [item for item in [] if"),
    ("moments", "if item[1][1] is None or item[1][1] > begin]",
     "if item[1][1] is None]"),
    ("moments", "if item[1][1] is None or item[1][1] > begin]",
     "]"),
    ("moments", "return max(active, key",
     "return min(active, key"),
    ("moments", "    if before:\n",
     "    if False:\n"),
    ("moments", "if within else None",
     "if False else None"),
    ("moments", "<= begin + SLACK_MS and",
     "<= begin and"),
    ("moments", "for op in acked_writes(ops) if op.through_vip]",
     "for op in acked_writes(ops)]"),
    ("moments", "if end - begin >= OUTAGE_MS]",
     "]"),
    ("moments", "longest[cause] = max(longest.get(cause, 0.0), end - begin)",
     "longest[cause] = end - begin"),
    ("moments", "total += max(0.0, end - max(begin, until))",
     "total += end - begin"),
    ("checker", "if end - begin > bound]",
     "]"),
    ("checker", "if end - begin > bound]",
     "if moments.total_ms(twice) > bound]"),
    ("checker", "*_dual(history, found), ",
     ""),
    ("checker", "*_vip(history, twice), ",
     ""),
    ("checker", "*there.wrong, ",
     ""),
    ("checker", "*reads.totals(history, ops),\n",
     "\n"),
    ("checker", "*promised, ",
     ""),
    ("checker", "*_end(history, ops)",
     ""),
    ("checker", "if there.overwritten:",
     "if False:"),
    ("checker", "if there.lost:",
     "if False:"),
    ("checker", "if old.stale:",
     "if False:"),
    ('checker', 'history["ended_ms"] - last > RECENT_MS',
     'False'),
    ("checker", "and op.through_vip and op.is_write)",
     ")"),
    ('checker', 'return ["no primary was left that could be asked what it has"]',
     'pass'),
    ("checker", "promised if sync else unpromised",
     "promised"),
    ("checker", "promised if sync else unpromised",
     "unpromised"),
    ('ops', 'if op.is_write and op.outcome == "acked"]',
     'if op.is_write]'),
    ("contents", 'if final["standby"] is False:', "if False:"),
    ("contents", 'elif final["standby"] is None:', "elif False:"),
    ("moments", "if before[1] != node:", "if False:"),
    ("moments", 'if op.what == "write" and op.data[1] <= last.get(op.data[0], -1)}', "if False}"),
    ("ops", 'self.door == "socket" and any(', "any("),
    ("ops", '["freeze", self.owner]', '["thaw", self.owner]'),
    ("ops", "words.split()[:2]", "[words.split()[0], self.owner]"),
    ("ops", "and begin <= self.ended", ""),
    ("ops", "self.ended <= end + WAKE_MS)", "True)"),
    ("checker", "[] if sync else [op for op in acked", "[op for op in acked"),
    ("checker", "[op for op in ops if op not in woke]", "ops"),
    ("checker", "    if not acked:", "    if acked:"),
    ("checker", "if old.frozen:", "if False:"),
    ("checker", "if old.unacked:", "if False:"),
]


def fresh(name: str = "", source: str = "") -> unittest.TestResult:
    """The tests of the checker, with one of its modules made of another source."""
    for module in MODULES:
        sys.modules.pop(module, None)
    if name:
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, f"mutant of {name}", "exec"), module.__dict__)
    result = unittest.TestResult()
    result.failfast = True
    for name in TESTS:
        path = Path(__file__).resolve().parent / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        tests = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tests)
        unittest.defaultTestLoader.loadTestsFromModule(tests).run(result)
        if not result.wasSuccessful():
            break
    return result


class Mutants(unittest.TestCase):
    def test_as_it_is_all_is_green(self):
        result = fresh()
        self.assertTrue(result.wasSuccessful(), result.failures + result.errors)
        self.assertGreater(result.testsRun, 40)

    def test_no_check_can_be_taken_away(self):
        for name, there, instead in MUTANTS:
            with self.subTest(module=name, there=there, instead=instead):
                source = (FAULTS / f"{name}.py").read_text()
                self.assertIn(there, source, "the mutant is of code that is no more")
                result = fresh(name, source.replace(there, instead))
                self.assertFalse(result.wasSuccessful(), "no test saw it")
                said = "".join(text for _, text in result.failures + result.errors)
                self.assertNotIn("NameError", said)


if __name__ == "__main__":
    unittest.main()
