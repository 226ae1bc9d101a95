//! Groups of protocols and of ICMP types.

use super::object::{Kind, description_text, name_is_free, removable};
use super::object_group::place_after;
use super::{Change, Handler, invalid, row, usage, word};
use crate::mode::{GLOBAL, ICMP_GROUP, Mode, PROTOCOL_GROUP};
use crate::model::{Config, NumberGroup, NumberKind, NumberMember};
use crate::names;
use crate::refusal::{Notice, Refusal, Thing};
use cli::grammar::{Captures, No, Row};

pub(super) const ENTER_PROTOCOL: Row<Handler> = row(
    GLOBAL,
    "object-group protocol <name:word(64)>",
    No::Same,
    &[
        ("object-group", "Configure a group of objects"),
        ("protocol", "A group of IP protocols"),
        ("name", "Name of up to 64 characters"),
    ],
    |change, captures| enter(change, captures, NumberKind::Protocol),
)
.example("object-group protocol TUNNELS");

pub(super) const ENTER_ICMP: Row<Handler> = row(
    GLOBAL,
    "object-group icmp-type <name:word(64)>",
    No::Same,
    &[
        ("object-group", "Configure a group of objects"),
        ("icmp-type", "A group of ICMP types"),
        ("name", "Name of up to 64 characters"),
    ],
    |change, captures| enter(change, captures, NumberKind::IcmpType),
)
.example("object-group icmp-type PINGS");

pub(super) const PROTOCOL_MEMBER: Row<Handler> = row(
    PROTOCOL_GROUP,
    "protocol-object <protocol>",
    No::Same,
    &[
        ("protocol-object", "Add a protocol"),
        ("protocol", "IP protocol by number or name"),
    ],
    |change, captures| {
        let number = names::parse_protocol(word(captures, "protocol")?);
        let number = number.ok_or_else(|| invalid(captures, "protocol"))?;
        edit(change, captures.negated(), NumberMember::Number(number))
    },
)
.example("protocol-object esp");

pub(super) const ICMP_MEMBER: Row<Handler> = row(
    ICMP_GROUP,
    "icmp-object <icmp-type>",
    No::Same,
    &[
        ("icmp-object", "Add an ICMP type"),
        ("icmp-type", "ICMP type by number or name"),
    ],
    |change, captures| {
        let number = names::parse_icmp_type(word(captures, "icmp-type")?);
        let number = number.ok_or_else(|| invalid(captures, "icmp-type"))?;
        edit(change, captures.negated(), NumberMember::Number(number))
    },
)
.example("icmp-object echo");

fn enter(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
    kind: NumberKind,
) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let exists = change.config.number_groups(kind).contains_key(name);
        let by = usage::of_number_group(change.config, kind, name);
        removable(Thing::Group, name, exists, by)?;
        let removed = change.config.number_groups_mut(kind).remove(name);
        return change.outcome.removed(removed);
    }
    name_is_free(change.config, name, Kind::NumberGroup(kind))?;
    let groups = change.config.number_groups_mut(kind);
    change.outcome.changed |= groups.make(name, NumberGroup::default);
    change.enter(match kind {
        NumberKind::Protocol => Mode::ProtocolGroup(name.into()),
        NumberKind::IcmpType => Mode::IcmpGroup(name.into()),
    });
    Ok(())
}

/// The kind and name of the group being configured, if it is one of these.
pub(super) fn current(mode: &Mode) -> Option<(NumberKind, &str)> {
    match mode {
        Mode::ProtocolGroup(name) => Some((NumberKind::Protocol, name)),
        Mode::IcmpGroup(name) => Some((NumberKind::IcmpType, name)),
        _ => None,
    }
}

/// Sets the description of the group being configured.
pub(super) fn describe(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let text = description_text(captures)?;
    let Change {
        config,
        state,
        outcome,
        ..
    } = change;
    let (kind, name) = current(&state.mode).ok_or(Refusal::Invalid { offset: 0 })?;
    let group = config.number_groups_mut(kind).get_mut(name);
    let group = group.ok_or(Refusal::Invalid { offset: 0 })?;
    outcome.set(&mut group.description, text);
    Ok(())
}

/// `group-object INNER` in the group being configured.
pub(super) fn hold(change: &mut Change<'_>, negated: bool, inner: &str) -> Result<(), Refusal> {
    let (kind, name) = current(&change.state.mode).ok_or(Refusal::Invalid { offset: 0 })?;
    if !change.config.number_groups(kind).contains_key(inner) {
        return Err(Refusal::Missing(Thing::Group, inner.into()));
    }
    if holds(change.config, kind, inner, name) {
        return Err(Refusal::GroupLoop(inner.into()));
    }
    edit(change, negated, NumberMember::Group(inner.into()))
}

fn edit(change: &mut Change<'_>, negated: bool, member: NumberMember) -> Result<(), Refusal> {
    let (kind, name) = current(&change.state.mode).ok_or(Refusal::Invalid { offset: 0 })?;
    let is_used = usage::of_number_group(change.config, kind, name).is_some();
    let groups = change.config.number_groups_mut(kind);
    let group = groups.get_mut(name).ok_or(Refusal::Invalid { offset: 0 })?;
    let at = group.members.iter().position(|present| *present == member);
    match (negated, at) {
        (true, None) => return Err(Refusal::NothingToRemove),
        (true, Some(_)) if group.members.len() == 1 && is_used => {
            return Err(Refusal::WouldBeEmpty(name.into()));
        }
        (true, Some(at)) => {
            group.members.remove(at);
        }
        (false, Some(_)) => {
            let notice = Notice::Duplicate(name.into());
            change.notice(notice);
            return Ok(());
        }
        (false, None) => {
            group.members.push(member.clone());
            if let NumberMember::Group(inner) = &member {
                place_after(groups, name, inner, &|group, name| {
                    let held = NumberMember::Group(name.into());
                    group.members.contains(&held)
                });
            }
        }
    }
    change.outcome.changed = true;
    Ok(())
}

/// Whether group `outer` is `inner` or holds it, however deep.
fn holds(config: &Config, kind: NumberKind, outer: &str, inner: &str) -> bool {
    let group = config.number_groups(kind).get(outer);
    outer == inner
        || group.is_some_and(|group| {
            group.members.iter().any(|member| match member {
                NumberMember::Group(name) => holds(config, kind, name, inner),
                NumberMember::Number(_) => false,
            })
        })
}
