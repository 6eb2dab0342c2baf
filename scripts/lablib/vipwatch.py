# SPDX-License-Identifier: PostgreSQL
"""Where the VIP is: each node's own word (netlink tells every change as it happens), and the word
that counts, who answers when the client asks the network for it (ARP)."""

import ipaddress
import socket
import struct

from . import kernel
from .kernel import boot_ms
from .node import Node

NETLINK_ROUTE = 0
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLM_F_DUMP_REQUEST = 0x301
GROUP_IPV4_IFADDR, GROUP_IPV6_IFADDR = 0x10, 0x100
IFA_ADDRESS, IFA_LOCAL = 1, 2
ARP_PAUSE_MS = 100


def addresses(data: bytes):
    """Yields (message type, address) of each address message in a netlink datagram."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=LH", data)
        if length < 16:
            return
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            found: dict[int, str] = {}
            at = 16 + 8
            while at + 4 <= length:
                size, attribute = struct.unpack_from("=HH", data, at)
                if size < 4:
                    break
                value = data[at + 4:at + size]
                if attribute in (IFA_ADDRESS, IFA_LOCAL) and len(value) in (4, 16):
                    found[attribute] = str(ipaddress.ip_address(value))
                at += (size + 3) & ~3
            address = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
            if address:
                yield kind, address
        data = data[(length + 3) & ~3:]


class AddressWatch:
    """Does this node carry the VIP?  A socket that was opened in its network namespace stays there,
    wherever the process goes; a node that reboots has a new namespace and needs a new watch."""

    def __init__(self, netns_path: str, vip: str):
        self.vip = vip
        self.here = False
        with kernel.in_netns(netns_path):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self.socket.bind((0, GROUP_IPV4_IFADDR | GROUP_IPV6_IFADDR))
        self.socket.setblocking(False)
        # family AF_UNSPEC: the dump is answered like events are, so one reader is enough
        self.socket.send(struct.pack("=LHHLLBxxxi", 24, RTM_GETADDR, NLM_F_DUMP_REQUEST, 1, 0,
                                     socket.AF_UNSPEC, 0))

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self) -> list[tuple[float, bool]]:
        """(time, here) for each change."""
        changes = []
        while True:
            try:
                data = self.socket.recv(65536)
            except (BlockingIOError, OSError):
                return changes
            for kind, address in addresses(data):
                here = kind == RTM_NEWADDR
                if address == self.vip and here != self.here:
                    self.here = here
                    changes.append((boot_ms(), here))

    def close(self) -> None:
        self.socket.close()


def is_here(netns_path: str, vip: str) -> bool:
    """Does this node carry the VIP now?  The kernel answers a dump before send returns."""
    watch = AddressWatch(netns_path, vip)
    try:
        watch.read()
        return watch.here
    finally:
        watch.close()


class AddressWatches:
    """A watch on each node that is on; a node's new boot is a new namespace."""

    def __init__(self, nodes: dict[str, Node], vip: str):
        self.nodes = nodes
        self.vip = vip
        self.changes: list[list] = []  # time, node, here
        self.watches: dict[str, tuple[int, AddressWatch]] = {}

    def look(self) -> None:
        """Who is on now?"""
        for name, node in self.nodes.items():
            identity = node.identity()
            pid = identity[0] if identity else 0
            known, watch = self.watches.get(name, (0, None))
            if pid == known:
                continue
            if watch:
                if watch.here:
                    self.changes.append([boot_ms(), name, False])
                watch.close()
                del self.watches[name]
            if pid:
                try:
                    self.watches[name] = (pid, AddressWatch(f"/proc/{pid}/ns/net", self.vip))
                except OSError:
                    pass  # it went off again; the next look will see

    def descriptors(self) -> dict[int, str]:
        return {watch.fileno(): name for name, (_, watch) in self.watches.items()}

    def read(self, name: str) -> None:
        """Call when the descriptor of the node is ready."""
        for moment, here in self.watches[name][1].read():
            self.changes.append([moment, name, here])


class ArpProbe:
    """Asks "who has the VIP?" in the client's namespace and notes every node that answers."""

    def __init__(self, interface: str, mac: str, address: str, vip: str, nodes: dict[str, str]):
        self.nodes = nodes  # MAC address: node
        self.vip = ipaddress.ip_address(vip).packed
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        self.socket.bind((interface, 0x0806))
        self.socket.setblocking(False)
        own = bytes.fromhex(mac.replace(":", ""))
        self.request = (b"\xff" * 6 + own + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
                        + own + ipaddress.ip_address(address).packed + b"\0" * 6 + self.vip)
        self.probes: list[list] = []  # time, [nodes that answered]
        self.next = 0.0

    def fileno(self) -> int:
        return self.socket.fileno()

    def tick(self, now: float) -> None:
        if now < self.next:
            return
        self.next = now + ARP_PAUSE_MS
        self.probes.append([now, []])
        try:
            self.socket.send(self.request)
        except OSError:
            pass  # the client's own link is down: nobody answers, which is what is noted

    def read(self) -> None:
        while True:
            try:
                frame = self.socket.recv(2048)
            except (BlockingIOError, OSError):
                return
            if len(frame) < 42 or frame[20:22] != b"\0\2" or frame[28:32] != self.vip:
                continue
            mac = ":".join(f"{byte:02x}" for byte in frame[22:28])
            node = self.nodes.get(mac, mac)
            if self.probes and node not in self.probes[-1][1]:
                self.probes[-1][1].append(node)
