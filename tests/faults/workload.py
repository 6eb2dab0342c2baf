#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The workload of a fault run: all clients, in a process of its own on the client's network.

    load = Workload("mine", settings, "/tmp/out", seed=7)
    load.start()
    ... faults ...
    history = load.stop()

Every operation becomes a line of out_dir/ops.jsonl when it is over; out_dir/history.json is all
that the checker needs.  checker.py says what is in it.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

if __name__ == "__main__":
    _TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.insert(0, os.path.join(_TOP, "scripts"))

from lablib.errors import LabError
from lablib.kernel import boot_ms
from lablib.settings import Settings

BEGIN_LIMIT_S = 30.0
# The last answers of a server that stands still, the primary that is looked for, its rows.
END_LIMIT_S = 120.0


class Workload:
    def __init__(self, lab: str, settings: Settings, out_dir: str, seed: int):
        self.lab = lab
        self.settings = settings
        self.out_dir = os.path.abspath(out_dir)
        self.seed = seed
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Returns when a write through the VIP was acknowledged: now there is something to harm."""
        os.makedirs(self.out_dir, exist_ok=True)
        for name in ("progress.json", "history.json"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.out_dir}/{name}")
        # The pipe ends it when this process is no more.
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-B", os.path.abspath(__file__), "--lab", self.lab, "--out",
             self.out_dir, "--seed", str(self.seed)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        limit = time.monotonic() + BEGIN_LIMIT_S
        while not self.progress()["acked"]:
            if self.process.poll() is not None or time.monotonic() > limit:
                self.kill()
                raise LabError(f"the workload did not begin: {self.process.stderr.read().strip()}")
            time.sleep(0.05)

    def progress(self) -> dict:
        """{"acked": writes through the VIP, "last_ack_ms": time of the last}."""
        try:
            with open(f"{self.out_dir}/progress.json", encoding="ascii") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"acked": 0, "last_ack_ms": 0.0}

    def stop(self) -> dict:
        self.process.send_signal(signal.SIGTERM)
        try:
            _, said = self.process.communicate(timeout=END_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise LabError(f"the workload did not end within {END_LIMIT_S:g} s") from error
        if self.process.returncode != 0:
            raise LabError(f"the workload failed: {said.strip()}")
        with open(f"{self.out_dir}/history.json", encoding="utf-8") as file:
            return json.load(file)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Progress:
    """Said twice a second at most, in a file that is always whole."""

    def __init__(self, path: str):
        self.path = path
        self.acked = 0
        self.last_ms = 0.0
        self.said_ms = 0.0

    def count(self, ended: float) -> None:
        self.acked += 1
        self.last_ms = ended
        if ended >= self.said_ms + 500:
            self.said_ms = ended
            with open(f"{self.path}.new", "w", encoding="ascii") as file:
                json.dump({"acked": self.acked, "last_ack_ms": self.last_ms}, file)
            os.rename(f"{self.path}.new", self.path)


def main() -> None:
    from lablib import Lab
    from load import Load
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    load = Load(args.lab, Lab.open(args.lab).settings, args.out, args.seed,
                Progress(f"{args.out}/progress.json"))

    def stop(*_: object) -> None:
        load.stopping = True
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner's to handle
    begun = boot_ms()
    load.run()
    history = load.history(begun)
    with open(f"{args.out}/history.json.new", "w", encoding="utf-8") as file:
        json.dump(history, file, separators=(",", ":"))
    os.rename(f"{args.out}/history.json.new", f"{args.out}/history.json")


if __name__ == "__main__":
    main()
