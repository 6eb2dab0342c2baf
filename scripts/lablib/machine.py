# SPDX-License-Identifier: PostgreSQL
"""A host with a real systemd as pid 1, booted by systemd-nspawn from a tree of Debian.

A process of its own is the host's hardware: it plugs in the cable, boots, boots again after `reboot`, and
pulls the cable out when the host is off.  Whoever looks at a node of a lab sees such a host the same way,
because the pid that is written down is that of its pid 1.
"""

import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lablib import kernel, places, switch  # noqa: E402
from lablib.errors import LabError, SYSTEM  # noqa: E402
from lablib.inifile import IniFile  # noqa: E402
from lablib.run import CLEAN_ENV  # noqa: E402
from lablib.settings import Host, Settings  # noqa: E402

BOOT_LIMIT_S = 120.0
REBOOT = 133          # nspawn's exit code when the host asks for it
FIRMWARE_S = 1.0      # between the end of a kernel and the next one's begin
STOP_S = 5.0
LOOK_S = 0.1
# systemd wants the named hierarchy for itself, or the one for everything.
HIERARCHIES = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
NSPAWN = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3",
          "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only",
          "--capability=CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_SYSLOG"]
# The host sees cgroup v2 alone, as Debian has it.
NSPAWN_ENV = {**CLEAN_ENV, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
CONSOLE_LINES = 3


def is_one(node_dir: str) -> bool:
    return os.path.exists(f"{node_dir}/machine.json")


def prepare(node_dir: str, lowers: list[str]) -> None:
    """lowers: the directories that its disk is made of, the uppermost first; what it writes is its own."""
    for name in ("root", "disk", "work"):
        os.makedirs(f"{node_dir}/{name}", exist_ok=True)
    with open(f"{node_dir}/machine.json", "w", encoding="utf-8") as file:
        json.dump({"lowers": lowers}, file)


def disk(node_dir: str) -> str:
    """What the host has beside the tree.  Write to it while the host is off."""
    return f"{node_dir}/disk"


# ---- from outside ----

def boot_begin(lab: str, name: str) -> int:
    """Power on.  The descriptor says "ready\\n" when multi-user.target is reached, or else why not."""
    reading, writing = os.pipe()
    # setsid --fork: it outlives whoever switched it on, and leaves him no child to wait for.
    subprocess.run(["/usr/bin/setsid", "--fork", "/usr/bin/python3", "-B", os.path.abspath(__file__),
                    lab, name, str(writing)],
                   pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=CLEAN_ENV, cwd="/", check=True)
    os.close(writing)
    return reading


def hardware_off(node_dir: str) -> None:
    """It boots no more; what runs in the host goes on, and dies with its pid 1."""
    identity = _read(f"{node_dir}/keeper")
    if identity:
        kernel.kill_exactly(*identity, signal.SIGKILL)


def wait_off(node_dir: str) -> None:
    """Until nspawn has ended: only then may the same disk be booted again."""
    identity = _read(f"{node_dir}/nspawn")
    limit = time.monotonic() + STOP_S
    while identity and kernel.alive(*identity):
        if time.monotonic() > limit:
            kernel.kill_exactly(*identity, signal.SIGKILL)
        time.sleep(0.02)


def enter(pid: int, argv: list[str]) -> list[str]:
    """argv inside the host, in a scope of its own as a login has it: what it starts outlives it."""
    return ["nsenter", "--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
            "--wdns=/", "--", "systemd-run", "--scope", "--quiet", "--collect", "--description=a person",
            "--", *argv]


def remove_groups(lab: str) -> None:
    """When its hosts are no more."""
    for top in HIERARCHIES:
        for entry in os.listdir(top) if os.path.isdir(top) else []:
            if entry.rpartition("-")[0] == places.PREFIX + lab:
                _remove_group(f"{top}/{entry}")


def _remove_group(path: str) -> None:
    for directory, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass  # not empty yet, or gone by itself


def _write_identity(path: str, pid: int) -> None:
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{pid} {kernel.started_at(pid)}\n")
    os.rename(path + ".new", path)


def _read(path: str) -> tuple[int, int] | None:
    try:
        with open(path, encoding="ascii") as file:
            pid, started = (int(word) for word in file.read().split())
    except (OSError, ValueError):
        return None
    return pid, started


# ---- the hardware ----

class Keeper:
    def __init__(self, lab: str, host: Host, ready: int):
        self.lab = lab
        self.host = host
        self.ready = ready
        self.dir = places.node_dir(lab, host.name)
        with open(f"{self.dir}/machine.json", encoding="utf-8") as file:
            self.spec = json.load(file)

    def run(self) -> None:
        _write_identity(f"{self.dir}/keeper", os.getpid())
        while True:
            switch.plug(self.lab, self.host)
            self._sysctl()
            code = self._run_once()
            # A namespace with an address answers for it, though nothing runs there any more.
            switch.unplug(self.lab, self.host)
            if code != REBOOT:
                self._say(f"the host went off, exit code {code} of nspawn")
                return
            time.sleep(FIRMWARE_S)

    def _sysctl(self) -> None:
        """As systemd sets it where it may."""
        subprocess.run(["ip", "netns", "exec", places.netns(self.lab, self.host.name), "sysctl", "-q", "-w",
                        "net.ipv4.ping_group_range=0 2147483647"], env=CLEAN_ENV, check=False)

    def _say(self, text: str) -> None:
        if self.ready >= 0:
            os.write(self.ready, f"{text}\n".encode())
            os.close(self.ready)
            self.ready = -1

    def _run_once(self) -> int:
        """Boots; returns when the host is off."""
        nspawn = os.fork()
        if nspawn == 0:
            try:
                self._become_nspawn()
            except BaseException as error:  # noqa: B036 - a forked child must never return
                print(f"{self.host.name}: {error}", flush=True)
            os._exit(70)
        _write_identity(f"{self.dir}/nspawn", nspawn)
        leader = 0
        while True:
            ended, status = os.waitpid(nspawn, os.WNOHANG if self.ready >= 0 or not leader else 0)
            if ended:
                return os.waitstatus_to_exitcode(status)
            leader = leader or self._leader(nspawn)
            if leader and self.ready >= 0 and _booted(leader):
                self._say("ready")
            time.sleep(LOOK_S)

    def _leader(self, nspawn: int) -> int:
        """The host's pid 1, as soon as there is one."""
        try:
            with open(f"/proc/{nspawn}/task/{nspawn}/children", encoding="ascii") as file:
                children = [int(word) for word in file.read().split()]
            for pid in children:
                with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                    inner = next(line for line in file if line.startswith("NSpid:")).split()[1:]
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    if len(inner) == 2 and inner[1] == "1" and file.read() == "systemd\n":
                        _write_identity(f"{self.dir}/pid", pid)
                        return pid
        except (OSError, StopIteration):
            pass  # it ended meanwhile
        return 0

    def _become_nspawn(self) -> None:
        null, log = os.open("/dev/null", os.O_RDONLY), f"{self.dir}/console.log"
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for fd, target in ((null, 0), (out, 1), (out, 2)):
            os.dup2(fd, target)
        os.closerange(3, 4096)
        # The disk is mounted for this host alone, so nothing of it stays behind.
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SLAVE)
        kernel.mount("overlay", f"{self.dir}/root", "overlay", data=",".join([
            "lowerdir=" + ":".join(self.spec["lowers"]), f"upperdir={self.dir}/disk",
            f"workdir={self.dir}/work", "redirect_dir=on"]))  # else a directory of the tree could not be renamed
        name = f"{places.PREFIX}{self.lab}-{self.host.name}"
        _own_group(name)
        argv = [*NSPAWN, "--directory", f"{self.dir}/root", "--machine", name, "--hostname", self.host.name,
                f"--network-namespace-path={places.netns_path(self.lab, self.host.name)}"]
        os.execvpe(argv[0], argv, NSPAWN_ENV)


