//! What is said of a restart: before it, and while one is planned.

use alloc::string::String;
use core::time::Duration;

use super::{Hms, put, put_line};

/// Said right before the line goes dead.
pub(crate) const SHUTDOWN: &str = "
***
*** --- START GRACEFUL SHUTDOWN ---
Shutting down File system

***
*** --- SHUTDOWN NOW ---
";

/// Said when a plan is given up.
pub(crate) const ABORTED: &str = "
***
*** --- SHUTDOWN ABORTED ---
***
";

/// Said while a plan comes nearer.
pub(crate) fn shutdown_in(out: &mut String, left: Duration, reason: Option<&str>) {
    put_line!(out, "***");
    put_line!(out, "*** --- SHUTDOWN in {} ---", Hms(left));
    put_line!(out, "***");
    message(out, reason);
}

/// The reason somebody gave.
pub(crate) fn message(out: &mut String, reason: Option<&str>) {
    if let Some(reason) = reason {
        put_line!(out, "*** Message to all terminals:");
        put_line!(out, "***");
        put_line!(out, "***   {reason}");
    }
}

/// `show reload`: the moment in words, and the time left.
pub(crate) fn scheduled(
    out: &mut String,
    at: &str,
    left: Duration,
    by: &str,
    reason: Option<&str>,
) {
    put_line!(out, "Reload scheduled for {at} (in {}) by {by}", Left(left));
    if let Some(reason) = reason {
        put_line!(out, "Reload reason: {reason}");
    }
}

/// `show reload` without a plan.
pub(crate) const NOT_SCHEDULED: &str = "No reload is scheduled.\n";

/// Time left in words: hours and minutes, or seconds when there is less than a minute.
struct Left(Duration);

impl core::fmt::Display for Left {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let secs = self.0.as_secs();
        let (hours, minutes) = (secs / 3600, secs / 60 % 60);
        let units = match (hours, minutes) {
            (0, 0) => [(secs, "second"), (0, "")],
            (0, minutes) => [(minutes, "minute"), (0, "")],
            (hours, 0) => [(hours, "hour"), (0, "")],
            (hours, minutes) => [(hours, "hour"), (minutes, "minute")],
        };
        let mut text = String::new();
        for (index, (count, unit)) in units.into_iter().enumerate() {
            if !unit.is_empty() {
                let separator = if index > 0 { " and " } else { "" };
                let plural = if count == 1 { "" } else { "s" };
                put!(&mut text, "{separator}{count} {unit}{plural}");
            }
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_with_the_time_left() {
        let mut out = String::new();
        let at = "00:00:00 UTC Sat Jan 17 2026";
        scheduled(
            &mut out,
            at,
            Duration::from_secs(12 * 3600 + 12 * 60 + 59),
            "admin",
            Some("new firmware"),
        );
        assert_eq!(
            out,
            "Reload scheduled for 00:00:00 UTC Sat Jan 17 2026 (in 12 hours and 12 minutes) by admin\n\
             Reload reason: new firmware\n"
        );
        for (secs, words) in [
            (0, "0 seconds"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3600, "1 hour"),
            (3660, "1 hour and 1 minute"),
        ] {
            let mut out = String::new();
            scheduled(&mut out, at, Duration::from_secs(secs), "enable_15", None);
            assert!(out.contains(&alloc::format!("(in {words})")), "{out}");
        }
    }

    #[test]
    fn a_warning_carries_the_reason() {
        let mut out = String::new();
        shutdown_in(&mut out, Duration::from_secs(300), Some("new firmware"));
        assert_eq!(
            out,
            "***\n*** --- SHUTDOWN in 0:05:00 ---\n***\n\
             *** Message to all terminals:\n***\n***   new firmware\n"
        );
    }
}
