//! Events waiting to be taken.

use alloc::collections::VecDeque;

use crate::Event;

/// Message events beyond those every session may have at once.
const MESSAGE_EVENTS: usize = 256;

/// A bounded queue of events.
///
/// A session has at most three events of its own (two handshakes, one end), and its slot is not used
/// again before the last was taken; so room for those is always there and only message events can be lost.
pub(crate) struct Events {
    queue: VecDeque<Event>,
    messages: usize,
}

impl Events {
    pub(crate) fn new(sessions: usize) -> Self {
        Self {
            queue: VecDeque::with_capacity(3 * sessions + MESSAGE_EVENTS),
            messages: 0,
        }
    }

    /// Adds an event of a session's life.
    pub(crate) fn push(&mut self, event: Event) {
        self.queue.push_back(event);
    }

    /// Adds a message event; returns false if there are too many.
    #[must_use]
    pub(crate) fn push_message(&mut self, event: Event) -> bool {
        if self.messages >= MESSAGE_EVENTS {
            return false;
        }
        self.messages += 1;
        self.queue.push_back(event);
        true
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        if let Event::MessagePassed { .. } = event {
            self.messages -= 1;
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use sip::MessageKind;

    use super::*;
    use crate::{Direction, SessionId};

    #[test]
    fn message_events_beyond_the_limit_are_refused_until_some_are_taken() {
        let message = Event::MessagePassed {
            session: SessionId {
                slot: 0,
                generation: 1,
            },
            flow: 0,
            direction: Direction::ToTarget,
            kind: MessageKind::Response(200),
            bytes: 1,
        };
        let mut events = Events::new(1);
        for _ in 0..MESSAGE_EVENTS {
            assert!(events.push_message(message.clone()));
        }
        assert!(!events.push_message(message.clone()));
        assert_eq!(events.pop(), Some(message.clone()));
        assert!(events.push_message(message));
    }
}
