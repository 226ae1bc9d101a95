//! Fragments, forged sources and rates of drops as text.

use super::Page;
use crate::model::{Config, FragmentSettings};
use alloc::format;

pub(crate) fn fragments(page: &mut Page<'_>, config: &Config) {
    let default = FragmentSettings::DEFAULT;
    for interface in config.interfaces.values() {
        let Some(nameif) = &interface.nameif else {
            continue;
        };
        let settings = interface.fragment;
        let numbers = [
            ("size", settings.size, default.size),
            ("chain", settings.chain, default.chain),
            (
                "timeout",
                u16::from(settings.timeout_secs),
                u16::from(default.timeout_secs),
            ),
        ];
        for (word, value, usual) in numbers {
            page.unless_default(value == usual, format!("fragment {word} {value} {nameif}"));
        }
        let kind = if settings.is_full { "full" } else { "virtual" };
        page.unless_default(
            settings.is_full == default.is_full,
            format!("fragment reassembly {kind} {nameif}"),
        );
    }
}

pub(crate) fn reverse_path(page: &mut Page<'_>, config: &Config) {
    page.block("verify reverse-path", &[]);
    for interface in config.interfaces.values() {
        if let Some(nameif) = &interface.nameif
            && interface.verifies_reverse_path
        {
            page.line(format!("ip verify reverse-path interface {nameif}"));
        }
    }
    page.block("", &[]);
}

pub(crate) fn threats(page: &mut Page<'_>, config: &Config) {
    let settings = &config.threats;
    let no = if settings.is_basic_on { "" } else { "no " };
    page.line(format!("{no}threat-detection basic-threat"));
    for rate in &settings.rates {
        page.line(format!(
            "threat-detection rate {} rate-interval {} average-rate {} burst-rate {}",
            rate.class.keyword(),
            rate.interval_secs,
            rate.average,
            rate.burst
        ));
    }
    page.kept(config);
}
