//! The configuration as text, in ASA's order.
//!
//! [`print`] gives the statements; [`document`] puts the heading, the checksum and the end mark
//! around them. What is printed, and in which order, is the table of families in `statements`; the
//! modules here hold the printers of the families, by the area they belong to. A printer writes to a
//! `Page`, which drops what was not asked for.

pub(crate) mod access;
pub(crate) mod connection;
pub(crate) mod interface;
pub(crate) mod ipv6;
pub(crate) mod logging;
mod page;
pub(crate) mod pki;
pub(crate) mod policy;
pub(crate) mod protection;
mod secret;
mod selection;
mod statement;
pub(crate) mod system;
pub(crate) mod time;
pub(crate) mod time_range;
pub(crate) mod tls;
pub(crate) mod users;
pub(crate) mod xlate;

pub use access::network_member;
pub use connection::limits as connection_limits;
pub(crate) use page::{Page, kept};
pub use secret::{MASK, masked};
pub use selection::Selection;
pub use statement::{
    access_line, access_rule, access_rule_in_full, auto_nat, log_in_full, manual_nat, service,
};
pub use time_range::time_range;

use crate::model::Config;
use crate::statements::family::FAMILIES;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use md5::{Digest, Md5};

/// Whether keys shared with other machines are written out.
///
/// Passwords are only ever written as their hash, and private keys never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Written out, as the store needs them and `more system:running-config` shows them.
    Shown,
    /// As `*****`, for `show running-config`.
    Masked,
}

/// Whether settings at their default are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Only those that an ASA always shows.
    #[default]
    Configured,
    /// All of them, as `show running-config all` does.
    All,
}

/// The heading of a printed configuration.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// `: Saved`, when the text is what is stored.
    pub saved: bool,
    /// The hardware in words, as after `: Hardware:   `.
    pub hardware: &'a str,
    /// When and by whom it was written, as after `: Written by `; for stored text.
    pub written: Option<&'a str>,
    /// The version of this firmware.
    pub version: &'a str,
}

/// Every statement of the configuration, without heading and end mark.
#[must_use]
pub fn print(config: &Config, secrets: Secrets) -> Vec<String> {
    print_selection(config, None, Extent::Configured, secrets)
}

/// The statements of `selection`, or all of them.
#[must_use]
pub fn print_selection(
    config: &Config,
    selection: Option<&Selection>,
    extent: Extent,
    secrets: Secrets,
) -> Vec<String> {
    let mut page = Page::new(selection, extent, secrets);
    for family in FAMILIES {
        if selection.is_none_or(|selection| selection.keyword() == family.keyword) {
            page.family(family.keyword);
            (family.print)(&mut page, config);
        }
    }
    page.into_lines()
}

/// The whole text: heading, statements, checksum, end mark. Lines end with a line feed.
///
/// The checksum is that of [`Cryptochecksum::of_config`], whatever is masked or added here.
#[must_use]
pub fn document(
    config: &Config,
    heading: &Heading<'_>,
    extent: Extent,
    secrets: Secrets,
) -> String {
    let mut text = String::new();
    if heading.saved {
        text.push_str(": Saved\n\n");
    }
    text.push_str(&format!(":\n: Hardware:   {}\n", heading.hardware));
    if let Some(written) = heading.written {
        text.push_str(&format!(": Written by {written}\n"));
    }
    text.push_str(&format!("!\nSallyport Version {}\n!\n", heading.version));
    let statements = print_selection(config, None, extent, secrets).join("\n");
    let checksum = match (extent, secrets) {
        (Extent::Configured, Secrets::Shown) => Cryptochecksum::of(&statements),
        _ => Cryptochecksum::of_config(config),
    };
    text.push_str(&statements);
    text.push_str(&format!("\nCryptochecksum:{checksum:#}\n: end\n"));
    text
}

/// MD5 over the statements. It tells two configurations apart for a person; the store has its own
/// check against damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cryptochecksum([u8; 16]);

impl Cryptochecksum {
    /// The checksum that a [`document`] ends with; `None` if there is none.
    #[must_use]
    pub fn of_document(text: &str) -> Option<Self> {
        let digits = text
            .lines()
            .rev()
            .take(2)
            .find_map(|line| line.strip_prefix("Cryptochecksum:"))?;
        let mut bytes = [0; 16];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The checksum of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Md5::digest(text.as_bytes()).into())
    }

    /// The checksum of what is printed for `config`.
    #[must_use]
    pub fn of_config(config: &Config) -> Self {
        Self::of(&print(config, Secrets::Shown).join("\n"))
    }
}

/// Four groups of eight digits, as `write memory` shows them; with `#` without the blanks.
impl fmt::Display for Cryptochecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 && !f.alternate() {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A hardware address as `hhhh.hhhh.hhhh`.
pub(crate) fn mac_address(mac: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{f:02x}")
}
