//! `show asp drop`: why packets and flows were dropped.

use alloc::string::String;

use dataplane::DropReason;

use super::put_line;

/// Column at which a counter ends.
const COUNTER_END: usize = 80;

/// Heading of the half about frames.
pub(crate) const FRAME: &str = "Frame";

/// Heading of the half about flows.
pub(crate) const FLOW: &str = "Flow";

/// One half of the display: a heading, the reasons that have counted or the one that was asked for,
/// the line of last clearing.
pub(crate) fn section(
    out: &mut String,
    heading: &str,
    only: Option<DropReason>,
    count: impl Fn(DropReason) -> u64,
    last_clearing: &str,
) {
    put_line!(out, "{heading} drop:");
    for &reason in DropReason::ALL {
        let drops = count(reason);
        if only.map_or(drops > 0, |only| only == reason) {
            let text = if heading == FLOW && reason == DropReason::AclDrop {
                // The one reason that the ASA words differently for flows.
                "Flow is denied by access rule"
            } else {
                reason.text()
            };
            let label = alloc::format!("  {text} ({})", reason.name());
            let width = COUNTER_END.saturating_sub(label.len() + 1);
            put_line!(out, "{label} {drops:>width$}");
        }
    }
    put_line!(out);
    put_line!(out, "Last clearing: {last_clearing}");
}
