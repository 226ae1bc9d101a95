//! How long an address is used.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Bench, FIRST, NO_ERROR, a, host, response, v4};
use crate::{Kind, State};

fn resolve(bench: &mut Bench, ttl: u32, addresses: &[[u8; 4]]) {
    let question = bench.question();
    let answers: Vec<_> = addresses
        .iter()
        .map(|&octets| a("host.example", ttl, octets))
        .collect();
    let message = response(&question, NO_ERROR, &answers, &[]);
    bench.answer(&question, &message).unwrap();
}

#[test]
fn a_name_that_moves_has_both_addresses_until_the_old_one_expires() {
    let mut bench = Bench::following(&[FIRST]);
    resolve(&mut bench, 10, &[[10, 0, 0, 1]]);
    assert!(bench.has_changed());
    bench.wait(10);
    resolve(&mut bench, 100, &[[10, 0, 0, 2]]);
    assert!(bench.has_changed());
    assert_eq!(bench.addresses(), [v4("10.0.0.1"), v4("10.0.0.2")]);
    // Ten seconds to live, and sixty of `expire-entry-timer`.
    bench.wait(59);
    assert!(bench.sent().is_empty());
    assert!(!bench.has_changed());
    bench.wait(1);
    assert_eq!(bench.resolver.poll_timeout(), Some(bench.now));
    assert!(bench.sent().is_empty());
    assert!(bench.has_changed());
    assert_eq!(bench.addresses(), [v4("10.0.0.2")]);
}

#[test]
fn the_same_answer_again_is_no_change() {
    let mut bench = Bench::following(&[FIRST]);
    for round in 0..20 {
        resolve(&mut bench, 5, &[[10, 0, 0, 1]]);
        assert_eq!(bench.has_changed(), round == 0);
        bench.wait(5);
    }
}

#[test]
fn addresses_outlast_servers_only_for_their_time() {
    let mut bench = Bench::following(&[FIRST]);
    resolve(&mut bench, 10, &[[10, 0, 0, 1]]);
    for _ in 0..70 {
        assert_eq!(bench.addresses().len(), 1);
        bench.wait(1);
        bench.sent();
    }
    assert_eq!(
        bench.resolver.state(&host(), Kind::V4),
        Some(State::Unresolved)
    );
}

#[test]
fn no_time_to_live_is_a_second_and_an_endless_one_is_asked_at_the_poll() {
    let mut bench = Bench::following(&[FIRST]);
    resolve(&mut bench, 0, &[[10, 0, 0, 1]]);
    assert!(bench.sent().is_empty());
    bench.wait(1);
    // A first bit that is set counts as zero (RFC 2181 §8).
    resolve(&mut bench, u32::MAX, &[[10, 0, 0, 1]]);
    bench.wait(1);
    resolve(&mut bench, 0x7FFF_FFFF, &[[10, 0, 0, 1]]);
    bench.wait(240 * 60 - 1);
    assert!(bench.sent().is_empty());
    bench.wait(1);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn clearing_forgets_and_asks_again() {
    let mut bench = Bench::following(&[FIRST]);
    resolve(&mut bench, 600, &[[10, 0, 0, 1]]);
    assert!(bench.has_changed());
    bench.resolver.clear(bench.now);
    assert!(bench.has_changed());
    assert!(bench.addresses().is_empty());
    resolve(&mut bench, 600, &[[10, 0, 0, 2]]);
    assert_eq!(bench.addresses(), [v4("10.0.0.2")]);
}

proptest! {
    /// Whatever is lost, nothing is used after its time, a sleeper never oversleeps, and a server that
    /// answers again is found again.
    #[test]
    fn losses_delay_and_never_mislead(script in proptest::collection::vec((any::<bool>(), 0_u32..40, 0_u8..6), 1..60)) {
        let mut bench = Bench::following(&[FIRST]);
        let mut valid_until = [0_u64; 6];
        for (is_lost, ttl, host) in script {
            for question in bench.sent() {
                if is_lost {
                    continue;
                }
                let message = response(&question, NO_ERROR, &[a("host.example", ttl, [10, 0, 0, host])], &[]);
                prop_assert!(bench.answer(&question, &message).is_ok());
                valid_until[usize::from(host)] = bench.now.as_secs() + u64::from(ttl.max(1)) + 60;
            }
            let expected: Vec<_> = (0_u8..6)
                .filter(|&host| valid_until[usize::from(host)] > bench.now.as_secs())
                .map(|host| core::net::IpAddr::from([10, 0, 0, host]))
                .collect();
            let mut held = bench.addresses();
            held.sort();
            prop_assert_eq!(held, expected);
            let next = bench.resolver.poll_timeout();
            prop_assert!(next.is_some_and(|next| next > bench.now), "{:?} at {:?}", next, bench.now);
            bench.now = next.unwrap_or(bench.now);
        }
    }
}
