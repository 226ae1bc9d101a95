//! What a service policy asks of connections: limits, idle times, sequence numbers, TCP checks.
//!
//! The slow path finds the class of a flow once ([`settings`]) and leaves its number in the flow
//! record. Everything later starts from that number: [`counts`] holds how many connections a class
//! and a client have, [`handshake`] answers for a server that has too many half-open ones
//! ([`cookie`]), [`normalize`] checks segments, [`idle`] ends or probes what is silent, and
//! [`segment`] makes the segments the box sends of itself.

pub(crate) mod cookie;
pub(crate) mod counts;
mod handshake;
mod idle;
pub(crate) mod normalize;
pub(crate) mod segment;
pub(crate) mod settings;
