//! Requirement: `packet-tracer` tells phase by phase what would become of a packet, and does nothing.
//! Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;

const CONFIGURATION: &str = "configure terminal\nhostname asa1\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\nroute outside 0 0 203.0.113.1\n\
     object network node\n host 10.20.0.11\n\
     object network published\n host 203.0.113.10\n\
     object service real\n service tcp source eq 5062\n\
     object service seen\n service tcp source eq 5061\n\
     object network lan\n subnet 10.20.0.0 255.255.255.0\n nat (inside,outside) dynamic interface\nexit\n\
     nat (inside,outside) source static node published service real seen\n\
     access-list outside_in remark federation\n\
     access-list outside_in extended permit tcp host 198.51.100.20 object node eq 5062 log\n\
     access-list outside_in extended permit icmp any any echo\n\
     access-group outside_in in interface outside\nend";

fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport
}

/// What a command printed, without the command, the prompt and carriage returns.
fn ask(sallyport: &mut Box, command: &str) -> String {
    let printed = sallyport.line(command).replace('\r', "");
    let (_, answer) = printed.split_once('\n').expect("the end of the command");
    let answer = answer.trim_start_matches('\n');
    let end = answer.rfind('\n').map_or(0, |end| end + 1);
    answer[..end].to_string()
}

#[test]
fn a_call_from_outside_is_followed_to_the_published_node() {
    let mut sallyport = configured();
    let shown = ask(
        &mut sallyport,
        "packet-tracer input outside tcp 198.51.100.20 49368 203.0.113.10 5061",
    );
    assert_eq!(
        shown,
        "Phase: 1
Type: FLOW-LOOKUP
Subtype: 
Result: ALLOW
Config:
Additional Information:
Found no matching flow, creating a new flow

Phase: 2
Type: UN-NAT
Subtype: static
Result: ALLOW
Config:
nat (inside,outside) source static node published service real seen
Additional Information:
NAT divert to egress interface inside
Untranslate 203.0.113.10/5061 to 10.20.0.11/5062

Phase: 3
Type: ROUTE-LOOKUP
Subtype: Resolve Egress Interface
Result: ALLOW
Config:
Additional Information:
found next-hop 10.20.0.11 using egress ifc  inside

Phase: 4
Type: ACCESS-LIST
Subtype: log
Result: ALLOW
Config:
access-group outside_in in interface outside
access-list outside_in extended permit tcp host 198.51.100.20 object node eq 5062 log
Additional Information:

Phase: 5
Type: NAT
Subtype: rpf-check
Result: ALLOW
Config:
nat (inside,outside) source static node published service real seen
Additional Information:

Phase: 6
Type: FLOW-CREATION
Subtype: 
Result: ALLOW
Config:
Additional Information:
New flow created with id 1, packet dispatched to next module

Phase: 7
Type: ADJACENCY-LOOKUP
Subtype: Resolve Nexthop IP address to MAC
Result: ALLOW
Config:
Additional Information:
Found no adjacency entry for Next-hop 10.20.0.11 on interface inside: it would be asked first

Result:
input-interface: outside
input-status: up
input-line-status: up
output-interface: inside
output-status: up
output-line-status: up
Action: allow

"
    );
    assert_eq!(
        ask(&mut sallyport, "show conn count"),
        "0 in use, 0 most used\n"
    );
    let hits = ask(&mut sallyport, "show access-list outside_in");
    assert!(!hits.contains("hitcnt=1"), "{hits}");
    // Nothing was asked on the wire for it.
    drop(sallyport.ends[1].receive_all());
    sallyport.line("packet-tracer input outside tcp 198.51.100.20 49368 203.0.113.10 5061");
    sallyport.wait(Duration::from_millis(500));
    assert!(sallyport.ends[1].receive_all().is_empty());
}

#[test]
fn what_no_rule_permits_is_dropped_where_it_is_decided() {
    let mut sallyport = configured();
    let shown = ask(
        &mut sallyport,
        "packet-tracer input outside tcp 198.51.100.99 49368 203.0.113.10 5061",
    );
    let end = "Type: ACCESS-LIST
Subtype: 
Result: DROP
Config:
access-group outside_in in interface outside
Implicit Rule
Additional Information:
No entry of access-list outside_in matches

Result:
input-interface: outside
input-status: up
input-line-status: up
output-interface: inside
output-status: up
output-line-status: up
Action: drop
Drop-reason: (acl-drop) Flow is denied by configured rule

";
    assert!(shown.ends_with(end), "{shown}");
    let drops = ask(&mut sallyport, "show asp drop");
    assert!(!drops.contains("acl-drop"), "nothing is counted: {drops}");
}

