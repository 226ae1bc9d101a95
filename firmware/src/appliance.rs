//! The event loop's body.

use hal::time::Instant;

use crate::board::Board;

/// What the caller of [`Appliance::turn`] should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Call again at once.
    Busy,
    /// Sleep until an interrupt, or until the instant if there is one.
    IdleUntil(Option<Instant>),
}

/// The whole box.
pub struct Appliance {
    board: Board,
}

impl Appliance {
    /// Takes the board into possession.
    #[must_use]
    pub fn new(board: Board) -> Self {
        Self { board }
    }

    /// Does a bounded amount of whatever is waiting.
    pub fn turn(&mut self) -> Turn {
        let mut bytes = [0; 64];
        let count = self.board.console.read(&mut bytes);
        self.board
            .console
            .write(bytes.get(..count).unwrap_or_default());
        if count > 0 {
            Turn::Busy
        } else {
            Turn::IdleUntil(None)
        }
    }
}
