# SPDX-License-Identifier: PostgreSQL
"""The hardware watchdog: a stand-in device on each node, whose reset is a power-off of that node.

The device is a program of ours outside the node, so it outlives whatever is killed there; the guard opens, sets, feeds and closes
it by the calls of the kernel's interface (watchdog_preload.c), and it answers as the kernel's watchdog core does (fakewatchdog.c).
"""

import os
import subprocess
import threading
import time
import unittest

from scenario import Scenario

from lablib import LabError

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = "/etc/pg_vrrp/watchdog.so"


class Device:
    """The watchdog of one node."""

    def __init__(self, scenario: "Watched", node: str):
        self.scenario, self.node = scenario, node
        self.events: list[tuple[str, float]] = []
        self.process = subprocess.Popen(
            [scenario.program, scenario.lab.node(node).path("/dev/watchdog")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline().startswith("ready ")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.process.stdout:
            word, at_ms = line.split()
            self.events.append((word, int(at_ms)))
            if word == "reset":
                self.scenario.lab.fault("power-off", self.node)

    def words(self) -> list[str]:
        return [word for word, _ in self.events]

    def armed(self) -> bool:
        return self.words()[-1:] == ["armed"]

    def was_reset(self) -> bool:
        return "reset" in self.words()

    def reset_ms(self) -> float:
        return dict(self.events)["reset"]

    def order(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join(10)


class Watched(Scenario):
    # Long enough to tell its end from the fault.
    sets = ["timing.lease=3s", "timing.retry_interval=1s", "fencing.watchdog=automatic"]
    devices_at_start = True

    def setUp(self) -> None:
        self.devices: dict[str, Device] = {}
        super().setUp()
        self.program = f"{self.lab.dir}/watchdog_device"
        for output, *source in ((self.program, "watchdog_device.c"),
                                (f"{self.lab.dir}/watchdog.so", "-shared", "-fPIC",
                                 "watchdog_preload.c")):
            subprocess.run(["gcc", "-D_GNU_SOURCE", "-O2", "-o", output, *source], check=True,
                           cwd=HERE)
        for node in (self.old, self.new):
            self.give_library(node)
            if self.devices_at_start:
                self.devices[node] = Device(self, node)
            self.lab.fault("kill", node, "guard")
        if self.devices_at_start:
            self.wait(self.devices[self.old].armed, 10, "the primary's watchdog is armed")
        self.begun_ms = self.now_ms()

    def tearDown(self) -> None:
        # First, or healing would be answered by a reset.
        for device in self.devices.values():
            device.end()
        super().tearDown()
        if self.lab:
            type(self).drop_lab()

    def give_library(self, node: str) -> None:
        with open(f"{self.lab.dir}/watchdog.so", "rb") as library, \
                open(self.lab.node(node).path(LIBRARY), "wb") as copy:
            copy.write(library.read())
        with open(self.lab.node(node).path("/etc/ld.so.preload"), "w", encoding="ascii") as file:
            file.write(LIBRARY + "\n")

    def lease_end_ms(self, node: str) -> int:
        with open(self.run_file(node, "lease"), encoding="ascii") as file:
            return int(dict(line.rstrip("\n").split("=", 1) for line in file)["at_ms"])

    def is_off(self, node: str):
        def look() -> bool:
            try:
                return self.lab.status()["nodes"][node]["power"] == "off"
            except LabError:  # it is just going off
                return False
        return look


class Automatic(Watched):
    def test_guard_frozen_while_it_serves(self):
        """The host is reset when the lease is over, and not long after; the standby takes over."""
        load = self.lab.load_begin(60)
        time.sleep(1)
        self.lab.fault("freeze", self.old, "guard")
        time.sleep(0.3)
        end_ms = self.lease_end_ms(self.old)
        device = self.devices[self.old]
        self.wait(device.was_reset, 15, "the watchdog resets the host")
        # 0.7 s is the time of a fence with this lease; a margin later another may serve.
        self.assertGreater(device.reset_ms(), end_ms - 700 - 250)
        self.assertLess(device.reset_ms(), end_ms + 1000)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.devices[self.new].armed, 5, "the new primary's watchdog is armed")
        self.assert_took_over(load.stop())
        self.assertFalse(self.devices[self.new].was_reset())

    def test_guard_killed_and_started_again(self):
        load = self.lab.load_begin(60)
        for _ in range(3):
            self.lab.fault("kill", self.old, "guard")
            time.sleep(2)
        self.lab.node(self.old).order("restart guard")
        time.sleep(5)
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.devices[self.old].words(), ["armed"])

    def test_a_fence_disarms_and_a_standby_never_arms(self):
        load = self.lab.load_begin(60)
        time.sleep(1)
        done = self.lab.helper(self.old, "fence_self", "--reason", "maintenance")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: self.devices[self.old].words() == ["armed", "disarmed"], 3, "it is disarmed")
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(lambda: self.devices[self.new].words() == ["armed"], 5, "armed where it serves now")
        self.assertEqual(self.lab.helper(self.old, "rejoin").returncode, 0)
        self.wait(self.standby_streams(self.old), 40, "the old primary is a standby")
        time.sleep(4)
        self.assertEqual(self.devices[self.old].words(), ["armed", "disarmed"])
        self.assertEqual(self.devices[self.new].words(), ["armed"])
        self.assert_took_over(load.stop())

    def test_a_crash_of_the_server_disarms(self):
        load = self.lab.load_begin(60)
        time.sleep(1)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary is a standby")
        self.assertEqual(self.devices[self.old].words(), ["armed", "disarmed"])
        self.assert_took_over(load.stop())

    def test_fences_itself_within_the_lease(self):
        """Cut off it is harmless in time, and not reset."""
        load = self.lab.load_begin(60)
        time.sleep(1)
        self.lab.fault("isolate", self.old)
        self.wait(lambda: self.devices[self.old].words() == ["armed", "disarmed"], 10, "it is disarmed")
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 40, "the old primary is a standby")
        self.assert_took_over(load.stop())
        self.assertNotIn("reset", self.devices[self.old].words())

    def test_guard_stopped_for_good(self):
        """As by systemctl stop: check_primary fences when the lease is over, and nothing is reset."""
        load = self.lab.load_begin(60)
        time.sleep(1)
        self.lab.node(self.old).order("stop guard")
        self.wait_said(self.old, "the watchdog stays armed", 5)
        self.wait(lambda: self.devices[self.old].words() == ["armed", "disarmed"], 20, "it is disarmed")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_device_that_fails(self):
        """It goes on without, says so, and feeds it again when it can."""
        load = self.lab.load_begin(60)
        device = self.devices[self.old]
        device.order("fail 5")
        self.wait_said(self.old, "cannot be used: Input/output error", 5)
        device.order("fail 0")
        self.wait_said(self.old, "is armed", 5)
        time.sleep(5)
        self.assertEqual(device.words(), ["armed"])
        self.assert_nothing_happened(load.stop())


