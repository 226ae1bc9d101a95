//! The decision which slot is started.
//!
//! A slot on trial is started while it has tries left, and each of these starts is written down
//! *before* it happens: whatever goes wrong afterwards, hanging included, it has cost a try. When none is
//! left the trial has failed and the default slot is started as before. Ordinary starts write
//! nothing. A slot that does not verify is never started; if the default slot is the one, the other
//! serves.

use core::fmt;

use crate::state::{BootState, Slot};

/// Why a slot was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is the default.
    Default,
    /// It is on trial and has this many more starts.
    Trial(u8),
    /// The default slot does not verify.
    DefaultRefused,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Trial(left) => write!(f, "on trial, {left} more tries"),
            Self::DefaultRefused => f.write_str("the default was refused"),
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What to start and why; `None` if no slot verifies.
    pub start: Option<(Slot, Reason)>,
    /// The state to be written first, if it changes. A trial whose state cannot be written must not be started.
    pub state: Option<BootState>,
}

/// Chooses a slot.
///
/// `verifies` is asked only about slots that would be started, at most once each, and the slot
/// chosen is the last one it was asked about. Where the state cannot be written (`is_writable` false: a CD) there are no
/// trials, because they could not be counted.
pub fn choose(
    state: &BootState,
    is_writable: bool,
    mut verifies: impl FnMut(Slot) -> bool,
) -> Choice {
    let mut next = state.clone();
    let mut refused = None;
    if is_writable && let Some(slot) = state.trial {
        if let Some(left) = state.tries_left.checked_sub(1) {
            if verifies(slot) {
                next.tries_left = left;
                return Choice {
                    start: Some((slot, Reason::Trial(left))),
                    state: Some(next),
                };
            }
            refused = Some(slot);
        }
        next.fail_trial();
    }
    let candidates = [
        (state.default, Reason::Default),
        (state.default.other(), Reason::DefaultRefused),
    ];
    let start = candidates
        .into_iter()
        .find(|&(slot, _)| refused != Some(slot) && verifies(slot));
    Choice {
        start,
        state: (next != *state).then_some(next),
    }
}

#[cfg(test)]
mod tests;
