"""A VLAN device in user space, for hosts whose kernel has none.

    vlan.py PARENT VLAN

Makes a TAP device PARENT.VLAN with the Ethernet address of PARENT. What is sent to it leaves PARENT
with the tag, what PARENT receives in the VLAN arrives at it without. Checksums and segmentation that
the kernel has left to somebody else are carried on (struct virtio_net_hdr), as a VLAN device would.
"""

import fcntl
import os
import select
import socket
import struct
import sys

# linux/if_tun.h
TUNSETIFF = 0x400454CA
TUNSETOFFLOAD = 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
# linux/sockios.h
SIOCGIFHWADDR, SIOCSIFHWADDR = 0x8927, 0x8924
# linux/if_packet.h
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR, PACKET_OUTGOING = 263, 8, 15, 4
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3
TPID = 0x8100

# flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
HEADER = struct.Struct("=BBHHHH")
NEEDS_CSUM = 1
ADDRESSES_LEN = 12
TAG_LEN = 4
LONGEST = HEADER.size + 14 + 65535 + TAG_LEN


def tap(parent, name):
    """Opens the TAP device."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    fcntl.ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16s24x", parent.encode())
        address = fcntl.ioctl(any_socket, SIOCGIFHWADDR, request)[16:]
        request = struct.pack("16s24s", name.encode(), address)
        fcntl.ioctl(any_socket, SIOCSIFHWADDR, request)
    return device


def raw(parent):
    """Opens the parent device, tags told beside the frames."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    wire.bind((parent, ETH_P_ALL))
    return wire


def tagged(data, vlan):
    """What the TAP device was sent, with a tag."""
    flags, gso_type, hdr_len, gso_size, start, offset = HEADER.unpack_from(data)
    if flags & NEEDS_CSUM:
        start += TAG_LEN
    if gso_type:
        hdr_len += TAG_LEN
    header = HEADER.pack(flags, gso_type, hdr_len, gso_size, start, offset)
    frame = data[HEADER.size :]
    tag = struct.pack("!HH", TPID, vlan)
    return header + frame[:ADDRESSES_LEN] + tag + frame[ADDRESSES_LEN:]


def vlan_of(notes):
    """The VLAN that is told beside a frame."""
    for level, kind, value in notes:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, control, _ = struct.unpack("=IIIHHHH", value)
            if status & TP_STATUS_VLAN_VALID:
                return control & 0x0FFF
    return None


def main():
    parent, vlan = sys.argv[1], int(sys.argv[2])
    device, wire = tap(parent, f"{parent}.{vlan}"), raw(parent)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([device, wire], [], [])
        for source in ready:
            try:
                if source is wire:
                    data, notes, _, address = wire.recvmsg(LONGEST, 256)
                    if address[2] != PACKET_OUTGOING and vlan_of(notes) == vlan:
                        os.write(device, data)
                else:
                    wire.send(tagged(os.read(device, LONGEST), vlan))
            except OSError as error:
                # As a cable does: what cannot be sent now is lost.
                print(error, flush=True)


main()
