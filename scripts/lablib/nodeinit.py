# SPDX-License-Identifier: PostgreSQL
"""pid 1 of a node: mounts, network, syslog, sshd, guard, keepalived; reaps whatever dies.

It stands for systemd on a real host and takes no part in any decision.  PostgreSQL is not its
business: the guard starts it through rejoin, as on a real host.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lablib import nodemounts, syslog  # noqa: E402
from lablib.kernel import boot_ms  # noqa: E402
from lablib.service import Service  # noqa: E402

CONTROL = "/run/lab.sock"
# Datagrams for the log: as many as may wait, and as are taken before something else gets a turn.
TAKEN_AT_ONCE = 512


class Init:
    def __init__(self, spec: dict, log_fd: int):
        self.spec = spec
        self.node = spec["node"]
        self.log_fd = log_fd
        self.poll = select.poll()
        self.services = [Service(**service) for service in spec["services"]]
        self.readers: dict[int, str] = {}
        self.listeners: dict[int, socket.socket] = {}
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.wake = wake_read
        self.poll.register(wake_read, select.POLLIN)

    def write(self, *lines: str) -> None:
        os.write(self.log_fd, ("\n".join(lines) + "\n").encode("utf-8", "replace"))

    def say(self, text: str, level: str = "info") -> None:
        self.write(f"{syslog.stamp()} {self.node} {level} init[1]: {text}")

    def listen(self) -> None:
        with open("/proc/sys/net/unix/max_dgram_qlen", "w", encoding="ascii") as file:
            file.write(f"{TAKEN_AT_ONCE}\n")  # a burst must not make a helper wait for its log
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.syslog.setblocking(False)
        self.poll.register(self.syslog, select.POLLIN)
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.bind(CONTROL)
        os.chmod(CONTROL, 0o600)
        self.control.listen(8)
        self.poll.register(self.control, select.POLLIN)
        for port in self.spec["listen_ports"]:
            family = socket.AF_INET6 if ":" in self.spec["address"] else socket.AF_INET
            listener = socket.create_server((self.spec["address"], port), family=family)
            self.listeners[listener.fileno()] = listener
            self.poll.register(listener, select.POLLIN)

    def run(self) -> None:
        while True:
            self.start_due()
            for fd, _ in self.poll.poll(self.pause_ms()):
                if fd == self.wake:
                    self.reap()
                elif fd == self.syslog.fileno():
                    self.take_syslog()
                elif fd == self.control.fileno():
                    self.take_command()
                elif fd in self.listeners:
                    self.listeners[fd].accept()[0].close()
                else:
                    self.take_output(fd)

    def pause_ms(self) -> float | None:
        now = boot_ms()
        due = [service.due_ms for service in self.services
               if service.pid == 0 and service.due_ms is not None]
        if not due:
            return None
        # One that waits for a file is looked at every 20 ms.
        return max(min(due) - now, 20)

    def start_due(self) -> None:
        for service in self.services:
            if not service.ready(boot_ms()):
                continue
            try:
                service.start()
            except OSError as error:
                self.say(f"{service.name} cannot be started: {error}", "err")
                continue
            self.readers[service.output] = service.name
            self.poll.register(service.output, select.POLLIN | select.POLLHUP)
            self.say(f"started {service.name}, pid {service.pid}")

    def reap(self) -> None:
        try:
            os.read(self.wake, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for service in self.services:
                if service.pid == pid:
                    code = os.waitstatus_to_exitcode(status)
                    service.ended()
                    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                    self.say(f"{service.name}, pid {pid}, ended {how}", "warning")

    def take_syslog(self) -> None:
        lines: list[str] = []
        for _ in range(TAKEN_AT_ONCE):
            try:
                packet = self.syslog.recv(65536)
            except BlockingIOError:
                break
            lines += syslog.packet_to_lines(packet, self.node, syslog.stamp())
        if lines:
            self.write(*lines)

    def take_output(self, fd: int) -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        if not data:
            self.poll.unregister(fd)
            os.close(fd)
            del self.readers[fd]
            return
        now, name = syslog.stamp(), self.readers[fd]
        text = data.decode("utf-8", "replace").rstrip("\n")
        self.write(*[f"{now} {self.node} info {name}: {line}" for line in text.split("\n")])

    def take_command(self) -> None:
        """One line: "pids", "log", "start NAME", "stop NAME" or "restart NAME"; one line of JSON
        comes back."""
        connection, _ = self.control.accept()
        with connection:
            connection.settimeout(1)
            try:
                words = connection.recv(256).decode().split()
                connection.sendall(json.dumps(self.obey(words)).encode() + b"\n")
            except (OSError, UnicodeDecodeError) as error:
                self.say(f"control: {error}", "warning")

    def obey(self, words: list[str]) -> dict:
        by_name = {service.name: service for service in self.services}
        if words == ["pids"]:
            return {service.name: {"pid": service.pid, "starts": service.starts}
                    for service in self.services}
        if words == ["log"]:
            self.take_syslog()
            return {"ok": True}
        if len(words) == 2 and words[1] in by_name:
            service = by_name[words[1]]
            deeds = {"start": service.want, "stop": service.stop, "restart": service.cycle}
            if words[0] in deeds:
                deeds[words[0]]()
                return {"ok": True}
        return {"ok": False, "error": f"not understood: {' '.join(words)}"}


def network(spec: dict) -> None:
    commands = ["link set lo up"]
    sysctls = {"net/ipv4/ping_group_range": "0 2147483647",  # as systemd sets it on Debian
               f"net/ipv6/conf/{spec['interface']}/accept_dad": "0"}
    for name, value in sysctls.items():
        try:
            with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
                file.write(value)
        except FileNotFoundError:
            pass  # a kernel without IPv6
    commands += [f"link set {spec['interface']} up",
                 f"addr add {spec['address']}/{spec['prefix']} dev {spec['interface']}"
                 + (" nodad" if ":" in spec["address"] else "")]
    commands += [f"route replace {address} dev {spec['interface']}" for address in spec["routes"]]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True,
                   capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    ready = int(sys.argv[2])
    log_fd = os.open(spec["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    os.dup2(log_fd, 2)
    try:
        socket.sethostname(spec["node"])
        nodemounts.build(spec)
        network(spec)
        init = Init(spec, log_fd)
        init.listen()
        init.say(f"{spec['kind']} {spec['node']} boots")
        os.write(ready, b"ready\n")
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or ""
        os.write(ready, f"{error} {said}\n".encode())
        sys.exit(1)
    os.close(ready)
    os.chdir("/")
    init.run()


if __name__ == "__main__":
    main()
