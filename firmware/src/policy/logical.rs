//! The numbers by which the packet engine knows interfaces: those of the hardware for ports, numbers
//! behind them for subinterfaces.
//!
//! A subinterface keeps its number as long as it is there, also when the whole configuration is
//! replaced, so that its connections stay.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use config::Config;
use config::model::{EnginePort, Interface, InterfaceId, SUBINTERFACES_MAX};
use dataplane::{PortId, VlanPort};
use hal::nic::MacAddr;

/// Numbers of subinterfaces.
pub(crate) type Numbers = BTreeMap<InterfaceId, u8>;

/// How many numbers there are for subinterfaces.
pub(crate) const SUBINTERFACES: u8 = SUBINTERFACES_MAX as u8;

/// Gives every subinterface of `config` a number, and returns them: that of `before` if it had one,
/// otherwise preferably one that nobody had, so that nothing is taken for what it was.
pub(crate) fn number(config: &mut Config, before: &Numbers) -> Numbers {
    let first = port_id(
        InterfaceId::port(config.port_count()),
        &Interface::default(),
    )
    .0;
    let mut numbers: Numbers = config
        .subinterfaces()
        .filter_map(|(id, _)| Some((id, *before.get(&id)?)))
        .collect();
    for (&id, interface) in config.interfaces.iter_mut().filter(|(id, _)| id.is_sub()) {
        let is_free = |number: &u8| numbers.values().all(|taken| taken != number);
        let is_new = |number: &u8| before.values().all(|had| had != number);
        let mut all = first..first.saturating_add(SUBINTERFACES);
        let number = numbers.get(&id).copied().or_else(|| {
            let unused = all.clone().find(|number| is_free(number) && is_new(number));
            unused.or_else(|| all.find(is_free))
        });
        interface.engine_port = EnginePort(number);
        if let Some(number) = number {
            numbers.insert(id, number);
        }
    }
    numbers
}

/// The number of an interface. Ports are few: the hardware has at most 255. A subinterface that is not
/// numbered yet has one that the engine does not know.
pub(crate) fn port_id(id: InterfaceId, interface: &Interface) -> PortId {
    let number = if id.is_sub() {
        interface.engine_port.0
    } else {
        u8::try_from(id.port).ok()
    };
    PortId(number.unwrap_or(u8::MAX))
}

/// The port that policy calls `nameif`.
pub(crate) fn port_named(config: &Config, nameif: &str) -> Option<PortId> {
    config
        .interface_named(nameif)
        .map(|(id, interface)| port_id(id, interface))
}

/// The interface with that number.
pub(crate) fn interface_at(config: &Config, port: PortId) -> Option<(InterfaceId, &Interface)> {
    let mut interfaces = config.interfaces.iter();
    interfaces
        .find(|(id, interface)| port_id(**id, interface) == port)
        .map(|(&id, interface)| (id, interface))
}

/// The subinterfaces with a VLAN.
pub(super) fn vlans(config: &Config) -> Vec<VlanPort> {
    config
        .subinterfaces()
        .filter_map(|(id, interface)| {
            Some(VlanPort {
                port: port_id(id, interface),
                carrier: PortId(u8::try_from(id.port).ok()?),
                vlan: interface.vlan?,
            })
        })
        .collect()
}

/// The Ethernet address of an interface: its own, or that of its port.
pub(crate) fn mac(config: &Config, id: InterfaceId, burned_in: MacAddr) -> MacAddr {
    let configured = |id| config.interfaces.get(&id)?.mac_address;
    configured(id)
        .or_else(|| configured(id.carrier()))
        .map_or(burned_in, MacAddr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ids: &[(u16, u32)]) -> Config {
        let mut config = Config::factory(3);
        for &(port, number) in ids {
            let id = InterfaceId {
                port,
                subinterface: Some(number),
            };
            config.interfaces.insert(id, Interface::default());
        }
        config
    }

    fn numbers(numbers: &Numbers) -> Vec<(alloc::string::String, u8)> {
        let text = |id: &InterfaceId| alloc::string::ToString::to_string(id);
        numbers.iter().map(|(id, n)| (text(id), *n)).collect()
    }

    #[test]
    fn numbers_stay_and_are_not_given_again_at_once() {
        let first = number(&mut with(&[(1, 10), (1, 20)]), &Numbers::new());
        assert_eq!(first.values().copied().collect::<Vec<_>>(), [3, 4]);
        let mut config = with(&[(0, 5), (1, 20)]);
        let second = number(&mut config, &first);
        let expected = [
            ("GigabitEthernet0/0.5".into(), 5),
            ("GigabitEthernet0/1.20".into(), 4),
        ];
        assert_eq!(numbers(&second), expected);
        let (id, interface) = interface_at(&config, PortId(4)).expect("the second");
        assert_eq!(id.subinterface, Some(20));
        assert_eq!(port_id(id, interface), PortId(4));
        assert_eq!(interface_at(&config, PortId(3)), None);
        // Equal configurations, whatever their numbers.
        assert_eq!(config, with(&[(0, 5), (1, 20)]));
    }

    #[test]
    fn every_subinterface_there_can_be_has_a_number() {
        let full = |from: u32| -> Vec<_> {
            (from..from + u32::from(SUBINTERFACES))
                .map(|n| (2, n))
                .collect()
        };
        let first = number(&mut with(&full(1)), &Numbers::new());
        let second = number(&mut with(&full(1000)), &first);
        let distinct: alloc::collections::BTreeSet<_> = second.values().collect();
        assert_eq!(distinct.len(), usize::from(SUBINTERFACES));
        assert!(
            distinct
                .iter()
                .all(|&&n| (3..3 + SUBINTERFACES).contains(&n))
        );
    }
}
