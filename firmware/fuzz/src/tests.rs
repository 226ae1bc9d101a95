//! Every seed and every input that once broke a law, through every target, without a fuzzer.

use std::path::Path;

use crate::{
    capture_lines, certificates, command_line, dns_answers, dns_messages, frames, script,
    sip_framing, sip_rewriting, stored_configuration, stored_files, tls_records, xmodem,
};

fn replay(target: &str, run: fn(&[u8]), seeds: Vec<Vec<u8>>) {
    for seed in seeds {
        run(&seed);
        // Cut short anywhere, it is an input too.
        for len in (0..seed.len()).step_by(1 + seed.len() / 16) {
            run(&seed[..len]);
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("regressions")
        .join(target);
    let Ok(files) = folder.read_dir() else {
        return;
    };
    for file in files {
        run(&std::fs::read(file.unwrap().path()).unwrap());
    }
}

#[test]
fn frames_hold_for_seeds_and_past_crashes() {
    replay("frames", frames::run, frames::seeds());
}

#[test]
fn capture_lines_hold_for_seeds_and_past_crashes() {
    replay("capture_lines", capture_lines::run, capture_lines::seeds());
}

#[test]
fn dns_answers_hold_for_seeds_and_past_crashes() {
    replay("dns_answers", dns_answers::run, dns_answers::seeds());
}

#[test]
fn dns_messages_hold_for_seeds_and_past_crashes() {
    replay("dns_messages", dns_messages::run, dns_messages::seeds());
}

#[test]
fn sip_framing_hold_for_seeds_and_past_crashes() {
    replay("sip_framing", sip_framing::run, sip_framing::seeds());
}

#[test]
fn sip_rewriting_hold_for_seeds_and_past_crashes() {
    replay("sip_rewriting", sip_rewriting::run, sip_rewriting::seeds());
}

#[test]
fn command_line_hold_for_seeds_and_past_crashes() {
    replay("command_line", command_line::run, command_line::seeds());
}

#[test]
fn stored_configuration_hold_for_seeds_and_past_crashes() {
    replay(
        "stored_configuration",
        stored_configuration::run,
        stored_configuration::seeds(),
    );
}

#[test]
fn stored_files_hold_for_seeds_and_past_crashes() {
    replay("stored_files", stored_files::run, stored_files::seeds());
}

#[test]
fn certificates_hold_for_seeds_and_past_crashes() {
    replay("certificates", certificates::run, certificates::seeds());
}

#[test]
fn tls_records_hold_for_seeds_and_past_crashes() {
    replay("tls_records", tls_records::run, tls_records::seeds());
}

#[test]
fn script_hold_for_seeds_and_past_crashes() {
    replay("script", script::run, script::seeds());
}

#[test]
fn xmodem_hold_for_seeds_and_past_crashes() {
    replay("xmodem", xmodem::run, xmodem::seeds());
}

#[test]
fn seeds_of_frames_reach_every_verdict() {
    let seen: Vec<_> = frames::seeds()
        .iter()
        .map(|seed| frames::play(seed))
        .collect();
    let idle = frames::play(&[]);
    let counts = |of: &dataplane::Verdicts| {
        [
            ("sent", of.sent),
            ("consumed", of.consumed),
            ("intercepted", of.intercepted),
            ("local", of.local),
            ("dropped", of.dropped),
        ]
    };
    for (index, (name, before)) in counts(&idle).into_iter().enumerate() {
        let reached = seen
            .iter()
            .any(|verdicts| counts(verdicts)[index].1 > before);
        assert!(reached, "{name}: {seen:?}");
    }
}
