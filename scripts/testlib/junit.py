# SPDX-License-Identifier: PostgreSQL
"""The results as JUnit XML, which CI systems read (the schema of Jenkins' xunit plugin)."""

import re
from xml.etree import ElementTree

SECONDS = re.compile(r"^([0-9.]+) s\b")
# What XML 1.0 has no way to write, for example the escape of a colour.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def case_of(word, name, detail):
    """One test: the part and the program are its class, what follows the colon is its name."""
    job, _, test = name.partition(": ")
    case = ElementTree.Element("testcase", classname=job.replace("/", "."), name=test or job)
    seconds = SECONDS.match(detail)
    if seconds:
        case.set("time", seconds[1])
    if word != "ok":
        kind = "skipped" if word == "skip" else "failure"
        ElementTree.SubElement(case, kind, message=FORBIDDEN.sub("?", detail))
    return case


def write(path, results, seconds):
    """results: (word, name, detail) as the runner printed them, preparations included."""
    tests = [result for result in results if result[0] in ("ok", "skip", "FAILED")]
    words = [word for word, _, _ in tests]
    suite = ElementTree.Element("testsuite", name="pg_vrrp", tests=str(len(tests)),
                                failures=str(words.count("FAILED")),
                                skipped=str(words.count("skip")), time=f"{seconds:.1f}")
    suite.extend(case_of(*result) for result in tests)
    ElementTree.indent(suite)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
