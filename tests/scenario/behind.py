# SPDX-License-Identifier: PostgreSQL
"""Applications behind a program on their own host that leads them to the primary."""

import os
import signal
import subprocess

from clients import Patient
from recorded import Recorded

from lablib.places import CLIENT

WHO = "SELECT trim(E'\\n' from pg_read_file('/proc/sys/kernel/hostname'))"


class Behind(Recorded, Patient):
    def start(self, host: str, *argv: str) -> None:
        program = subprocess.Popen(self.lab.node(host).command(list(argv)), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(program.wait, 20)
        self.addCleanup(self.end, host, os.path.basename(argv[0]))

    def end(self, host: str, program: str) -> None:
        if self.lab and self.lab.node(host).is_on():
            for process in self.lab.node(host).processes():
                if process.exe == program:
                    process.signal(signal.SIGKILL)

    def configure(self, example: str, path: str, changes: dict[str, str]) -> None:
        """The example with this lab's addresses, on the client's host."""
        with open(example, encoding="utf-8") as file:
            text = file.read()
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(self.lab.node(CLIENT).path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def leads_to(self, port: int) -> str:
        """The node that answers there, or why none does."""
        done = self.lab.run(CLIENT, ["psql", "-XAtq", "-h", "127.0.0.1", "-p", str(port), "-U", "lab",
                                     "-d", "postgres", "-c", WHO])
        return done.stdout.strip() or done.stderr.strip()

    def rows(self, node: str, writers) -> int:
        told = self.ask(node, "SELECT count(*) FROM lab.rows WHERE run LIKE %s", (f"{writers.run}-%",))
        return told[0][0] if told else 0

    def last(self, writers) -> dict[str, int]:
        """The last row of each writer at the new primary."""
        told = self.ask(self.new, "SELECT run, max(n) FROM lab.rows WHERE run LIKE %s GROUP BY run",
                        (f"{writers.run}-%",))
        return dict(told or [])

    def begin_to_write(self, statement_s: float = 0):
        writers = self.clients("127.0.0.1", 4, statement_s)
        self.wait(lambda: self.rows(self.old, writers) > 0, 20, "they write")
        return writers

    def assert_they_go_on(self, writers) -> None:
        """At the new primary, which has all that they were told of."""
        self.wait(lambda: self.rows(self.new, writers) > 0, 20, "they can be counted")
        before = self.last(writers)
        self.wait(lambda: all(row > before.get(run, -1) for run, row in self.last(writers).items()), 20,
                  "each of them writes again")
        seen = writers.end()
        self.assertGreaterEqual(self.rows(self.new, writers), len(seen["acked"]))

    def moved(self) -> None:
        raise NotImplementedError

    def assert_a_switchover_takes_them_along(self) -> None:
        writers = self.begin_to_write()
        done = self.lab.helper(self.old, "switchover")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.moved()
        self.assert_they_go_on(writers)
