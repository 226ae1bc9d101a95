"""Plays the rows of a table of packets, and tells of each what came of it.

A table is a text. A line that begins at the margin names a row; the indented lines under it say what
happens, in order:

    out> PACKET     the station outside sends a packet, a list of them, or a whole frame (Ether)
    in> PACKET      the station inside does
    in< CONDITION   a frame comes out inside, and this is true of it: `p` is what scapy reads in it
    out< CONDITION  likewise outside
    open PORT       a connection from that port of `peer` to the published port is opened; after it
                    `ours` and `theirs` are the next sequence numbers, as seen outside
    wait SECONDS    time passes
    drop NAME N     this counter of `show asp drop` grows by N in the row

Packets and conditions are scapy's own notation. A frame that no line foretells, on either side, is a
fault, and so is one that does not come. Counters are the business of whoever reads what this prints:
one JSON object a row; the next row is played when an empty line comes in.
"""

import json
import sys

import scapy.all
from scapy.all import IP, TCP, UDP, IPv6, Raw

import wire


def fragments(identification, *places):
    """Pieces of a UDP datagram to the public address: offset, length, whether more follow."""
    made = []
    for offset, length, more in places:
        header = IP(
            src=known["peer"], dst=known["public"], id=identification, proto=17,
            frag=offset // 8, flags="MF" if more else 0,
        )
        start = bytes(UDP(sport=4_000, dport=5_000, len=3_000, chksum=0)) if offset == 0 else b""
        made.append(header / Raw(start.ljust(length, b"x")))
    return made


def corrupt(packet, layer):
    """The packet with a transport checksum that is wrong by one bit."""
    whole = packet.__class__(bytes(packet))
    right = whole[layer].chksum if layer is not None else 0
    packet[layer].chksum = right ^ 1
    return packet


def is_sound(packet):
    """Tells whether scapy computes the checksums that a packet carries."""
    layer = next((kind for kind in (TCP, UDP, scapy.all.ICMP) if kind in packet), None)
    again = packet.copy()
    if IP in again:
        del again[IP].chksum
    if layer is not None:
        del again[layer].chksum
    again = again.__class__(bytes(again))
    return all(again[kind].chksum == packet[kind].chksum for kind in (IP, layer) if kind and kind in packet)


def padding(frame):
    """What stands behind the packet in its frame."""
    raw = bytes(frame)
    length = 14 + (frame[IP].len if IP in frame else 40 + frame[IPv6].plen)
    return raw[length:]


class Player:
    def __init__(self, known):
        self.outside = wire.Side(known["outside_device"], known["outside_station"], known["outside_mac"])
        self.inside = wire.Side(known["inside_device"], known["inside_station"], known["inside_mac"])
        self.sides = {"out": self.outside, "in": self.inside}
        self.names = vars(scapy.all) | known
        self.names |= {
            "fragments": fragments, "corrupt": corrupt, "is_sound": is_sound, "padding": padding,
            "known": known,
        }

    def value(self, text):
        return eval(text, self.names)  # The table is a part of this program.

    def pause(self, seconds):
        wire.listen(self.sides.values(), seconds)

    def open(self, port):
        """The three packets of a handshake, with the sequence numbers each side sees."""
        peer, public, server = (self.names[name] for name in ("peer", "public", "server"))
        service = self.names["service"]

        def arrive(side):
            wire.listen(self.sides.values(), wire.PATIENCE, lambda: side.seen)
            if not side.seen:
                raise LookupError("a segment of the handshake is lost")
            return side.seen.pop(0)[TCP]

        def segment(**fields):
            return IP(src=peer, dst=public) / TCP(sport=port, dport=service, window=8_192, **fields)

        self.outside.send(segment(flags="S", seq=1_000))
        syn = arrive(self.inside)
        answer = TCP(sport=service, dport=port, flags="SA", seq=7_000, ack=syn.seq + 1, window=8_192)
        self.inside.send(IP(src=server, dst=peer) / answer)
        answer = arrive(self.outside)
        self.outside.send(segment(flags="A", seq=1_001, ack=answer.seq + 1))
        ack = arrive(self.inside)
        self.names |= {
            "ours": 1_001, "theirs": answer.seq + 1,
            # The same two numbers as the inside sees them.
            "ours_inside": ack.seq, "theirs_inside": ack.ack,
        }

    def play(self, lines):
        """Plays a row; returns what was wrong with it, and its counters."""
        foretold, drops = {"out": [], "in": []}, {}
        for side in self.sides.values():
            side.seen.clear()
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            rest = rest.strip()
            if word == "drop":
                name, count = rest.split()
                drops[name] = drops.get(name, 0) + int(count)
            elif word == "wait":
                self.pause(float(rest))
            elif word == "open":
                self.open(int(rest))
            elif word in ("out<", "in<"):
                foretold[word[:-1]].append(rest)
            elif word in ("out>", "in>"):
                packets = self.value(rest)
                for packet in packets if isinstance(packets, list) else [packets]:
                    self.sides[word[:-1]].send(packet)
                self.pause(0.01)
            else:
                raise ValueError(f"no such line: {line}")
        wanted = {name: len(conditions) for name, conditions in foretold.items()}
        wire.listen(
            self.sides.values(), wire.PATIENCE if any(wanted.values()) else 0,
            lambda: all(len(side.seen) >= wanted[name] for name, side in self.sides.items()),
        )
        self.pause(wire.QUIET)
        faults = []
        for name, side in self.sides.items():
            for frame, condition in zip(side.seen, foretold[name]):
                if not eval(condition, self.names | {"p": frame}):
                    faults.append(f"{name}: {frame.summary()} is not as foretold: {condition}")
            faults += [f"{name}: unforetold: {frame.summary()}" for frame in side.seen[wanted[name]:]]
            faults += [f"{name}: did not come: {condition}" for condition in foretold[name][len(side.seen):]]
        return faults, drops


def rows(text):
    """The rows of a table: name and lines."""
    row = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            if row:
                yield row
            row = (line.strip(), [])
        else:
            row[1].append(line)
    if row:
        yield row


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        known = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        table = list(rows(file.read()))
    player = Player(known)
    for name, lines in table:
        try:
            faults, drops = player.play(lines)
        except (LookupError, NameError, TypeError, ValueError, SyntaxError, AttributeError) as error:
            faults, drops = [f"{type(error).__name__}: {error}"], {}
        print(json.dumps({"row": name, "faults": faults, "drops": drops}), flush=True)
        if not sys.stdin.readline():
            break
    print(json.dumps({"rows": len(table)}), flush=True)
