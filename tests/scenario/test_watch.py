# SPDX-License-Identifier: PostgreSQL
"""check_primary --watch dies, stands still or is a stranger's: nobody who serves by right is stopped for it."""

from recorded import Recorded


class Watched(Recorded):
    def watch(self, node: str):
        return next((p for p in self.lab.node(node).processes() if p.kind() == "watch"), None)

    def watches_again(self, node: str, before: int):
        def look() -> bool:
            process = self.watch(node)
            return process is not None and process.pid != before
        return look

    def test_killed_again_and_again(self):
        load = self.lab.load_begin(60)
        for node in (self.old, self.new) * 3:
            before = self.watch(node).pid
            self.lab.fault("kill", node, "watch")
            self.wait(self.watches_again(node, before), 20, "another one watches")
        self.assert_nothing_happened(load.stop())

    def test_frozen(self):
        """The guard asks in its place, and ends it; it may have been stopped with a question under way."""
        load = self.lab.load_begin(60)
        befores = {node: self.watch(node).pid for node in (self.old, self.new)}
        for node in befores:
            self.lab.fault("freeze", node, "watch")
        for node, before in befores.items():
            self.wait(self.watches_again(node, before), 20, "another one watches")
        self.assert_nothing_happened(load.stop())

    def test_killed_while_the_guard_stands_still(self):
        """keepalived's own script asks, and fences when the lease has ended, as the guard would have."""
        load = self.lab.load_begin(60)
        self.lab.fault("freeze", self.old, "guard")
        self.lab.fault("kill", self.old, "watch")
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.lab.fault("thaw", self.old)
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_both_killed_before_a_crash(self):
        load = self.lab.load_begin(60)
        for node in (self.old, self.new):
            self.lab.fault("kill", node, "watch")
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_configuration_is_read_anew(self):
        before = self.watch(self.old).pid
        path = self.lab.node(self.old).path(self.lab.settings.ini_path())
        with open(path, "a", encoding="utf-8") as file:
            file.write("# looked at\n")
        self.wait(self.watches_again(self.old, before), 20, "another one watches")
        self.assertEqual(self.lab.status()["primary"], self.old)


class WatchedWithPings(Watched):
    witness = "ping"
    # Nothing in them asks the witness.
    test_both_killed_before_a_crash = None
    test_configuration_is_read_anew = None
