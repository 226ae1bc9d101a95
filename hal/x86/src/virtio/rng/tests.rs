use alloc::rc::Rc;
use core::cell::RefCell;

use super::*;
use crate::virtio::fake::{FakeClock, FakeDevice, FakeTransport};
use crate::virtio::regs::feature;

type Rng = VirtioRng<FakeTransport, FakeClock>;

fn source(behaviour: fn(&mut FakeDevice, u16)) -> (Rng, Rc<RefCell<FakeDevice>>) {
    let transport = FakeTransport::new(feature::VERSION_1, &[], 1, 8);
    let device = Rc::clone(&transport.0);
    device.borrow_mut().behaviour = behaviour;
    device.borrow_mut().contents = (0..=255).collect();
    let rng = VirtioRng::new(transport, FakeClock::default()).expect("a sound device");
    (rng, device)
}

/// Gives at most 20 bytes at a time, and nothing every other time.
fn stingy(device: &mut FakeDevice, queue: u16) {
    let queue = &mut device.queues[usize::from(queue)];
    let chain = queue.take().expect("a request");
    let count = if queue.used_index().is_multiple_of(2) {
        0
    } else {
        20
    };
    let count = count.min(chain.writable() as usize);
    let bytes: alloc::vec::Vec<u8> = device.contents.drain(..count).collect();
    let len = chain.write(&bytes);
    queue.finish(u32::from(chain.id), len);
}

const DEADLINE: Duration = Duration::from_millis(50);

#[test]
fn a_source_that_gives_little_is_asked_until_all_is_there() {
    let (mut rng, _) = source(stingy);
    let mut bytes = [0; 100];
    rng.read(&mut bytes, DEADLINE).expect("in time");
    assert!((0..100).eq(bytes), "each byte once, in order");
    let mut left = [1; CHUNK_LEN];
    rng.requester.memory.copy_out(0, &mut left);
    assert_eq!(left, [0; CHUNK_LEN], "nothing stays behind");
}

#[test]
fn a_source_that_gives_nothing_is_given_up_at_the_deadline() {
    let silent: fn(&mut FakeDevice, u16) = |_, _| {};
    let empty: fn(&mut FakeDevice, u16) = |device, queue| {
        let queue = &mut device.queues[usize::from(queue)];
        let chain = queue.take().expect("a request");
        queue.finish(u32::from(chain.id), 0);
    };
    for behaviour in [silent, empty] {
        let (mut rng, device) = source(behaviour);
        let mut bytes = [0; 100];
        assert_eq!(rng.read(&mut bytes, DEADLINE), Err(RngError::Timeout));
        device.borrow_mut().behaviour = stingy;
        assert_eq!(rng.read(&mut bytes, DEADLINE), Ok(()));
    }
}

#[test]
fn a_source_that_claims_too_much_is_not_believed() {
    let (mut rng, _) = source(|device, queue| {
        let queue = &mut device.queues[usize::from(queue)];
        let chain = queue.take().expect("a request");
        queue.finish(u32::from(chain.id), u32::MAX);
    });
    assert_eq!(rng.read(&mut [0; 10], DEADLINE), Err(RngError::Device));
}
