//! `show fragment`, `show shun`, `show threat-detection rate`.

use alloc::format;
use alloc::string::String;

use dataplane::{FragmentView, Shun, ShunView};
use hal::time::Instant;

use super::{Hms, put_line};
use crate::threat::{ThreatView, class_name};

/// The block of one interface.
pub(crate) fn fragments(out: &mut String, nameif: &str, view: &FragmentView) {
    let rule = view.rule;
    let kind = if rule.is_full { "full" } else { "virtual" };
    put_line!(out, "Interface: {nameif}");
    put_line!(
        out,
        "    Size: {}, Chain: {}, Timeout: {}, Reassembly: {kind}",
        rule.size,
        rule.chain,
        rule.timeout_secs
    );
    put_line!(
        out,
        "    Queue: {}, Assembled: {}, Fail: {}, Overflow: {}",
        view.queue,
        view.assembled,
        view.fail,
        view.overflow
    );
}

/// A source that is shut out; `nameif` is where it is routed to.
pub(crate) fn shun(out: &mut String, nameif: &str, shun: &Shun) {
    put_line!(
        out,
        "shun ({nameif}) {} {} {} {} {}",
        shun.source,
        shun.destination,
        shun.source_port,
        shun.destination_port,
        shun.protocol
    );
}

/// The sources behind an interface together.
pub(crate) fn shun_interface(out: &mut String, nameif: &str, is_on: bool, hits: u64) {
    let state = if is_on { "ON" } else { "OFF" };
    put_line!(out, "{nameif}={state}, cnt={hits}");
}

/// A source that is shut out, with what was dropped of it and for how long it has been.
pub(crate) fn shun_counters(out: &mut String, entry: &ShunView, now: Instant) {
    put_line!(
        out,
        "Shun {} cnt={}, time=({})",
        entry.shun.source,
        entry.hits,
        Hms(now.since(entry.since))
    );
}

/// Above the rates.
pub(crate) fn threat_rates_header(out: &mut String) {
    put_line!(
        out,
        "{:26}Average(eps)    Current(eps) Trigger         Total events",
        ""
    );
}

/// One rate.
pub(crate) fn threat_rate(out: &mut String, view: &ThreatView) {
    let interval = match view.rate.interval_secs {
        secs if secs % 3600 == 0 => format!("{}-hour", secs / 3600),
        secs if secs % 60 == 0 => format!("{}-min", secs / 60),
        secs => format!("{secs}-sec"),
    };
    let label = format!("{interval:>8} {}:", class_name(view.rate.class));
    put_line!(
        out,
        "{label:<26}{:>12}{:>16}{:>8}{:>21}",
        view.average,
        view.burst,
        view.exceeded,
        view.events
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::model::{ThreatClass, ThreatRate};

    #[test]
    fn rates_stand_in_columns() {
        let mut out = String::new();
        threat_rates_header(&mut out);
        for (class, interval_secs) in [
            (ThreatClass::AclDrop, 600),
            (ThreatClass::ConnLimitDrop, 3600),
            (ThreatClass::ScanningThreat, 1250),
        ] {
            let view = ThreatView {
                rate: ThreatRate {
                    class,
                    interval_secs,
                    average: 1,
                    burst: 1,
                },
                average: 106,
                burst: 0,
                exceeded: 10,
                events: 384_776,
            };
            threat_rate(&mut out, &view);
        }
        let expected = "                          Average(eps)    Current(eps) Trigger         Total events\n\
            \x20 10-min  ACL drop:                106               0      10               384776\n\
            \x20 1-hour Conn limit:               106               0      10               384776\n\
            1250-sec  Scanning:                106               0      10               384776\n";
        assert_eq!(out, expected);
    }
}
