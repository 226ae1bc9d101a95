//! `packet-tracer` (reference: management, packet-tracer): the phases and the result.

use alloc::string::String;

use dataplane::DropReason;

use super::put_line;
use crate::tracer::{End, Phase, Traced};

/// All of it.
pub(crate) fn traced(out: &mut String, traced: &Traced) {
    for (number, phase) in (1..).zip(&traced.phases) {
        put_line!(out);
        put_line!(out, "Phase: {number}");
        self::phase(out, phase);
    }
    put_line!(out);
    put_line!(out, "Result:");
    end(out, "input", &traced.input);
    if let Some(output) = &traced.output {
        end(out, "output", output);
    }
    match traced.verdict {
        Ok(()) => put_line!(out, "Action: allow"),
        Err(reason) => {
            put_line!(out, "Action: drop");
            drop_reason(out, reason);
        }
    }
    put_line!(out);
}

fn phase(out: &mut String, phase: &Phase) {
    put_line!(out, "Type: {}", phase.kind);
    put_line!(out, "Subtype: {}", phase.subtype);
    let verdict = if phase.is_drop { "DROP" } else { "ALLOW" };
    put_line!(out, "Result: {verdict}");
    put_line!(out, "Config:");
    for line in &phase.config {
        put_line!(out, "{line}");
    }
    put_line!(out, "Additional Information:");
    for line in &phase.information {
        put_line!(out, "{line}");
    }
}

fn end(out: &mut String, word: &str, end: &End) {
    let state = |is_up| if is_up { "up" } else { "down" };
    put_line!(out, "{word}-interface: {}", end.name);
    put_line!(out, "{word}-status: {}", state(end.is_enabled));
    put_line!(out, "{word}-line-status: {}", state(end.is_link_up));
}

/// `Drop-reason: (acl-drop) Flow is denied by configured rule`.
pub(crate) fn drop_reason(out: &mut String, reason: DropReason) {
    put_line!(out, "Drop-reason: ({}) {}", reason.name(), reason.text());
}
