# SPDX-License-Identifier: PostgreSQL
"""What is set up on the hosts of a lab: pg_vrrp, or what it replaces.  Chosen at `up`, and remembered
in the lab's own configuration file."""

import os

from . import peers, person, places, textbook, witness
from .errors import CONFIG, LabError
from .node import Node
from .run import run
from .seeds import LIBEXEC, Seeds
from .settings import DEBIAN, TEXTBOOK, Host, Settings

SSHD = peers.SSHD
# As in Debian's unit: a keepalived that died stays dead until somebody starts it.
KEEPALIVED = {"name": "keepalived", "argv": ["/usr/sbin/keepalived", "-n"], "restart": None}


class PgVrrp:
    """The helpers do everything: nobody is needed after a fault."""
    seeds = Seeds

    def __init__(self, settings: Settings):
        self.settings = settings

    def install(self, tree: str) -> None:
        """`make install` into the lab's own tree, so that a rebuild does not change a running lab."""
        build = os.environ.get("PGV_BUILD")
        argv = ["make", "-s", "-j2", "-C", places.SOURCE, "install", f"DESTDIR={tree}",
                "prefix=/usr/local"] + ([f"BUILD={build}"] if build else [])
        # Else they would be built anew, without the sanitizers that a test has built them with.
        argv += [f"SANITIZE={os.environ['PGV_SANITIZE']}"] if "PGV_SANITIZE" in os.environ else []
        try:
            run(argv, timeout=600)
        except LabError as error:
            raise LabError(f"the helpers cannot be built: {error}", code=CONFIG) from error

    def services(self, host: Host) -> list[dict]:
        if host.kind == "client":
            return []
        if host.kind == "witness":
            return [SSHD, witness.service(self.settings)] if self.settings.has_record else [SSHD]
        guard = [f"{LIBEXEC}/fence_self", "--watch", "-c", self.settings.ini_path()]
        return [
            SSHD,
            # As in scripts/systemd: the guard comes back, whatever ended it.
            {"name": "guard", "argv": guard, "restart": 0.1},
            {**KEEPALIVED, "after": f"{self.settings.run_dir}/serving"},
        ]

    def begin(self, _nodes: list[Node]) -> None:
        """What the first start needs of a person: nothing."""

    def heal(self, hosts: list[Node]) -> None:
        """Every daemon runs again."""
        for host in hosts:
            for service in host.order("pids"):
                host.order(f"start {service}")

    def by_hand(self, _nodes: list[Node], _comes_after_s: float) -> list[str]:
        """What a person does after that: nothing."""
        return []


class Textbook:
    """keepalived, bash and psql.  A server that is down may not just be started, so that after a fault
    a person puts it in order."""
    seeds = textbook.Seeds

    def __init__(self, settings: Settings):
        self.settings = settings

    def install(self, _tree: str) -> None:
        """Nothing: its scripts are files of its configuration."""

    def services(self, host: Host) -> list[dict]:
        if host.kind == "client":
            return []
        if host.kind == "witness":
            return [SSHD]
        socket = f"{self.settings.socket_dir}/.s.PGSQL.{self.settings.port}"
        server = witness.server(self.settings.bin_dir, self.settings.os_user, host.data_dir)
        return [SSHD, server, {**KEEPALIVED, "after": socket, "patience": 10}]

    def begin(self, nodes: list[Node]) -> None:
        person.Person(self.settings, nodes).begin()

    def heal(self, hosts: list[Node]) -> None:
        for host in hosts:
            for service in (SSHD, KEEPALIVED):
                host.order(f"start {service['name']}")

    def by_hand(self, nodes: list[Node], comes_after_s: float) -> list[str]:
        return person.Person(self.settings, nodes).put_in_order(comes_after_s)


class Debian(PgVrrp):
    """The same on hosts with a real systemd, which keeps the daemons (hosts.py makes such a lab)."""

    def heal(self, hosts: list[Node]) -> None:
        daemons = {"node": ["ssh", f"pg_vrrp-guard@{self.settings.cluster}", "keepalived"],
                   "witness": ["ssh", f"postgresql@{self.settings.version}-main"], "client": []}
        for host in hosts:
            if units := daemons[host.host.kind]:
                run(host.command(["systemctl", "start", *units]))


def restart(settings: Settings, host: Node, service: str) -> None:
    """As a person does it: by systemd, where there is one."""
    if settings.setup != DEBIAN:
        host.order(f"restart {service}")
        return
    unit = {witness.SERVICE: f"postgresql@{settings.version}-main", "sshd": "ssh",
            "guard": f"pg_vrrp-guard@{settings.cluster}"}.get(service, service)
    run(host.command(["systemctl", "restart", unit]), timeout=60)


def of(settings: Settings) -> PgVrrp | Textbook | peers.Peer:
    if settings.is_peer:
        return peers.of(settings)
    return {TEXTBOOK: Textbook, DEBIAN: Debian}.get(settings.setup, PgVrrp)(settings)
