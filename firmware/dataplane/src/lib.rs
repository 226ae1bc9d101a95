//! The packet engine: neighbours, routes, access lists, translation, flows, interception.
//!
//! [`DataPlane`] does no I/O and reads no clock. Frames go in by
//! [`handle_batch`](DataPlane::handle_batch), come out by
//! [`drain_transmit`](DataPlane::drain_transmit), and every frame ends in exactly one counted
//! verdict ([`Verdicts`], [`DropReason`]). What is allowed is a [`Policy`], swapped whole.
//!
//! ```text
//! frames → input: parse, hash ─┬─ flow known ────────────────────┐
//!                              └─ slowpath: decide → open a flow ─┴→ forward: check, translate
//!            arp, icmp, local ←┘       (rules, routes, access, NAT)        │         │
//!                                                            proxy ← intercept     output → frames
//! ```
//!
//! | Modules | What they do |
//! | --- | --- |
//! | `input`, `vlan`, `wire`, `offload`, `fragment` | frames in: checked, parsed, collected |
//! | `flow`, `connection`, `inspect` | what belongs to a flow: tracked, limited, looked into |
//! | `slowpath`, `access`, `nat`, `routes`, `policy` | what opens one: decided |
//! | `output`, `adjacency`, `neighbor`, `arp`, `icmp`, `own` | frames out, and the box's own |
//! | `v6` | what differs for IPv6 |
//! | `intercept`, `to_the_box` | packets for proxies, and for the box |
//! | `shun`, `limiter` | who is shut out, what is said unasked |
//! | `capture`, `event`, `tell`, `access_log`, `hits`, `show`, `view` | what operators see |
//! | `buckets`, `hash`, `wheel` | the tables' index, its keyed hash, timers |
//!
//! Tables are claimed once, in [`DataPlane::new`]; a packet allocates nothing. Only `set_policy`,
//! timers and the operator's `clear` commands do.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
mod access_log;
mod adjacency;
mod arp;
#[doc(hidden)]
pub mod bench;
mod buckets;
mod capture;
mod connection;
mod drop_reason;
mod engine;
mod event;
mod flow;
mod fragment;
mod hash;
mod hits;
mod icmp;
mod input;
mod inspect;
mod intercept;
mod limiter;
mod nat;
mod neighbor;
mod offload;
mod output;
mod own;
mod policy;
mod routes;
mod show;
mod shun;
mod slowpath;
mod tell;
mod to_the_box;
mod v6;
mod view;
mod vlan;
mod wheel;
mod wire;

#[cfg(test)]
mod tests;

pub use capture::{
    CAPTURE_MATCHES_MAX, CAPTURES_MAX, Capture, CaptureAddresses, CaptureCursor, CaptureError,
    CaptureKind, CaptureMatch, CapturePoint, CaptureSettings, CaptureState, CapturedFrame,
};
pub use connection::counts::{ClassCounts, ConnectionLimit};
pub use connection::normalize::{OptionSet, TcpMap, Treatment};
pub use connection::settings::{ConnectionClass, ConnectionSettings, DeadDetection, TcpChecks};
pub use drop_reason::DropReason;
pub use engine::{DataPlane, LOCAL_ECHO_IDENTIFIERS, Limits};
pub use event::{
    BoxVerdict, ConnEnds, Event, EventKind, EventKinds, FlowEnd, FragmentFacts, PacketFacts,
    XlateEnds,
};
pub use inspect::{MalformedMessage, rewrite_dns};
pub use nat::POOL_ADDRESSES_MAX;
pub use own::LOCAL_TCP_PORTS;
pub use policy::{
    AccessList, Ace, AceLog, AclId, Action, AddressRange, DestinationNat, DnsInspection,
    FragmentRule, IcmpRule, InspectionClass, Interface, LocalService, MappedAddress, NatRule,
    NatSection, PatPool, PerSessionRule, Policy, PoolOptions, PortId, PortMatch, PortTranslation,
    ProxyId, Service, SourceNat, StaticRoute, Timeouts, Transport, prefix_mask,
};
pub use shun::{SHUNS_MAX, Shun, ShunView};
pub use slowpath::{AccessPlace, Step, Trace};
pub use v6::{
    Ace6, Address6, AddressRange6, AddressState, AdvertisedPrefix, IcmpRule6, Interface6,
    NeighborView6, PROTOCOL_ICMPV6, Policy6, RouteView6, RouterAdvertisement, StaticNat6,
    StaticRoute6, prefix_mask6,
};
pub use view::{
    AccessForm, AccessUsage, ConnFlags, ConnSide, ConnView, Endpoints, FlowId, FragmentView,
    Intercepted, Leg, LocalPacket, NatRuleView, NeighborView, Opened, Opening, PoolView,
    PortCounters, RouteKind, RouteView, Usage, Verdicts, XlateView, XlateView6,
};
pub use vlan::{VLAN_MAX, VlanPort};
pub use wire::{ETHERNET_LEN, IPV4_LEN, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, Tuple};
