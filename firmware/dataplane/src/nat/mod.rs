//! Translation: which rule applies ([`rules`]), what its pool holds ([`pool`], [`shared`]), which
//! address or port a host is given ([`ports`], [`bindings`], [`dynamic`]), and how a packet is changed
//! ([`rewrite`]).

pub(crate) mod bindings;
mod dynamic;
pub(crate) mod list;
pub(crate) mod pool;
pub(crate) mod ports;
pub(crate) mod rewrite;
pub(crate) mod rules;
mod shared;
mod show;

pub use pool::POOL_ADDRESSES_MAX;
