# SPDX-License-Identifier: PostgreSQL
"""For tests of the attack: a lab that only listens."""

from types import SimpleNamespace

from lablib import LabError


class Listener:
    """n1 is the primary; "crash n2" is refused; what is switched off is off until booted."""

    def __init__(self):
        self.done: list[str] = []
        self.off: set[str] = set()
        self.is_writable = self.is_ready = True
        self.roles = {"n1": "primary", "n2": "standby"}
        self.vip_at = ["n1"]
        hosts = {name: SimpleNamespace(name=name) for name in ("n1", "n2", "witness")}
        self.settings = SimpleNamespace(hosts=hosts, nodes=lambda: [hosts["n1"], hosts["n2"]])

    def status(self):
        primaries = [name for name, role in self.roles.items() if role == "primary"]
        return {"primary": primaries[0] if len(primaries) == 1 else None, "vip_at": self.vip_at,
                "nodes": {name: {"role": role} for name, role in self.roles.items()}}

    def node(self, name):
        return SimpleNamespace(is_on=lambda: name not in self.off)

    def fault(self, *words):
        if words == ("crash", "n2"):
            raise LabError("there is no server running on n2")
        if words[0] == "power-off":
            self.off.add(words[1])
        if words[0] == "boot":
            self.off.discard(words[1])
        self.done.append(" ".join(words))

    def writable(self):
        return self.is_writable

    def ready(self):
        return self.is_ready
