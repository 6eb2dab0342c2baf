# SPDX-License-Identifier: PostgreSQL
"""The test bed of hosts: a lab whose machines are a whole Debian each, with systemd as pid 1, Debian's
PostgreSQL, keepalived and sshd, and the helpers set up as README says.  Load, faults, status and waiting
are the lab's.
"""

import json
import time
from collections.abc import Callable

from . import debian, places, switch, trees, witness
from .kernel import boot_ms
from .lab import Lab
from .run import require_root, run
from .settings import DEBIAN, DEBIAN_SETS, make
from .syslog import LEVELS, Line

RELEASE = "12"


class Hosts(Lab):
    ready_limit_s = 180.0  # three systemds, on a machine that has other work

    @classmethod
    def up(cls, name: str = "hosts", *, release: str = RELEASE, witness: str = "postgres", mode: str = "sync",
           sets: list[str] | None = None, bare: bool = False,
           say: Callable[[str], None] = lambda _: None) -> "Hosts":
        """bare: with an existing database on the first node, and nothing of ours set up."""
        require_root()
        places.check_name(name)
        say(f"Debian {release}: made once, and kept below {places.CACHE}")
        version = trees.version(trees.get(release))
        more = [text.format(version=version, release=release) for text in DEBIAN_SETS]
        bed = cls(name, make(None, witness, mode, (sets or []) + more, DEBIAN, version))
        if bare:
            bed._make_or_nothing(lambda: bed._switch_on(say))
        else:
            bed._up(lambda: bed._make_whole(say), say)
        return bed

    def _switch_on(self, say: Callable[[str], None]) -> debian.SetUp:
        settings = self.settings
        self._settle()
        seeds = debian.Seeds(self.name, settings)
        say("building and installing pg_vrrp there")
        trees.install(settings.ini.get("lab", "release"), seeds.tree)
        seeds.make()
        self._spec(settings.host(places.CLIENT), seeds)
        say("switching on: " + " ".join(settings.hosts))
        switch.make(self.name, settings)
        self._boot(list(settings.hosts))
        first, second = (self.node(host.name) for host in settings.nodes())
        setup = debian.SetUp(settings, first, second, self.node(places.WITNESS))
        setup.existing()
        return setup

    def _make_whole(self, say: Callable[[str], None]) -> None:
        setup = self._switch_on(say)
        say("setting up, as README says")
        setup.all()
        if self.settings.has_record:
            witness.settle(self.node(places.WITNESS), self.settings)

    def logs(self, node: str | None = None, since_ms: float = 0) -> list[Line]:
        """The journals of the hosts that are on."""
        names = [node] if node else [host.name for host in self.settings.hosts.values()
                                     if host.kind != "client"]
        lines = [line for name in names if self.node(name).is_on() for line in self._journal(name, since_ms)]
        return sorted(lines, key=lambda line: line.boot_ms)

    def _journal(self, name: str, since_ms: float) -> list[Line]:
        behind_ms = time.time() * 1000 - boot_ms()
        since = f"--since=@{(since_ms + behind_ms) / 1000:.0f}"
        text = run(self.node(name).command(["journalctl", "-q", "-o", "json", since]), timeout=60, check=False)
        lines = []
        for entry in map(json.loads, text.splitlines()):
            at_ms = int(entry["__REALTIME_TIMESTAMP"]) / 1000
            message = entry.get("MESSAGE") or ""
            if isinstance(message, list):  # bytes that are no text
                message = bytes(message).decode("utf-8", "replace")
            wall = time.strftime("%F %T", time.localtime(at_ms / 1000)) + f".{at_ms % 1000:03.0f}"
            line = Line(wall, at_ms - behind_ms, name, LEVELS[int(entry.get("PRIORITY", 6))],
                        entry.get("SYSLOG_IDENTIFIER", "unknown"), int(entry.get("_PID", 0)), message)
            if line.boot_ms >= since_ms:
                lines.append(line)
        return lines