def _own_group(name: str) -> None:
    """Two hosts started in one group would share nspawn's "payload", and their units with it."""
    for top in HIERARCHIES:
        if os.path.exists(f"{top}/cgroup.procs"):
            group = f"{top}/{name}"
            os.makedirs(group, exist_ok=True)
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))


def try_boot(tree: str) -> None:
    """Boots the tree as a host that keeps nothing, runs a command by its systemd, and goes off; a LabError
    with the end of what the console said when that was not done."""
    lab = f"boot{os.getpid()}"
    name = f"{places.PREFIX}{lab}-try"
    argv = [*NSPAWN, "--directory", tree, "--volatile=overlay", "--machine", name, "--private-network",
            "systemd.run=/bin/true", "systemd.run_success_action=exit", "systemd.run_failure_action=exit"]
    try:
        done = subprocess.run(argv, env=NSPAWN_ENV, preexec_fn=lambda: _own_group(name), cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=BOOT_LIMIT_S, check=False)
        code, said = f"exit code {done.returncode}", done.stdout
    except subprocess.TimeoutExpired as error:
        code, said = f"no end within {BOOT_LIMIT_S:g} s", (error.stdout or b"").decode("utf-8", "replace")
    finally:
        remove_groups(lab)
    if code != "exit code 0":
        last = [line.strip() for line in said.splitlines() if line.strip()][-CONSOLE_LINES:]
        raise LabError(f"{code}; the console ends with: {' | '.join(last) or 'nothing'}", code=SYSTEM)


def _booted(leader: int) -> bool:
    done = subprocess.run(["nsenter", "--target", str(leader), "--mount", "--net", "--pid", "--wdns=/", "--",
                           "systemctl", "is-active", "--quiet", "multi-user.target"],
                          capture_output=True, env=CLEAN_ENV, check=False)
    return done.returncode == 0


def main() -> None:
    lab, name, ready = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        with open(f"{places.lab_dir(lab)}/lab.ini", encoding="utf-8") as file:
            settings = Settings(IniFile(file.read(), "lab.ini"))
        Keeper(lab, settings.host(name), ready).run()
    except (LabError, OSError) as error:
        os.write(ready, f"{error}\n".encode())
        sys.exit(1)


if __name__ == "__main__":
    main()
