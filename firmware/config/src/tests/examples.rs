//! Every row has an example, and `examples.txt` shows what the box prints after it.

use super::{Session, reread_from, snapshot};
use crate::mode::{
    CERTIFICATE_CHAIN, CLASS_MAP, CRL, GLOBAL, ICMP_GROUP, INSPECT_MAP, INSPECT_PARAMETERS,
    INTERFACE, MODES, NETWORK_GROUP, NETWORK_OBJECT, POLICY_CLASS, POLICY_MAP, PROTOCOL_GROUP,
    SERVICE_GROUP, SERVICE_OBJECT, SUBINTERFACE, TCP_MAP, TIME_RANGE, TLS_PROXY, TRUSTPOINT,
    USERNAME,
};
use crate::print::Extent;
use crate::statements::family::FAMILIES;
use crate::text::LineError;
use cli::grammar::{ModeSet, Row};

/// What the examples refer to.
const FURNISHING: &str = "\
object network IMP
 host 10.20.0.11
object network IMP-PUBLIC
 host 203.0.113.10
object service SIPS
 service tcp source eq 5061
object service SIP5062
 service tcp source eq 5062
object-group network PARTNERS
 network-object host 198.51.100.30
object-group network PEERS
 network-object host 198.51.100.20
object-group service PORTS tcp
 port-object eq sip
object-group service SERVICES
 service-object tcp destination eq 5061
object-group protocol VPN
 protocol-object ah
object-group icmp-type ERRORS
 icmp-object unreachable
time-range NIGHTS
 periodic Saturday 22:00 to Sunday 6:00
access-list OUTSIDE-IN extended permit tcp any object IMP eq 5062
access-list FEDERATION extended permit tcp any host 10.20.0.11 eq 5062
crypto ca trustpoint IMP-TRUST
crypto ca trustpoint PROXY
username bob nopassword
tls-proxy INBOUND
tcp-map STRICT
class-map FEDERATED
 match access-list FEDERATION
policy-map type inspect sip SIP-MAP
 parameters
policy-map type inspect dns DNS-MAP
 parameters
policy-map GLOBAL
 class FEDERATED
exit
exit
";

/// Ways into every mode; an example must be taken after one of them.
const ENTRIES: &[(ModeSet, &str)] = &[
    (GLOBAL, ""),
    (INTERFACE, "interface GigabitEthernet0/2"),
    (SUBINTERFACE, "interface GigabitEthernet0/2.10"),
    (NETWORK_OBJECT, "object network IMP"),
    (SERVICE_OBJECT, "object service NEW"),
    (NETWORK_GROUP, "object-group network PEERS"),
    (SERVICE_GROUP, "object-group service PORTS"),
    (SERVICE_GROUP, "object-group service SERVICES"),
    (PROTOCOL_GROUP, "object-group protocol VPN"),
    (ICMP_GROUP, "object-group icmp-type ERRORS"),
    (TIME_RANGE, "time-range NIGHTS"),
    (TRUSTPOINT, "crypto ca trustpoint IMP-TRUST"),
    (CRL, "crypto ca trustpoint IMP-TRUST\ncrl configure"),
    (CERTIFICATE_CHAIN, "crypto ca certificate chain IMP-TRUST"),
    (TLS_PROXY, "tls-proxy INBOUND"),
    (USERNAME, "username bob attributes"),
    (TCP_MAP, "tcp-map STRICT"),
    (CLASS_MAP, "class-map NEW"),
    (POLICY_MAP, "policy-map GLOBAL"),
    (POLICY_CLASS, "policy-map GLOBAL\nclass FEDERATED"),
    (INSPECT_MAP, "policy-map type inspect sip SIP-MAP"),
    (
        INSPECT_PARAMETERS,
        "policy-map type inspect sip SIP-MAP\nparameters",
    ),
    (
        INSPECT_PARAMETERS,
        "policy-map type inspect dns DNS-MAP\nparameters",
    ),
];

fn furnished() -> Session {
    let mut session = Session::with_interfaces();
    session.paste(FURNISHING);
    session
}

/// The first entry after which the example is answered as its row says, and the session after it.
fn try_example<A>(row: &Row<A>, index: usize, refuses: bool) -> (&'static str, Session, String) {
    let entries = ENTRIES.iter().filter(|(mode, _)| row.modes & mode != 0);
    let mut complaints = Vec::new();
    for (_, entry) in entries {
        let mut session = furnished();
        session.paste(entry);
        let scopes = session.state.mode().scopes();
        let found = session.grammar.parse(row.example, &scopes, 15);
        let found = found.unwrap_or_else(|error| panic!("{:?}: {error:?}", row.example));
        assert_eq!((found.row, found.scope), (index, 0), "{:?}", row.example);
        match session.try_line(row.example) {
            Ok(_) if refuses => panic!("{:?} is not refused", row.example),
            Ok(_) => {
                if session.state.is_collecting() {
                    session.paste("3003020105\nquit");
                }
                return (entry, session, String::new());
            }
            Err(LineError::Refused(refusal)) if refuses => {
                return (entry, session, refusal.to_string());
            }
            Err(error) => complaints.push(error),
        }
    }
    panic!("{:?}: {complaints:?}", row.example);
}

/// What to show after an example: the block it was typed in, else the section it belongs to; none
/// for lines like `exit`.
fn section(entry: &str, example: &str) -> Option<String> {
    let block: Vec<&str> = entry
        .lines()
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    match block.as_slice() {
        // The translation of an object is printed by another section.
        _ if example.starts_with("nat ") => Some("nat".into()),
        ["object" | "object-group", _, name] => Some(format!("{} id {name}", block[0])),
        ["crypto", ..] => Some(block.join(" ")),
        [keyword, .., name] => Some(format!("{keyword} {name}")),
        _ => {
            let keyword = example.split(' ').next()?;
            let mut families = FAMILIES.iter().map(|family| family.keyword);
            families.find(|known| *known == keyword).map(Into::into)
        }
    }
}

#[test]
fn every_row_has_an_example_that_is_taken_and_printed_as_shown() {
    let grammar = Session::new().grammar;
    let mut text = String::from(
        "Every example of the configuration statements, on the box of examples.rs, and what\n\
         `show running-config SECTION` prints after it (or the reason why it is refused).\n",
    );
    for (index, row) in grammar.rows().iter().enumerate() {
        assert_ne!(row.example, "", "{} has no example", row.syntax);
        let (entry, session, refusal) = try_example(row, index, row.action.refuses());
        for extent in [Extent::Configured, Extent::All] {
            let again = reread_from(&grammar, &session.config, extent);
            assert_eq!(again, session.config, "{:?}", row.example);
        }
        let section = section(entry, row.example);
        text.push('\n');
        for line in entry.lines().chain([row.example]) {
            text.push_str(&format!("> {line}\n"));
        }
        if !refusal.is_empty() {
            text.push_str(&format!("{refusal}\n"));
        } else if let Some(section) = section {
            for line in session.shown(&section) {
                text.push_str(&format!("{line}\n"));
            }
        }
    }
    snapshot("examples.txt", &text);
}

#[test]
fn every_mode_has_an_entry() {
    let entered = ENTRIES.iter().fold(0, |modes, (mode, _)| modes | mode);
    assert_eq!(entered, MODES);
}
