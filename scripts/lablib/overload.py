# SPDX-License-Identifier: PostgreSQL
"""overload.py hogs N SECONDS: so many processes that never sleep, for so long.
overload.py slow DATA_DIR N_MS SECONDS: the server there stands still for N ms, then runs for a moment,
by turns.  Run inside a node of a lab, which kills it; it ends by itself as well."""

import contextlib
import os
import resource
import signal
import sys
import time

# Long enough for an answer to a question that came while it stood still.
RUNS_S = 0.04


def hogs(count: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    for _ in range(count):
        if os.fork() == 0:
            os.setsid()
            while time.monotonic() < end:
                for _ in range(100000):
                    pass
            os._exit(0)


def of_server(data_dir: str) -> list[int]:
    """The postmaster and its children, as they are now."""
    with open(f"{data_dir}/postmaster.pid", encoding="utf-8") as file:
        postmaster = int(file.readline())
    found = [postmaster]
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == postmaster:
                    found.append(int(entry))
    return found


def slow(data_dir: str, pause_ms: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stopped = []
        try:
            with contextlib.suppress(OSError, ValueError):  # no server runs
                for pid in of_server(data_dir):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
                        stopped.append(pid)
            time.sleep(pause_ms / 1000)
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        time.sleep(RUNS_S)


def main() -> None:
    what, *words = sys.argv[1:]
    if what == "hogs":
        hogs(int(words[0]), float(words[1]))
    else:
        slow(words[0], int(words[1]), float(words[2]))


if __name__ == "__main__":
    main()
