"""Sends frames to both ports of a box from before it starts until told to stop, and counts what passes.

Prints `ready` when the first are under way; an empty line on its input ends it, with its counts as
one JSON object.
"""

import json
import select
import sys

from scapy.all import IP, TCP, UDP, Ether

import wire

# Frames of each kind, each from a port of its own.
FRAMES = 400
# Between two rounds of one frame of each kind.
PAUSE = 0.001

with open(sys.argv[1], encoding="utf-8") as file:
    known = json.load(file)
outside = wire.Side(known["outside_device"], known["outside_station"], known["outside_mac"])
inside = wire.Side(known["inside_device"], known["inside_station"], known["inside_mac"])
peer, public, server, client = (known[name] for name in ("peer", "public", "server", "client"))


def segment(port, service):
    return IP(src=peer, dst=public) / TCP(sport=port, dport=service, flags="S", seq=port)


def datagram(port, service):
    return IP(src=client, dst=peer) / UDP(sport=port, dport=service) / b"hello"


# Who sends, who may hear of it, and what is sent.
KINDS = {
    "permitted from outside": (outside, inside, lambda port: segment(port, known["published"])),
    "denied from outside": (outside, inside, lambda port: segment(port, known["hidden"])),
    "permitted from inside": (inside, outside, lambda port: datagram(port, known["allowed"])),
    "denied from inside": (inside, outside, lambda port: datagram(port, known["forbidden"])),
}
frames = {
    kind: [
        bytes(Ether(dst=side.box, src=side.station) / make(20_000 + port)) for port in range(FRAMES)
    ]
    for kind, (side, _, make) in KINDS.items()
}
sent, passed, before = ({kind: 0 for kind in KINDS} for _ in range(3))
strange = []


def judge(side, frame):
    """Counts what came out; what is none of the kinds in its translated form is strange."""
    if IP not in frame:
        return
    packet = frame[IP]
    service = packet.dport if TCP in packet or UDP in packet else None
    if side is inside and packet.src == peer and packet.dst == server and TCP in packet:
        kinds = {known["published"]: "permitted from outside", known["hidden"]: "denied from outside"}
    elif side is outside and packet.src == known["shared"] and packet.dst == peer and UDP in packet:
        kinds = {known["allowed"]: "permitted from inside", known["forbidden"]: "denied from inside"}
    else:
        kinds = {}
    kind = kinds.get(service)
    if kind is None:
        strange.append(frame.summary())
        return
    if not passed[kind]:
        before[kind] = sent[kind]
    passed[kind] += 1


turn = 0
while True:
    for kind, (side, _, _) in KINDS.items():
        sent[kind] += side.send_bytes(frames[kind][turn % FRAMES])
    turn += 1
    if turn == 1:
        print("ready", flush=True)
    wire.listen([outside, inside], PAUSE)
    for side in (outside, inside):
        for frame in side.seen:
            judge(side, frame)
        side.seen.clear()
    if select.select([sys.stdin], [], [], 0)[0]:
        break
print(json.dumps({"sent": sent, "passed": passed, "before": before, "strange": strange[:5]}), flush=True)
