use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::virtio::fake::FakeQueue;
use crate::virtio::transport::reset_for_tests;

/// A transfer over made-up addresses, which no fake device follows unless a test lets it.
#[derive(Debug, PartialEq, Eq)]
struct Parcel {
    name: u64,
    lens: Vec<u32>,
    device_writes: bool,
}

// SAFETY: the ring never follows an address, and the fake device of these tests does not either.
unsafe impl Transfer for Parcel {
    fn segments(&self) -> impl Iterator<Item = Segment> {
        self.lens.iter().enumerate().map(|(part, len)| Segment {
            address: self.name * 0x1_0000 + part as u64,
            len: *len,
            device_writes: self.device_writes,
        })
    }
}

fn parcel(name: u64) -> Parcel {
    Parcel {
        name,
        lens: vec![100],
        device_writes: true,
    }
}

fn pair(size: u16, suppression: Suppression) -> (Virtqueue<Parcel>, FakeQueue) {
    let mut ring = Virtqueue::new(size).expect("memory");
    ring.set_suppression(suppression);
    let mut device = FakeQueue::attached(ring.addresses(), size);
    device.is_event_index = suppression == Suppression::EventIndex;
    (ring, device)
}

const BOTH: [Suppression; 2] = [Suppression::Flags, Suppression::EventIndex];

#[test]
fn transfers_come_back_in_the_order_the_device_used_them_far_beyond_the_wrap() {
    for suppression in BOTH {
        let (mut ring, mut device) = pair(4, suppression);
        for round in 0..100_000_u64 {
            ring.push(parcel(2 * round)).expect("room");
            ring.push(parcel(2 * round + 1)).expect("room");
            assert!(device.take().is_none(), "seen before it was published");
            let _ = ring.publish();
            let first = device.take().expect("published");
            let second = device.take().expect("published");
            assert_eq!(first.segments[0].address, 2 * round * 0x1_0000);
            device.finish(u32::from(second.id), 7);
            device.finish(u32::from(first.id), 8);
            let done = ring.take_used().expect("sound").expect("used");
            assert_eq!((done.transfer.name, done.len), (2 * round + 1, 7));
            let done = ring.take_used().expect("sound").expect("used");
            assert_eq!((done.transfer.name, done.len), (2 * round, 8));
            assert!(ring.take_used().expect("sound").is_none());
        }
        assert_eq!((ring.free(), ring.in_flight()), (4, 0));
    }
}

#[test]
fn a_chain_takes_as_many_descriptors_as_it_has_parts_and_gives_them_back() {
    let (mut ring, mut device) = pair(8, Suppression::Flags);
    let long = Parcel {
        name: 5,
        lens: vec![10, 20, 30],
        device_writes: false,
    };
    ring.push(parcel(1)).expect("room");
    ring.push(long).expect("room");
    assert_eq!((ring.free(), ring.in_flight()), (4, 2));
    assert!(ring.publish());
    let short = device.take().expect("published");
    let long = device.take().expect("published");
    let lens: Vec<_> = long.segments.iter().map(|part| part.len).collect();
    assert_eq!(lens, [10, 20, 30]);
    assert!(long.segments.iter().all(|part| !part.device_writes));
    device.finish(u32::from(long.id), 0);
    assert_eq!(
        ring.take_used()
            .expect("sound")
            .expect("used")
            .transfer
            .name,
        5
    );
    assert_eq!(ring.free(), 7);
    device.finish(u32::from(short.id), 0);
    assert!(ring.take_used().expect("sound").is_some());
    assert_eq!(ring.free(), 8);
}

#[test]
fn a_transfer_that_finds_no_room_is_given_back() {
    let (mut ring, _) = pair(4, Suppression::Flags);
    for name in 0..3 {
        ring.push(parcel(name)).expect("room");
    }
    let two = Parcel {
        name: 9,
        lens: vec![1, 1],
        device_writes: true,
    };
    assert_eq!(ring.push(two).expect_err("one descriptor left").name, 9);
    ring.push(parcel(3)).expect("the last descriptor");
    assert_eq!(ring.push(parcel(4)).expect_err("full").name, 4);
    let empty = Parcel {
        name: 0,
        lens: vec![],
        device_writes: true,
    };
    assert!(ring.push(empty).is_err());
    assert_eq!((ring.free(), ring.in_flight()), (0, 4));
}

