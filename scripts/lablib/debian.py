# SPDX-License-Identifier: PostgreSQL
"""pg_vrrp on hosts with a real systemd, put there by the commands of docs/operations.md, "Setting up by
hand", and those of README for a postgres witness.  Who changes the one changes the other.
"""

import glob
import os
import secrets

from . import golden, machine, places, seeds, trees
from .node import Node
from .run import run
from .settings import Host, Settings

STEP_LIMIT_S = 180.0
WITNESS_FILES = [("/etc/pg_vrrp/witness/{role}.pgpass", "witness_passfile", 0o600),
                 ("/etc/pg_vrrp/witness/ca.crt", "witness_root", 0o644)]

# What Debian's postgresql does when it is installed on a host.  Then the database that was there before: an
# application's, and the observers' way in (golden.py), who also read the journal.
EXISTING = """\
pg_createcluster {version} main >/dev/null
cd /etc/postgresql/{version}/main
echo "log_destination = 'stderr, syslog'" >conf.d/observers.conf
{{ cat <<'END'
{hba}END
cat pg_hba.conf; }} >new && cat new >pg_hba.conf && rm new
cat >>pg_ident.conf <<'END'
{ident}END
systemctl start postgresql@{version}-main
su postgres -c "psql -Xq -v ON_ERROR_STOP=1" <<'END'
{sql}END
"""

KEYS = """\
pg_vrrp cluster_config check --no-server
install -o postgres -m 600 /dev/null {passfile}
echo '*:*:*:{role}:{secret}' > {passfile}
ssh-keygen -q -t ed25519 -N '' -C pg_vrrp-{cluster} -f {key}
"""
LET_IN = """\
install -d -m 700 ~root/.ssh
pg_vrrp cluster_config authorized_keys {options} --key /root/OTHER.pub >>~root/.ssh/authorized_keys
rm /root/OTHER.pub
"""
CONFIGURE = """\
cd /etc/postgresql/{version}/main
pg_vrrp cluster_config postgresql > conf.d/pg_vrrp.conf
pg_vrrp cluster_config pg_hba | cat - pg_hba.conf > new && cat new > pg_hba.conf && rm new
pg_vrrp cluster_config pg_ident >> pg_ident.conf
"""
FIRST = """\
pg_vrrp cluster_config check
systemctl restart postgresql@{version}-main
su postgres -c "psql -X -q -v ON_ERROR_STOP=1" < <(pg_vrrp cluster_config sql)
su postgres -c "psql -X -q" <<'END'
ALTER ROLE {role} PASSWORD '{secret}'
END
"""
SECOND = """\
systemctl stop postgresql@{version}-main
rm -rf /var/lib/postgresql/{version}/main
su postgres -c "PGPASSFILE={passfile} \\
    pg_basebackup -d 'host={first} user={role} application_name={name}' -X stream -R \\
    -D /var/lib/postgresql/{version}/main"
pg_vrrp cluster_config check
"""
SYSTEMD = """\
echo manual > /etc/postgresql/{version}/main/start.conf
install -D -m 644 /usr/local/share/pg_vrrp/postgresql-gate.conf \\
    /etc/systemd/system/postgresql@{version}-main.service.d/pg_vrrp.conf
install -D -m 644 /usr/local/share/pg_vrrp/keepalived-restart.conf \\
    /etc/systemd/system/keepalived.service.d/pg_vrrp.conf
pg_vrrp cluster_config tmpfiles > /etc/tmpfiles.d/pg_vrrp-{cluster}.conf
systemd-tmpfiles --create pg_vrrp-{cluster}.conf
pg_vrrp cluster_config keepalived > /etc/keepalived/keepalived.conf
systemctl daemon-reload
"""
WITNESS = """\
cd /root
setup/witness-setup --restart --address {witness} --allow {first} --allow {second} --allow {vip} >/dev/null
"""
INTERFACES = """\
auto lo
iface lo inet loopback

auto {host.interface}
iface {host.interface} inet static
\taddress {host.address}/{prefix}
"""


