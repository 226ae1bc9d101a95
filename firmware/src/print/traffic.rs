//! `show traffic`, `show perfmon`.

use alloc::string::String;
use core::time::Duration;

use dataplane::{Opened, PortCounters};

use super::interface::{Rates, averages};
use super::put_line;

/// One interface: what passed in the time since counting began, and the averages.
pub(crate) fn interface(
    out: &mut String,
    name: &str,
    counted: Duration,
    traffic: &PortCounters,
    rates: &[Rates; 2],
) {
    put_line!(out, "{name}:");
    for (word, packets, bytes) in [
        ("received", traffic.packets_in, traffic.bytes_in),
        ("transmitted", traffic.packets_out, traffic.bytes_out),
    ] {
        let (secs, millis) = (counted.as_secs(), counted.subsec_millis());
        let per_second = |count: u64| {
            let millis = counted.as_millis().max(1);
            u128::from(count) * 1000 / millis
        };
        put_line!(out, "\t{word} (in {secs}.{millis:03} secs):");
        put_line!(out, "\t\t{packets} packets\t{bytes} bytes");
        put_line!(
            out,
            "\t\t{} pkts/sec\t{} bytes/sec",
            per_second(packets),
            per_second(bytes)
        );
    }
    averages(out, rates);
    put_line!(out);
}

/// What is made in a second: of late, and on average since the start.
pub(crate) fn perfmon(out: &mut String, current: &Opened, average: &Opened) {
    put_line!(out);
    put_line!(
        out,
        "PERFMON STATS:                     Current      Average"
    );
    for (what, current, average) in [
        ("Xlates", current.xlates, average.xlates),
        ("Connections", current.conns, average.conns),
        ("TCP Conns", current.tcp, average.tcp),
        ("UDP Conns", current.udp, average.udp),
    ] {
        put_line!(
            out,
            "{what:<20}{:>20}{:>13}",
            alloc::format!("{current}/s"),
            alloc::format!("{average}/s")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_shown_with_its_averages() {
        let traffic = PortCounters {
            packets_in: 2048,
            bytes_in: 204_295,
            packets_out: 1,
            bytes_out: 42,
            ..PortCounters::default()
        };
        let minute = Rates {
            packets_in: 20,
            bytes_in: 2001,
            ..Rates::default()
        };
        let mut out = String::new();
        let counted = Duration::from_millis(102_080);
        interface(
            &mut out,
            "outside",
            counted,
            &traffic,
            &[minute, Rates::default()],
        );
        assert_eq!(
            out,
            "outside:
\treceived (in 102.080 secs):
\t\t2048 packets\t204295 bytes
\t\t20 pkts/sec\t2001 bytes/sec
\ttransmitted (in 102.080 secs):
\t\t1 packets\t42 bytes
\t\t0 pkts/sec\t0 bytes/sec
      1 minute input rate 20 pkts/sec,  2001 bytes/sec
      1 minute output rate 0 pkts/sec,  0 bytes/sec
      1 minute drop rate, 0 pkts/sec
      5 minute input rate 0 pkts/sec,  0 bytes/sec
      5 minute output rate 0 pkts/sec,  0 bytes/sec
      5 minute drop rate, 0 pkts/sec

"
        );
    }
}
