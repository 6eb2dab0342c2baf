# SPDX-License-Identifier: PostgreSQL
"""Running a program: argument vector, no shell, a limit of time, its own words in the error."""

import os
import subprocess

from .errors import LabError, SYSTEM

CLEAN_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}


def run(argv: list[str], *, text: str | None = None, timeout: float = 30.0,
        check: bool = True, user: str | None = None, cwd: str = "/") -> str:
    """Standard output of argv.  With check, a failure is a LabError that quotes what it said."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=timeout,
                              check=False, env=CLEAN_ENV, user=user, group=user,
                              extra_groups=[] if user else None, cwd=cwd)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed", "run scripts/install-deps first",
                       SYSTEM) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)} took longer than {timeout:g} s", code=SYSTEM) from error
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing was said").strip()
        raise LabError(f"{' '.join(argv[:6])} failed with exit code {done.returncode}: {said}",
                       code=done.returncode if done.returncode == 78 else SYSTEM)
    return done.stdout


def complaint(argv: list[str]) -> str:
    """What argv says on standard error when it fails; empty when it does not."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False,
                          env=CLEAN_ENV, cwd="/")
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def ip(*commands: str, netns: str | None = None) -> None:
    """Several commands of ip(8) in one process."""
    argv = ["ip"] + (["-n", netns] if netns else []) + ["-batch", "-"]
    run(argv, text="\n".join(commands) + "\n")


def in_netns(path: str, argv: list[str], **options) -> str:
    return run(["nsenter", f"--net={path}", "--"] + argv, **options)


def require_root() -> None:
    if os.geteuid() != 0:
        raise LabError("a lab needs root: it makes namespaces, mounts and network devices",
                       "run it with sudo", SYSTEM)
