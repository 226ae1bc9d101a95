//! Which interface: a port, or a subinterface of it.

use super::{Config, Interface};
use cli::grammar::{InterfaceKind, InterfaceName};
use core::fmt;

/// Most subinterfaces of a box, on all its ports together.
pub const SUBINTERFACES_MAX: usize = 32;

/// An interface. They stand in the order of the ports, each port before its subinterfaces; `Display`
/// gives the ASA spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId {
    /// N of `GigabitEthernet0/N`.
    pub port: u16,
    /// What stands behind the dot, from 1 on; `None` is the port itself.
    pub subinterface: Option<u32>,
}

impl InterfaceId {
    /// A port.
    #[must_use]
    pub const fn port(port: u16) -> Self {
        Self {
            port,
            subinterface: None,
        }
    }

    /// What a typed name means; `None` for hardware that a box like this never has.
    #[must_use]
    pub fn named(name: InterfaceName) -> Option<Self> {
        let is_ours = name.kind == InterfaceKind::GigabitEthernet && name.slot == 0;
        is_ours.then_some(Self {
            port: name.port,
            subinterface: name.subinterface,
        })
    }

    /// The port it is, or is on.
    #[must_use]
    pub const fn carrier(self) -> Self {
        Self::port(self.port)
    }

    /// Whether it is a subinterface.
    #[must_use]
    pub const fn is_sub(self) -> bool {
        self.subinterface.is_some()
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GigabitEthernet0/{}", self.port)?;
        match self.subinterface {
            Some(number) => write!(f, ".{number}"),
            None => Ok(()),
        }
    }
}

/// The number under which the packet engine knows a subinterface, while it does.
///
/// It is no part of what is configured, so all are equal: two configurations that differ in it alone
/// say the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnginePort(pub Option<u8>);

impl PartialEq for EnginePort {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for EnginePort {}

impl Config {
    /// How many ports the hardware has.
    #[must_use]
    pub fn port_count(&self) -> u16 {
        let ports = self.interfaces.keys().filter(|id| !id.is_sub());
        // Ports are numbered by a u16.
        ports.count() as u16
    }

    /// The subinterfaces with what is configured.
    pub fn subinterfaces(&self) -> impl Iterator<Item = (InterfaceId, &Interface)> {
        self.interfaces
            .iter()
            .filter(|(id, _)| id.is_sub())
            .map(|(&id, interface)| (id, interface))
    }

    /// Whether an interface can pass traffic as far as configuration goes: neither it nor its port is
    /// shut down, and a subinterface has a VLAN.
    #[must_use]
    pub fn is_enabled(&self, id: InterfaceId) -> bool {
        let is_open = |id| {
            self.interfaces
                .get(&id)
                .is_some_and(|interface| !interface.shutdown)
        };
        let has_vlan = |id| {
            let interface = self.interfaces.get(&id);
            interface.is_some_and(|interface| interface.vlan.is_some())
        };
        is_open(id) && is_open(id.carrier()) && (!id.is_sub() || has_vlan(id))
    }
}
