# SPDX-License-Identifier: PostgreSQL
"""The database clusters that every lab begins with: made once, kept, copied.

The nodes' is made as a user would make it: initdb, the lines and the SQL that cluster_config prints,
a role for the application.  The witness's is initdb and a few lines; the rest is witness-setup's.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from . import kept
from .errors import LabError, SYSTEM
from .pgsession import ask_once, socket_dsn
from .run import CLEAN_ENV, run
from .settings import Settings

INITDB = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
          "--username=postgres"]

CONF = """\

# of the lab
log_destination = 'syslog, stderr'
logging_collector = off
log_min_messages = info
log_line_prefix = ''
syslog_sequence_numbers = off
syslog_split_messages = off
shared_buffers = 32MB
max_wal_size = 256MB
min_wal_size = 32MB
"""

HBA = """\
# of the lab: the application and the observers
local all lab trust
host all lab {network} trust
"""
# Root comes in as the superuser: a test asks from its own process, without starting psql.
ROOT_HBA = "local all postgres peer map=lab\n"
ROOT_IDENT = "lab root postgres\nlab postgres postgres\n"

SQL = """\
CREATE ROLE lab LOGIN;
GRANT pg_monitor, pg_read_server_files TO lab;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO lab;
CREATE SCHEMA lab AUTHORIZATION lab;
SET ROLE lab;
CREATE TABLE lab.rows (run text, n bigint, PRIMARY KEY (run, n));
CREATE TABLE lab.local_rows (run text, node text, n bigint, PRIMARY KEY (run, node, n));
RESET ROLE;
"""


# Small, as on a cheap third host.
WITNESS_CONF = CONF + """\
shared_buffers = 8MB
max_connections = 20
listen_addresses = '*'
unix_socket_directories = '/run/postgresql'
port = {port}
"""
# A thousand files, each synced by itself after a crash, take seconds on the disk of a lab.
WITNESS_CONF_14 = "recovery_init_sync_method = syncfs\n"
WITNESS_FILES = {"pg_hba.conf": ROOT_HBA, "pg_ident.conf": ROOT_IDENT}


class Golden:
    def __init__(self, directory: str):
        self.directory = directory
        self.data = f"{directory}/data"
        with open(f"{directory}/password", encoding="ascii") as file:
            self.password = file.read().strip()


def get(settings: Settings, conf: str, hba: str, ident: str, sql: str) -> Golden:
    """conf, hba, ident and sql: what cluster_config says for this configuration."""
    conf = conf + CONF
    hba = HBA.format(network=settings.vip.network) + ROOT_HBA + hba
    ident = ROOT_IDENT + ident
    version = run([f"{settings.bin_dir}/postgres", "-V"]).strip()
    parts = [version, *INITDB, conf, hba, ident, SQL, sql, settings.os_user, settings.role,
             str(bool(settings.config_file))]
    files = {"pg_hba.conf": hba, "pg_ident.conf": ident}
    return Golden(kept.get(parts, lambda new: _make(new, settings, conf, files, sql)))


def witness(settings: Settings) -> str:
    """The data directory that a witness's server begins with."""
    conf = WITNESS_CONF.format(port=settings.witness_port)
    version = run([f"{settings.bin_dir}/postgres", "-V"]).strip()
    if int(settings.version) >= 14:
        conf += WITNESS_CONF_14

    def make(new: str) -> None:
        data = _initdb(new, settings.bin_dir, "postgres", conf)
        _files(data, "postgres", WITNESS_FILES)
    return kept.get([version, *INITDB, conf, *WITNESS_FILES.values()], make) + "/data"


def _initdb(new: str, bin_dir: str, user: str, conf: str) -> str:
    data = f"{new}/data"
    os.mkdir(data, mode=0o700)
    shutil.chown(data, user, user)
    run([f"{bin_dir}/initdb", *INITDB, "--no-sync", "-D", data], user=user, timeout=120)
    with open(f"{data}/postgresql.conf", "a", encoding="utf-8") as file:
        file.write(conf)
    return data


def _files(data: str, user: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        with open(f"{data}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        shutil.chown(f"{data}/{name}", user, user)


def _make(new: str, settings: Settings, conf: str, files: dict[str, str], sql: str) -> None:
    data = _initdb(new, settings.bin_dir, settings.os_user, conf)
    password = secrets.token_hex(16)
    _as_a_server(settings, data, SQL + sql
                 + f"\nALTER ROLE \"{settings.role}\" PASSWORD '{password}';\n")
    _files(data, settings.os_user, files)
    fd = os.open(f"{new}/password", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(password + "\n")


def _as_a_server(settings: Settings, data: str, sql: str) -> None:
    """Runs sql on a server that nobody else can reach, and that dies with us."""
    user = settings.os_user
    with tempfile.TemporaryDirectory(prefix="pgv-golden-") as sockets:
        shutil.chown(sockets, user, user)
        options = {"listen_addresses": "", "unix_socket_directories": sockets, "fsync": "off",
                   "log_destination": "stderr", "synchronous_standby_names": "", "ssl": "off"}
        argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                "--pdeathsig=KILL", f"{settings.bin_dir}/postgres", "-D", data]
        argv += [f"--{name}={value}" for name, value in options.items()]
        with open(f"{sockets}/log", "wb") as log, \
             subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                              env=CLEAN_ENV) as server:
            try:
                _wait_for(server, socket_dsn(sockets, settings.port, "postgres"), log.name)
                run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", sockets, "-p",
                     str(settings.port), "-U", "postgres", "-d", "postgres", "-f", "-"], text=sql)
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(60)


def _wait_for(server: subprocess.Popen, dsn: str, log: str) -> None:
    limit = time.monotonic() + 60
    while ask_once(dsn, "SELECT 1") is None:
        if server.poll() is not None or time.monotonic() > limit:
            raise LabError("the first server of the lab does not start", _tail(log), SYSTEM)
        time.sleep(0.02)


def _tail(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-5:]).strip()
    except OSError:
        return ""
