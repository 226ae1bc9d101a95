//! What is counted, and why a datagram is refused.

use crate::message::Malformed;

/// Why a datagram is not the answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing was asked from that port, or not any more: late, or forged.
    Unasked,
    /// From another address or port than was asked.
    Server,
    /// With another identifier.
    Identifier,
    /// It does not repeat the question to the letter, or is no response.
    Question,
    /// It cannot be read.
    Malformed(Malformed),
}

/// What happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams handed out to be sent.
    pub sent: u64,
    /// Answers with addresses.
    pub resolved: u64,
    /// Answers that there is nothing.
    pub absent: u64,
    /// Questions that no server answered.
    pub failed: u64,
    /// Waits for an answer that ended without one.
    pub timeouts: u64,
    /// Servers that said they could not answer.
    pub server_failures: u64,
    /// Answers that did not fit into a datagram; they are not used.
    pub truncated: u64,
    /// Addresses that a name had beyond [`ADDRESSES_MAX`](crate::ADDRESSES_MAX).
    pub addresses_left_out: u64,
    /// [`Refused::Unasked`].
    pub refused_unasked: u64,
    /// [`Refused::Server`].
    pub refused_server: u64,
    /// [`Refused::Identifier`].
    pub refused_identifier: u64,
    /// [`Refused::Question`].
    pub refused_question: u64,
    /// [`Refused::Malformed`].
    pub refused_malformed: u64,
}

impl Counters {
    /// Counts a datagram that was refused.
    pub(crate) fn count(&mut self, reason: Refused) {
        let counter = match reason {
            Refused::Unasked => &mut self.refused_unasked,
            Refused::Server => &mut self.refused_server,
            Refused::Identifier => &mut self.refused_identifier,
            Refused::Question => &mut self.refused_question,
            Refused::Malformed(_) => &mut self.refused_malformed,
        };
        *counter = counter.saturating_add(1);
    }
}
