# SPDX-License-Identifier: PostgreSQL
"""keepalived + bash + psql, as tutorials teach them: the files are in tests/faults/textbook, and this
puts them on the nodes.  The person who looks after such a set-up is in person.py."""

import os
import re

from . import places, seeds
from .settings import Host

SOURCE = f"{places.SOURCE}/tests/faults/textbook"
SCRIPTS = "/etc/keepalived"


def render(name: str, words: dict[str, str]) -> str:
    with open(f"{SOURCE}/{name}", encoding="utf-8") as file:
        return re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], file.read())


class Seeds(seeds.Seeds):
    def _words(self) -> dict[str, str]:
        settings = self.settings
        return {"PGPORT": str(settings.port), "SOCKET_DIR": settings.socket_dir,
                "REPLICATOR": settings.role, "NETWORK": str(settings.vip.network),
                "SYNC_NAMES": "*" if settings.mode == "sync" else ""}

    def database(self) -> list[str]:
        words = self._words()
        conf, hba, sql = (render(name, words)
                          for name in ("postgresql.conf", "pg_hba.conf", "role.sql"))
        return [conf, hba, "", sql]

    def setup_files(self, host: Host) -> None:
        if host.kind != "node":
            return
        settings = self.settings
        first, second = settings.nodes()
        words = {
            **self._words(), "NODE": host.name, "PRIORITY": "101" if host is first else "100",
            "INTERFACE": host.interface, "VIP": str(settings.vip),
            "ROUTER_ID": settings.ini.get("cluster", "virtual_router_id", "51"),
            "PGBIN": settings.bin_dir, "PGDATA": settings.data_dir,
            "PEER": second.address if host is first else first.address,
            # The third host stands for the gateway.
            "GATEWAY": settings.hosts[places.WITNESS].address,
        }
        for name in sorted(os.listdir(SOURCE)):
            if name.endswith((".sh", ".env")) or name == "keepalived.conf":
                self.write(host, f"{SCRIPTS}/{name}", render(name, words),
                           0o755 if name.endswith(".sh") else 0o644)