class Seeds(seeds.Seeds):
    """Of a host with its own Debian only its identity; all else is done on it as on a real one."""

    def make(self) -> None:
        for host in self.settings.hosts.values():
            if host.kind == "client":
                self._files(host)
            else:
                self.identity(host)

    def data_from(self, host: Host) -> str:
        return ""

    def data_files(self, host: Host) -> dict[str, str]:
        return {}

    def identity(self, host: Host) -> None:
        top = places.node_dir(self.lab, host.name)
        machine.prepare(top, [self.tree, trees.get(self.settings.ini.get("lab", "release"))])
        etc = f"{machine.disk(top)}/etc"
        os.makedirs(f"{etc}/network")
        os.makedirs(f"{etc}/ssh")
        files = {"hosts": self._etc_hosts(), "hostname": host.name + "\n",
                 "network/interfaces": INTERFACES.format(
                     host=host, prefix=self.settings.vip.network.prefixlen)}
        for name, text in files.items():
            with open(f"{etc}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        run(["ssh-keygen", "-A", "-f", machine.disk(top)], timeout=STEP_LIMIT_S)


class SetUp:
    """A person with three hosts and README."""

    def __init__(self, settings: Settings, first: Node, second: Node, witness: Node):
        self.settings = settings
        self.first = first
        self.second = second
        self.witness = witness
        self.words = {
            "version": settings.version, "cluster": settings.cluster, "role": settings.role,
            "passfile": settings.passfile, "key": settings.ssh_key, "secret": secrets.token_hex(16),
            "first": first.host.address, "second": second.host.address, "name": second.name,
            "witness": witness.host.address, "vip": settings.vip.ip}

    def do(self, node: Node, script: str, **more: str) -> None:
        text = script.format(**self.words, **more)
        run(node.command(["/bin/bash", "-e", "-o", "pipefail", "-c", text]), timeout=STEP_LIMIT_S)

    def put(self, node: Node, path: str, text: str, mode: int = 0o644) -> None:
        """scp."""
        os.makedirs(node.path(os.path.dirname(path)), exist_ok=True)
        fd = os.open(node.path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def text(node: Node, path: str) -> str:
        with open(node.path(path), encoding="utf-8") as file:
            return file.read()

    def existing(self) -> None:
        hba = golden.HBA.format(network=self.settings.vip.network) + golden.ROOT_HBA
        self.do(self.first, EXISTING, hba=hba, ident=golden.ROOT_IDENT, sql=golden.SQL)
        self.do(self.second, EXISTING, hba=hba, ident=golden.ROOT_IDENT, sql="")
        if self.settings.has_record:
            self.do(self.witness, EXISTING, hba=golden.ROOT_HBA, ident=golden.ROOT_IDENT, sql="")

    def all(self) -> None:
        nodes = [self.first, self.second]
        ini = self.settings.ini.text_without("lab")
        for node in [*nodes, self.witness]:
            self.put(node, self.settings.ini_path(), ini)
        if self.settings.has_record:
            self.make_witness(nodes)
        for node in nodes:
            self.do(node, KEYS)
        self.trust(nodes)
        self.do(self.first, CONFIGURE + FIRST)
        self.do(self.second, CONFIGURE + SECOND)
        for node in nodes:
            self.do(node, SYSTEMD)
        for unit in (f"pg_vrrp-guard@{self.settings.cluster}", "keepalived"):
            for node in nodes:
                self.do(node, "systemctl enable --quiet --now " + unit)

    def make_witness(self, nodes: list[Node]) -> None:
        for path in glob.glob(f"{places.SCRIPTS}/setup/*"):
            with open(path, encoding="utf-8") as file:
                self.put(self.witness, f"/root/setup/{os.path.basename(path)}", file.read(),
                         os.stat(path).st_mode & 0o777)
        self.do(self.witness, WITNESS)
        for source, target, mode in WITNESS_FILES:
            text = self.text(self.witness, source.format(**self.words))
            for node in nodes:
                self.put(node, getattr(self.settings, target), text, mode)

    def trust(self, nodes: list[Node]) -> None:
        """What `cluster_config ssh` says: each node's key at the other one, and everybody's host keys."""
        hosts = [(node, "") for node in nodes]
        if self.settings.witness_ssh:
            hosts.append((self.witness, "--witness"))
        known = ""
        for host, options in hosts:
            for node in nodes:
                if node is not host:
                    self.put(host, "/root/OTHER.pub", self.text(node, self.settings.ssh_key + ".pub"))
                    self.do(host, LET_IN, options=options)
            known += run(host.command(["pg_vrrp", "cluster_config", "known_hosts", *options.split()]))
        for node in nodes:
            self.put(node, self.settings.ssh_known_hosts, known)
