//! Datagrams that are not the answer.

use core::net::IpAddr;
use std::collections::BTreeSet;

use super::{Bench, FIRST, NO_ERROR, SECOND, a, response, v4};
use crate::message::SERVER_PORT;
use crate::{Refused, SOURCE_PORTS};

#[test]
fn each_thing_that_does_not_fit_is_refused_and_counted_and_the_answer_still_taken() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let good = response(
        &question,
        NO_ERROR,
        &[a("host.example", 9, [10, 0, 0, 1])],
        &[],
    );
    let now = bench.now;
    let server = IpAddr::from(FIRST);
    let mut other_id = good.clone();
    other_id[1] ^= 1;
    let mut other_case = good.clone();
    other_case[13] ^= 0x20;
    let mut no_response = good.clone();
    no_response[2] &= 0x7F;
    for (source, port, payload, reason) in [
        (
            (server, SERVER_PORT),
            question.source_port ^ 1,
            &good,
            Refused::Unasked,
        ),
        (
            (SECOND.into(), SERVER_PORT),
            question.source_port,
            &good,
            Refused::Server,
        ),
        ((server, 5353), question.source_port, &good, Refused::Server),
        (
            (server, SERVER_PORT),
            question.source_port,
            &other_id,
            Refused::Identifier,
        ),
        (
            (server, SERVER_PORT),
            question.source_port,
            &other_case,
            Refused::Question,
        ),
        (
            (server, SERVER_PORT),
            question.source_port,
            &no_response,
            Refused::Question,
        ),
    ] {
        let done = bench.resolver.handle_datagram(source, port, payload, now);
        assert_eq!(done, Err(reason));
    }
    let counters = *bench.resolver.counters();
    assert_eq!(counters.refused_unasked, 1);
    assert_eq!(counters.refused_server, 2);
    assert_eq!(counters.refused_identifier, 1);
    assert_eq!(counters.refused_question, 2);
    assert!(!bench.has_changed());
    bench.answer(&question, &good).unwrap();
    assert_eq!(bench.addresses(), [v4("10.0.0.1")]);
    assert_eq!(bench.answer(&question, &good), Err(Refused::Unasked));
}

#[test]
fn a_late_answer_is_refused() {
    let mut bench = Bench::following(&[FIRST]);
    let first = bench.question();
    bench.wait(2);
    let second = bench.question();
    let late = response(
        &first,
        NO_ERROR,
        &[a("host.example", 9, [10, 0, 0, 1])],
        &[],
    );
    assert_eq!(bench.answer(&first, &late), Err(Refused::Unasked));
    assert_ne!(first.source_port, second.source_port);
}

#[test]
fn identifiers_ports_and_letters_differ_from_question_to_question() {
    let mut bench = Bench::following(&[FIRST]);
    let (mut identifiers, mut ports, mut names) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..64 {
        let question = bench.question();
        assert!(SOURCE_PORTS.contains(&question.source_port));
        identifiers.insert(question.payload[..2].to_vec());
        ports.insert(question.source_port);
        names.insert(question.payload[12..].to_vec());
        bench.resolver.clear(bench.now);
    }
    assert!(identifiers.len() > 60, "{identifiers:?}");
    assert!(ports.len() > 60, "{ports:?}");
    assert!(names.len() > 50, "{} mixtures", names.len());
}
