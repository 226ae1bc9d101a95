//! The tasks that talk to a person in sequence, run between packet batches.
//!
//! A console dialogue reads best as an `async fn`; this runs such functions inside the event loop.
//! The set belongs to one appliance, so a simulator can run several boxes in one program, which an
//! executor with static task storage could not.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use futures_util::stream::{FuturesUnordered, StreamExt};
use hal::time::Instant;

use crate::state::Shared;

/// All tasks of one appliance.
pub(crate) struct Tasks {
    running: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            running: FuturesUnordered::new(),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.running.push(Box::pin(task));
        self.woken.0.store(true, Ordering::Release);
    }

    /// Polls what was woken, each task at most once. Returns whether a task wants another turn.
    pub(crate) fn poll(&mut self) -> bool {
        if !self.woken.0.swap(false, Ordering::Acquire) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        // The set polls a woken task once and then yields back when it is woken again meanwhile.
        while let Poll::Ready(Some(())) = self.running.poll_next_unpin(&mut context) {}
        self.woken.0.load(Ordering::Acquire)
    }
}

/// Gives the packet path a turn before going on.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    core::future::poll_fn(|context| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until `at`.
pub(crate) async fn sleep(shared: &Shared, at: Instant) {
    core::future::poll_fn(|context| {
        let core = shared.borrow();
        if core.now() >= at {
            return Poll::Ready(());
        }
        core.timers.wake_at(at, context.waker());
        Poll::Pending
    })
    .await;
}

/// Tasks that wait for a moment.
#[derive(Default)]
pub(crate) struct Timers {
    waiting: RefCell<Vec<(Instant, Waker)>>,
}

impl Timers {
    /// Wakes `waker` at `at`.
    pub(crate) fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        match waiting.iter_mut().find(|(_, held)| held.will_wake(waker)) {
            Some(entry) => entry.0 = at,
            None => waiting.push((at, waker.clone())),
        }
    }

    /// Wakes whatever is due.
    pub(crate) fn handle_timeout(&self, now: Instant) {
        self.waiting.borrow_mut().retain(|(at, waker)| {
            let is_due = *at <= now;
            if is_due {
                waker.wake_by_ref();
            }
            !is_due
        });
    }

    /// The earliest moment somebody waits for.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.borrow().iter().map(|(at, _)| *at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;
    use core::cell::Cell;

    #[test]
    fn a_yielding_task_is_polled_once_a_turn() {
        let steps = Rc::new(Cell::new(0));
        let mut tasks = Tasks::new();
        let counted = Rc::clone(&steps);
        tasks.spawn(async move {
            for _ in 0..3 {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        let mut turns = 0;
        while tasks.poll() {
            turns += 1;
            assert!(steps.get() <= turns + 1);
        }
        assert_eq!(steps.get(), 3);
        assert!(!tasks.poll(), "nothing is left to do");
    }

    #[test]
    fn a_timer_wakes_at_its_moment_and_not_before() {
        let timers = Timers::default();
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        timers.wake_at(Instant::from_secs(2), &waker);
        assert_eq!(timers.poll_timeout(), Some(Instant::from_secs(2)));
        timers.handle_timeout(Instant::from_secs(1));
        assert!(!woken.0.load(Ordering::Relaxed));
        timers.handle_timeout(Instant::from_secs(2));
        assert!(woken.0.load(Ordering::Relaxed));
        assert_eq!(timers.poll_timeout(), None);
    }
}
