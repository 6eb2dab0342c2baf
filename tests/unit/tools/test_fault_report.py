#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The table and the page of the fault tests: whole, in order, and nobody's words become markup."""

import sys
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "scripts"), str(TOP / "tests/faults")]

import checker  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import sample  # noqa: E402
import timeline  # noqa: E402

BEGIN = sample.BEGIN


def a_run(seed: int, history: dict | None = None, **more) -> dict:
    history = history or sample.history()
    return {"seed": seed, "setup": "pg_vrrp", "mode": "sync", "witness": "postgres",
            "versions": {"PostgreSQL": "15.8"}, "history": history,
            "report": checker.evaluate(history), **more}


def a_bad_run(seed: int, **more) -> dict:
    history = sample.history()
    history["final"]["set"].pop(0)
    return a_run(seed, history, **more)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


class Table(unittest.TestCase):
    def test_one_line_a_run_and_the_sum(self):
        lines = report.table([a_run(1), a_run(2)]).splitlines()
        self.assertEqual(cells(lines[0]), report.HEADS)
        self.assertEqual(cells(lines[2]), ["1", "pg_vrrp", "sync", "postgres", "1", "200", "2",
                                           "0", "0", "0", "0", "1", "2.1 s", "0", "held"])
        self.assertEqual(cells(lines[4]), ["all", "", "", "", "2", "400", "4", "0", "0", "0",
                                           "0", "2", "2.1 s", "0", "held"])

    def test_what_failed_comes_first_and_is_counted(self):
        lines = report.table([a_run(1), a_bad_run(2), a_run(3)]).splitlines()
        self.assertEqual([cells(line)[0] for line in lines[2:6]], ["2", "1", "3", "all"])
        self.assertEqual([cells(line)[-1] for line in lines[2:6]],
                         ["FAILED", "held", "held", "1 FAILED"])

    def test_rounds_that_needed_hands_are_counted(self):
        histories = [sample.history(), sample.history()]
        histories[0]["rounds"] = [{"whole_ms": BEGIN}, {"whole_ms": None}, {"whole_ms": None}]
        histories[1]["rounds"] = [{"whole_ms": BEGIN}]
        lines = report.table([a_run(number, one) for number, one in enumerate(histories)])
        at = report.HEADS.index("hands needed")
        self.assertEqual([cells(line)[at] for line in lines.splitlines()[2:5]], ["2", "0", "2"])

    def test_the_section_of_the_document_says_after_how_many_rounds(self):
        history = sample.history()
        history["rounds"] = [{"whole_ms": BEGIN}, {"whole_ms": None}]
        runs = [a_run(1, history, setup="textbook")]
        text = results.section(runs, report.table(runs), [], SimpleNamespace(rounds=10))
        self.assertIn("Hands were needed after 1 of 2 rounds.", text)

    def test_nobody_to_ask_is_not_nothing_lost(self):
        history = sample.history()
        history["final"] = None
        self.assertEqual(cells(report.table([a_run(1, history)]).splitlines()[2])[7], "?")

    def test_faults_of_one_kind_are_one_line_whichever_node_had_them(self):
        history = sample.history()
        history["faults"] = [[BEGIN + 100, BEGIN + 200, "drop 30% n1 n2"],
                             [BEGIN + 300, BEGIN + 400, "drop 10% n2 n1"],
                             [BEGIN + 1990, None, "isolate n1"]]
        lines = report.table([a_run(1, history)]).splitlines()
        self.assertEqual([cells(line) for line in lines[-2:]],
                         [["drop N% node node", "2", "0", "-", "-"],
                          ["isolate node", "1", "1", "2.1 s", "2.1 s"]])

    def test_it_is_a_table_for_markdown(self):
        for line in filter(None, report.table([a_run(1)]).splitlines()):
            self.assertTrue(line.startswith("| ") and line.endswith(" |"), line)