class Missing(Watched):
    devices_at_start = False

    def test_automatic_goes_on_without(self):
        load = self.lab.load_begin(60)
        self.wait_said(self.old, "cannot be used: No such file or directory; this node goes on", 10)
        time.sleep(4)
        lines = [line for line in self.lab.logs(self.old, self.begun_ms) if "cannot be used" in line.text]
        self.assertLessEqual(len(lines), 1)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assert_took_over(load.stop())


class Required(Watched):
    def setUp(self) -> None:
        # Nobody serves without, so both have theirs before it is required.
        super().setUp()
        for node in (self.new, self.old):
            self.require(node)
        self.wait(self.devices[self.old].armed, 10, "the primary's watchdog is armed")

    def require(self, node: str) -> None:
        path = self.lab.node(node).path(self.lab.settings.ini_path())
        with open(path, encoding="ascii") as file:
            text = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(text.replace("watchdog = automatic", "watchdog = required"))
        self.lab.node(node).order("restart guard")

    def test_a_standby_without_does_not_take_over(self):
        load = self.lab.load_begin(60)
        self.devices[self.new].end()
        os.unlink(self.lab.node(self.new).path("/dev/watchdog"))
        self.wait(lambda: '"watchdog-missing"' in
                  self.lab.helper(self.new, "cluster_status", "--json").stdout, 10,
                  "cluster_status names it")
        self.lab.fault("crash", self.old)
        self.wait_said(self.new, "rule=watchdog-missing", 15)
        self.assertEqual(self.role(self.new), "standby")
        # The old primary starts again by its vote after restart_wait.
        self.wait(self.serves(self.old), 40, "the old primary serves again")
        self.assert_safe(load.stop())

    def test_a_primary_that_loses_it_fences_itself(self):
        load = self.lab.load_begin(60)
        time.sleep(1)
        self.devices[self.old].order("fail 19")
        self.wait_said(self.old, "cannot be used: No such device; it is required", 5)
        self.wait(self.serves(self.new), 30, "the standby, which has one, serves")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
