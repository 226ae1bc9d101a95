"""Both sides of the box as raw Ethernet: frames out, frames in, neighbours answered for."""

import logging
import select
import socket
import time

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.all import (  # noqa: E402 (scapy speaks while it is loaded)
    ARP,
    Ether,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    IPv6,
)

# How long a frame that is waited for may take, and how long the wire is quiet when all is over. The
# box is emulated on a machine that does other things too.
PATIENCE = 3.0
QUIET = 0.08


class Side:
    """The station at one port of the box; every address there is its own."""

    def __init__(self, device, station, box):
        self.station, self.box = station, box
        self.seen = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))

    def send(self, packet):
        """Sends a packet to the box, or a frame as it is."""
        if not isinstance(packet, (bytes, Ether)):
            packet = Ether(dst=self.box, src=self.station) / packet
        self.send_bytes(bytes(packet))

    def send_bytes(self, frame):
        try:
            self.socket.send(frame)
        except OSError:
            # Nobody has plugged in the cable yet, or its queue is full.
            return False
        return True

    def take(self):
        """One frame that has come in: answers it, or keeps it as seen."""
        raw, address = self.socket.recvfrom(65_536)
        if address[2] == socket.PACKET_OUTGOING:
            return
        frame = Ether(raw)
        if frame.src == self.box and not self.answer(frame):
            self.seen.append(frame)

    def answer(self, frame):
        """Tells whether a frame is one of the box's own, which no row speaks of."""
        if ARP in frame and frame[ARP].op == 1:
            asked = frame[ARP]
            if asked.psrc != asked.pdst and asked.psrc != "0.0.0.0":
                reply = ARP(op=2, hwsrc=self.station, psrc=asked.pdst, hwdst=asked.hwsrc, pdst=asked.psrc)
                self.send(reply)
            return True
        if ICMPv6ND_NS in frame:
            target = frame[ICMPv6ND_NS].tgt
            if frame[IPv6].src != "::":
                reply = ICMPv6ND_NA(tgt=target, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=self.station)
                self.send(IPv6(src=target, dst=frame[IPv6].src, hlim=255) / reply)
            return True
        return ICMPv6ND_RA in frame


def listen(sides, seconds, is_enough=lambda: False):
    """Takes what comes in for a time, or until it is enough."""
    end = time.monotonic() + seconds
    while not is_enough():
        left = end - time.monotonic()
        if left <= 0:
            break
        ready, _, _ = select.select([side.socket for side in sides], [], [], left)
        for side in sides:
            if side.socket in ready:
                side.take()
