# SPDX-License-Identifier: PostgreSQL
"""Nobody manages anything: two servers, one streams from the other.  What the others cost is what they
cost more than this."""

from ..settings import Host
from .base import Peer


class Plain(Peer):
    NAME, TITLE = "plain", "streaming alone"
    SETTINGS = {"default": "no manager: a failover is a person's"}
    RETURNS = COPIES = False

    def texts(self) -> tuple[str, str]:
        conf, hba = super().texts()
        return conf + ("synchronous_standby_names = '*'\n" if self.settings.mode == "sync" else ""), hba

    def node_services(self, host: Host) -> list[dict]:
        return [self.server(host.data_dir)]
