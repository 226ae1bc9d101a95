//! Basic threat detection: how fast packets are dropped, by kind of reason, and when that is told.
//!
//! Nothing is counted for it on the way of a packet: the counters of the data plane are read every
//! ten seconds. The time over which an average is taken is divided into thirty buckets; the burst
//! rate is that of the last full bucket, the average that of the last thirty, as on an ASA. When
//! either is above what is configured as a bucket becomes full, 733100 is told.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use config::model::{ThreatClass, ThreatRate, ThreatSettings};
use dataplane::{DataPlane, DropReason};
use hal::time::Instant;
use syslog::Message;

/// How often the counters are read; no bucket is shorter.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);

/// Buckets of an interval.
const BUCKETS: u32 = 30;

/// The rates of drops.
#[derive(Default)]
pub(crate) struct Threats {
    settings: ThreatSettings,
    gauges: Vec<Gauge>,
    /// The counters as they were read last, by class.
    last: [u64; ThreatClass::ALL.len()],
    /// When they are read next; `None` while detection is off.
    next: Option<Instant>,
}

/// The rate of a class over one interval.
struct Gauge {
    rate: ThreatRate,
    /// Which of the rates of its class, from 1.
    number: u32,
    /// Drops in full buckets, the latest last.
    buckets: VecDeque<u64>,
    current: u64,
    current_since: Instant,
    exceeded: u64,
    total: u64,
}

/// A line of `show threat-detection rate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreatView {
    /// What is counted, and over how long.
    pub(crate) rate: ThreatRate,
    /// Drops a second over the interval.
    pub(crate) average: u64,
    /// Drops a second in the last full bucket.
    pub(crate) burst: u64,
    /// How often a rate was exceeded.
    pub(crate) exceeded: u64,
    /// Drops in the interval.
    pub(crate) events: u64,
}

/// What 733100 tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    view: ThreatView,
    number: u32,
    total: u64,
}

impl Gauge {
    fn new(rate: ThreatRate, number: u32, now: Instant) -> Self {
        Self {
            rate,
            number,
            buckets: VecDeque::with_capacity(BUCKETS as usize),
            current: 0,
            current_since: now,
            exceeded: 0,
            total: 0,
        }
    }

    fn bucket_secs(&self) -> u64 {
        u64::from(self.rate.interval_secs / BUCKETS).max(SAMPLE_EVERY.as_secs())
    }

    fn view(&self) -> ThreatView {
        let events: u64 = self.buckets.iter().sum();
        ThreatView {
            rate: self.rate,
            average: events / u64::from(self.rate.interval_secs.max(1)),
            burst: self.buckets.back().copied().unwrap_or(0) / self.bucket_secs(),
            exceeded: self.exceeded,
            events: events + self.current,
        }
    }

    /// Adds drops; returns whether a bucket has become full and a rate was too high.
    fn add(&mut self, drops: u64, now: Instant) -> Option<Exceeded> {
        self.current += drops;
        self.total += drops;
        if now.since(self.current_since).as_secs() < self.bucket_secs() {
            return None;
        }
        self.current_since = now;
        if self.buckets.len() >= BUCKETS as usize {
            self.buckets.pop_front();
        }
        self.buckets.push_back(core::mem::take(&mut self.current));
        let view = self.view();
        let is_exceeded =
            view.burst > u64::from(self.rate.burst) || view.average > u64::from(self.rate.average);
        if !is_exceeded {
            return None;
        }
        self.exceeded += 1;
        Some(Exceeded {
            view: self.view(),
            number: self.number,
            total: self.total,
        })
    }
}

impl Threats {
    /// Puts settings in force. Rates that stay go on; the others begin anew.
    pub(crate) fn configure(
        &mut self,
        settings: &ThreatSettings,
        dataplane: &DataPlane,
        now: Instant,
    ) {
        if self.next.is_some() == settings.is_basic_on && self.settings == *settings {
            return;
        }
        self.settings = settings.clone();
        if !settings.is_basic_on {
            self.gauges.clear();
            self.next = None;
            return;
        }
        let mut before = core::mem::take(&mut self.gauges);
        for class in ThreatClass::ALL {
            for (number, rate) in (1..).zip(settings.rates_of(class)) {
                let known = before.iter().position(|gauge| gauge.rate == rate);
                self.gauges.push(match known {
                    Some(place) => Gauge {
                        number,
                        ..before.swap_remove(place)
                    },
                    None => Gauge::new(rate, number, now),
                });
            }
        }
        if self.next.is_none() {
            self.last = ThreatClass::ALL.map(|class| drops(dataplane, class));
            self.next = Some(now + SAMPLE_EVERY);
        }
    }

