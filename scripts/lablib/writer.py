# SPDX-License-Identifier: PostgreSQL
"""The two kinds of writers of `lab load`.  Each notes every attempt with its times and its outcome:
"acked" (the server said so), "refused" (the server said no), "unknown" (nobody said anything).

One writes numbered rows through the VIP, as an application would.  One for each node writes other
rows over that node's own unix socket, because two nodes that both accept writes can only be seen
from both at the same time.
"""

from collections.abc import Callable

from .kernel import boot_ms
from .pgsession import Session

ROW_PAUSE_MS = 10
LIMIT_MS = 500
# A new attempt to connect each so many ms, beside those that still wait: the client must not add
# its own patience to the outage that it measures.
CONNECT_PAUSE_MS = 50
ATTEMPTS_MAX = 10  # for each way in
LOCAL_PAUSE_MS = 50
# Acknowledgements further apart than that are an interruption.
STEADY_GAP_MS = 500

WHO = "SELECT pg_is_in_recovery(), trim(E'\\n' from pg_read_file('/proc/sys/kernel/hostname'))"


class VipWriter:
    """dsns: the ways to whoever serves. An application of a cluster with an address has one; else it
    tries every node at the same time, and takes the one that says it is no standby."""

    def __init__(self, run: str, dsns: list[str], pause_ms: float = ROW_PAUSE_MS):
        self.run = run
        self.dsns = dsns
        self.pause_ms = pause_ms    # from row to row: no interruption is seen more exactly
        self.rows: list[list] = []  # n, sent, ended, outcome, node
        self.standby_answers = 0    # the VIP led to a standby
        self.active: Session | None = None
        self.node = ""
        self.attempts: list[Session] = []
        self.next_attempt = 0.0
        self.next_row = 0.0
        self.pending = False
        self.steady_since = 0.0     # acknowledged without an interruption from then on,
        self.last_ack = 0.0         # until then

    def sessions(self) -> list[Session]:
        return self.attempts + ([self.active] if self.active else [])

    def due_ms(self, now: float) -> float:
        """When tick has something to do without any news from a server."""
        if self.active:
            return self.active.deadline if self.pending else self.next_row
        return max(self.next_attempt, now) if self._may_try() else now + 10

    def _may_try(self) -> bool:
        return len(self.attempts) < ATTEMPTS_MAX * len(self.dsns)

    def tick(self, now: float) -> None:
        if self.active:
            self._settle(now)
        else:
            self._connect(now)
        if self.active and not self.pending and now >= self.next_row:
            self.next_row = max(now, self.next_row + self.pause_ms)
            self.rows.append([len(self.rows) + 1, now, None, "unknown", self.node])
            self.pending = True
            self.active.ask("INSERT INTO lab.rows (run, n) VALUES (%s, %s)",
                            (self.run, len(self.rows)))

    def _settle(self, now: float) -> None:
        """Writes down what became of the row under way."""
        session = self.active
        if session.state == "busy":
            return
        if session.state == "idle" and self.pending:
            self.rows[-1][2:4] = [now, "acked"]
            self.pending = False
            if now - self.last_ack > STEADY_GAP_MS:
                self.steady_since = now
            self.last_ack = now
        elif session.state == "failed":
            if self.pending:
                self.rows[-1][2:4] = [now, "unknown" if session.lost else "refused"]
            self.pending = False
            self.active = None
            self.next_attempt = now

    def _connect(self, now: float) -> None:
        if now >= self.next_attempt and self._may_try():
            self.next_attempt = now + CONNECT_PAUSE_MS
            self.attempts += [Session(dsn, LIMIT_MS) for dsn in self.dsns]
        for session in self.attempts:
            if session.state != "idle":
                continue
            if not session.asked_ms:
                session.ask(WHO)
            elif session.rows and not session.rows[0][0]:
                self.active, self.node = session, session.rows[0][1]
                self.next_row = now
                break
            else:
                self.standby_answers += 1
                session.close()
        if self.active:
            for session in self.attempts:
                if session is not self.active:
                    session.close()
            self.attempts = []
        self.attempts = [session for session in self.attempts if session.state != "failed"]

    def steady(self, since: float, calm_ms: float, now: float) -> bool:
        """Has every row been acknowledged for calm_ms, all of it after since?"""
        return (now - max(self.steady_since, since) >= calm_ms
                and now - self.last_ack <= STEADY_GAP_MS)

    def close(self) -> None:
        self._settle(boot_ms()) if self.active else None
        for session in self.sessions():
            session.close()
        if self.pending:
            self.rows[-1][2] = boot_ms()


class LocalWriter:
    """find() names the socket's directory of this boot of the node, or raises LookupError."""

    def __init__(self, run: str, node: str, find: Callable[[], str]):
        self.run = run
        self.node = node
        self.find = find
        self.rows: list[list] = []  # n, sent, ended, outcome
        self.session: Session | None = None
        self.next = 0.0
        self.inserting = False
        self.standby = True

    def sessions(self) -> list[Session]:
        return [self.session] if self.session else []

    def due_ms(self, now: float) -> float:
        busy = self.session and self.session.state in ("connecting", "busy")
        return self.session.deadline if busy else max(self.next, now)

    def tick(self, now: float) -> None:
        if self.session and self.session.asked_ms and self.session.state in ("idle", "failed"):
            self._settle(now)
        if self.session and self.session.state == "failed":
            self.session = None
        if now < self.next:
            return
        if self.session is None:
            self.next = now + LOCAL_PAUSE_MS
            try:
                self.session = Session(self.find(), LIMIT_MS)
            except LookupError:
                self.session = None
        elif self.session.state == "idle":
            self.next = now + LOCAL_PAUSE_MS
            self._ask(now)

    def _ask(self, now: float) -> None:
        """A standby is only asked whether it still is one: no pile of errors in its log."""
        self.inserting = not self.standby
        if self.inserting:
            self.rows.append([len(self.rows) + 1, now, None, "unknown"])
            self.session.ask("INSERT INTO lab.local_rows (run, node, n) VALUES (%s, %s, %s)",
                             (self.run, self.node, len(self.rows)))
        else:
            self.session.ask("SELECT pg_is_in_recovery()")

    def _settle(self, now: float) -> None:
        session = self.session
        session.asked_ms = 0.0
        if self.inserting:
            if session.state == "idle":
                outcome = "acked"
            else:
                outcome = "unknown" if session.lost else "refused"
            self.rows[-1][2:4] = [now, outcome]
            self.inserting = False
            self.standby = outcome != "acked"
        elif session.state == "idle" and session.rows:
            self.standby = session.rows[0][0]
        if session.state == "failed":
            self.standby = True

    def close(self) -> None:
        if self.session:
            if self.session.asked_ms and self.session.state in ("idle", "failed"):
                self._settle(boot_ms())
            self.session.close()
        if self.inserting:
            self.rows[-1][2] = boot_ms()
