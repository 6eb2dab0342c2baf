# SPDX-License-Identifier: PostgreSQL
"""The file systems of a node, made by its pid 1: its own disk, /run, /dev, /proc, and nothing
of the host that a node might harm (watchdog, sysrq, the host's clusters and keys)."""

import contextlib
import os
import shutil
import subprocess
import time

from . import kernel, places

# Directories that begin empty on a node; what they hold lives on the node's disk.
PRIVATE = ("/etc/pg_vrrp", "/etc/keepalived", "/etc/ssh", "/etc/postgresql", "/root",
           "/var/lib/postgresql", "/var/lib/pg_vrrp", "/var/log/postgresql")
# Directories that begin as the host's and whose changes stay on the node's disk.
# What the helpers keep is a file system of its own, as people have it who do not want a full disk of
# the data to stop what guards it; so either can be full alone.
STATE_DISK = "/var/lib/pg_vrrp"
OVERLAID = ("/etc", "/var/lib", "/var/log")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
QUIET = kernel.MS_NOSUID | kernel.MS_NODEV


def build(spec: dict) -> None:
    """Everything, in order; a failure is an OSError that names the mount."""
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    _forget_other_labs()
    _mount_disk(spec["image"], spec["disk_dir"])
    if spec["state_image"]:
        _mount_disk(spec["state_image"], f"{spec['disk_dir']}/own{STATE_DISK}")
    # From here on the disk is known by the working directory: an overlay is about to cover its path.
    os.chdir(spec["disk_dir"])
    for path in OVERLAID:
        _overlay(path)
    _usr_local(spec["tree"])
    for path in PRIVATE:
        _private(path)
    if not os.path.exists(".seeded"):
        _seed(spec)
    _run(spec)
    _dev()
    # /proc last of all: the mounts above read the host's.
    kernel.mount("sysfs", "/sys", "sysfs", QUIET)
    kernel.mount("proc", "/proc", "proc", QUIET)
    # A node that resets "its" machine through sysrq must not reset ours.
    if os.path.exists("/proc/sysrq-trigger"):
        kernel.mount("/dev/null", "/proc/sysrq-trigger", flags=kernel.MS_BIND)


def _forget_other_labs() -> None:
    """Mounts of other labs that were copied into this namespace would keep their disks busy, and
    their network namespaces, with every connection in them, alive."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file]
    theirs = tuple(f"{base}/" for base in (*places.bases(), places.NETNS_DIR))
    for point in reversed(points):
        if point.startswith(theirs):
            with contextlib.suppress(OSError):  # the lab that it belongs to is just going down
                kernel.umount(point)


def _mount_disk(image: str, disk: str) -> None:
    """The disk is a file, so that it can be full; it must have left its last boot first, because
    one image under two mounts is a destroyed file system."""
    os.makedirs(disk, exist_ok=True)
    if not image:
        return
    limit = time.monotonic() + 10
    while subprocess.run(["losetup", "--noheadings", "--associated", image],
                         capture_output=True, check=True).stdout.strip():
        if time.monotonic() > limit:
            raise OSError(f"{image} is still in use by a boot that has ended")
        time.sleep(0.02)
    subprocess.run(["mount", "-o", "loop,noatime", image, disk], check=True, capture_output=True)


def _overlay(path: str) -> None:
    name = path.strip("/").replace("/", "-")
    os.makedirs(f"over/{name}", exist_ok=True)
    os.makedirs(f"work/{name}", exist_ok=True)
    kernel.mount("overlay", path, "overlay",
                 data=f"lowerdir={path},upperdir=over/{name},workdir=work/{name}")


def _usr_local(tree: str) -> None:
    """The helpers as `make install` put them, over the host's own /usr/local."""
    local = f"{tree}/usr/local"
    if os.path.isdir(local):
        kernel.mount("overlay", "/usr/local", "overlay", data=f"lowerdir={local}:/usr/local")


def _private(path: str) -> None:
    own = "own" + path
    if not os.path.isdir(own):
        os.makedirs(own)
        if os.path.isdir(path):
            shutil.copystat(path, own)
    os.makedirs(path, exist_ok=True)
    kernel.mount(own, path, flags=kernel.MS_BIND)


def _seed(spec: dict) -> None:
    """First boot: the files that the lab prepared for this node, and the database cluster."""
    for top in spec["seeds"]:
        for folder, _, names in os.walk(top):
            target = "/" + os.path.relpath(folder, top)
            os.makedirs(target, exist_ok=True)
            for name in names:
                _copy(os.path.join(folder, name), os.path.join(target, name))
    if spec["data_from"]:
        _seed_database(spec)
    with open(".seeded", "w", encoding="utf-8") as file:
        file.write("1\n")


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)
    owner = os.stat(source)
    os.chown(target, owner.st_uid, owner.st_gid)


def _seed_database(spec: dict) -> None:
    target = spec["data_dir"]
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    while parent.startswith("/var/lib/postgresql"):
        shutil.chown(parent, spec["os_user"], spec["os_user"])
        parent = os.path.dirname(parent)
    subprocess.run(["cp", "-a", "--reflink=auto", spec["data_from"], target], check=True,
                   capture_output=True)
    for name, text in spec["data_files"].items():
        with open(f"{target}/{name}", "a", encoding="utf-8") as file:
            file.write(text)
        shutil.chown(f"{target}/{name}", spec["os_user"], spec["os_user"])
        os.chmod(f"{target}/{name}", 0o600)


def _run(spec: dict) -> None:
    """/run is empty at each boot, as on any host; what systemd-tmpfiles makes is made here."""
    kernel.mount("tmpfs", "/run", "tmpfs", QUIET, "mode=755,size=64m")
    os.mkdir("/run/sshd", 0o755)
    os.mkdir("/run/lock")
    os.chmod("/run/lock", 0o1777)
    user = spec["os_user"]
    # keepalived never looks at track files whose directory was not there when it started.
    os.makedirs(spec["run_dir"], mode=0o755)
    os.mkdir("/run/postgresql")
    shutil.chown("/run/postgresql", user, user)
    os.chmod("/run/postgresql", 0o2775)
    shutil.chown("/var/log/postgresql", "root", user)
    os.chmod("/var/log/postgresql", 0o1775)


def _dev() -> None:
    """A /dev of its own: a private log socket, no watchdog, no disks."""
    new = "/run/dev"
    os.mkdir(new)
    kernel.mount("tmpfs", new, "tmpfs", kernel.MS_NOSUID, "mode=755,size=1m")
    for name in DEVICES:
        with open(f"{new}/{name}", "wb"):
            pass
        kernel.mount(f"/dev/{name}", f"{new}/{name}", flags=kernel.MS_BIND)
    os.mkdir(f"{new}/pts")
    kernel.mount("devpts", f"{new}/pts", "devpts", kernel.MS_NOSUID,
                 "newinstance,ptmxmode=0666,mode=620,gid=5")
    os.mkdir(f"{new}/shm")
    kernel.mount("tmpfs", f"{new}/shm", "tmpfs", QUIET, "mode=1777")
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0",
                         "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}.items():
        os.symlink(target, f"{new}/{name}")
    kernel.mount(new, "/dev", flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.umount(new)
    os.rmdir(new)
