//! Subinterfaces: `interface GigabitEthernet0/N.M` makes one, `vlan` says which traffic of the port is
//! its.

use super::interface::release_name;
use super::{Change, Handler, invalid, row};
use crate::mode::{Mode, SUBINTERFACE};
use crate::model::{Interface, InterfaceId, SUBINTERFACES_MAX};
use crate::refusal::{Refusal, Thing};
use alloc::string::ToString;
use cli::grammar::{Captures, No, Row};

pub(super) const VLAN: Row<Handler> = row(
    SUBINTERFACE,
    "vlan <id:1-4094>",
    No::Syntax("vlan [<id:1-4094>]"),
    &[
        ("vlan", "Assign a VLAN to the subinterface"),
        ("id", "VLAN identifier"),
    ],
    vlan,
)
.example("vlan 10");

/// `interface`, and `no interface` for subinterfaces.
pub(super) fn interface(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = captures
        .interface("port")
        .and_then(InterfaceId::named)
        .filter(|id| change.config.interfaces.contains_key(&id.carrier()))
        .ok_or_else(|| invalid(captures, "port"))?;
    if captures.negated() {
        return remove(change, id);
    }
    if !change.config.interfaces.contains_key(&id) {
        if change.config.subinterfaces().count() >= SUBINTERFACES_MAX {
            return Err(Refusal::TooMany("subinterfaces", SUBINTERFACES_MAX));
        }
        // Unlike a port it is up until somebody says otherwise.
        let made = Interface {
            shutdown: false,
            ..Interface::default()
        };
        change.config.interfaces.insert(id, made);
        change.outcome.changed = true;
    }
    if change.state.loading
        && let Some(interface) = change.config.interfaces.get_mut(&id)
    {
        change.outcome.set(&mut interface.shutdown, false);
    }
    change.enter(Mode::Interface(id));
    Ok(())
}

/// Removes a subinterface, and every line that names it.
fn remove(change: &mut Change<'_>, id: InterfaceId) -> Result<(), Refusal> {
    if !id.is_sub() {
        return Err(Refusal::PhysicalInterface);
    }
    let Some(interface) = change.config.interfaces.get(&id) else {
        return Err(Refusal::Missing(Thing::Interface, id.to_string()));
    };
    if let Some(name) = interface.nameif.clone() {
        release_name(change, &name)?;
    }
    change.config.interfaces.remove(&id);
    change.outcome.changed = true;
    Ok(())
}

fn vlan(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let Mode::Interface(id) = change.state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let vlan = if captures.negated() {
        None
    } else {
        Some(super::small(captures, "id")?)
    };
    if let Some(vlan) = vlan {
        let mut others = change.config.subinterfaces();
        let taken = others.find(|(other, interface)| {
            *other != id && other.port == id.port && interface.vlan == Some(vlan)
        });
        if let Some((other, _)) = taken {
            return Err(Refusal::VlanTaken { vlan, other });
        }
    }
    if let Some(interface) = change.config.interfaces.get_mut(&id) {
        change.outcome.set(&mut interface.vlan, vlan);
    }
    Ok(())
}
