//! Back from a compiled rule to the statement it came from.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use config::Config;
use config::model::ManualNat;
use dataplane::{NatRule, NatSection};

use super::manual_rule;

/// The lines of the configuration that `rule` was compiled from; none if `config` has changed since.
pub(crate) fn statement(config: &Config, rule: &NatRule) -> Vec<String> {
    let manual = |rules: &[ManualNat], is_after: bool| {
        rules
            .iter()
            .find(|&candidate| manual_rule(config, candidate, rule.section).as_ref() == Some(rule))
            .map(|found| vec![config::print::manual_nat(found, is_after)])
    };
    let found = match rule.section {
        NatSection::Manual => manual(&config.nat_before, false),
        NatSection::AfterAuto => manual(&config.nat_after, true),
        NatSection::Auto => config
            .auto_nat()
            .into_iter()
            .find(|(name, ..)| *name == rule.object)
            .map(|(name, _, nat)| {
                vec![
                    format!("object network {name}"),
                    format!(" {}", config::print::auto_nat(nat)),
                ]
            }),
    };
    found.unwrap_or_default()
}