    /// When the counters are read next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Reads the counters if it is time; returns what is too high.
    pub(crate) fn handle_timeout(&mut self, dataplane: &DataPlane, now: Instant) -> Vec<Exceeded> {
        let mut exceeded = Vec::new();
        if self.next.is_none_or(|next| now < next) {
            return exceeded;
        }
        self.next = Some(now + SAMPLE_EVERY);
        for (class, last) in ThreatClass::ALL.into_iter().zip(&mut self.last) {
            let count = drops(dataplane, class);
            // Counters that were zeroed begin anew.
            let more = count.checked_sub(*last).unwrap_or(count);
            *last = count;
            let gauges = self.gauges.iter_mut();
            for gauge in gauges.filter(|gauge| gauge.rate.class == class) {
                exceeded.extend(gauge.add(more, now));
            }
        }
        exceeded
    }

    /// The rates, by class and interval.
    pub(crate) fn views(&self) -> impl Iterator<Item = ThreatView> + '_ {
        self.gauges.iter().map(Gauge::view)
    }

    /// Begins all rates anew.
    pub(crate) fn clear(&mut self, now: Instant) {
        for gauge in &mut self.gauges {
            *gauge = Gauge::new(gauge.rate, gauge.number, now);
        }
    }
}

impl Exceeded {
    /// 733100.
    pub(crate) fn message(&self) -> Message<'static> {
        Message::ThreatRate {
            class: class_name(self.view.rate.class),
            number: self.number,
            burst: self.view.burst,
            burst_limit: self.view.rate.burst,
            average: self.view.average,
            average_limit: self.view.rate.average,
            total: self.total,
        }
    }
}

/// The name of a class in displays and messages, nine characters where the ASA's is.
pub(crate) const fn class_name(class: ThreatClass) -> &'static str {
    match class {
        ThreatClass::AclDrop => " ACL drop",
        ThreatClass::BadPacketDrop => " Bad pkts",
        ThreatClass::ConnLimitDrop => "Conn limit",
        ThreatClass::DosDrop => "DoS attck",
        ThreatClass::FwDrop => " Firewall",
        ThreatClass::IcmpDrop => "ICMP attk",
        ThreatClass::InspectDrop => "  Inspect",
        ThreatClass::InterfaceDrop => "Interface",
        ThreatClass::ScanningThreat => " Scanning",
        ThreatClass::SynAttack => "SYN attck",
    }
}

/// What a class has counted up to now.
fn drops(dataplane: &DataPlane, class: ThreatClass) -> u64 {
    if class == ThreatClass::SynAttack {
        return dataplane.handshake_timeouts();
    }
    DropReason::ALL
        .iter()
        .filter(|&&reason| counts(class, reason))
        .map(|&reason| dataplane.frame_drops(reason) + flow_drops(dataplane, class, reason))
        .sum()
}

/// Inspection ends flows; packets are counted elsewhere.
fn flow_drops(dataplane: &DataPlane, class: ThreatClass, reason: DropReason) -> u64 {
    if class == ThreatClass::InspectDrop {
        dataplane.flow_drops(reason)
    } else {
        0
    }
}

