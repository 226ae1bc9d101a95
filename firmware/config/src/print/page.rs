//! What the printers write to.

use super::{Extent, Secrets, Selection};
use crate::model::Config;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Collects lines, of which only those are kept that were asked for.
///
/// A printer says with [`block`](Self::block) what the next lines belong to.
pub(crate) struct Page<'a> {
    lines: Vec<String>,
    selection: Option<&'a Selection>,
    extent: Extent,
    secrets: Secrets,
    family: &'static str,
    is_wanted: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(selection: Option<&'a Selection>, extent: Extent, secrets: Secrets) -> Self {
        Self {
            lines: Vec::new(),
            selection,
            extent,
            secrets,
            family: "",
            is_wanted: true,
        }
    }

    /// Begins the lines of a family, which belong to no block yet.
    pub(super) fn family(&mut self, keyword: &'static str) {
        self.family = keyword;
        self.block("", &[]);
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// The lines from here on belong to what is called by any of `names` among those that `words`,
    /// which follow the keyword of the family, tell: `block("network", &[name])`.
    pub(crate) fn block(&mut self, words: &str, names: &[&str]) {
        let selection = self.selection;
        self.is_wanted = selection.is_none_or(|selection| selection.wants(words, names));
    }

    /// Whether settings at their default are printed.
    pub(crate) fn shows_defaults(&self) -> bool {
        self.extent == Extent::All
    }

    /// Whether keys shared with other machines are written out.
    pub(crate) fn shows_secrets(&self) -> bool {
        self.secrets == Secrets::Shown
    }

    pub(crate) fn line(&mut self, text: impl Into<String>) {
        if self.is_wanted {
            self.lines.push(text.into());
        }
    }

    /// A line that is there only if `value` is; the value follows `words`.
    pub(crate) fn optional(&mut self, words: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.line(format!("{words} {value}"));
        }
    }

    /// A line that is there if the setting is not at its default, or if defaults are shown.
    pub(crate) fn unless_default(&mut self, is_default: bool, text: impl Into<String>) {
        if !is_default || self.shows_defaults() {
            self.line(text);
        }
    }

    /// A switch, `words` or `no words` behind `indent` blanks, unless it is at its default.
    pub(crate) fn switch(&mut self, indent: usize, words: &str, is_on: bool, default: bool) {
        let no = if is_on { "" } else { "no " };
        self.unless_default(is_on == default, format!("{:indent$}{no}{words}", ""));
    }

    /// `!` between the blocks of the whole text.
    pub(crate) fn separator(&mut self) {
        if self.selection.is_none() {
            self.lines.push("!".into());
        }
    }

    /// The kept lines of the family.
    pub(crate) fn kept(&mut self, config: &Config) {
        let lines = config.kept.get(self.family);
        for (setting, line) in lines.into_iter().flatten() {
            // The settings are words: `crypto ca trustpool …` is found by `crypto ca trustpool`.
            let words = setting.strip_prefix(self.family).unwrap_or(setting);
            self.block(words.trim_start(), &[]);
            self.line(line.as_str());
        }
        self.block("", &[]);
    }
}

/// The printer of a family of kept lines.
pub(crate) fn kept(page: &mut Page<'_>, config: &Config) {
    page.kept(config);
}
