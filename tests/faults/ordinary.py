# SPDX-License-Identifier: PostgreSQL
"""The attack by ordinary days: what the person did is taken back when all is healed, and then the cluster
is to be whole by itself.  Where it is not, the person does what docs/operations.md says, and that is
written down."""

from attack import Attack, WHOLE_LIMIT_S

from lablib import LabError
from lablib.kernel import boot_ms

AGAIN_MS = 500
AFTER_HANDS_S = 60.0


class OrdinaryDays(Attack):
    def _by_itself(self) -> bool:
        self._take_back()
        return super()._by_itself()

    def _take_back(self) -> None:
        """A REVOKE is taken back on the primary, and there may be none for a while."""
        until = boot_ms() + WHOLE_LIMIT_S * 1000
        while boot_ms() < until:
            try:
                self.lab.fault("day-over")
                break
            except LabError as error:
                self.skipped.append([boot_ms(), "day-over", str(error)])
                self._sleep_until(boot_ms() + AGAIN_MS)
        self._healed_ms = boot_ms()

    def _not_by_itself(self) -> bool:
        """docs/operations.md, by the rule that refuses: what it says is what the person does."""
        self.rounds[-1]["hands"] = deeds = []
        for host in self.lab.settings.nodes():
            said = self._rejoin(host.name)
            deeds.append(f"rejoin on {host.name}: {said}")
            if "[ours-newer]" in said:
                # What is here was promoted past the record, and is not wanted.
                system = self.lab.run(host.name, [
                    "/bin/sh", "-c", f"{self.lab.settings.bin_dir}/pg_controldata "
                    f"{self.lab.settings.data_dir} | sed -n 's/^Database system identifier: *//p'"])
                said = self._rejoin(host.name, "--rebuild", f"--discard={system.stdout.strip()}")
                deeds.append(f"rejoin --rebuild --discard on {host.name}: {said}")
        if self._wait_whole(AFTER_HANDS_S):
            self.rounds[-1]["hands_ms"] = boot_ms()
            return True
        self._bad("a person could not put it right: " + "; ".join(deeds))
        return False

    def _rejoin(self, node: str, *arguments: str) -> str:
        done = self.lab.helper(node, "rejoin", *arguments)
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        return f"{done.returncode}, {said}"
