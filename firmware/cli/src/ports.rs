//! The well-known port names an ASA takes and prints in place of port numbers.

/// Names and numbers, sorted by name. A number may have several names (tcp and udp differ).
pub const NAMES: &[(&str, u16)] = &[
    ("aol", 5190),
    ("bgp", 179),
    ("biff", 512),
    ("bootpc", 68),
    ("bootps", 67),
    ("chargen", 19),
    ("cifs", 3020),
    ("citrix-ica", 1494),
    ("cmd", 514),
    ("ctiqbe", 2748),
    ("daytime", 13),
    ("discard", 9),
    ("dnsix", 195),
    ("domain", 53),
    ("echo", 7),
    ("exec", 512),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("h323", 1720),
    ("hostname", 101),
    ("http", 80),
    ("https", 443),
    ("ident", 113),
    ("imap4", 143),
    ("irc", 194),
    ("isakmp", 500),
    ("kerberos", 750),
    ("klogin", 543),
    ("kshell", 544),
    ("ldap", 389),
    ("ldaps", 636),
    ("login", 513),
    ("lotusnotes", 1352),
    ("lpd", 515),
    ("mobile-ip", 434),
    ("nameserver", 42),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ssn", 139),
    ("nfs", 2049),
    ("nntp", 119),
    ("ntp", 123),
    ("pcanywhere-data", 5631),
    ("pcanywhere-status", 5632),
    ("pim-auto-rp", 496),
    ("pop2", 109),
    ("pop3", 110),
    ("pptp", 1723),
    ("radius", 1645),
    ("radius-acct", 1646),
    ("rip", 520),
    ("rsh", 514),
    ("rtsp", 554),
    ("secureid-udp", 5510),
    ("sip", 5060),
    ("smtp", 25),
    ("snmp", 161),
    ("snmptrap", 162),
    ("sqlnet", 1521),
    ("ssh", 22),
    ("sunrpc", 111),
    ("syslog", 514),
    ("tacacs", 49),
    ("talk", 517),
    ("telnet", 23),
    ("tftp", 69),
    ("time", 37),
    ("uucp", 540),
    ("vxlan", 4789),
    ("who", 513),
    ("whois", 43),
    ("www", 80),
    ("xdmcp", 177),
];

/// The names that mean a UDP service; every other name means TCP, or both if also in [`BOTH`].
const UDP_ONLY: &[&str] = &[
    "biff",
    "bootpc",
    "bootps",
    "dnsix",
    "isakmp",
    "mobile-ip",
    "nameserver",
    "netbios-dgm",
    "netbios-ns",
    "ntp",
    "pcanywhere-status",
    "radius",
    "radius-acct",
    "rip",
    "secureid-udp",
    "snmp",
    "snmptrap",
    "syslog",
    "tftp",
    "time",
    "vxlan",
    "who",
    "xdmcp",
];

/// The names printed for TCP and UDP alike.
const BOTH: &[&str] = &[
    "cifs",
    "discard",
    "domain",
    "echo",
    "http",
    "kerberos",
    "nfs",
    "pim-auto-rp",
    "sip",
    "sunrpc",
    "tacacs",
    "talk",
    "www",
];

/// Which transport a port belongs to; it decides the name printed for the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Reads a port: a number 0-65535 or a well-known name, in any case.
#[must_use]
pub fn parse(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    NAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|&(_, port)| port)
}

/// The name an ASA prints for `port`, if it has one for that transport.
///
/// Port 80 prints as `www` (`http` is taken but never printed).
#[must_use]
pub fn name(port: u16, transport: Transport) -> Option<&'static str> {
    NAMES
        .iter()
        .map(|&(name, number)| (name, number))
        .filter(|&(name, number)| number == port && name != "http")
        .map(|(name, _)| name)
        .find(|name| match transport {
            Transport::Tcp => !UDP_ONLY.contains(name),
            Transport::Udp => UDP_ONLY.contains(name) || BOTH.contains(name),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lower_case() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(
            NAMES
                .iter()
                .all(|(name, _)| name.chars().all(|c| !c.is_ascii_uppercase()))
        );
        assert!(
            UDP_ONLY
                .iter()
                .chain(BOTH)
                .all(|name| parse(name).is_some())
        );
    }

    #[test]
    fn a_port_prints_by_the_name_of_its_transport() {
        assert_eq!(name(80, Transport::Tcp), Some("www"));
        assert_eq!(name(514, Transport::Tcp), Some("cmd"));
        assert_eq!(name(514, Transport::Udp), Some("syslog"));
        assert_eq!(name(443, Transport::Udp), None);
        assert_eq!(name(5060, Transport::Udp), Some("sip"));
        assert_eq!(name(5061, Transport::Tcp), None);
        assert_eq!(parse("SIP"), Some(5060));
        assert_eq!(parse("65536"), None);
        assert_eq!(parse(""), None);
    }
}
