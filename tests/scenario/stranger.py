# SPDX-License-Identifier: PostgreSQL
"""Speaks VRRPv3 with priority 255 until its input ends: stranger.py VIP VRID VRID SOURCE:TARGET..."""

import select
import socket
import struct
import sys

VRRP = 112
INTERVAL_S = 0.05


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def advert(source: str, target: str, vrid: int, address: str) -> bytes:
    """RFC 5798 section 5.1: priority 255, an interval of 0.1 s."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)

    def body(check: int) -> bytes:
        return (struct.pack("!BBBBHH", 0x31, vrid, 255, 1, 10, check)
                + socket.inet_aton(address))

    pseudo = ends + struct.pack("!BBH", 0, VRRP, len(body(0)))
    packet = body(checksum(pseudo + body(0)))
    head = struct.pack("!BBHHHBBH", 0x45, 0xc0, 20 + len(packet), 0, 0, 255, VRRP, 0) + ends
    return head + packet


def main() -> None:
    vip, first, second, *ways = sys.argv[1:]
    addresses = {int(first): f"127.0.{first}.1", int(second): vip}
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        # Without a route, multicast leaves by the interface of whom it is from.
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                       socket.inet_aton(ways[0].split(":")[0]) if len(ways) > 1 else bytes(4))
        print("speaks", flush=True)
        while not select.select([sys.stdin], [], [], INTERVAL_S)[0]:
            for way in ways:
                source, target = way.split(":")
                for vrid, address in addresses.items():
                    raw.sendto(advert(source, target, vrid, address), (target, 0))


if __name__ == "__main__":
    main()
