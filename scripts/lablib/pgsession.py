# SPDX-License-Identifier: PostgreSQL
"""One connection to PostgreSQL that never blocks its owner: psycopg2's asynchronous mode, a file
descriptor to poll, and a time after which whatever it waits for has failed."""

import os
import select

import psycopg2
import psycopg2.extensions

from .kernel import boot_ms

_POLL_OK = psycopg2.extensions.POLL_OK
_POLL_READ = psycopg2.extensions.POLL_READ


class Session:
    """Begins to connect when made.  After each step(): state is "connecting", "idle", "busy" or
    "failed"; rows holds the last answer, error why it failed.  lost tells a broken connection (the
    outcome of what was under way is unknown) from an error that the server reported (it is not)."""

    def __init__(self, dsn: str, limit_ms: float):
        self.state = "connecting"
        self.rows: list[tuple] = []
        self.error = ""
        self.lost = True
        self.limit_ms = limit_ms
        self.deadline = boot_ms() + limit_ms
        self.asked_ms = 0.0
        self.connection = None
        self.cursor = None
        self.events = select.POLLOUT
        try:
            self.connection = psycopg2.connect(dsn, async_=True)
            self._poll()
        except psycopg2.Error as error:
            self._fail(error)

    def fileno(self) -> int:
        return self.connection.fileno()

    def ask(self, sql: str, arguments: tuple = ()) -> None:
        self.asked_ms = boot_ms()
        self.deadline = self.asked_ms + self.limit_ms
        self.state = "busy"
        self.rows = []
        try:
            self.cursor = self.connection.cursor()
            self.cursor.execute(sql, arguments)
            self._poll()
        except psycopg2.Error as error:
            self._fail(error)

    def step(self) -> None:
        """Call when the descriptor is ready."""
        if self.state not in ("connecting", "busy"):
            return
        try:
            self._poll()
        except psycopg2.Error as error:
            self._fail(error)

    def expire(self, now: float) -> None:
        if self.state in ("connecting", "busy") and now >= self.deadline:
            self.error, self.lost = f"no answer in {self.limit_ms:g} ms", True
            self.close()

    def close(self) -> None:
        self.state = "failed"
        if self.connection is not None:
            try:
                self.connection.close()
            except psycopg2.Error:
                pass

    def _poll(self) -> None:
        want = self.connection.poll()
        if want == _POLL_OK:
            if self.state == "busy" and self.cursor.description is not None:
                self.rows = self.cursor.fetchall()
            self.state = "idle"
        self.events = select.POLLIN if want in (_POLL_OK, _POLL_READ) else select.POLLOUT

    def _fail(self, error: psycopg2.Error) -> None:
        self.error = (str(error).strip() or repr(error)).splitlines()[0]
        # A code of the server means that it answered.  57P01 and its like (shutdown) also come
        # while a commit is under way, and so does the PANIC of a full disk: outcome unknown.
        code = getattr(error, "pgcode", None)
        fatal = error.diag.severity_nonlocalized in ("FATAL", "PANIC") if code else False
        self.lost = code is None or fatal or code.startswith(("57", "08"))
        self.close()


def drive(sessions: list[Session], pause_ms: float, extra: dict | None = None) -> list[int]:
    """Waits until one of the sessions (or one of the extra descriptors) can go on, and lets it.
    Returns the extra descriptors that are ready."""
    poll = select.poll()
    by_fd: dict[int, Session] = {}
    for session in sessions:
        if session.state in ("connecting", "busy"):
            by_fd[session.fileno()] = session
            poll.register(session.fileno(), session.events)
    for fd in extra or {}:
        poll.register(fd, select.POLLIN)
    ready = []
    for fd, _ in poll.poll(max(pause_ms, 0)):
        if fd in by_fd:
            by_fd[fd].step()
        else:
            ready.append(fd)
    now = boot_ms()
    for session in by_fd.values():
        session.expire(now)
    return ready


def ask_once(dsn: str, sql: str, arguments: tuple = (), limit_ms: float = 1000) -> list[tuple] | None:
    """One question on a connection of its own; None when it was not answered in time."""
    session = Session(dsn, limit_ms)
    asked = False
    while session.state != "failed":
        if session.state == "idle":
            if asked:
                session.close()
                return session.rows
            session.ask(sql, arguments)
            asked = True
            continue
        drive([session], session.deadline - boot_ms())
    return None


def socket_dsn(directory: str, port: int, user: str, database: str = "postgres") -> str:
    if len(f"{directory}/.s.PGSQL.{port}") > 107:
        raise OSError(f"the path of the socket in {os.path.basename(directory)} is too long")
    return f"host={directory} port={port} user={user} dbname={database} application_name=lab"
