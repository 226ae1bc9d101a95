//! Translation: which rule applies ([`rules`]), which port a shared address gives ([`ports`],
//! [`bindings`]), and how a packet is changed ([`rewrite`]).

pub(crate) mod bindings;
pub(crate) mod ports;
pub(crate) mod rewrite;
pub(crate) mod rules;
