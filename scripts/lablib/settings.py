# SPDX-License-Identifier: PostgreSQL
"""What the lab must know of a cluster's configuration: hosts, addresses, paths."""

import dataclasses
import ipaddress
import os
import re

from . import places
from .errors import CONFIG, LabError, USAGE
from .inifile import IniFile, parse_set

DEFAULT = """\
# A lab's cluster: the same file on every node.
[cluster]
name = main
vip = 10.77.0.100/24
interface = eth0
virtual_router_id = 51

[node n1]
address = 10.77.0.1

[node n2]
address = 10.77.0.2

[witness]
kind = ping
address = 10.77.0.3
ssh = yes

[postgresql]
port = 5432
version = {version}
data_dir = /var/lib/postgresql/{version}/main

[replication]
mode = async

[fencing]
methods = ssh, ssh-witness
unproven = refuse

[timing]
lease = 5s
"""

# Directories of a node that are its own; a path of the configuration elsewhere would be the host's.
OWN_DIRS = ("/etc/", "/var/lib/", "/var/log/postgresql/", "/run/", "/var/run/", "/root/")

# What is set up on the hosts (setups.py).  Its name is kept in [lab] of the lab's own file; pg_vrrp
# is not named, because that file then is the helpers' too.
PG_VRRP, TEXTBOOK = "pg_vrrp", "textbook"
# pg_vrrp again, on hosts with a real systemd and Debian's packages.
DEBIAN = "debian"
# What the bed alone needs is the last section: hosts do not get it.
DEBIAN_SETS = ["postgresql.config_file=/etc/postgresql/{version}/main/postgresql.conf",
               "lab.setup=" + DEBIAN, "lab.release={release}"]
# Of every other set-up: the role of a tutorial, and where it keeps the password.
OTHER_SETS = ["postgresql.role=replicator", "postgresql.passfile=/var/lib/postgresql/.pgpass"]


@dataclasses.dataclass
class Host:
    """One machine of the lab."""
    name: str
    kind: str            # node, witness, client
    address: str
    interface: str
    port: str            # its port on the switch
    mac: str
    ssh_port: int = 22
    listen_port: int = 0  # a TCP witness that is not sshd
    data_dir: str = ""    # of its server, where it has one
    agent_options: str = ""  # how the other node's agent switches it off


def newest_postgresql() -> str:
    base = "/usr/lib/postgresql"
    found = [name for name in (os.listdir(base) if os.path.isdir(base) else [])
             if name.isdecimal() and os.access(f"{base}/{name}/bin/initdb", os.X_OK)]
    if not found:
        raise LabError("no PostgreSQL server is installed below /usr/lib/postgresql",
                       "run scripts/install-deps first", CONFIG)
    # 15 is what the project is measured with; else the newest that is there.
    return "15" if "15" in found else max(found, key=int)