class Page(unittest.TestCase):
    def test_a_failed_run_comes_first_with_its_sentences_and_the_command(self):
        page = report.page([a_run(1), a_bad_run(2), a_bad_run(3, replay="scripts/again 3")])
        self.assertLess(page.index("Seed 2"), page.index("Seed 1"))
        self.assertIn("1 acknowledged writes are lost", page)
        self.assertIn("sudo scripts/test faults --seed 2 --setup pg_vrrp", page)
        self.assertIn("<code>scripts/again 3</code>", page)

    def test_it_needs_nothing_else(self):
        page = report.page([a_run(1)])
        for word in ("http:", "https:", "src=", "<link", "@import", "<script"):
            self.assertNotIn(word, page)

    def test_words_of_a_history_are_no_markup(self):
        history = sample.history()
        history["faults"][0][2] = "kill <b>n1</b> & \"guard\""
        history["final"] = None
        page = report.page([a_run(1, history, versions={"a<i>": "&"}, setup="<u>")])
        for word in ("<b>n1", "<i>&", "<u>", "a<i>:"):
            self.assertNotIn(word, page)
        self.assertIn("kill &lt;b&gt;n1&lt;/b&gt; &amp;", page)

    def test_runs_of_one_seed_with_two_setups_have_one_target_each(self):
        page = report.page([a_run(1), a_run(1, setup="textbook")])
        self.assertEqual(page.count('id="run1"'), 1)


class Timeline(unittest.TestCase):
    def draw(self, history: dict) -> list[ElementTree.Element]:
        """It is well-formed; its elements."""
        text = timeline.svg(history, checker.evaluate(history))
        return list(ElementTree.fromstring(text).iter())

    def of_kind(self, history: dict, kind: str) -> list[ElementTree.Element]:
        return [element for element in self.draw(history) if element.get("class") == kind]

    def test_who_accepted_and_who_had_the_vip_and_the_gap_between(self):
        history = sample.history()
        for kind in ("node0", "node1", "vip0", "vip1", "gap", "fault", "acks"):
            self.assertEqual(len(self.of_kind(history, kind)), 1, kind)
        first, second = (self.of_kind(history, kind)[0] for kind in ("node0", "node1"))
        self.assertLess(float(first.get("x")) + float(first.get("width")), float(second.get("x")))
        self.assertEqual(self.of_kind(history, "twice"), [])

    def test_two_reasons_for_one_time_are_drawn_once(self):
        history = sample.history()
        for at in range(4400, 4600, 100):
            history["ops"].append([4, 900 + at, "add", BEGIN + at, BEGIN + at + 4, "acked", "n1",
                                   1])
        self.assertEqual(len(self.of_kind(history, "twice")), 1)

    def test_where_nobody_asked_for_the_vip_the_kernels_word_is_drawn(self):
        history = sample.history()
        history["probes"] = None
        self.assertEqual(len(self.of_kind(history, "vip0")), 1)

    def test_names_of_faults_do_not_cover_each_other(self):
        history = sample.history()
        history["faults"] = [[BEGIN + at, BEGIN + at + 50, f"a fault with a long name {at}"]
                             for at in range(0, 6000, 400)]
        taken: dict[str, float] = {}
        names = sorted(self.of_kind(history, "name"), key=lambda name: float(name.get("x")))
        self.assertEqual(len(names), 15)
        for name in names:
            x, line = float(name.get("x")), name.get("y")
            self.assertGreaterEqual(x, taken.get(line, 0.0))
            taken[line] = x + len(name.text) * timeline.LETTER
            self.assertLessEqual(taken[line], timeline.WIDTH)

    def test_a_long_run_is_wrapped_and_nothing_leaves_the_picture(self):
        history = sample.history()
        history["ended_ms"] = BEGIN + 90 * 60000
        elements = self.draw(history)
        labels = [element for element in elements if element.text == "writes/s"]
        self.assertEqual(len(labels), -(-90 * 60 // 240))
        for box in elements:
            if box.tag.endswith("rect"):
                self.assertLessEqual(float(box.get("x")) + float(box.get("width")),
                                     timeline.WIDTH - timeline.RIGHT + 2)


if __name__ == "__main__":
    unittest.main()
