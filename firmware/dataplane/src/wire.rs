//! Protocol numbers.

/// ICMP, RFC 792.
pub const PROTOCOL_ICMP: u8 = 1;
/// TCP, RFC 9293.
pub const PROTOCOL_TCP: u8 = 6;
/// UDP, RFC 768.
pub const PROTOCOL_UDP: u8 = 17;
