//! Requirement: what a service policy asks of connections holds, and is shown with its counts.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use std::time::Duration;

const CONFIGURATION: &str = "configure terminal\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\nroute outside 0 0 203.0.113.1\n\
     tcp-map STRICT\n syn-data drop\nclass-map WEB\n match port tcp eq 80\n\
     policy-map LIMITS\n class WEB\n  set connection conn-max 1 embryonic-conn-max 20\n  \
     set connection timeout idle 0:10:00 reset dcd\n  set connection advanced-options STRICT\n\
     class class-default\n  set connection decrement-ttl\n\
     service-policy LIMITS interface inside\nend";

/// A SYN of 10.20.0.40 to port 80 of 198.51.100.20, with `data`.
fn syn(port: u16, data: &[u8]) -> Vec<u8> {
    let mut tcp = port.to_be_bytes().to_vec();
    tcp.extend([0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 32, 0, 0, 0, 0, 0]);
    tcp.extend(data);
    let mut pseudo = vec![10, 20, 0, 40, 198, 51, 100, 20, 0, 6, 0, tcp.len() as u8];
    pseudo.extend(&tcp);
    let sum = !sum(&pseudo);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![0x52, 0x54, 0, 0, 0, 2, 2, 0, 0, 0, 0, 40, 8, 0];
    let mut ip = vec![0x45, 0, 0, 20 + tcp.len() as u8, 0, 0, 0, 0, 64, 6, 0, 0];
    ip.extend([10, 20, 0, 40, 198, 51, 100, 20]);
    let header_sum = !self::sum(&ip);
    ip[10..12].copy_from_slice(&header_sum.to_be_bytes());
    frame.extend(ip);
    frame.extend(tcp);
    frame
}

fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[test]
fn limits_and_checks_of_a_class_hold_and_are_shown() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    for frame in [syn(1000, b""), syn(1001, b"")] {
        assert!(sallyport.ends[1].send(&frame));
        sallyport.wait(Duration::from_millis(10));
    }
    let drops = sallyport.line("show asp drop frame");
    assert!(drops.contains("(conn-limit)"), "{drops}");
    let shown = sallyport.line("show service-policy");
    for line in [
        "Interface inside:",
        "  Service-policy: LIMITS",
        "    Class-map: WEB",
        "      Set connection policy: conn-max 1 embryonic-conn-max 20",
        "        current embryonic conns 1, current conns 1, drop 1",
        "        idle 0:10:00 reset",
        "        DCD: enabled, retry-interval 0:00:15, max-retries 5",
        "      Set connection advanced-options: STRICT",
        "    Class-map: class-default",
        "      Set connection decrement-ttl",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} in {shown}"
        );
    }
    // The handshake times out, and the next one brings what the TCP map forbids.
    sallyport.wait(Duration::from_secs(40));
    assert!(sallyport.ends[1].send(&syn(1002, b"data")));
    sallyport.wait(Duration::from_millis(10));
    let drops = sallyport.line("show asp drop frame");
    assert!(drops.contains("(tcp-syn-data)"), "{drops}");
    assert!(
        !sallyport
            .line("show service-policy global")
            .contains("Class-map")
    );
    let printed = sallyport.line("show running-config tcp-map");
    assert!(
        printed.contains("tcp-map STRICT\r\n  syn-data drop"),
        "{printed}"
    );
}
