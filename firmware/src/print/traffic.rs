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

/// A row of `show perfmon`: its name, and what it counts.
type Row = (&'static str, fn(&Opened) -> u64);

/// Nobody here filters URLs, inspects HTTP or FTP, or asks an AAA server.
const NOTHING: fn(&Opened) -> u64 = |_| 0;

/// The rows of the ASA.
const ROWS: &[Row] = &[
    ("Xlates", |opened| opened.xlates),
    ("Connections", |opened| opened.conns),
    ("TCP Conns", |opened| opened.tcp),
    ("UDP Conns", |opened| opened.udp),
    ("URL Access", NOTHING),
    ("URL Server Req", NOTHING),
    ("TCP Fixup", |opened| opened.intercepted),
    ("TCP Intercept Established Conns", |opened| opened.proven),
    ("TCP Intercept Attempts", |opened| opened.answered),
    ("TCP Embryonic Conns Timeout", |opened| opened.abandoned),
    ("HTTP Fixup", NOTHING),
    ("FTP Fixup", NOTHING),
    ("AAA Authen", NOTHING),
    ("AAA Author", NOTHING),
    ("AAA Account", NOTHING),
];

/// What is made in a second: of late, and on average since the start.
pub(crate) fn perfmon(out: &mut String, [current, average]: &[(Opened, Duration); 2]) {
    put_line!(out);
    put_line!(
        out,
        "PERFMON STATS:                     Current      Average"
    );
    for (what, count) in ROWS {
        let [current, average] = [current, average].map(|(opened, took)| {
            let per_second = count(opened) / took.as_secs().max(1);
            alloc::format!("{per_second}/s")
        });
        put_line!(out, "{what:<33}{current:>8}{average:>13}");
    }
    put_line!(out);
    put_line!(
        out,
        "VALID CONNS RATE in TCP INTERCEPT:    Current      Average"
    );
    let [current, average] = [current, average].map(|(opened, _)| valid(opened));
    put_line!(out, "{:39}{current:<12}{average}", "");
}

/// How many of the clients that were answered with a cookie meant it.
fn valid(opened: &Opened) -> String {
    match opened
        .proven
        .saturating_mul(10_000)
        .checked_div(opened.answered)
    {
        Some(share) => alloc::format!("{}.{:02}%", share / 100, share % 100),
        None => "N/A".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfmon_has_the_rows_of_the_asa_and_the_share_of_valid_connections() {
        let current = Opened {
            xlates: 555,
            conns: 775,
            tcp: 530,
            udp: 225,
            intercepted: 18_805,
            answered: 0,
            proven: 0,
            abandoned: 15,
        };
        let since_start = Opened {
            answered: 3_000,
            proven: 1_000,
            ..Opened::default()
        };
        let mut out = String::new();
        let times = [5, 1_000].map(Duration::from_secs);
        perfmon(&mut out, &[(current, times[0]), (since_start, times[1])]);
        assert_eq!(
            out,
            "
PERFMON STATS:                     Current      Average
Xlates                              111/s          0/s
Connections                         155/s          0/s
TCP Conns                           106/s          0/s
UDP Conns                            45/s          0/s
URL Access                            0/s          0/s
URL Server Req                        0/s          0/s
TCP Fixup                          3761/s          0/s
TCP Intercept Established Conns       0/s          1/s
TCP Intercept Attempts                0/s          3/s
TCP Embryonic Conns Timeout           3/s          0/s
HTTP Fixup                            0/s          0/s
FTP Fixup                             0/s          0/s
AAA Authen                            0/s          0/s
AAA Author                            0/s          0/s
AAA Account                           0/s          0/s

VALID CONNS RATE in TCP INTERCEPT:    Current      Average
                                       N/A         33.33%
"
        );
    }

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
