//! `show cpu`, `show processes`: what the processor's time goes to.

use alloc::string::String;

use super::put_line;
use crate::load_meter::{LoadMeter, Part, Shares};

/// `show cpu usage`, in whole percents.
pub(crate) fn usage(out: &mut String, load: &LoadMeter) {
    let [five_secs, minute, five_minutes] = load.shares(|_| true).map(|share| (share + 5) / 10);
    put_line!(
        out,
        "CPU utilization for 5 seconds = {five_secs}%; 1 minute: {minute}%; 5 minutes: {five_minutes}%"
    );
}

/// `show cpu detailed`: packets against everything else, on the one processor that works.
pub(crate) fn detailed(out: &mut String, load: &LoadMeter) {
    let all = load.shares(|_| true);
    let data = load.shares(Part::is_data_path);
    let control = load.shares(|part| !part.is_data_path());
    put_line!(
        out,
        "Break down of per-core data path versus control point cpu usage:"
    );
    put_line!(
        out,
        "Core         5 sec              1 min              5 min"
    );
    let cells = [0, 1, 2].map(|window| {
        let of = |shares: &Shares| Tenths(shares.get(window).copied().unwrap_or(0));
        alloc::format!("{} ({} + {})", of(&all), of(&data), of(&control))
    });
    let [five_secs, minute, five_minutes] = cells;
    put_line!(
        out,
        "Core 0       {five_secs:<18} {minute:<18} {five_minutes}"
    );
    put_line!(out);
    put_line!(out, "Total CPU utilization for:");
    let [five_secs, minute, five_minutes] = all.map(Tenths);
    put_line!(
        out,
        "     5 seconds = {five_secs}%; 1 minute: {minute}%; 5 minutes: {five_minutes}%"
    );
}

/// `show processes cpu-usage`. There are no threads, so their columns hold dashes.
pub(crate) fn processes_cpu(out: &mut String, load: &LoadMeter, is_sorted: bool, non_zero: bool) {
    put_line!(
        out,
        "PC         Thread       5Sec     1Min     5Min   Process"
    );
    let mut rows = Part::WORK.map(|part| (part, load.shares(|counted| counted == part)));
    if is_sorted {
        rows.sort_by(|(_, a), (_, b)| b.cmp(a));
    }
    for (part, shares) in rows {
        if non_zero && shares == [0; 3] {
            continue;
        }
        let [five_secs, minute, five_minutes] =
            shares.map(|share| alloc::format!("{}%", Tenths(share)));
        put_line!(
            out,
            "{:<10} {:<10} {five_secs:>6}   {minute:>6}   {five_minutes:>6}   {}",
            "-",
            "-",
            part.name()
        );
    }
}

/// `show processes`: the time each part has had since the start, in milliseconds.
pub(crate) fn processes(out: &mut String, load: &LoadMeter) {
    put_line!(out, "      Runtime Process");
    for part in Part::WORK.into_iter().chain([Part::Idle]) {
        let millis = load.runtime(part).as_millis();
        put_line!(out, "{millis:>13} {}", part.name());
    }
}

/// Thousandths as a percentage with one decimal.
struct Tenths(u32);

impl core::fmt::Display for Tenths {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use hal::time::Instant;

    /// Five seconds: 12.4 % receiving, 6.1 % console, the rest asleep.
    fn load() -> LoadMeter {
        let mut load = LoadMeter::new(Instant::ZERO);
        let mut now = Instant::ZERO;
        for (part, millis) in [
            (Part::Receive, 620),
            (Part::Console, 305),
            (Part::Idle, 4075),
        ] {
            now += Duration::from_millis(millis);
            load.lap(part, now);
        }
        load.handle_timeout(now);
        load
    }

    #[test]
    fn usage_rounds_to_whole_percents() {
        let mut out = String::new();
        usage(&mut out, &load());
        assert_eq!(
            out,
            "CPU utilization for 5 seconds = 19%; 1 minute: 19%; 5 minutes: 19%\n"
        );
    }

    #[test]
    fn detail_splits_packets_from_the_rest() {
        let mut out = String::new();
        detailed(&mut out, &load());
        assert_eq!(
            out,
            "Break down of per-core data path versus control point cpu usage:\n\
             Core         5 sec              1 min              5 min\n\
             Core 0       18.5 (12.4 + 6.1)  18.5 (12.4 + 6.1)  18.5 (12.4 + 6.1)\n\n\
             Total CPU utilization for:\n     \
             5 seconds = 18.5%; 1 minute: 18.5%; 5 minutes: 18.5%\n"
        );
    }

    #[test]
    fn parts_are_sorted_and_idle_ones_left_out_on_request() {
        let mut out = String::new();
        processes_cpu(&mut out, &load(), true, true);
        assert_eq!(
            out,
            "PC         Thread       5Sec     1Min     5Min   Process\n\
             -          -           12.4%    12.4%    12.4%   Receive\n\
             -          -            6.1%     6.1%     6.1%   Console\n"
        );
        let mut out = String::new();
        processes(&mut out, &load());
        assert!(
            out.starts_with("      Runtime Process\n          620 Receive\n"),
            "{out}"
        );
        assert!(out.ends_with("         4075 Idle\n"), "{out}");
    }
}
