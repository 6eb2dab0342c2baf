# SPDX-License-Identifier: PostgreSQL
"""What all clients of the fault tests share: one operation after the other over one door.

A door is a way to a server: through the VIP, to a node's own address, over its unix socket.  An
operation is a generator of steps; its outcome is
    "acked"    the server said so
    "refused"  it was certainly not done: the server said no, or was never told to commit
    "unknown"  told to commit, and nobody said anything: it may be there or not

A client that waited long enough opens another connection and goes on, as a pool of connections
does.  What it left behind is still listened to: a late acknowledgement is one.
"""

import dataclasses
import random
from collections.abc import Callable, Iterator

from lablib.kernel import boot_ms
from lablib.pgsession import Session

CONNECT_MS = 400
# After that it goes on elsewhere; after that long nobody listens any more.
PATIENCE_MS = 1000
LISTEN_MS = 60000
# Connections that still wait, beside the one in use: a server that stands still is not to run out
# of connections by its own clients.
LATE_MAX = 2
AGAIN_MS = 100

WHO = "SELECT pg_is_in_recovery(), trim(E'\\n' from pg_read_file('/proc/sys/kernel/hostname'))"

# Whoever waits for a lock, or forgot his transaction, is gone soon when his client is.
SERVER_OPTIONS = ("options='-c lock_timeout=1s -c client_connection_check_interval=500ms "
                  "-c idle_in_transaction_session_timeout=3s'")
TCP_OPTIONS = ("keepalives_idle=2 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=4000 "
               + SERVER_OPTIONS)


@dataclasses.dataclass
class Door:
    kind: str              # "vip", "address", "socket"
    node: str              # "" for the VIP
    find: Callable[[], str]  # the connection string; LookupError when there is none now

    def name(self) -> str:
        return f"{self.kind} {self.node}".strip()


@dataclasses.dataclass
class Step:
    sql: str
    arguments: tuple = ()
    decides: bool = False  # sent, and it may be done, whatever becomes of the answer


class Refused(Exception):
    """Raised by an operation that was told no."""


Steps = Iterator[Step]


class Deed:
    """An operation under way on a session."""

    def __init__(self, session: Session, what: str, n: int, steps: Steps, node: str):
        self.session = session
        self.what = what
        self.n = n
        self.steps = steps
        self.node = node
        self.sent = boot_ms()
        self.decided = False
        self.outcome = ""
        self.data: object = None
        self._ask(None)

    def _ask(self, rows: list[tuple] | None) -> None:
        try:
            step = self.steps.send(rows)
        except StopIteration as end:
            self.outcome, self.data = "acked", end.value
            return
        except Refused:
            self.outcome = "refused"
            return
        self.decided = self.decided or step.decides
        self.session.limit_ms = LISTEN_MS if self.decided else PATIENCE_MS
        self.session.ask(step.sql, step.arguments)

    def over(self) -> bool:
        while not self.outcome and self.session.state == "idle":
            self._ask(self.session.rows)
        if not self.outcome and self.session.state == "failed":
            self.give_up()
        return bool(self.outcome)

    def give_up(self) -> None:
        lost = self.decided and self.session.lost
        self.outcome = "unknown" if lost else "refused"

    def line(self, client: int) -> list:
        return [client, self.n, self.what, round(self.sent, 1), round(boot_ms(), 1), self.outcome,
                self.node, self.data]


class Client:
    """Subclasses say what it does: next_steps(n) returns a name and the steps."""

    kind = ""

    def __init__(self, number: int, run: str, door: Door, pause_ms: float, seed: int,
                 note: Callable[[list], None]):
        self.number = number
        self.run = run
        self.door = door
        self.pause_ms = pause_ms
        self.random = random.Random(f"{seed} {number}")
        self.note = note
        self.count = 0
        self.session: Session | None = None
        self.node = ""
        self.asked_who = False
        self.deed: Deed | None = None
        self.late: list[Deed] = []
        self.next = boot_ms() + self.random.random() * pause_ms

    def next_steps(self, n: int) -> tuple[str, Steps]:
        raise NotImplementedError

    def sessions(self) -> list[Session]:
        return [deed.session for deed in self.late] + ([self.session] if self.session else [])

    def due_ms(self, now: float) -> float:
        """When tick has something to do without any news from a server."""
        if self.deed:
            return max(self.deed.sent + PATIENCE_MS, now + 10)
        if self.session and not self.node:
            waits = self.session.state in ("connecting", "busy")
            return self.session.deadline if waits else now
        return self.next

    def tick(self, now: float) -> None:
        for deed in [deed for deed in self.late if deed.over()]:
            self.late.remove(deed)
            self._end(deed)
            deed.session.close()
        if self.deed:
            self._look_after(self.deed, now)
        elif self.session and not self.node:
            self._greet(now)
        if not self.deed and now >= self.next:
            if self.session is None:
                self._connect(now)
            elif self.node:
                self._begin(now)

    def _end(self, deed: Deed) -> None:
        self.note(deed.line(self.number))

    def _connect(self, now: float) -> None:
        self.next = now + AGAIN_MS
        try:
            self.session = Session(self.door.find(), CONNECT_MS)
        except LookupError:
            return
        self.node, self.asked_who = "", False

    def _hang_up(self, now: float) -> None:
        if self.session:
            self.session.close()
        self.session, self.node = None, ""
        # Not all at once, and a server that is not there is not asked more often by the hostile.
        pause = max(AGAIN_MS, 0 if self.door.kind == "vip" else self.pause_ms)
        self.next = now + pause * (0.5 + self.random.random())

    def _greet(self, now: float) -> None:
        """Who is it?  Behind the VIP nobody but a primary will do."""
        if self.session.state == "failed":
            self._hang_up(now)
        elif self.session.state == "idle" and not self.asked_who:
            self.asked_who = True
            self.session.ask(WHO)
        elif self.session.state == "idle":
            standby, node = self.session.rows[0]
            if standby and self.door.kind == "vip":
                self._hang_up(now)
            else:
                self.node, self.next = node, now

    def _begin(self, now: float) -> None:
        if self.session.state == "failed":
            self._hang_up(now)
            return
        self.next = now + self.pause_ms * (0.75 + self.random.random() / 2)
        self.count += 1
        what, steps = self.next_steps(self.count)
        self.deed = Deed(self.session, what, self.count, steps, self.node)

    def _look_after(self, deed: Deed, now: float) -> None:
        if deed.over():
            self.deed = None
            self._end(deed)
            if deed.session.state == "failed":
                self._hang_up(now)
        elif deed.decided and now >= deed.sent + PATIENCE_MS and len(self.late) < LATE_MAX:
            self.late.append(deed)
            self.deed, self.session = None, None
            self._hang_up(now)

    def close(self) -> None:
        """Ends it; what is still under way has no known outcome."""
        for deed in self.late + ([self.deed] if self.deed else []):
            if not deed.over():
                deed.give_up()
            self._end(deed)
        for session in self.sessions():
            session.close()
