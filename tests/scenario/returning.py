# SPDX-License-Identifier: PostgreSQL
"""What the scenarios of an old primary that comes back share: it is down, and nobody else brings it back."""

import contextlib
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

from scenario import Scenario

from lablib.node import Process
from lablib.seeds import LIBEXEC

AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


class Returning(Scenario):
    @property
    def data_dir(self) -> str:
        return self.lab.settings.data_dir

    def fill(self, node: str, megabytes: int) -> None:
        """So much that copying it takes a while."""
        self.sql(node, "CREATE UNLOGGED TABLE ballast (filler text)")
        self.sql(node, "ALTER TABLE ballast ALTER filler SET STORAGE EXTERNAL, SET LOGGED")
        self.sql(node, "INSERT INTO ballast SELECT repeat(md5(n::text), 256)"
                       f" FROM generate_series(1, {megabytes * 120}) AS n")

    def fill_both(self, megabytes: int) -> None:
        """The same on a pair: what is to be replayed is no part of the takeover that follows."""
        self.fill(self.old, megabytes)
        lsn = self.sql(self.old, "SELECT pg_current_wal_insert_lsn()")
        self.wait(lambda: self.sql(self.new, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t",
                  40, "the standby has replayed it")
        self.wait(self.promotable(self.new), 40, "a standby that could take over")

    def fall_behind(self) -> None:
        """The primary commits, and nothing of it reaches the standby, though all else does."""
        there = self.lab.settings.host(self.new).address
        rule = ("add table inet apart;"
                " add chain inet apart out { type filter hook output priority 0; };"
                f" add rule inet apart out ip daddr {there} tcp sport {self.lab.settings.port}"
                " counter drop")
        done = self.lab.run(self.old, ["/usr/sbin/nft", rule])
        self.assertEqual(done.returncode, 0, done.stderr)

    def catch_up(self) -> None:
        """It may have gone with the host."""
        self.lab.run(self.old, ["/usr/sbin/nft", "delete table inet apart"])

    def leave_behind(self) -> None:
        """The old primary has crashed and stays down; the other one serves."""
        # Else it would be rewound before anybody could look.
        self.lab.fault("freeze", self.old, "guard")
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(lambda: self.role(self.old) == "down", 10, "the old primary is down")

    def rejoin(self, *arguments: str) -> subprocess.CompletedProcess:
        return self.lab.helper(self.old, "rejoin", *arguments)

    def rejoin_begin(self, *arguments: str) -> subprocess.Popen:
        command = self.lab.node(self.old).command(
            [f"{LIBEXEC}/rejoin", "-c", self.lab.settings.ini_path(), *arguments])
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @contextlib.contextmanager
    def terminal(self, *words: str) -> Iterator[tuple[subprocess.Popen, Callable[[], str]]]:
        """A helper as a person calls it, and what the screen shows of it."""
        argv = [f"{LIBEXEC}/{words[0]}", "-c", self.lab.settings.ini_path(), *words[1:]]
        ours, its = pty.openpty()
        shown: list[bytes] = []
        with subprocess.Popen(self.lab.node(self.old).command(argv), stdin=its, stdout=its,
                              stderr=its) as running:
            os.close(its)
            reader = threading.Thread(target=self._read_all, args=(ours, shown))
            reader.start()
            try:
                yield running, lambda: b"".join(shown).decode()
            finally:
                running.kill()
                reader.join(10)
                os.close(ours)

    @staticmethod
    def _read_all(terminal: int, shown: list[bytes]) -> None:
        # The last one that had the other end has closed it.
        with contextlib.suppress(OSError):
            while data := os.read(terminal, 4096):
                shown.append(data)

    def running(self, program: str) -> list[Process]:
        return [process for process in self.lab.node(self.old).processes()
                if process.exe == program]

    def kill(self, program: str) -> None:
        for process in self.running(program):
            process.signal(signal.SIGKILL)

    def refused(self, rule: str, *arguments: str) -> None:
        done = self.rejoin(*arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertTrue(self.said(self.old, f"rule={rule}"), rule)