#[test]
fn an_identifier_of_nothing_in_flight_is_an_error_every_time() {
    let chain = |ring: &mut Virtqueue<Parcel>| {
        let parts = Parcel {
            name: 1,
            lens: vec![1, 1],
            device_writes: true,
        };
        ring.push(parts).expect("room");
        let _ = ring.publish();
    };
    // Beyond the table, beyond 16 bits, the second descriptor of a chain, one never given.
    for id in [8, 0x1_0000, u32::MAX, 1, 5] {
        let (mut ring, mut device) = pair(8, Suppression::Flags);
        chain(&mut ring);
        device.finish(id, 1);
        assert_eq!(ring.take_used().err(), Some(RingError::BadId(id)));
        assert_eq!(ring.take_used().err(), Some(RingError::BadId(id)));
        let mut back = 0;
        ring.reclaim(&reset_for_tests(), |_| back += 1);
        assert_eq!((back, ring.free()), (1, 8));
    }
}

#[test]
fn a_completion_told_twice_is_an_error_and_not_a_second_buffer() {
    let (mut ring, mut device) = pair(8, Suppression::Flags);
    ring.push(parcel(1)).expect("room");
    ring.push(parcel(2)).expect("room");
    let _ = ring.publish();
    let first = u32::from(device.take().expect("published").id);
    device.finish(first, 1);
    device.finish(first, 1);
    assert!(ring.take_used().expect("the first is sound").is_some());
    assert_eq!(ring.take_used().err(), Some(RingError::BadId(first)));
}

#[test]
fn an_index_ahead_of_what_was_given_is_an_error() {
    for (jump, claimed) in [(3_u16, 3), (0x8000, 0x8000), (0xffff, 0xffff)] {
        let (mut ring, mut device) = pair(8, Suppression::Flags);
        ring.push(parcel(1)).expect("room");
        ring.push(parcel(2)).expect("room");
        let _ = ring.publish();
        device.set_used_index(jump);
        let in_flight = 2;
        let expected = RingError::IndexJump { claimed, in_flight };
        assert_eq!(ring.take_used().err(), Some(expected));
    }
}

#[test]
fn a_length_beyond_the_buffer_is_cut_and_told() {
    let (mut ring, mut device) = pair(8, Suppression::Flags);
    ring.push(parcel(1)).expect("room");
    let _ = ring.publish();
    device.finish(0, 101);
    let done = ring.take_used().expect("sound").expect("used");
    assert_eq!((done.len, done.is_overlong), (100, true));
}

#[test]
fn a_doorbell_is_wanted_when_the_device_says_so() {
    for suppression in BOTH {
        let (mut ring, mut device) = pair(8, suppression);
        // Across the wrap of the index, too.
        for round in 0..70_000_u32 {
            let is_wanted = round % 3 == 0;
            device.want_doorbell(is_wanted);
            ring.push(parcel(0)).expect("room");
            ring.push(parcel(1)).expect("room");
            assert_eq!(ring.publish(), is_wanted, "{suppression:?}, round {round}");
            assert!(!ring.publish(), "nothing new");
            while let Some(chain) = device.take() {
                device.finish(u32::from(chain.id), 0);
            }
            while ring.take_used().expect("sound").is_some() {}
        }
    }
}

#[test]
fn no_completion_is_missed_between_arming_and_sleeping() {
    for suppression in BOTH {
        let (mut ring, mut device) = pair(8, suppression);
        for _ in 0..70_000 {
            ring.push(parcel(0)).expect("room");
            ring.push(parcel(1)).expect("room");
            let _ = ring.publish();
            let first = device.take().expect("published");
            let second = device.take().expect("published");
            assert!(ring.arm_interrupt(), "nothing waits");
            device.finish(u32::from(first.id), 0);
            assert!(device.wants_interrupt(), "armed: {suppression:?}");
            ring.disarm_interrupt();
            assert!(ring.take_used().expect("sound").is_some());
            device.finish(u32::from(second.id), 0);
            assert!(!device.wants_interrupt(), "disarmed: {suppression:?}");
            assert!(!ring.arm_interrupt(), "a completion waits");
            assert!(ring.take_used().expect("sound").is_some());
        }
    }
}

