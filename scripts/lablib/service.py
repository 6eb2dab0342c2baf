# SPDX-License-Identifier: PostgreSQL
"""A program that pid 1 of a node keeps running, as systemd would."""

import os
import signal

from .kernel import boot_ms

ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
       "LC_ALL": "C.UTF-8", "HOME": "/root"}


class Service:
    """restart: seconds until a dead one is started again; None: it stays dead, like keepalived
    under its stock unit.  after: a file that must be there first, waited for `patience` seconds.
    stop_signal: how it is asked to end."""

    def __init__(self, name: str, argv: list[str], restart: float | None, after: str = "",
                 patience: float = 3.0, stop_signal: str = "SIGTERM"):
        self.name = name
        self.argv = argv
        self.restart = restart
        self.after = after
        self.patience_ms = patience * 1000
        self.pid = 0
        self.output = -1
        self.starts = 0
        self.due_ms: float | None = boot_ms()
        self.waited_since = boot_ms()
        self.stopped = False
        self.stop_signal = signal.Signals[stop_signal]
        self.again = False

    def stop(self) -> None:
        """As systemctl stop does: it is asked to end and not started again."""
        self.stopped = True
        self.due_ms = None
        if self.pid:
            os.kill(self.pid, self.stop_signal)

    def cycle(self) -> None:
        """As systemctl restart does."""
        self.again = self.pid != 0
        self.stop()
        if not self.again:
            self.want()

    def want(self) -> None:
        self.stopped = False
        if self.pid == 0:
            self.due_ms = self.waited_since = boot_ms()

    def ready(self, now: float) -> bool:
        if self.pid or self.due_ms is None or now < self.due_ms:
            return False
        return (not self.after or os.path.exists(self.after)
                or now > self.waited_since + self.patience_ms)

    def start(self) -> None:
        """Starts it with its output in a pipe; raises OSError when it cannot be executed."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        try:
            self.pid = os.posix_spawn(self.argv[0], self.argv, ENV, file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, writing, 2),
            ], setsid=True, setsigmask=[], setsigdef=[signal.SIGPIPE, signal.SIGINT])
        except OSError:
            os.close(reading)
            self.due_ms = boot_ms() + 1000 if self.restart is not None else None
            raise
        finally:
            os.close(writing)
        self.output = reading
        self.starts += 1
        self.due_ms = None

    def ended(self) -> None:
        self.pid = 0
        if self.again:
            self.again = False
            self.want()
        elif self.restart is not None and not self.stopped:
            self.due_ms = boot_ms() + self.restart * 1000
            self.waited_since = self.due_ms
