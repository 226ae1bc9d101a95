//! What `show` commands print: typed values in, ASA's layouts out.
//!
//! Nothing here looks anything up: each function is given what it prints, so tests and failure
//! dumps use the same printers as the console.

pub(crate) mod access_list;
pub(crate) mod asp_drop;
pub(crate) mod capture;
pub(crate) mod conn;
pub(crate) mod files;
pub(crate) mod interface;
pub(crate) mod ipv6;
pub(crate) mod load;
pub(crate) mod local_host;
pub(crate) mod nat;
pub(crate) mod neighbor;
pub(crate) mod power;
pub(crate) mod protection;
pub(crate) mod route;
pub(crate) mod service_policy;
pub(crate) mod system;
pub(crate) mod tls_proxy;
pub(crate) mod tracer;
pub(crate) mod traffic;
pub(crate) mod xlate;

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use dataplane::{AddressRange, Policy, PortId};

/// Appends to a text; writing to memory cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        let _ = core::fmt::Write::write_fmt($out, format_args!($($arg)*));
    }};
}

/// Appends a line to a text.
macro_rules! put_line {
    ($out:expr) => { $crate::print::put!($out, "\n") };
    ($out:expr, $($arg:tt)*) => {{
        $crate::print::put!($out, $($arg)*);
        $crate::print::put!($out, "\n");
    }};
}

pub(crate) use {put, put_line};

/// The name of a port's interface; `any` if there is none.
pub(crate) fn nameif(policy: &Policy, port: Option<PortId>) -> &str {
    port.and_then(|port| {
        policy
            .interfaces
            .iter()
            .find(|interface| interface.port == port)
    })
    .map_or("any", |interface| interface.name.as_str())
}

/// A duration as `h:mm:ss`, hours unbounded.
pub(crate) struct Hms(pub(crate) Duration);

impl fmt::Display for Hms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }
}

/// An Ethernet address as `0050.56aa.0001`.
pub(crate) struct DottedMac(pub(crate) [u8; 6]);

impl fmt::Display for DottedMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks(2).enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for byte in pair {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Bytes as hexadecimal digits in capitals, as in serial numbers.
pub(crate) fn hex_capitals(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| alloc::format!("{byte:02X}"))
        .collect()
}

/// Length of the prefix, if the range is exactly a network.
pub(crate) fn prefix_len(range: AddressRange) -> Option<u32> {
    let size = range.size();
    let is_network =
        size.is_power_of_two() && u64::from(range.first.to_bits()).is_multiple_of(size);
    is_network.then(|| 32 - size.trailing_zeros())
}

/// The length of the prefix that a range of IPv6 addresses is, if it is one.
pub(crate) fn prefix_len6(range: dataplane::AddressRange6) -> Option<u8> {
    let differing = range.first.to_bits() ^ range.last.to_bits();
    // At most 128.
    let len = differing.leading_zeros() as u8;
    (dataplane::AddressRange6::network(range.first, len) == range).then_some(len)
}

/// Name of an IP protocol in capitals, as `show conn` prints it.
pub(crate) fn protocol_name(protocol: u8) -> String {
    match protocol {
        1 => "ICMP".into(),
        6 => "TCP".into(),
        17 => "UDP".into(),
        other => alloc::format!("{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn durations_keep_their_hours() {
        assert_eq!(
            Hms(Duration::from_secs(277 * 3600 + 5 * 60 + 26)).to_string(),
            "277:05:26"
        );
        assert_eq!(Hms(Duration::ZERO).to_string(), "0:00:00");
    }

    #[test]
    fn ethernet_addresses_stand_in_three_groups() {
        assert_eq!(
            DottedMac([0, 0x50, 0x56, 0xaa, 0, 1]).to_string(),
            "0050.56aa.0001"
        );
    }
}
