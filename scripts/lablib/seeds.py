# SPDX-License-Identifier: PostgreSQL
"""What each host's disk begins with: files of the configuration, keys, and on nodes the database."""

import os
import pwd

from . import bmc, golden, keys, places, shim, tls
from .errors import CONFIG, LabError
from .run import complaint, run
from .settings import Host, Settings

LIBEXEC = "/usr/local/libexec/pg_vrrp"


class Seeds:
    """Everything is made below the lab's directory; pid 1 of each host copies it at first boot."""

    def __init__(self, lab: str, settings: Settings):
        self.lab = lab
        self.settings = settings
        self.top = places.lab_dir(lab)
        self.tree = f"{self.top}/tree"
        self.ini = f"{self.top}/{settings.cluster}.ini"
        self.keys = f"{self.top}/keys"

    def make(self) -> None:
        conf, hba, ident, sql = self.database()
        if tls.wanted(self.settings):
            tls.make(f"{self.top}/tls", self.settings)
            conf += tls.CONF
        self.base = golden.get(self.settings, conf, hba, ident, sql)
        self.witness_data = golden.witness(self.settings) if self.settings.has_record else ""
        if bmc.wanted(self.settings):
            bmc.prepare(self.lab, self.settings)
        hosts = self.settings.hosts.values()
        keys.make(self.keys, [host.name for host in hosts if host.kind != "client"])
        for host in hosts:
            self._files(host)

    def database(self) -> list[str]:
        """Lines for postgresql.conf, pg_hba.conf and pg_ident.conf, and SQL.  A server that this
        machine may have is none of a lab's."""
        with open(self.ini, "w", encoding="utf-8") as file:
            file.write(self.settings.ini.text())
        self._check()
        return [self.config("postgresql", "--no-server"),
                *(self.config(part) for part in ("pg_hba", "pg_ident", "sql"))]

    def _check(self) -> None:
        """The helpers' own reader has the last word on the configuration, in its own words."""
        said = complaint([f"{self.tree}{LIBEXEC}/cluster_config", "-c", self.ini, "check",
                          "--no-server"])
        if said:
            lines = [line.removeprefix("HINT:").strip() for line in said.splitlines()[:2]]
            raise LabError(lines[0].replace(self.ini, self.settings.ini.name),
                           lines[1] if len(lines) > 1 else "", CONFIG)

    def config(self, part: str, *options: str) -> str:
        """What cluster_config prints.  It is asked here and now, so it names the file where it is
        here, and not where the nodes have it."""
        program = f"{self.tree}{LIBEXEC}/cluster_config"
        text = run([program, "-c", self.ini, part, *options])
        return text.replace(os.path.realpath(self.ini), self.settings.ini_path())

    # ---- files of one host ----

    def write(self, host: Host, path: str, text: str, mode: int = 0o644,
              owner: str = "root") -> None:
        target = f"{places.node_dir(self.lab, host.name)}/seed{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)
        user = pwd.getpwnam(owner)
        os.chown(target, user.pw_uid, user.pw_gid)

    def _files(self, host: Host) -> None:
        os.makedirs(places.node_dir(self.lab, host.name), exist_ok=True)
        self.write(host, "/etc/hosts", self._etc_hosts())
        self.write(host, "/etc/hostname", host.name + "\n")
        if host.kind == "client":
            return
        if shim.is_in(self.tree):
            for path, text in shim.seeds().items():
                self.write(host, path, text)
        self.write(host, "/etc/ssh/sshd_config", keys.SSHD_CONFIG.format(port=host.ssh_port))
        with open(f"{self.keys}/{host.name}.host", encoding="ascii") as file:
            self.write(host, "/etc/ssh/lab_host_key", file.read(), 0o600)
        if host.kind == "node":
            self.write(host, self.settings.passfile,
                       f"*:*:*:{self.settings.role}:{self.base.password}\n",
                       0o600, self.settings.os_user)
        self.setup_files(host)

    def setup_files(self, host: Host) -> None:
        """What the set-up has on a node or on the witness."""
        self.write(host, self.settings.ini_path(), self.settings.ini.text())
        self._authorized(host)
        if host.kind == "node":
            self._node_files(host)

    def _authorized(self, host: Host) -> None:
        """The two nodes' keys, each with the one command that cluster_config allows it."""
        witness = host.kind == "witness"
        if witness and not self.settings.witness_ssh:
            return
        user = self.settings.witness_ssh_user if witness else self.settings.ssh_user
        where = ["--witness"] if witness else ["-n", host.name]
        lines = "".join(
            self.config("authorized_keys", *where, "--key", f"{self.keys}/{node.name}.pub")
            for node in self.settings.nodes() if node.name != host.name)
        home = pwd.getpwnam(user).pw_dir
        self.write(host, f"{home}/.ssh/authorized_keys", lines, 0o600, user)

    def data_from(self, host: Host) -> str:
        """The database cluster that its disk begins with; empty: none."""
        return {"node": self.base.data, "witness": self.witness_data}.get(host.kind, "")

    def for_nodes(self, files: dict[str, str]) -> None:
        """What the witness made for the nodes, before they boot; a secret is root's alone."""
        for host in self.settings.nodes():
            for path, text in files.items():
                self.write(host, path, text, 0o644 if path.endswith(".crt") else 0o600)

    def data_files(self, host: Host) -> dict[str, str]:
        """What is added to the copied database: the second node begins as a standby."""
        nodes = self.settings.nodes()
        if host.kind != "node" or host.name == nodes[0].name:
            return {}
        conninfo = (f"host={nodes[0].address} port={self.settings.port} user={self.settings.role} "
                    f"passfile={self.settings.passfile} application_name={host.name}")
        return {"standby.signal": "",
                "postgresql.auto.conf": f"primary_conninfo = '{conninfo}'\n"}

    def _node_files(self, host: Host) -> None:
        settings = self.settings
        with open(f"{self.keys}/{host.name}", encoding="ascii") as file:
            self.write(host, settings.ssh_key, file.read(), 0o600)
        self.write(host, settings.ssh_known_hosts, keys.known_hosts(self.keys, settings))
        self.write(host, "/etc/keepalived/keepalived.conf",
                   self.config("keepalived", "-n", host.name))
        if bmc.wanted(settings):
            for path, text, mode in bmc.node_files(self.lab, settings):
                self.write(host, path, text, mode)
        if settings.config_file:
            self._outside_configuration(host)
        if tls.wanted(settings):
            self._certificates(host)

    def _certificates(self, host: Host) -> None:
        files = {"server.crt": tls.SERVER_CERT, "server.key": tls.SERVER_KEY,
                 "ca.crt": tls.root_path(self.settings)}
        for name, target in files.items():
            if target:
                with open(f"{self.top}/tls/{name}", encoding="ascii") as file:
                    secret = name.endswith(".key")
                    self.write(host, target, file.read(), 0o600 if secret else 0o644,
                               self.settings.os_user if secret else "root")

    def _outside_configuration(self, host: Host) -> None:
        """Where postgresql.conf is not in the data directory, as Debian has it."""
        directory = os.path.dirname(self.settings.config_file)
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            with open(f"{self.base.data}/{name}", encoding="utf-8") as file:
                text = file.read()
            target = f"{directory}/{name}"
            if name == "postgresql.conf":
                target = self.settings.config_file
                text += (f"data_directory = '{self.settings.data_dir}'\n"
                         f"hba_file = '{directory}/pg_hba.conf'\n"
                         f"ident_file = '{directory}/pg_ident.conf'\n")
            self.write(host, target, text, 0o640, self.settings.os_user)

    def _etc_hosts(self) -> str:
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        for host in self.settings.hosts.values():
            names = host.name
            if host.kind == "witness" and self.settings.witness_name:
                names += " " + self.settings.witness_name
            lines.append(f"{host.address} {names}")
        return "\n".join(lines) + "\n"
