# SPDX-License-Identifier: PostgreSQL
"""The alerts of examples/prometheus: promtool takes them, each has a case, and asks for what node_health tells."""

import re
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
EXAMPLE = TOP / "examples/prometheus"
METRICS = TOP / "helpers/lib/health/health_metrics.c"


class Rules(unittest.TestCase):
    def promtool(self, *words):
        done = subprocess.run(["promtool", *words], cwd=EXAMPLE, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_takes_them(self):
        self.promtool("check", "rules", "pg_vrrp.rules.yml")

    def test_each_comes_with_its_fault_and_not_before(self):
        self.promtool("test", "rules", "pg_vrrp.test.yml")

    def test_each_has_a_case_and_a_metric(self):
        rules = (EXAMPLE / "pg_vrrp.rules.yml").read_text(encoding="utf-8")
        alerts = re.findall(r"alert: (\w+)", rules)
        cases = (EXAMPLE / "pg_vrrp.test.yml").read_text(encoding="utf-8")
        self.assertEqual([name for name in alerts if cases.count(f"alertname: {name}\n") < 2], [])
        told = set(re.findall(r'"(pg_vrrp_\w+)"', METRICS.read_text(encoding="utf-8"))) | {"pg_vrrp_info"}
        asked = {name for line in re.findall(r"expr: (.*)", rules) for name in re.findall(r"pg_vrrp_\w+", line)}
        self.assertGreaterEqual(len(asked), len(alerts) - 2)
        self.assertEqual(asked - told, set())


if __name__ == "__main__":
    unittest.main()
