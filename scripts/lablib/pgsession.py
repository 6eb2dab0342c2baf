# SPDX-License-Identifier: PostgreSQL
"""One connection to PostgreSQL that never blocks its owner: psycopg2's asynchronous mode, a file
descriptor to poll, and a time after which whatever it waits for has failed."""

import os
import select

import psycopg2
import psycopg2.extensions

from .kernel import boot_ms

# PostgreSQL's own words for a value instead of Python's: bool, integers, oid, floats, numeric, dates and
# times, json, bytea (pg_type.dat).
_TEXT = psycopg2.extensions.new_type(
    (16, 20, 21, 23, 26, 700, 701, 1700, 1082, 1083, 1114, 1184, 1266, 1186, 114, 3802, 17), "TEXT",
    lambda value, cursor: value)
_POLL_OK = psycopg2.extensions.POLL_OK
_POLL_READ = psycopg2.extensions.POLL_READ


class Session:
    """Begins to connect when made.  After each step(): state is "connecting", "idle", "busy" or
    "failed"; rows holds the last answer, error why it failed.  lost tells a broken connection (the
    outcome of what was under way is unknown) from an error that the server reported (it is not)."""

    def __init__(self, dsn: str, limit_ms: float, as_text: bool = False):
        self.as_text = as_text
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
            if self.as_text:
                psycopg2.extensions.register_type(_TEXT, self.cursor)
            # Without arguments a "%" is one.
            self.cursor.execute(sql, arguments or None)
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


def answer(session: Session, sql: str, arguments: tuple = ()) -> bool:
    """Connects if need be and asks; False when there was no answer in time, or an error."""
    asked = False
    while session.state != "failed":
        if session.state == "idle":
            if asked:
                return True
            session.ask(sql, arguments)
            asked = True
            continue
        drive([session], session.deadline - boot_ms())
    return False


def ask_once(dsn: str, sql: str, arguments: tuple = (), limit_ms: float = 1000) -> list[tuple] | None:
    """One question on a connection of its own; None when it was not answered in time."""
    session = Session(dsn, limit_ms)
    if not answer(session, sql, arguments):
        return None
    session.close()
    return session.rows


# (process, dsn): the connection of whoever looks again and again.  A connection costs a server a
# process, which on some machines is most of what a lab does.  A child has its own.
_kept: dict[tuple[int, str], Session] = {}


def kept_session(dsn: str, sql: str, arguments: tuple = (), limit_ms: float = 1000) -> Session:
    """The connection to the server at dsn, with its answer; "failed" when there is none.  One that was
    kept and that the server has ended meanwhile is made anew."""
    key = (os.getpid(), dsn)
    session = _kept.pop(key, None)
    if session is not None:
        session.limit_ms = limit_ms
        if not answer(session, sql, arguments) and session.lost and "no answer in" not in session.error:
            session = None
    if session is None:
        session = Session(dsn, limit_ms)
        answer(session, sql, arguments)
    if session.state == "idle":
        _kept[key] = session
    return session


def ask_kept(dsn: str, sql: str, arguments: tuple = (), limit_ms: float = 1000) -> list[tuple] | None:
    """As ask_once, on a connection that is kept for the next question of this process."""
    session = kept_session(dsn, sql, arguments, limit_ms)
    return session.rows if session.state == "idle" else None


def socket_dsn(directory: str, port: int, user: str, database: str = "postgres") -> str:
    if len(f"{directory}/.s.PGSQL.{port}") > 107:
        raise OSError(f"the path of the socket in {os.path.basename(directory)} is too long")
    return f"host={directory} port={port} user={user} dbname={database} application_name=lab"
