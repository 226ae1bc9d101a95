//! Servers that do not answer, and many questions at once.

use alloc::format;
use alloc::vec::Vec;
use std::collections::BTreeSet;

use super::{Bench, FIRST, NO_ERROR, SECOND, SERVER_FAILURE, a, host, response, v4};
use crate::{HostName, IN_FLIGHT_MAX, Kind, NAMES_MAX, Settings, State, TooManyNames};

#[test]
fn the_list_is_asked_three_times_and_the_wait_doubles() {
    let mut bench = Bench::following(&[FIRST, SECOND]);
    let mut asked = Vec::new();
    for second in 0..28 {
        asked.extend(bench.sent().into_iter().map(|sent| (second, sent.server)));
        bench.wait(1);
    }
    assert_eq!(
        asked,
        [
            (0, FIRST),
            (2, SECOND),
            (4, FIRST),
            (8, SECOND),
            (12, FIRST),
            (20, SECOND)
        ]
    );
    assert!(bench.sent().is_empty());
    assert_eq!(bench.resolver.counters().failed, 1);
    assert_eq!(bench.resolver.counters().timeouts, 6);
    assert_eq!(
        bench.resolver.state(&host(), Kind::V4),
        Some(State::Unresolved)
    );
    bench.wait(60);
    assert_eq!(bench.question().server, FIRST, "and again after a pause");
}

#[test]
fn later_rounds_ask_in_small_letters() {
    let mut bench = Bench::following(&[FIRST]);
    let first = bench.question();
    assert!(first.payload.iter().any(u8::is_ascii_uppercase));
    bench.wait(2);
    let second = bench.question();
    assert!(second.payload[12..].starts_with(b"\x04host\x07example\x00"));
}

#[test]
fn a_server_that_cannot_answer_gives_way_at_once() {
    let mut bench = Bench::following(&[FIRST, SECOND]);
    let question = bench.question();
    let message = response(&question, SERVER_FAILURE, &[], &[]);
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.resolver.poll_timeout(), Some(bench.now));
    let question = bench.question();
    assert_eq!(question.server, SECOND);
    let message = response(
        &question,
        NO_ERROR,
        &[a("host.example", 9, [10, 0, 0, 1])],
        &[],
    );
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.addresses(), [v4("10.0.0.1")]);
    assert_eq!(bench.resolver.counters().timeouts, 0);
}

#[test]
fn without_servers_nothing_is_asked_until_there_is_one() {
    let mut bench = Bench::following(&[]);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.resolver.poll_timeout(), None);
    let settings = Settings {
        servers: [SECOND].into_iter().collect(),
        ..Settings::default()
    };
    bench.resolver.set(settings, bench.now);
    assert_eq!(bench.question().server, SECOND);
}

#[test]
fn names_and_questions_are_bounded_and_every_name_has_its_turn() {
    let mut bench = Bench::new(&[FIRST]);
    let name = |number: usize| HostName::parse(&format!("n{number}.example")).unwrap();
    for number in 0..NAMES_MAX {
        bench
            .resolver
            .follow(name(number), Kind::V4, bench.now)
            .unwrap();
    }
    let one_more = bench.resolver.follow(name(NAMES_MAX), Kind::V4, bench.now);
    assert_eq!(one_more, Err(TooManyNames));
    assert_eq!(bench.resolver.follow(name(0), Kind::V4, bench.now), Ok(()));
    let mut ports = BTreeSet::new();
    for _ in 0..NAMES_MAX / IN_FLIGHT_MAX {
        let sent = bench.sent();
        assert_eq!(sent.len(), IN_FLIGHT_MAX);
        ports.clear();
        ports.extend(sent.iter().map(|question| question.source_port));
        assert_eq!(ports.len(), IN_FLIGHT_MAX, "no two from one port");
        for question in sent {
            let message = response(&question, super::NO_SUCH_NAME, &[], &[]);
            bench.answer(&question, &message).unwrap();
        }
    }
    assert!(bench.sent().is_empty());
    assert!(
        bench
            .resolver
            .names()
            .all(|(_, _, state)| state == State::Absent)
    );
    bench.resolver.retain(|_, _| false);
    assert_eq!(bench.resolver.names().count(), 0);
    assert_eq!(bench.resolver.poll_timeout(), None);
}