/// Whether a reason belongs to a class. Most belong to several.
fn counts(class: ThreatClass, reason: DropReason) -> bool {
    use DropReason as Reason;
    let is_malformed = matches!(
        reason,
        Reason::BadTcpFlags
            | Reason::BadTransportChecksum
            | Reason::FragmentInvalid
            | Reason::FragmentTiny
            | Reason::InvalidEncap
            | Reason::InvalidIcmpLength
            | Reason::InvalidIpHeader
            | Reason::InvalidIpLength
            | Reason::InvalidIpOption
            | Reason::InvalidTcpLength
            | Reason::InvalidUdpLength
            | Reason::TcpBadOptionList
            | Reason::UnsupportedIpVersion
    );
    let is_attack = matches!(
        reason,
        Reason::FragmentChainLimit
            | Reason::FragmentDatabaseLimit
            | Reason::FragmentOverlap
            | Reason::RpfViolated
            | Reason::SlowpathSecurity
    );
    let is_limit = matches!(reason, Reason::ConnLimit | Reason::UnableToCreateFlow);
    let is_icmp = matches!(reason, Reason::IcmpErrorNoConn | Reason::IcmpReplyUnasked);
    match class {
        ThreatClass::AclDrop => reason == Reason::AclDrop,
        ThreatClass::BadPacketDrop => is_malformed,
        ThreatClass::ConnLimitDrop => is_limit,
        ThreatClass::DosDrop => is_attack,
        ThreatClass::FwDrop => {
            is_malformed || is_attack || is_limit || is_icmp || reason == Reason::AclDrop
        }
        ThreatClass::IcmpDrop => is_icmp,
        ThreatClass::InspectDrop => reason == Reason::InspectFail,
        ThreatClass::InterfaceDrop => true,
        ThreatClass::ScanningThreat => matches!(
            reason,
            Reason::AclDrop | Reason::NatNoXlate | Reason::NpSocketClosed | Reason::TcpNotSyn
        ),
        // Counted by connections that were never completed.
        ThreatClass::SynAttack => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: ThreatRate = ThreatRate {
        class: ThreatClass::AclDrop,
        interval_secs: 600,
        average: 2,
        burst: 10,
    };

    /// Feeds drops every ten seconds; returns what was told.
    fn feed(gauge: &mut Gauge, at: &mut u64, samples: &[u64]) -> Vec<Exceeded> {
        let mut told = Vec::new();
        for &drops in samples {
            *at += 10;
            told.extend(gauge.add(drops, Instant::from_secs(*at)));
        }
        told
    }

    #[test]
    fn a_burst_is_that_of_one_bucket_and_an_average_that_of_thirty() {
        let mut gauge = Gauge::new(RATE, 1, Instant::from_secs(0));
        let mut at = 0;
        // Ten a second for twenty seconds is allowed, eleven are not.
        assert_eq!(feed(&mut gauge, &mut at, &[100, 100]), []);
        let told = feed(&mut gauge, &mut at, &[0, 220]);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].view.burst, told[0].view.average, told[0].total),
            (11, 0, 420)
        );
        // Spread out it is the average that is exceeded: more than 1,200 + 600 in ten minutes.
        let told = feed(&mut gauge, &mut at, &[50; 56]);
        assert_eq!(told.first().map(|told| told.view.average), Some(3));
        assert!(told.iter().all(|told| told.view.burst == 5));
        let before = gauge.view();
        assert_eq!(before.exceeded, 1 + told.len() as u64);
        // Silence: the buckets pass.
        feed(&mut gauge, &mut at, &[0; 60]);
        assert_eq!(
            (
                gauge.view().average,
                gauge.view().burst,
                gauge.view().events
            ),
            (0, 0, 0)
        );
        assert_eq!(gauge.view().rate, RATE);
    }

    #[test]
    fn every_reason_is_an_interface_drop_and_the_default_rates_are_the_asas() {
        assert!(
            DropReason::ALL
                .iter()
                .all(|&reason| counts(ThreatClass::InterfaceDrop, reason))
        );
        for class in [
            ThreatClass::BadPacketDrop,
            ThreatClass::DosDrop,
            ThreatClass::AclDrop,
        ] {
            let reasons = DropReason::ALL
                .iter()
                .filter(|&&reason| counts(class, reason));
            for &reason in reasons {
                assert!(counts(ThreatClass::FwDrop, reason), "{reason:?}");
            }
        }
        let rates = ThreatSettings::default().rates_of(ThreatClass::ScanningThreat);
        let numbers: Vec<_> = rates
            .iter()
            .map(|rate| (rate.interval_secs, rate.average, rate.burst))
            .collect();
        assert_eq!(numbers, [(600, 5, 10), (3600, 4, 8)]);
    }
}