#[test]
fn a_desk_is_translated_to_the_port_that_would_be_tried_first() {
    let mut sallyport = configured();
    let shown = ask(
        &mut sallyport,
        "packet-tracer input inside udp 10.20.0.40 9876 198.51.100.20 domain detailed",
    );
    for part in [
        "Config:\nImplicit Rule\nAdditional Information:\nFrom security level 100 to 0\n",
        "Type: NAT\nSubtype: per-session\n",
        "object network lan\n nat (inside,outside) dynamic interface\nAdditional Information:\n\
         Dynamic translate 10.20.0.40/9876 to 203.0.113.2/9876\n\
         translate_hits = 0, untranslate_hits = 0\n",
        "found next-hop 203.0.113.1 using egress ifc  outside\n",
        "Action: allow\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn icmp_raw_packets_and_the_box_itself_are_followed_too() {
    let mut sallyport = configured();
    for (command, verdict) in [
        (
            "packet-tracer input inside icmp 10.20.0.40 8 0 7 198.51.100.20",
            "Action: allow\n",
        ),
        (
            "packet-tracer input inside icmp 10.20.0.40 0 0 198.51.100.20",
            "Drop-reason: (inspect-icmp-seq-num-not-matched) ICMP Inspect seq num not matched\n",
        ),
        (
            "packet-tracer input inside rawip 10.20.0.40 47 198.51.100.20",
            "Drop-reason: (nat-failed) NAT failed for protocol without ports\n",
        ),
        (
            "packet-tracer input inside icmp 10.20.0.40 8 0 10.20.0.1",
            "output-interface: NP Identity Ifc\noutput-status: up\noutput-line-status: up\nAction: allow\n",
        ),
        (
            "packet-tracer input inside tcp 10.20.0.40 3000 10.20.0.1 ssh",
            "Drop-reason: (np-socket-closed) Dropped pending packets in a closed socket\n",
        ),
        (
            "packet-tracer input outside tcp 203.0.113.15 3000 203.0.113.10 5061",
            "input-line-status: up\nAction: drop\n\
             Drop-reason: (sp-security-failed) Slowpath security checks failed\n",
        ),
        (
            "packet-tracer input nowhere rawip 10.20.0.40 47 198.51.100.20",
            "ERROR: there is no interface of that name\n",
        ),
    ] {
        let shown = ask(&mut sallyport, command);
        assert!(shown.contains(verdict), "{command}: {shown}");
    }
    let refused = sallyport.line("packet-tracer input inside udp 10.20.0.40 1 10.20.0.1 1 xml");
    assert!(
        refused.contains("ERROR: % Invalid input detected"),
        "{refused}"
    );
}

#[test]
fn a_connection_for_a_tls_proxy_is_followed_up_to_its_trustpoints() {
    let mut sallyport = configured();
    sallyport.config(
        "configure terminal\n\
         crypto ca trustpoint node_tp\n enrollment terminal\n\
         crypto ca trustpoint edge_tp\n enrollment terminal\nexit\n\
         tls-proxy sip_proxy\n server trust-point node_tp\n client trust-point edge_tp\nexit\n\
         access-list proxied extended permit tcp any object node eq 5062\n\
         class-map sip_tls\n match access-list proxied\nexit\n\
         policy-map global_policy\n class sip_tls\n  inspect sip tls-proxy sip_proxy\n\
         service-policy global_policy global\nend",
    );
    let shown = ask(
        &mut sallyport,
        "packet-tracer input outside tcp 198.51.100.20 49368 203.0.113.10 5061",
    );
    for part in [
        "Type: INSPECT\nSubtype: inspect-sip\nResult: ALLOW\nConfig:\nclass-map sip_tls\n\
         policy-map global_policy\n class sip_tls\n  inspect sip tls-proxy sip_proxy\n\
         service-policy global_policy global\n",
        "Type: INSPECT\nSubtype: tls-proxy\nResult: DROP\nConfig:\ntls-proxy sip_proxy\n",
        "the server trust-point is not enrolled\n",
        "Action: drop\nDrop-reason: (inspect-fail) Inspection failure\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}
