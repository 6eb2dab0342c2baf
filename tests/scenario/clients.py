# SPDX-License-Identifier: PostgreSQL
"""Patient writers: applications on the client's network that write as fast as they can, each on a plain blocking connection
without a time limit of its own, and note when a row was acknowledged and when a connection was lost."""

import json
import os
import signal
import tempfile
import threading
import time

import psycopg2
from scenario import Scenario

from lablib import kernel, places
from lablib.kernel import boot_ms

AGAIN_S = 0.05
# The longer a statement takes, the surer it is under way when something happens.
WRITE = "INSERT INTO lab.rows (run, n) SELECT %s, %s FROM pg_sleep(%s)"


class Clients:
    """`count` writers to one address, each statement of which takes so long, until end() tells what they saw."""

    def __init__(self, lab, address: str, count: int, statement_s: float):
        self.statement_s = statement_s
        self.path = tempfile.mktemp(prefix="pgv-clients-")
        self.netns = places.netns_path(lab.name, places.CLIENT)
        self.dsn = (f"host={address} port={lab.settings.port} user=lab dbname=postgres "
                    "application_name=patient connect_timeout=2")
        self.run = f"p{os.getpid()}-{time.monotonic_ns()}"
        self.acked: list[float] = []
        self.cut: list[float] = []
        # A process of its own: who goes to another network stays there.
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._work(count)
            finally:
                os._exit(1)

    def _work(self, count: int) -> None:
        kernel.setns(self.netns, kernel.CLONE_NEWNET)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        for number in range(count):
            threading.Thread(target=self._write, args=(f"{self.run}-{number}",),
                             daemon=True).start()
        signal.sigwait([signal.SIGTERM])
        with open(self.path + ".new", "w", encoding="ascii") as file:
            json.dump({"acked": self.acked, "cut": self.cut}, file)
        os.rename(self.path + ".new", self.path)
        os._exit(0)

    def _write(self, run: str) -> None:
        row = 0
        while True:
            connected = False
            try:
                connection = psycopg2.connect(self.dsn)
                connection.autocommit = True
                connected = True
                cursor = connection.cursor()
                while True:
                    row += 1
                    cursor.execute(WRITE, (run, row, self.statement_s))
                    self.acked.append(boot_ms())
            except psycopg2.Error:
                if connected:
                    self.cut.append(boot_ms())
                time.sleep(AGAIN_S)

    def end(self) -> dict:
        """{"acked": times of acknowledgements, "cut": times when a connection was lost}, ms."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self.pid = 0
        with open(self.path, encoding="ascii") as file:
            seen = json.load(file)
        os.unlink(self.path)
        return seen

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


class Patient(Scenario):
    """A scenario with such writers; none outlives its test."""

    def setUp(self) -> None:
        super().setUp()
        self.writers: list[Clients] = []

    def tearDown(self) -> None:
        for writer in self.writers:
            writer.kill()
        super().tearDown()

    def clients(self, address: str, count: int, statement_s: float = 0) -> Clients:
        writer = Clients(self.lab, address, count, statement_s)
        self.writers.append(writer)
        return writer
