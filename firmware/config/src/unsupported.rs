//! Commands of an ASA that this box knows by name and cannot do.
//!
//! A rehearsed or pasted configuration that contains them is told what is missing, instead of that the
//! word is wrong. A command that opens a block takes the indented lines below it along.

/// Beginnings of commands, in full words, and what they are about.
const KNOWN: &[(&str, &str)] = &[
    ("aaa-server", "Authentication by a server"),
    ("anyconnect", "Remote access VPN"),
    ("boot", "Choosing an image or a configuration to start with"),
    ("call-home", "Reports to the vendor"),
    ("cluster", "Clustering"),
    ("context", "Security contexts"),
    ("crypto dynamic-map", "IPsec VPN"),
    ("crypto engine", "Crypto hardware"),
    ("crypto ikev1", "IPsec VPN"),
    ("crypto ikev2", "IPsec VPN"),
    ("crypto ipsec", "IPsec VPN"),
    ("crypto isakmp", "IPsec VPN"),
    ("crypto map", "IPsec VPN"),
    ("dhcp", "DHCP"),
    ("dhcpd", "The DHCP server"),
    ("dhcprelay", "The DHCP relay"),
    ("dns-guard", "DNS inspection"),
    ("eigrp", "Dynamic routing"),
    ("event manager", "The event manager"),
    ("failover", "Failover"),
    ("firewall transparent", "Transparent mode"),
    ("flow-export", "NetFlow"),
    ("group-policy", "VPN"),
    ("igmp", "Multicast routing"),
    ("ip audit", "Intrusion audit"),
    ("ip local pool", "Remote access VPN"),
    ("ipsec-udp", "IPsec VPN"),
    ("ipv6 access-list", "The older IPv6 access lists"),
    ("ipv6 dhcprelay", "The DHCPv6 relay"),
    ("ipv6 local", "Remote access VPN"),
    ("ipv6 neighbor", "Static IPv6 neighbors"),
    ("jumbo-frame", "Jumbo frames"),
    ("key config-key", "The master passphrase"),
    ("ldap", "LDAP"),
    ("management-access", "Management through a tunnel"),
    ("mroute", "Multicast routing"),
    ("multicast-routing", "Multicast routing"),
    ("name", "Names for addresses"),
    ("nve", "VXLAN"),
    ("passwd", "The Telnet password"),
    ("password encryption", "The master passphrase"),
    ("password-policy", "Rules for passwords"),
    ("password", "The Telnet password"),
    ("pim", "Multicast routing"),
    ("policy-list", "Dynamic routing"),
    ("prefix-list", "Dynamic routing"),
    ("priority-queue", "Traffic priority"),
    ("privilege", "Privilege levels of commands"),
    ("regex", "Regular expressions for inspection"),
    ("route-map", "Dynamic routing"),
    ("router", "Dynamic routing"),
    ("sla", "SLA monitoring"),
    ("smtp-server", "Mail"),
    ("sunrpc-server", "SUNRPC inspection"),
    ("tftp-server", "TFTP"),
    ("track", "Object tracking"),
    ("tunnel-group", "VPN"),
    ("tunnel-group-map", "VPN"),
    ("uc-ime", "Intercompany Media Engine"),
    ("url-block", "URL filtering"),
    ("url-cache", "URL filtering"),
    ("url-server", "URL filtering"),
    ("vpdn", "PPPoE and L2TP"),
    ("vpn", "VPN"),
    ("vpn-addr-assign", "VPN"),
    ("vpn-sessiondb", "VPN"),
    ("vxlan", "VXLAN"),
    ("wccp", "WCCP"),
    ("webvpn", "Clientless VPN"),
    ("zone", "Traffic zones"),
];

/// What a line asks for, if it is a command that this box knows by name only. `no` in front changes
/// nothing.
#[must_use]
pub fn feature(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    let line = line.strip_prefix("no ").unwrap_or(line).trim_start();
    KNOWN
        .iter()
        .find(|(beginning, _)| {
            let mut words = line.split_ascii_whitespace();
            beginning.split(' ').all(|word| {
                words
                    .next()
                    .is_some_and(|typed| typed.eq_ignore_ascii_case(word))
            })
        })
        .map(|&(_, feature)| feature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_compared_with_or_without_no() {
        assert_eq!(feature("router ospf 1"), Some("Dynamic routing"));
        assert_eq!(feature("no failover"), Some("Failover"));
        assert_eq!(
            feature(" crypto map outside_map 1 match address x"),
            Some("IPsec VPN")
        );
        assert_eq!(feature("crypto key generate rsa"), None);
        assert_eq!(feature("routers"), None);
        assert_eq!(feature("hostname asa1"), None);
        assert_eq!(feature(""), None);
    }

    #[test]
    fn the_table_is_in_order_and_says_everything_once() {
        assert!(KNOWN.windows(2).all(|pair| {
            let [(first, _), (second, _)] = pair else {
                return false;
            };
            first < second || second.starts_with(first) || first.starts_with(second)
        }));
    }
}
