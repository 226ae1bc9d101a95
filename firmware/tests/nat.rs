//! Requirement: translation is written, shown and cleared as on an ASA. Needs: nothing; virtual time.

mod common;

use common::Box;

const CONFIGURATION: &str = "configure terminal\nhostname asa1\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\n\
     object network node\n host 10.20.0.11\nobject network published\n host 203.0.113.10\n\
     object network POOL\n range 203.0.113.5 203.0.113.6\n\
     object network RANGE\n range 203.0.113.11 203.0.113.12\n\
     object network desks\n subnet 10.20.0.128 255.255.255.128\n\
     object service SIP-PORTS\n service udp source range 5060 5070\n\
     object service SIP-OUTSIDE\n service udp source range 15060 15070\nexit\n\
     nat (inside,outside) source static node published service SIP-PORTS SIP-OUTSIDE\n\
     nat (inside,outside) 1 source static node node no-proxy-arp route-lookup inactive\n\
     object network desks\n nat (inside,outside) dynamic RANGE interface\n\
     nat (inside,outside) after-auto source dynamic any pat-pool POOL flat round-robin\n\
     xlate per-session deny udp host 10.20.0.11 any4 range 5060 5070\nend";

fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport
}

/// The lines of an answer: without the command and the prompt.
fn answer(sallyport: &mut Box, command: &str) -> String {
    let printed = sallyport.line(command).replace('\r', "");
    let lines: Vec<&str> = printed.lines().collect();
    let without = lines.get(1..lines.len().saturating_sub(1));
    without.unwrap_or_default().join("\n")
}

#[test]
fn rules_are_shown_by_section_and_filtered() {
    let mut sallyport = configured();
    let first = "\
Manual NAT Policies (Section 1)
1 (inside) to (outside) source static node node   no-proxy-arp route-lookup inactive
    translate_hits = 0, untranslate_hits = 0
    Source - Origin: 10.20.0.11/32, Translated: 10.20.0.11/32
2 (inside) to (outside) source static node published   service SIP-PORTS SIP-OUTSIDE
    translate_hits = 0, untranslate_hits = 0
    Source - Origin: 10.20.0.11/32, Translated: 203.0.113.10/32
    Service - Origin: udp source range 5060 5070 , Translated: udp source range 15060 15070";
    let rest = "
Auto NAT Policies (Section 2)
1 (inside) to (outside) source dynamic desks RANGE interface
    translate_hits = 0, untranslate_hits = 0
    Source - Origin: 10.20.0.128/25, Translated: 203.0.113.11-203.0.113.12, Translated (PAT): 203.0.113.2/32

Manual NAT Policies (Section 3)
1 (inside) to (outside) source dynamic any pat-pool POOL flat round-robin
    translate_hits = 0, untranslate_hits = 0
    Source - Origin: 0.0.0.0/0, Translated (PAT): 203.0.113.5-203.0.113.6";
    let all = answer(&mut sallyport, "show nat detail");
    assert_eq!(all, format!("{first}\n{rest}"));
    let count = |printed: &str| printed.matches("translate_hits").count() / 2;
    for (command, rules) in [
        ("show nat 10.20.0.11", 3),
        ("show nat 10.20.0.11 translated 203.0.113.10", 1),
        ("show nat 10.20.0.200", 2),
        ("show nat object desks detail", 2),
        ("show nat translated object POOL", 1),
        ("show nat interface outside", 0),
        ("show nat interface inside translated interface outside", 4),
    ] {
        let printed = answer(&mut sallyport, command);
        assert_eq!(count(&printed), rules, "{command}: {printed}");
    }
}

#[test]
fn pools_addresses_and_diversions_are_shown() {
    let mut sallyport = configured();
    let printed = answer(&mut sallyport, "show nat pool");
    for line in [
        "UDP PAT pool outside:POOL, address 203.0.113.6, flat range 1024-65535, allocated 0",
        "ICMP PAT pool outside:POOL, address 203.0.113.5, range 1-65535, allocated 0",
        "TCP PAT pool outside:RANGE, address 203.0.113.2, range 1-511, allocated 0",
        "NAT pool outside:RANGE, range 203.0.113.11-203.0.113.12, allocated 0",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    assert_eq!(
        answer(&mut sallyport, "show nat proxy-arp"),
        "Nat Proxy-arp Table\n\
         ip/id=203.0.113.5-203.0.113.6 ifc=outside\n\
         ip/id=203.0.113.10, mask=255.255.255.255 ifc=outside\n\
         ip/id=203.0.113.11-203.0.113.12 ifc=outside"
    );
    assert_eq!(
        answer(&mut sallyport, "show nat divert-table"),
        "Divert Table\n\
         domain=twice-nat section=1 rule=2 ignore=no\n        \
         hits=0, protocol=17\n        \
         src ip/id=0.0.0.0, mask=0.0.0.0, port=0-0\n        \
         dst ip/id=203.0.113.10, mask=255.255.255.255, port=15060-15070\n        \
         input_ifc=outside, output_ifc=inside"
    );
}

#[test]
fn translations_are_chosen_by_address_port_interface_and_kind() {
    let mut sallyport = configured();
    let entry = "UDP PAT from inside:10.20.0.11 5060-5070 to outside:203.0.113.10 15060-15070";
    for (words, is_shown) in [
        ("", true),
        ("local 10.20.0.11", true),
        ("local 10.20.0.0 netmask 255.255.255.0", true),
        ("local 10.20.0.12-10.20.0.99", false),
        ("global 203.0.113.9-203.0.113.10 lport 5065", true),
        ("gport 15071-15080", false),
        ("gport 15070-15080 interface inside", true),
        ("interface nowhere", false),
        ("state static", true),
        ("type dynamic", false),
        ("state portmap type static", true),
        ("state identity", false),
        ("gport high", false),
    ] {
        let printed = answer(&mut sallyport, &format!("show xlate {words}"));
        assert_eq!(printed.contains(entry), is_shown, "{words}: {printed}");
    }
    let printed = answer(&mut sallyport, "show xlate state portmap count");
    assert_eq!(printed, "1 in use, 1 most used");
    let printed = answer(&mut sallyport, "clear xlate gport 70000");
    assert_eq!(printed, "ERROR: 70000 is not what may stand there");
    let printed = answer(&mut sallyport, "clear xlate local 10.20.0.11 gport 15060");
    assert_eq!(printed, "INFO: 0 connection(s) ended");
    let printed = answer(&mut sallyport, "show running-config xlate");
    assert_eq!(
        printed,
        "xlate per-session deny udp host 10.20.0.11 any4 range sip 5070"
    );
}