#[test]
fn a_reset_gives_everything_back_once_and_the_queue_starts_over() {
    let (mut ring, mut device) = pair(8, Suppression::Flags);
    for name in 0..5 {
        ring.push(parcel(name)).expect("room");
    }
    let _ = ring.publish();
    let done = device.take().expect("published");
    device.finish(u32::from(done.id), 0);
    assert!(ring.take_used().expect("sound").is_some());
    let mut names = Vec::new();
    ring.reclaim(&reset_for_tests(), |parcel| names.push(parcel.name));
    names.sort_unstable();
    assert_eq!(names, [1, 2, 3, 4]);
    ring.reclaim(&reset_for_tests(), |_| unreachable!("all were given back"));
    let mut device = FakeQueue::attached(ring.addresses(), 8);
    for name in 0..8 {
        ring.push(parcel(name)).expect("room");
    }
    assert!(ring.publish());
    assert_eq!(device.waiting(), 8);
    assert_eq!(device.take().expect("published").segments[0].address, 0);
}

#[test]
fn sizes_that_are_no_power_of_two_or_too_large_are_refused() {
    for size in [0, 3, 257, 512] {
        assert!(Virtqueue::<Parcel>::new(size).is_none(), "{size}");
    }
    for size in [1, 2, 256] {
        assert!(Virtqueue::<Parcel>::new(size).is_some(), "{size}");
    }
}

#[test]
fn an_event_is_passed_exactly_when_it_lies_on_the_way() {
    for old in [0_u16, 5, 0x7fff, 0xfffc, 0xffff] {
        for steps in 0..8_u16 {
            let new = old.wrapping_add(steps);
            for distance in 0..=u16::MAX {
                let event = old.wrapping_add(distance);
                // Adding the entry at index `event` is what passes it.
                let expected = distance < steps;
                assert_eq!(passes_event(event, new, old), expected);
            }
        }
    }
}

proptest! {
    /// Whatever the order of pushes and completions, every transfer comes back exactly once and no
    /// descriptor is lost.
    #[test]
    fn transfers_and_descriptors_are_conserved(
        steps in proptest::collection::vec((0_u8..3, 1_usize..4, any::<u16>()), 1..400),
        is_event_index in any::<bool>(),
    ) {
        let suppression = if is_event_index { Suppression::EventIndex } else { Suppression::Flags };
        let (mut ring, mut device) = pair(16, suppression);
        let (mut held, mut out, mut next) = (Vec::new(), Vec::new(), 0_u64);
        for (step, parts, choice) in steps {
            match step {
                0 => {
                    let lens = vec![10; parts];
                    let parcel = Parcel { name: next, lens, device_writes: true };
                    let fits = parts <= usize::from(ring.free());
                    prop_assert_eq!(ring.push(parcel).is_ok(), fits);
                    if fits {
                        out.push((next, parts));
                        next += 1;
                    }
                }
                1 => {
                    let _ = ring.publish();
                    while let Some(chain) = device.take() {
                        held.push(chain);
                    }
                    if !held.is_empty() {
                        let chain = held.swap_remove(usize::from(choice) % held.len());
                        device.finish(u32::from(chain.id), 0);
                    }
                }
                _ => {
                    while let Some(done) = ring.take_used().expect("the device is sound") {
                        let name = done.transfer.name;
                        let place = out.iter().position(|(known, _)| *known == name);
                        out.swap_remove(place.expect("in flight once"));
                    }
                    let taken: usize = held.iter().map(|chain| chain.segments.len()).sum();
                    let total: usize = out.iter().map(|(_, parts)| parts).sum();
                    prop_assert!(taken <= total);
                    prop_assert_eq!(usize::from(ring.free()), 16 - total);
                    prop_assert_eq!(usize::from(ring.in_flight()), out.len());
                }
            }
        }
    }
}
