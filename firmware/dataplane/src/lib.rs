//! The packet engine: neighbours, routes, access lists, translation, flows, interception.
//!
//! [`DataPlane`] does no I/O and reads no clock. Frames go in by
//! [`handle_batch`](DataPlane::handle_batch), come out by
//! [`drain_transmit`](DataPlane::drain_transmit), and every frame ends in exactly one counted
//! verdict ([`Verdicts`], [`DropReason`]). What is allowed is a [`Policy`], swapped whole.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod drop_reason;
mod engine;
mod policy;
mod view;
pub mod wire;

pub use drop_reason::DropReason;
pub use engine::{DataPlane, Limits};
pub use policy::{
    AccessList, Ace, AclId, Action, AddressRange, DestinationNat, IcmpRule, InspectionClass,
    Interface, LocalService, MappedAddress, NatRule, NatSection, PatPool, PerSessionRule, Policy,
    PortId, PortMatch, PortTranslation, ProxyId, Service, SourceNat, StaticRoute, Timeouts,
    Transport, prefix_mask,
};
pub use view::{
    ConnFlags, ConnSide, ConnView, Endpoints, FlowId, Intercepted, Leg, LocalPacket, NatRuleView,
    NeighborView, Opening, PoolView, PortCounters, RouteKind, RouteView, Usage, Verdicts,
    XlateView,
};
