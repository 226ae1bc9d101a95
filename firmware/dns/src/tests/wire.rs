//! Messages, byte by byte.

use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::{
    Bench, FIRST, NO_ERROR, NO_SUCH_NAME, TRUNCATED, a, alias, host, record, response, v4,
};
use crate::message::{ALIASES_MAX, Malformed, Question};
use crate::{ADDRESSES_MAX, Kind, Refused, State};

#[test]
fn a_question_is_what_rfc_1035_says() {
    let question = Question::new(0x1234, &host(), Kind::V6, || false);
    assert_eq!(
        question.message(),
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04host\x07example\x00\x00\x1c\x00\x01"
    );
    let capitals = Question::new(0, &host(), Kind::V4, || true);
    assert!(
        capitals
            .message()
            .ends_with(b"\x04HOST\x07EXAMPLE\x00\x00\x01\x00\x01")
    );
}

#[test]
fn aliases_are_followed_in_any_order_and_the_least_time_holds() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let answers = [
        a("c.example", 300, [10, 0, 0, 1]),
        alias("B.example", 7, "c.example"),
        a("other.example", 1, [10, 0, 0, 9]),
        alias("host.example", 100, "b.EXAMPLE"),
    ];
    let message = response(&question, NO_ERROR, &answers, &[]);
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.addresses(), [v4("10.0.0.1")]);
    bench.wait(6);
    assert!(bench.sent().is_empty());
    bench.wait(1);
    assert_eq!(bench.sent().len(), 1, "asked again after seven seconds");
}

#[test]
fn a_compressed_answer_is_read() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let address = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07".to_vec();
    let message = response(&question, NO_ERROR, &[address], &[]);
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.addresses(), [v4("10.0.0.7")]);
}

#[test]
fn circles_of_aliases_and_pointers_are_refused() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let circle = [
        alias("host.example", 9, "b.example"),
        alias("b.example", 9, "host.example"),
    ];
    let message = response(&question, NO_ERROR, &circle, &[]);
    assert_eq!(
        bench.answer(&question, &message),
        Err(Refused::Malformed(Malformed::Aliases))
    );
    // The record begins where the question ends; it points to itself.
    let at = u8::try_from(question.payload.len()).unwrap();
    let itself = vec![0xC0, at, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1];
    let message = response(&question, NO_ERROR, &[itself], &[]);
    assert_eq!(
        bench.answer(&question, &message),
        Err(Refused::Malformed(Malformed::Name))
    );
    assert_eq!(bench.resolver.counters().refused_malformed, 2);
}

#[test]
fn as_many_aliases_as_the_bound_says_are_followed_and_not_one_more() {
    for (aliases, is_read) in [(ALIASES_MAX, true), (ALIASES_MAX + 1, false)] {
        let mut bench = Bench::following(&[FIRST]);
        let question = bench.question();
        let name = |step: usize| match step {
            0 => "host.example".into(),
            step => format!("n{step}.example"),
        };
        let mut answers: Vec<Vec<u8>> = (0..aliases)
            .map(|step| alias(&name(step), 9, &name(step + 1)))
            .collect();
        answers.push(a(&name(aliases), 9, [10, 0, 0, 1]));
        let message = response(&question, NO_ERROR, &answers, &[]);
        assert_eq!(bench.answer(&question, &message).is_ok(), is_read);
    }
}

#[test]
fn addresses_beyond_the_bound_are_counted() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let answers: Vec<_> = (0..40)
        .map(|host| a("host.example", 9, [10, 0, 0, host]))
        .collect();
    let message = response(&question, NO_ERROR, &answers, &[]);
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.addresses().len(), ADDRESSES_MAX);
    assert_eq!(bench.resolver.counters().addresses_left_out, 8);
}

#[test]
fn an_address_of_a_wrong_length_is_refused() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let message = response(
        &question,
        NO_ERROR,
        &[record("host.example", 1, 9, &[1; 5])],
        &[],
    );
    assert_eq!(
        bench.answer(&question, &message),
        Err(Refused::Malformed(Malformed::Record))
    );
}

#[test]
fn absence_is_believed_for_as_long_as_the_soa_record_says() {
    let mut bench = Bench::following(&[FIRST]);
    let question = bench.question();
    let mut data = vec![0, 0];
    data.extend([[0_u8, 0, 0, 1]; 4].concat());
    data.extend([0, 0, 0, 20]);
    let soa = record("example", 6, 3_600, &data);
    let message = response(&question, NO_SUCH_NAME, &[], &[soa]);
    bench.answer(&question, &message).unwrap();
    assert_eq!(bench.resolver.state(&host(), Kind::V4), Some(State::Absent));
    bench.wait(19);
    assert!(bench.sent().is_empty());
    bench.wait(1);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_truncated_answer_is_counted_and_the_next_server_asked() {
    let mut bench = Bench::following(&[FIRST, super::SECOND]);
    let question = bench.question();
    let message = response(
        &question,
        TRUNCATED,
        &[a("host.example", 9, [10, 0, 0, 1])],
        &[],
    );
    bench.answer(&question, &message).unwrap();
    assert!(bench.addresses().is_empty());
    assert_eq!(bench.question().server, super::SECOND);
    assert_eq!(bench.resolver.counters().truncated, 1);
    assert_eq!(bench.resolver.counters().timeouts, 0);
}

proptest! {
    /// Cut anywhere, an answer is refused whole; with anything behind the question it is read or
    /// refused, and only an accepted one changes something.
    #[test]
    fn a_broken_answer_changes_nothing(cut in 0_usize..60, tail in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut bench = Bench::following(&[FIRST]);
        let question = bench.question();
        let whole = response(&question, NO_ERROR, &[a("host.example", 9, [10, 0, 0, 1])], &[]);
        if let Some(part) = whole.get(..cut) {
            prop_assert!(cut == whole.len() || bench.answer(&question, part).is_err());
        }
        prop_assert!(bench.addresses().is_empty());
        let mut message = response(&question, NO_ERROR, &[], &[]);
        message[7] = 2;
        message.extend(tail);
        let is_used = bench.answer(&question, &message).is_ok();
        prop_assert!(is_used || bench.addresses().is_empty());
        prop_assert_eq!(is_used, !bench.resolver.is_asking_from(question.source_port));
    }
}
