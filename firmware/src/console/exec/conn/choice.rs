//! Which connections `show conn` and `clear conn` are about.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::ops::RangeInclusive;

use cli::grammar::Captures;
use dataplane::{AddressRange, ConnFlags, ConnView, PROTOCOL_TCP, PROTOCOL_UDP};

/// A state by which connections are chosen.
type State = (&'static str, fn(&ConnView) -> bool);

/// The states there are. `in` is towards the side of higher security.
const STATES: &[State] = &[
    ("up", |conn| conn.flags.contains(ConnFlags::UP)),
    ("conn_inbound", |conn| conn.opened_by_lower),
    ("data_in", |conn| {
        conn.flags.contains(ConnFlags::INBOUND_DATA)
    }),
    ("data_out", |conn| {
        conn.flags.contains(ConnFlags::OUTBOUND_DATA)
    }),
    ("finin", |conn| conn.flags.contains(ConnFlags::OUTSIDE_FIN)),
    ("finout", |conn| conn.flags.contains(ConnFlags::INSIDE_FIN)),
    ("tcp_embryonic", |conn| {
        conn.protocol == PROTOCOL_TCP && !conn.flags.contains(ConnFlags::UP)
    }),
    ("sip", |conn| conn.flags.contains(ConnFlags::SIP)),
];

/// Addresses of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addresses {
    Range(AddressRange),
    /// Those that are the first where the second has ones.
    Masked(Ipv4Addr, Ipv4Addr),
}

impl Addresses {
    fn contains(self, address: Ipv4Addr) -> bool {
        match self {
            Self::Range(range) => range.contains(address),
            Self::Masked(wanted, mask) => address & mask == wanted & mask,
        }
    }
}

/// Conditions, all of which must hold.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Choice {
    /// One of them must.
    states: Vec<State>,
    protocol: Option<u8>,
    addresses: Option<Addresses>,
    ports: Option<RangeInclusive<u16>>,
}

impl Choice {
    /// Reads the words of a line.
    ///
    /// # Errors
    /// What to tell whoever typed it.
    pub(in super::super) fn of(words: &Captures<'_>) -> Result<Self, String> {
        let mut choice = Self::default();
        for name in words
            .word("states")
            .into_iter()
            .flat_map(|text| text.split(','))
        {
            match STATES.iter().find(|(known, _)| *known == name) {
                Some(state) => choice.states.push(*state),
                None => {
                    let known: Vec<&str> = STATES.iter().map(|(known, _)| *known).collect();
                    return Err(alloc::format!(
                        "ERROR: {name} is no state; there are {}\n",
                        known.join(", ")
                    ));
                }
            }
        }
        choice.protocol = match words.one_of(&["tcp", "udp"]) {
            Some("tcp") => Some(PROTOCOL_TCP),
            Some(_) => Some(PROTOCOL_UDP),
            None => None,
        };
        if let Some(text) = words.word("addresses") {
            let range = addresses(text)
                .ok_or_else(|| alloc::format!("ERROR: {text} is no address and no range\n"))?;
            choice.addresses = Some(match words.mask("mask") {
                None => Addresses::Range(range),
                Some(mask) if range.size() == 1 => Addresses::Masked(range.first, mask),
                Some(_) => return Err("ERROR: a range of addresses takes no netmask\n".into()),
            });
        }
        if let Some(text) = words.word("ports") {
            let range = ports(text)
                .ok_or_else(|| alloc::format!("ERROR: {text} is no port and no range\n"))?;
            choice.ports = Some(range);
        }
        Ok(choice)
    }

    /// Whether a connection is meant. A side is known by its real address and port and by those it
    /// is seen with.
    pub(in super::super) fn chooses(&self, conn: &ConnView) -> bool {
        let ends = || {
            [&conn.lower, &conn.higher]
                .into_iter()
                .flat_map(|side| [side.real, side.mapped])
        };
        let addresses = self.addresses;
        (self.states.is_empty() || self.states.iter().any(|(_, holds)| holds(conn)))
            && self.protocol.is_none_or(|wanted| conn.protocol == wanted)
            && addresses.is_none_or(|wanted| ends().any(|(address, _)| wanted.contains(address)))
            && self
                .ports
                .as_ref()
                .is_none_or(|wanted| ends().any(|(_, port)| wanted.contains(&port)))
    }
}

/// `A.B.C.D` or `A.B.C.D-E.F.G.H`.
fn addresses(text: &str) -> Option<AddressRange> {
    if let Ok(address) = text.parse() {
        return Some(AddressRange::host(address));
    }
    let (first, last) = text.split_once('-')?;
    let range = AddressRange {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    };
    (range.first <= range.last).then_some(range)
}

/// `PORT` or `PORT-PORT`, numbers or names; names may have hyphens themselves.
fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let one = cli::ports::parse;
    if let Some(port) = one(text) {
        return Some(port..=port);
    }
    text.match_indices('-').find_map(|(at, _)| {
        let (first, last) = (one(text.get(..at)?)?, one(text.get(at + 1..)?)?);
        (first <= last).then_some(first..=last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_with_names_that_have_hyphens() {
        assert_eq!(ports("80"), Some(80..=80));
        assert_eq!(ports("ftp-data"), Some(20..=20));
        assert_eq!(ports("ftp-data-https"), Some(20..=443));
        assert_eq!(ports("5060-5061"), Some(5060..=5061));
        for wrong in ["5061-5060", "-", "80-", "-80", "port", "65536"] {
            assert_eq!(ports(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_are_hosts_or_ranges_that_go_up() {
        let host = |last| Ipv4Addr::new(10, 20, 0, last);
        assert_eq!(addresses("10.20.0.1"), Some(AddressRange::host(host(1))));
        assert_eq!(
            addresses("10.20.0.1-10.20.0.9"),
            Some(AddressRange {
                first: host(1),
                last: host(9)
            })
        );
        for wrong in ["10.20.0.9-10.20.0.1", "10.20.0", "10.20.0.1-", "any"] {
            assert_eq!(addresses(wrong), None, "{wrong}");
        }
        let odd = Addresses::Masked(host(0), Ipv4Addr::new(255, 255, 255, 1));
        assert!(odd.contains(host(4)) && !odd.contains(host(5)));
    }
}
