//! `show interface`, `show interface ip brief`, `show nameif`.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

use config::model::{Interface, InterfaceId};
use dataplane::PortCounters;
use hal::nic::{Link, MacAddr, NicStats};

use super::{DottedMac, put, put_line};

/// What is known of one port.
pub(crate) struct Port<'a> {
    /// Which interface it is.
    pub(crate) id: InterfaceId,
    /// Its number in the packet engine.
    pub(crate) number: u8,
    /// As configured.
    pub(crate) interface: &'a Interface,
    /// The chip.
    pub(crate) model: &'static str,
    /// Its Ethernet address.
    pub(crate) mac: MacAddr,
    /// The cable.
    pub(crate) link: Link,
    /// Counted by the device.
    pub(crate) device: NicStats,
    /// Frames that neither the device nor software could make ready to be sent.
    pub(crate) unsendable: u64,
    /// Counted by the data plane.
    pub(crate) traffic: PortCounters,
    /// Averages over the last minute and the last five.
    pub(crate) rates: [Rates; 2],
    /// Whether the address came with the saved configuration (`CONFIG`) or was typed (`manual`).
    pub(crate) is_from_startup: bool,
}

/// Averages per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) packets_in: u64,
    pub(crate) bytes_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) bytes_out: u64,
    pub(crate) drops: u64,
}

impl Port<'_> {
    fn status(&self) -> &'static str {
        if self.interface.shutdown {
            "administratively down"
        } else if self.link.is_up {
            "up"
        } else {
            "down"
        }
    }

    /// How it came to its address.
    fn method(&self) -> &'static str {
        if self.is_from_startup {
            "CONFIG"
        } else {
            "manual"
        }
    }

    fn protocol(&self) -> &'static str {
        if self.link.is_up && !self.interface.shutdown {
            "up"
        } else {
            "down"
        }
    }
}

/// One block of `show interface`.
pub(crate) fn block(out: &mut String, port: &Port<'_>) {
    let name = port.interface.nameif.as_deref().unwrap_or_default();
    let Port { id, traffic, .. } = port;
    put_line!(
        out,
        "Interface {id} \"{name}\", is {}, line protocol is {}",
        port.status(),
        port.protocol()
    );
    let speed = port.link.speed_mbps.unwrap_or(1000);
    put_line!(
        out,
        "  Hardware is {}, BW {speed} Mbps, DLY 10 usec",
        port.model
    );
    if id.is_sub() {
        match port.interface.vlan {
            Some(vlan) => put_line!(out, "\tVLAN identifier {vlan}"),
            None => put_line!(out, "\tVLAN identifier none"),
        }
    } else {
        medium(out, port, speed);
    }
    if let Some(description) = &port.interface.description {
        put_line!(out, "\tDescription: {description}");
    }
    let mac = port.mac.0;
    if name.is_empty() {
        put_line!(out, "\tAvailable but not configured via nameif");
        put_line!(out, "\tMAC address {}, MTU not set", DottedMac(mac));
        put_line!(out, "\tIP address unassigned");
    } else {
        put_line!(
            out,
            "\tMAC address {}, MTU {}",
            DottedMac(mac),
            port.interface.mtu
        );
        match port.interface.address {
            Some(address) => put_line!(
                out,
                "\tIP address {}, subnet mask {}",
                address.address(),
                address.mask()
            ),
            None => put_line!(out, "\tIP address unassigned"),
        }
    }
    if !id.is_sub() {
        hardware(out, port);
    }
    if name.is_empty() {
        return;
    }
    put_line!(out, "  Traffic Statistics for \"{name}\":");
    put_line!(
        out,
        "\t{} packets input, {} bytes",
        traffic.packets_in,
        traffic.bytes_in
    );
    put_line!(
        out,
        "\t{} packets output, {} bytes",
        traffic.packets_out,
        traffic.bytes_out
    );
    put_line!(out, "\t{} packets dropped", traffic.dropped);
    if !id.is_sub() {
        averages(out, &port.rates);
    }
}

/// How a port speaks to its cable.
fn medium(out: &mut String, port: &Port<'_>, speed: u32) {
    if port.link.is_up {
        let duplex = if port.link.full_duplex {
            "Full"
        } else {
            "Half"
        };
        put_line!(
            out,
            "\t{duplex}-Duplex({duplex}-duplex), Auto-Speed({speed} Mbps)"
        );
    } else {
        put_line!(out, "\tAuto-Duplex, Auto-Speed");
    }
    put_line!(
        out,
        "\tInput flow control is unsupported, output flow control is off"
    );
}

