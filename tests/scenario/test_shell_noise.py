# SPDX-License-Identifier: PostgreSQL
"""What the shell of a login prints, when sshd runs our forced command in it: the answer is found all the same."""

import contextlib
from collections.abc import Iterator

from damage import Damaging

# Before the answer, and without an end of line right before it; .bashrc is read for a command of ssh too.
GREETING = "echo Welcome to $(hostname), you are being watched; printf 'no end of line'\n"


class ShellNoise(Damaging):
    @contextlib.contextmanager
    def greeting(self, host: str, text: str = GREETING) -> Iterator[None]:
        path = self.lab.node(host).path("/root/.bashrc")
        with contextlib.ExitStack() as stack:
            with open(path, "a+", encoding="utf-8") as file:
                file.seek(0)
                before = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + before)
            stack.callback(self.put, path, before)
            yield

    @staticmethod
    def put(path: str, text: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_fence_by_a_shell_that_greets(self):
        load = self.lab.load_begin(60)
        with self.greeting(self.old):
            done = self.lab.helper(self.new, "fence_old", "--test")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("beside the answer came: Welcome to", done.stdout)
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 30, "the standby serves, by a fence")
            self.wait_said(self.new, 'the node answered "fenced"', 10)
        self.assert_took_over(load.stop())

    def test_shell_that_does_nothing_else(self):
        """No answer comes: what does come is in the detail, and within one test in the status."""
        with self.greeting(self.old, "echo This account is closed; exit 0\n"):
            done = self.lab.helper(self.new, "fence_old", "--test")
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("no answer, but with: This account is closed", done.stdout)
