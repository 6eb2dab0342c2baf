# SPDX-License-Identifier: PostgreSQL
"""The disk that a host with a real systemd begins with: a Debian made by debootstrap, with what README's
first step installs.  Made once for each release and kept; the helpers are built and installed beside it.
"""

import os
import re
import urllib.request

from . import kept, machine, places
from .errors import CONFIG, LabError, SYSTEM
from .run import run

SUITES = {"12": "bookworm", "13": "trixie", "sid": "sid"}
# A plain server as the installer leaves it; of its "standard system utilities" those that a person needs.
PLAIN = ["systemd-sysv", "dbus", "libpam-systemd", "ifupdown", "iproute2", "iputils-ping", "openssh-server",
         "openssh-client", "ca-certificates", "less", "procps", "psmisc"]
ASKED_FOR = ["postgresql", "keepalived"]
MIRROR = re.compile(r"^(?:URIs: |deb )(?:\[[^]]*\] )?(https?://\S+/debian)/?(?:\s|$)", re.MULTILINE)
# No host of the bed has a route to anywhere, and a unit that waits for one would be in each boot's way.
OFF = ["apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "man-db.timer",
       "dpkg-db-backup.timer"]
PLACES = ["/src", "/build", "/target"]
MAKE_LIMIT_S, BUILD_LIMIT_S = 900, 600
MIRROR_LIMIT_S = 20

# As root inside the new tree, $1: packages.  101: no service is started while there is no systemd; dpkg
# need not sync what is made anew when it is lost.  A mirror of sid that is some days old will do.  Each host
# makes a server, an identity and host keys of its own.
INSIDE = """\
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe
echo 'Acquire::Check-Valid-Until "false";' >/etc/apt/apt.conf.d/bed
mkdir -p /etc/postgresql-common/createcluster.d
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/bed.conf
apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install $1
/src/scripts/install-deps demo
apt-get -qq clean
rm -f /usr/sbin/policy-rc.d /etc/ssh/ssh_host_*_key* /var/lib/dbus/machine-id /etc/hostname
rm -rf /var/lib/apt/lists/*
: >/etc/machine-id
"""


def check(release: str) -> None:
    if release not in SUITES:
        raise LabError(f'"{release}" is no release of Debian for the bed',
                       f"releases: {' '.join(SUITES)}", 64)


def mirror() -> str:
    """The one that this machine itself uses."""
    files = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]
    for path in filter(os.path.exists, files):
        with open(path, encoding="utf-8") as file:
            found = MIRROR.search(file.read())
        if found:
            return found.group(1)
    return "http://deb.debian.org/debian"


def _sources(suite: str) -> str:
    here = mirror()
    lines = [f"deb {here} {suite} main"]
    if suite != "sid":
        lines += [f"deb {here} {suite}-updates main", f"deb {here}-security {suite}-security main"]
    return "\n".join(lines) + "\n"


def get(release: str) -> str:
    """The directory of the tree; takes minutes when it is not there yet."""
    check(release)
    suite = SUITES[release]

    def make(new: str) -> None:
        tree = f"{new}/tree"
        # What it mounts is gone with it, also when it is killed.
        run(["unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase", suite, tree,
             mirror()], timeout=MAKE_LIMIT_S)
        with open(f"{tree}/etc/apt/sources.list", "w", encoding="ascii") as file:
            file.write(_sources(suite))
        _inside(tree, ["/bin/sh", "-c", INSIDE, "sh", " ".join([*PLAIN, *ASKED_FOR])], MAKE_LIMIT_S,
                ["--resolv-conf=copy-host"])
        _leave_out(tree)
    return kept.get(_parts(release), make, _kind(release)) + "/tree"


def _parts(release: str) -> list[str]:
    """All that a tree is made of."""
    return [SUITES[release], *PLAIN, *ASKED_FOR, INSIDE, *OFF]


def _kind(release: str) -> str:
    return f"debian-{release}-"


def _leave_out(tree: str) -> None:
    """Before a host boots from it: units, and the name service of this machine.  And where install() mounts
    what it needs, because from then on nobody writes to the tree."""
    for name in PLACES:
        os.makedirs(tree + name, exist_ok=True)
    with open(f"{tree}/etc/resolv.conf", "w", encoding="ascii"):
        pass
    for unit in OFF:
        os.symlink("/dev/null", f"{tree}/etc/systemd/system/{unit}")


def _inside(tree: str, argv: list[str], limit_s: float, options: list[str]) -> None:
    """Runs argv in the tree, which is not booted, with the source at /src."""
    run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe", "--timezone=off", "-D",
         tree, f"--bind-ro={places.SOURCE}:/src", *options, "--", *argv], timeout=limit_s)


def why_not(release: str) -> str:
    """Why no host of this release can be made on this machine; empty when one can, as far as can be seen
    before there is a tree."""
    if os.geteuid() != 0:
        return "it needs root"
    try:
        run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe", "--volatile=yes",
             "-D", "/", "-M", "pgv-try", "--private-network", "--resolv-conf=off", "--timezone=off", "--",
             "/bin/true"])
    except LabError as error:
        return f"systemd-nspawn cannot run here: {error}"
    return "" if kept.there(_parts(release), _kind(release)) else _unreachable(release)


def _unreachable(release: str) -> str:
    url = f"{mirror()}/dists/{SUITES[release]}/InRelease"
    try:
        with urllib.request.urlopen(url, timeout=MIRROR_LIMIT_S):
            return ""
    except (OSError, ValueError) as error:
        return f"there is no tree of Debian {release} yet, and its mirror gives none: {url}: {error}"


def why_no_boot(release: str) -> str:
    """The same of its systemd, tried: what is seen before does not show what a kernel lets systemd do."""
    try:
        machine.try_boot(get(release))
    except LabError as error:
        return f"systemd of Debian {release} does not boot in systemd-nspawn here: {error}"
    return ""


def version(tree: str) -> str:
    """Of the server that is installed in it."""
    found = [name for name in os.listdir(f"{tree}/usr/lib/postgresql") if name.isdecimal()]
    if len(found) != 1:
        raise LabError(f"{tree} has {len(found)} PostgreSQL servers", code=CONFIG)
    return found[0]


def install(release: str, target: str) -> None:
    """`make && make install` of README, by the compiler and the libraries of that release."""
    build = f"{os.path.realpath(os.environ.get('PGV_BUILD', f'{places.SOURCE}/build'))}/debian-{release}"
    for directory in (build, target):
        os.makedirs(directory, exist_ok=True)
    tree = get(release)
    make = ["make", "-s", f"-j{os.cpu_count() or 1}", "-C", "/src", "BUILD=/build"]
    try:
        for more in (["all"], ["install", "DESTDIR=/target"]):
            _inside(tree, make + more, BUILD_LIMIT_S,
                    ["--private-network", "--resolv-conf=off", "--read-only", f"--bind={build}:/build",
                     f"--bind={target}:/target", "--tmpfs=/tmp"])
    except LabError as error:
        raise LabError(f"the helpers cannot be built in Debian {release}: {error}", code=SYSTEM) from error