/// What the device of a port has counted.
fn hardware(out: &mut String, port: &Port<'_>) {
    let device = port.device;
    put_line!(
        out,
        "\t{} packets input, {} bytes, {} no buffer",
        device.rx_packets,
        device.rx_bytes,
        device.rx_no_buffer
    );
    put_line!(out, "\tReceived 0 broadcasts, 0 runts, 0 giants");
    put_line!(
        out,
        "\t{} input errors, 0 CRC, {} frame, {} overrun, 0 ignored, 0 abort",
        device.rx_errors,
        device.rx_bad_offload,
        device.rx_no_buffer
    );
    put_line!(out, "\t0 pause input, 0 resume input");
    put_line!(out, "\t0 L2 decode drops");
    put_line!(
        out,
        "\t{} packets output, {} bytes, {} underruns",
        device.tx_packets,
        device.tx_bytes,
        device.tx_ring_full
    );
    put_line!(out, "\t0 pause output, 0 resume output");
    put_line!(
        out,
        "\t{} output errors, 0 collisions, {} interface resets",
        port.unsendable,
        device.resets
    );
    put_line!(out, "\t0 late collisions, 0 deferred");
    put_line!(out, "\t0 input reset drops, 0 output reset drops");
}

/// The lines of averages over one minute and five.
pub(crate) fn averages(out: &mut String, rates: &[Rates; 2]) {
    for (minutes, rates) in [1, 5].into_iter().zip(rates) {
        for (word, packets, bytes) in [
            ("input", rates.packets_in, rates.bytes_in),
            ("output", rates.packets_out, rates.bytes_out),
        ] {
            put_line!(
                out,
                "      {minutes} minute {word} rate {packets} pkts/sec,  {bytes} bytes/sec"
            );
        }
        put_line!(
            out,
            "      {minutes} minute drop rate, {} pkts/sec",
            rates.drops
        );
    }
}

/// What `show interface detail` says more of a port than [`block`]: how the control plane knows it.
pub(crate) fn control_point(out: &mut String, port: &Port<'_>) {
    let state = if port.interface.shutdown || port.interface.nameif.is_none() {
        "not active"
    } else {
        "active"
    };
    put_line!(out, "  Control Point Interface States:");
    put_line!(out, "\tInterface number is {}", u16::from(port.number) + 1);
    put_line!(out, "\tInterface config status is {state}");
    let state = if port.protocol() == "up" {
        state
    } else {
        "not active"
    };
    put_line!(out, "\tInterface state is {state}");
}

/// The heading of [`brief`].
pub(crate) const BRIEF_HEADING: &str =
    "Interface                  IP-Address      OK? Method Status                Protocol\n";

/// One line of `show interface ip brief`.
pub(crate) fn brief(out: &mut String, port: &Port<'_>) {
    let name = port.id.to_string();
    let (address, method) = match port.interface.address {
        Some(address) => (alloc::format!("{}", address.address()), port.method()),
        None => ("unassigned".into(), "unset"),
    };
    put!(
        out,
        "{name:<26} {address:<15} YES {method:<6} {:<21} ",
        port.status()
    );
    put_line!(out, "{}", port.protocol());
}

/// The headings of [`address`].
pub(crate) fn addresses_heading(out: &mut String, which: &str) {
    put_line!(out, "{which} IP Addresses:");
    put_line!(
        out,
        "Interface                Name                   IP address      Subnet mask     Method "
    );
}

/// One line of `show ip address`; ports without a name or an address have none.
pub(crate) fn address(out: &mut String, port: &Port<'_>) {
    let (Some(name), Some(address)) = (&port.interface.nameif, port.interface.address) else {
        return;
    };
    let hardware = port.id.to_string();
    let (host, mask) = (
        alloc::format!("{}", address.address()),
        alloc::format!("{}", address.mask()),
    );
    put_line!(
        out,
        "{hardware:<24} {name:<22} {host:<15} {mask:<15} {}",
        port.method()
    );
}

/// The heading of [`named`].
pub(crate) const NAMEIF_HEADING: &str =
    "Interface                Name                     Security\n";

/// One line of `show nameif`; ports without a name have none.
pub(crate) fn named(out: &mut String, id: InterfaceId, interface: &Interface) {
    if let (Some(name), Some(level)) = (&interface.nameif, interface.security_level) {
        let port = id.to_string();
        put_line!(out, "{port:<24} {name:<24} {level:>3}");
    }
}

/// `show vlan`: the numbers in order, runs of them as one: `10-12, 20`.
pub(crate) fn vlans(out: &mut String, vlans: &BTreeSet<u16>) {
    let mut rest = vlans.iter().copied().peekable();
    let mut separator = "";
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if_eq(&(last + 1)) {
            last = next;
        }
        match last - first {
            0 => put!(out, "{separator}{first}"),
            _ => put!(out, "{separator}{first}-{last}"),
        }
        separator = ", ";
    }
    if !vlans.is_empty() {
        put_line!(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans_in_a_row_are_one_range() {
        let shown = |numbers: &[u16]| {
            let mut out = String::new();
            vlans(&mut out, &numbers.iter().copied().collect());
            out
        };
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[20]), "20\n");
        assert_eq!(
            shown(&[300, 10, 12, 11, 40, 4094, 4093]),
            "10-12, 40, 300, 4093-4094\n"
        );
    }
}
