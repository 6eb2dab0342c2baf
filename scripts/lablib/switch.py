# SPDX-License-Identifier: PostgreSQL
"""The switch: a bridge in a namespace of its own, and the one table of rules that spoils it.

All faults of the network are in `Cables`; every change renders the whole table anew and loads it
in one transaction, so the kernel never holds half a fault.
"""

import dataclasses
import json
import os

from . import places
from .run import in_netns, ip, run
from .settings import Host, Settings

MAC = "02:00:00:00:00:fe"


@dataclasses.dataclass
class Cables:
    down: list[str] = dataclasses.field(default_factory=list)     # hosts cut off: isolate, power-off
    frozen: list[str] = dataclasses.field(default_factory=list)   # hosts that are paused as a whole
    cut: list[list[str]] = dataclasses.field(default_factory=list)     # [from, to]
    loss: dict[str, int] = dataclasses.field(default_factory=dict)     # "from to": percent
    mtu: dict[str, int] = dataclasses.field(default_factory=dict)      # "from to": bytes

    def silent(self) -> list[str]:
        return sorted(set(self.down) | set(self.frozen))


def _path(lab: str) -> str:
    return f"{places.lab_dir(lab)}/cables.json"


def load(lab: str) -> Cables:
    try:
        with open(_path(lab), encoding="utf-8") as file:
            return Cables(**json.load(file))
    except FileNotFoundError:
        return Cables()


def _save(lab: str, cables: Cables) -> None:
    with open(_path(lab) + ".new", "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(cables), file)
    os.rename(_path(lab) + ".new", _path(lab))


def rules(cables: Cables, hosts: dict[str, Host]) -> str:
    """The nft script.  The first two lines make the flush valid when there is no table yet."""
    out = ["add table bridge lab", "delete table bridge lab", "table bridge lab {",
           "chain forward { type filter hook forward priority 0; policy accept;"]
    for name in cables.silent():
        port = hosts[name].port
        out.append(f'iifname "{port}" drop')
        out.append(f'oifname "{port}" drop')
    for source, target in cables.cut:
        out.append(f'iifname "{hosts[source].port}" oifname "{hosts[target].port}" drop')
    for pair, percent in sorted(cables.loss.items()):
        source, target = (hosts[name].port for name in pair.split())
        out.append(f'iifname "{source}" oifname "{target}" '
                   f'numgen random mod 100 < {percent} drop')
    # The length at a bridge is that of the IP packet: what is longer vanishes, and nobody is told.
    for pair, largest in sorted(cables.mtu.items()):
        source, target = (hosts[name].port for name in pair.split())
        out.append(f'iifname "{source}" oifname "{target}" meta length > {largest} drop')
    return "\n".join(out + ["}", "}", ""])


def apply(lab: str, settings: Settings, cables: Cables) -> None:
    in_netns(places.netns_path(lab, places.SWITCH), ["nft", "-f", "-"],
             text=rules(cables, settings.hosts))
    _save(lab, cables)


def make(lab: str, settings: Settings) -> None:
    name = places.netns(lab, places.SWITCH)
    run(["ip", "netns", "add", name])
    # An address of its own: else it has that of some port, and another when that host goes off, and who
    # knows a board by the old one talks to nobody for half a minute.
    ip(f"link add br0 address {MAC} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
       "link set lo up", "link set br0 up", netns=name)
    apply(lab, settings, Cables())


def plug(lab: str, host: Host) -> None:
    """A new namespace for the host, and a cable from it to its port."""
    name, switch = places.netns(lab, host.name), places.netns(lab, places.SWITCH)
    run(["ip", "netns", "add", name])
    ip(f"link add {host.port} type veth peer name {host.interface} address {host.mac} netns {name}",
       f"link set {host.port} master br0 up", netns=switch)


def unplug(lab: str, host: Host) -> None:
    """What is left of a host that lost its power; quietly, because half of it may be gone."""
    switch = places.netns(lab, places.SWITCH)
    run(["ip", "-n", switch, "link", "del", host.port], check=False)
    run(["ip", "netns", "del", places.netns(lab, host.name)], check=False)