class Settings:
    def __init__(self, ini: IniFile):
        self.ini = ini
        self.cluster = ini.get("cluster", "name")
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.cluster):
            raise LabError(f"{ini.name}: [cluster] name is missing or not a name", code=CONFIG)
        self.setup = ini.get("lab", "setup", PG_VRRP)
        self.is_peer = self.setup not in (PG_VRRP, TEXTBOOK, DEBIAN)
        self.interface = ini.get("cluster", "interface", "eth0")
        try:
            self.vip = ipaddress.ip_interface(ini.get("cluster", "vip"))
        except ValueError as error:
            raise LabError(f"{ini.name}: [cluster] vip: {error}", code=CONFIG) from error
        self.run_dir = ini.get("cluster", "run_dir", f"/run/pg_vrrp/{self.cluster}")
        self.state_dir = ini.get("cluster", "state_dir", f"/var/lib/pg_vrrp/{self.cluster}")
        self._postgresql()
        self._fencing()
        self._hosts()
        self._check_paths()

    def _postgresql(self) -> None:
        get = self.ini.get
        self.port = self.ini.number("postgresql", "port", 5432)
        self.version = get("postgresql", "version")
        self.bin_dir = get("postgresql", "bin_dir", f"/usr/lib/postgresql/{self.version}/bin")
        self.data_dir = get("postgresql", "data_dir")
        if not self.version or not self.data_dir:
            raise LabError(f"{self.ini.name}: [postgresql] needs version and data_dir", code=CONFIG)
        # Hosts with a Debian of their own have its server, which may be another than this machine's.
        if self.setup != DEBIAN and not os.access(f"{self.bin_dir}/initdb", os.X_OK):
            raise LabError(f"there is no PostgreSQL server in {self.bin_dir}",
                           "install that version or set postgresql.bin_dir", CONFIG)
        self.config_file = get("postgresql", "config_file")
        self.socket_dir = get("postgresql", "socket_dir", "/var/run/postgresql")
        self.log_file = get("postgresql", "log_file")
        self.os_user = get("postgresql", "os_user", "postgres")
        self.role = get("postgresql", "role", "pgvrrp")
        self.passfile = get("postgresql", "passfile", f"/etc/pg_vrrp/{self.cluster}.pgpass")
        self.mode = get("replication", "mode", "async")

    def _fencing(self) -> None:
        get = self.ini.get
        self.ssh_key = get("fencing", "ssh_key", f"/etc/pg_vrrp/{self.cluster}.key")
        self.ssh_known_hosts = get("fencing", "ssh_known_hosts",
                                   f"/etc/pg_vrrp/{self.cluster}.known_hosts")
        self.ssh_user = get("fencing", "ssh_user", "root")
        self.agent = get("fencing", "agent")
        self.witness_kind = get("witness", "kind", "ping")
        if self.witness_kind == "etcd":
            raise LabError("a witness of kind etcd is not in this version",
                           "use --witness postgres, tcp or ping", CONFIG)
        self.witness_ssh = get("witness", "ssh", "no") == "yes"
        self.witness_ssh_user = get("witness", "ssh_user", "root")
        # Of a witness that keeps the record:
        self.has_record = self.witness_kind == "postgres"
        self.witness_port = self.ini.number("witness", "port", 5432)
        self.witness_database = get("witness", "database", "pgvrrp")
        self.witness_role = get("witness", "role", "pgvrrp")
        self.witness_passfile = get("witness", "passfile",
                                    f"/etc/pg_vrrp/{self.cluster}.witness.pgpass")
        self.witness_root = root_certificate(get("witness", "conninfo"))
        cluster = "main" if self.setup == DEBIAN else "witness"
        self.witness_data_dir = f"/var/lib/postgresql/{self.version}/{cluster}"

    def _hosts(self) -> None:
        ini = self.ini
        nodes = [section[5:] for section in ini.sections() if section.startswith("node ")]
        if len(nodes) != 2:
            raise LabError(f"{ini.name}: a cluster has two nodes, this has {len(nodes)}",
                           code=CONFIG)
        self.hosts: dict[str, Host] = {}
        for number, name in enumerate(nodes, 1):
            section = f"node {name}"
            self._add(Host(name, "node", self._address(ini.get(section, "address"), section),
                           ini.get(section, "interface", self.interface), f"p{number}",
                           f"02:00:00:00:00:{number:02x}", ini.number(section, "ssh_port", 22),
                           data_dir=self.data_dir,
                           agent_options=ini.get(section, "fence_agent_options")))
        witness = ini.get("witness", "address")
        self.witness_name = "" if _is_address(witness) else witness
        ssh_port = ini.number("witness", "ssh_port", 22)
        tcp_port = ini.number("witness", "port", 22) if self.witness_kind == "tcp" else 0
        self._add(Host(places.WITNESS, "witness", self._free(2) if self.witness_name else witness,
                       "eth0", "pw", "02:00:00:00:00:03", ssh_port,
                       0 if tcp_port == ssh_port else tcp_port,
                       self.witness_data_dir if self.has_record or self.is_peer else ""))
        self._add(Host(places.CLIENT, "client", self._free(1), "eth0", "pc", "02:00:00:00:00:04"))

    def bmc_address(self, node: str) -> str:
        """Of the board that switches the node on and off, where there is one."""
        number = [host.name for host in self.nodes()].index(node)
        return self._free(3 + number)

    def _address(self, text: str, section: str) -> str:
        if not _is_address(text):
            raise LabError(f'{self.ini.name}: [{section}] address "{text}" is not an address',
                           code=CONFIG)
        return text

    def _add(self, host: Host) -> None:
        if host.name in self.hosts:
            raise LabError(f'"{host.name}" is the name of two hosts', code=CONFIG)
        self.hosts[host.name] = host

    def _free(self, back: int) -> str:
        """An address of the VIP's network that nobody has, from the end."""
        taken = {host.address for host in self.hosts.values()} | {str(self.vip.ip)}
        candidate = self.vip.network.broadcast_address - back
        while str(candidate) in taken:
            candidate -= 1
        return str(candidate)

    def _check_paths(self) -> None:
        for what in ("run_dir", "state_dir", "data_dir", "config_file", "socket_dir", "log_file",
                     "passfile", "ssh_key", "ssh_known_hosts", "witness_passfile", "witness_root"):
            path = getattr(self, what)
            if path and not path.startswith(OWN_DIRS):
                raise LabError(f"{what} = {path}: a lab node has its own {', '.join(OWN_DIRS)} only",
                               "use --set to place it there for the lab", CONFIG)

    def entries(self) -> list[str]:
        """The addresses at which an application looks for whoever serves."""
        return [host.address for host in self.nodes()] if self.is_peer else [str(self.vip.ip)]

    def nodes(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.kind == "node"]

    def host(self, name: str) -> Host:
        """By name; n1 and n2 also mean the first and the second node of any configuration."""
        if name in self.hosts:
            return self.hosts[name]
        if name in ("n1", "n2"):
            return self.nodes()[int(name[1]) - 1]
        raise LabError(f'there is no host "{name}" in this lab',
                       f"hosts: {' '.join(self.hosts)}", 64)

    def ini_path(self) -> str:
        return f"/etc/pg_vrrp/{self.cluster}.ini"


