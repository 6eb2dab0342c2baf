# SPDX-License-Identifier: PostgreSQL
"""What scenarios break by hand: files, directories, configurations.  Each repairs what it broke."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

from scenario import Scenario

LOOK_S = 0.05  # from look to look: one that never pauses keeps a processor busy
WAYS = ("missing", "empty", "binary", "truncated", "directory")


def damage(path: str, way: str) -> None:
    """Puts garbage in the place of a file, as one who does not know of rename would."""
    text = b""
    with contextlib.suppress(FileNotFoundError):
        with open(path, "rb") as file:
            text = file.read()
        os.unlink(path)
    if way == "missing":
        return
    if way == "directory":
        put_directory(path)
        return
    data = {"empty": b"", "binary": bytes(range(256)), "truncated": text[:len(text) // 2]}[way]
    with open(path, "wb") as file:
        file.write(data)


def put_directory(path: str) -> None:
    """The guard may write the file again between the moment it is taken away and the next one."""
    aside = f"{path}.aside"
    os.makedirs(f"{aside}/in-the-way")
    for _ in range(100):
        try:
            os.rename(aside, path)
            return
        except NotADirectoryError:
            os.unlink(path)
    raise TimeoutError(f"{path} was written again each time")


def repair(path: str) -> None:
    """Whatever the helpers cannot take away themselves."""
    if os.path.isdir(path):
        shutil.rmtree(path)


class Damaging(Scenario):
    def sh(self, node: str, command: str) -> str:
        done = self.lab.run(node, ["sh", "-c", command])
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        return done.stdout

    def changed(self, node: str, path: str, old: str, new: str) -> contextlib.AbstractContextManager[None]:
        """A file of the node with one text in the place of another, for a while."""
        def change(text: str) -> str:
            self.assertIn(old, text)
            return text.replace(old, new)
        return self._edited(node, path, change)

    def appended(self, node: str, path: str, more: str) -> contextlib.AbstractContextManager[None]:
        """A file of the node with a text at its end, for a while."""
        return self._edited(node, path, lambda text: text + more)

    @contextlib.contextmanager
    def _edited(self, node: str, path: str, change: Callable[[str], str]) -> Iterator[None]:
        where = self.lab.node(node).path(path)
        with open(where, encoding="utf-8") as file:
            text = file.read()
        self._replace(where, change(text))
        try:
            yield
        finally:
            self._replace(where, text)

    def _replace(self, path: str, text: str) -> None:
        """As an editor does: never half a file, and owner and rights as they were."""
        owner = os.stat(path)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path + ".new", owner.st_uid, owner.st_gid)
        os.chmod(path + ".new", owner.st_mode & 0o7777)
        os.rename(path + ".new", path)

    def ini(self, node: str, old: str, new: str) -> contextlib.AbstractContextManager[None]:
        return self.changed(node, self.lab.settings.ini_path(), old, new)

    @contextlib.contextmanager
    def read_only(self, node: str, directory: str) -> Iterator[None]:
        self.sh(node, f"mount --bind {directory} {directory} && mount -o remount,bind,ro {directory}")
        try:
            yield
        finally:
            # The server may have a file open below it, which keeps the mount busy: what was opened there stays
            # usable, and for writing too.
            self.sh(node, f"mount -o remount,bind,rw {directory} && umount --lazy {directory}")

    @contextlib.contextmanager
    def listener(self, node: str, port: int) -> Iterator[None]:
        """One that takes connections, and never says a word."""
        program = ("import socket, sys\n"
                   f"one = socket.create_server(('', {port}), backlog=64)\n"
                   "print('listens', flush=True)\n"
                   "sys.stdin.read()\n")
        with subprocess.Popen(self.lab.node(node).command(["/usr/bin/python3", "-c", program]),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                self.assertEqual(process.stdout.readline(), "listens\n")
                yield
            finally:
                process.stdin.close()

    @contextlib.contextmanager
    def without(self, node: str, service: str) -> Iterator[None]:
        """Stopped as by systemctl, for a while."""
        self.lab.node(node).order(f"stop {service}")
        self.wait(lambda: self.lab.node(node).order("pids")[service]["pid"] == 0, 5,
                  f"{service} has ended")
        try:
            yield
        finally:
            self.lab.node(node).order(f"start {service}")

    # ---- looking ----

    def vip_seen(self, seconds: float) -> set[str]:
        """Every node that had the VIP in this time; "" when at some moment none had."""
        seen: set[str] = set()
        until = time.monotonic() + seconds
        while True:
            seen.update(self.lab.status()["vip_at"] or [""])
            if time.monotonic() >= until:
                return seen
            time.sleep(LOOK_S)


    def is_well(self) -> bool:
        return self.serves(self.old)() and self.promotable(self.new)()

    def file_is_well(self, path: str) -> bool:
        """A file of ours: a number, or lines of KEY=VALUE."""
        try:
            with open(path, encoding="ascii") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            return False
        lines = text.splitlines()
        return text.endswith("\n") and (text[:-1].isdecimal() or all("=" in line for line in lines))