def root_certificate(conninfo: str) -> str:
    """Where it expects the certificate of the CA; empty when it does not say."""
    for word in conninfo.split():
        name, _, value = word.partition("=")
        if name == "sslrootcert" and value.startswith("/"):
            return value
    return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


def _set_witness(ini: IniFile, kind: str) -> None:
    before = ini.get("witness", "kind", "ping")
    ini.set("witness", "kind", kind)
    if kind == "tcp" and not ini.get("witness", "port"):
        ini.set("witness", "port", "22")
    if kind == "postgres" and before != kind:
        if ini.get("witness", "port"):
            ini.set("witness", "port", "5432")
        if not ini.get("witness", "conninfo"):
            root = f"/etc/pg_vrrp/{ini.get('cluster', 'name')}.witness.crt"
            ini.set("witness", "conninfo", f"sslmode=verify-full sslrootcert={root}")


def make(config: str | None, witness: str | None, mode: str | None,
         sets: list[str], setup: str = PG_VRRP, version: str = "") -> Settings:
    """version: of PostgreSQL; by default the one that is installed here."""
    if setup not in (PG_VRRP, DEBIAN):
        if config is not None or witness is not None or sets:
            raise LabError("--config, --witness and --set are about pg_vrrp's configuration",
                           "of another set-up only --mode can be chosen", USAGE)
        sets = [f"lab.setup={setup}", *OTHER_SETS]
    if config is not None:
        try:
            with open(config, encoding="utf-8") as file:
                ini = IniFile(file.read(), config)
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"{config} cannot be read: {error}", code=CONFIG) from error
    else:
        ini = IniFile(DEFAULT.format(version=version or newest_postgresql()), "the lab's configuration")
    if witness is not None:
        _set_witness(ini, witness)
    if mode is not None:
        ini.set("replication", "mode", mode)
    for argument in sets:
        ini.set(*parse_set(argument))
    return Settings(ini)
