//! The configuration statements: one row each with its syntax, its help and what it does.
//!
//! A handler is given the words of a matched line, checks everything, and only then changes the
//! configuration. `family` says how the statements hang together and how to add some. The other
//! files follow the model: `system`, `time`, `interface`, `ipv6`, `object`, `number_group`,
//! `time_range`, `access`, `nat`, `xlate`, `pki`, `tls`, `policy`, `connection`, `users`, `logging`;
//! `nat_check` says what translation rules must not; `kept` is the table of lines that are only stored;
//! `usage` finds what refers to a name.

mod access;
mod connection;
pub(crate) mod family;
mod interface;
mod ipv6;
mod kept;
mod logging;
mod nat;
mod nat6_check;
mod nat_check;
mod number_group;
mod object;
mod object_group;
mod pki;
mod policy;
mod protection;
mod service;
mod subinterface;
mod system;
mod time;
mod time_range;
mod tls;
mod usage;
mod users;
mod xlate;

use crate::mode::{GLOBAL, MODES, Mode};
use crate::model::{Config, Prefix6, Subnet};
use crate::password::{LENGTHS, PasswordHash, SALT_LEN};
use crate::refusal::{Notice, Refusal, Thing};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, Fragment, ModeSet, No, Row, Value};
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use family::FAMILIES;
pub use family::SECTION;
use kept::KeptRule;

/// What an accepted command did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to tell the operator.
    pub notices: Vec<Notice>,
    /// Whether the configuration differs from before.
    pub changed: bool,
    /// Whether configuration mode was left (`exit` from its outermost mode, or `end`).
    pub left: bool,
}

impl Outcome {
    /// Puts `value` into `slot` and notes whether that is a change.
    fn set<T: PartialEq>(&mut self, slot: &mut T, value: T) {
        if *slot != value {
            *slot = value;
            self.changed = true;
        }
    }

    /// Adds `line` to lines of which each is there once, or takes it out of them.
    ///
    /// # Errors
    /// [`Refusal::NothingToRemove`] if it is to be taken out and is not there.
    fn keep<T: PartialEq>(
        &mut self,
        lines: &mut Vec<T>,
        line: T,
        is_removed: bool,
    ) -> Result<(), Refusal> {
        let at = lines.iter().position(|present| *present == line);
        match (at, is_removed) {
            (Some(at), true) => drop(lines.remove(at)),
            (None, true) => return Err(Refusal::NothingToRemove),
            (Some(_), false) => return Ok(()),
            (None, false) => lines.push(line),
        }
        self.changed = true;
        Ok(())
    }

    /// Notes that something was removed, if there was something.
    ///
    /// # Errors
    /// [`Refusal::NothingToRemove`] if not.
    fn removed<T>(&mut self, removed: Option<T>) -> Result<(), Refusal> {
        self.changed |= removed.is_some();
        removed.map(drop).ok_or(Refusal::NothingToRemove)
    }
}

/// Where the next line of a session lands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModeState {
    mode: Mode,
    certificate: Option<PartialCertificate>,
    loading: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PartialCertificate {
    is_ca: bool,
    serial: String,
    digits: String,
}

impl ModeState {
    /// Global configuration mode, as after `configure terminal`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), for stored text: there an interface block without `shutdown` means
    /// that the interface is up.
    #[must_use]
    pub fn for_stored_text() -> Self {
        Self {
            loading: true,
            ..Self::default()
        }
    }

    /// The present mode.
    #[must_use]
    pub const fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Whether the next lines are the bytes of a certificate and go to [`collect`] unparsed.
    #[must_use]
    pub const fn is_collecting(&self) -> bool {
        self.certificate.is_some()
    }

    /// Drops a certificate being entered and returns to global configuration mode.
    pub fn reset(&mut self) {
        self.mode = Mode::Global;
        self.certificate = None;
    }
}

/// What a row of this crate does; the action of its [`Row`]s.
#[derive(Clone, Copy)]
pub struct Handler(Run);

#[derive(Clone, Copy)]
enum Run {
    Change(ChangeFn),
    Keep(&'static KeptRule),
    /// Understood, to be refused with the reason.
    Refuse(RefuseFn),
}

type ChangeFn = fn(&mut Change<'_>, &Captures<'_>) -> Result<(), Refusal>;

type RefuseFn = fn(&Captures<'_>) -> Refusal;

impl Handler {
    /// Whether the statement is understood only to be refused with a reason.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self.0, Run::Refuse(_))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Run::Change(_) => "Handler(Change)",
            Run::Keep(_) => "Handler(Keep)",
            Run::Refuse(_) => "Handler(Refuse)",
        })
    }
}

/// Every configuration row.
#[must_use]
pub fn rows() -> Vec<Row<Handler>> {
    let mut rows = Vec::from(LEAVING);
    for family in FAMILIES {
        rows.extend_from_slice(family.rows);
        rows.extend(family.kept.iter().map(KeptRule::row));
    }
    rows.push(family::CLEAR);
    rows
}

/// The pieces of syntax that the rows share.
pub const FRAGMENTS: &[Fragment] = &[
    access::ADDRESS,
    access::PORTS,
    object::SERVICE,
    logging::SEVERITY,
    logging::CLASS,
    logging::DESTINATION,
    system::TIMERS,
    family::SECTION,
    family::CLEARED,
];

/// Applies a matched line: `handler`, `scope` and `captures` are the action, the scope and the
/// captures of the match, read with [`Mode::scopes`] first. `salt` is fresh random bytes, used if
/// the line sets a password.
///
/// # Errors
/// A [`Refusal`]; nothing has changed then, the mode included.
pub fn apply(
    config: &mut Config,
    state: &mut ModeState,
    handler: Handler,
    scope: usize,
    captures: &Captures<'_>,
    salt: [u8; SALT_LEN],
) -> Result<Outcome, Refusal> {
    let before = state.mode.clone();
    state.mode = before.outer(scope);
    let mut change = Change {
        config,
        state,
        outcome: Outcome::default(),
        salt,
    };
    let result = match handler.0 {
        Run::Change(run) => run(&mut change, captures),
        Run::Refuse(why) => Err(why(captures)),
        Run::Keep(rule) => kept::keep(&mut change, rule, captures),
    };
    match result {
        Ok(()) => Ok(change.outcome),
        Err(refusal) => {
            state.mode = before;
            Err(refusal)
        }
    }
}

/// Takes a raw line while [`ModeState::is_collecting`]: hexadecimal digits, or `quit`, which
/// stores the certificate. `Ok(None)` means that more lines are expected.
///
/// # Errors
/// A [`Refusal`]; the certificate entered so far is dropped.
pub fn collect(
    config: &mut Config,
    state: &mut ModeState,
    line: &str,
) -> Result<Option<Outcome>, Refusal> {
    pki::collect(config, state, line)
}

/// A change in the making.
struct Change<'a> {
    config: &'a mut Config,
    state: &'a mut ModeState,
    outcome: Outcome,
    salt: [u8; SALT_LEN],
}

impl Change<'_> {
    fn notice(&mut self, notice: Notice) {
        self.outcome.notices.push(notice);
    }

    fn enter(&mut self, mode: Mode) {
        self.state.mode = mode;
    }

    /// Checks that there is an interface of that name.
    fn require_interface(&self, nameif: &str) -> Result<(), Refusal> {
        match self.config.interface_named(nameif) {
            Some(_) => Ok(()),
            None => Err(Refusal::Missing(Thing::Interface, nameif.into())),
        }
    }
}

const LEAVING: [Row<Handler>; 3] = [
    Row::new(
        MODES,
        15,
        "exit",
        &[("exit", "Exit from the current mode")],
        Handler(Run::Change(exit)),
    )
    .example("exit"),
    Row::new(
        MODES,
        15,
        "quit",
        &[("quit", "Exit from the current mode")],
        Handler(Run::Change(exit)),
    )
    .example("quit"),
    Row::new(
        GLOBAL,
        15,
        "end",
        &[("end", "Exit from configure mode")],
        Handler(Run::Change(end)),
    )
    .example("end"),
];

fn exit(change: &mut Change<'_>, _: &Captures<'_>) -> Result<(), Refusal> {
    match change.state.mode.parent() {
        Some(mode) => change.enter(mode),
        None => change.outcome.left = true,
    }
    Ok(())
}

fn end(change: &mut Change<'_>, _: &Captures<'_>) -> Result<(), Refusal> {
    change.enter(Mode::Global);
    change.outcome.left = true;
    Ok(())
}

/// Help texts by word.
type HelpTexts = &'static [(&'static str, &'static str)];

const fn row(
    modes: ModeSet,
    syntax: &'static str,
    no: No,
    help: HelpTexts,
    run: ChangeFn,
) -> Row<Handler> {
    Row::new(modes, 15, syntax, help, Handler(Run::Change(run))).no(no)
}

/// A statement that is understood only to say why it is not taken.
const fn refusing(
    modes: ModeSet,
    syntax: &'static str,
    help: HelpTexts,
    why: RefuseFn,
) -> Row<Handler> {
    Row::new(modes, 15, syntax, help, Handler(Run::Refuse(why)))
}

/// The argument of that name, which the syntax makes sure of; a mistake in a table is answered like
/// a mistake in the line.
fn word<'a>(captures: &Captures<'a>, name: &str) -> Result<&'a str, Refusal> {
    captures.word(name).ok_or(Refusal::Invalid { offset: 0 })
}

fn text<'a>(captures: &Captures<'a>, name: &str) -> Result<&'a str, Refusal> {
    captures.text(name).ok_or(Refusal::Invalid { offset: 0 })
}

fn ip(captures: &Captures<'_>, name: &str) -> Result<Ipv4Addr, Refusal> {
    captures.ip(name).ok_or(Refusal::Invalid { offset: 0 })
}

/// An `ip6` argument.
fn ip6(captures: &Captures<'_>, name: &str) -> Result<Ipv6Addr, Refusal> {
    let text = word(captures, name)?;
    text.parse().map_err(|_| invalid(captures, name))
}

/// A `prefix6` argument without host bits.
fn network6(captures: &Captures<'_>, name: &str) -> Result<Prefix6, Refusal> {
    Prefix6::parse(word(captures, name)?)
        .filter(|prefix| prefix.is_network())
        .ok_or_else(|| invalid(captures, name))
}

fn number(captures: &Captures<'_>, name: &str) -> Result<u32, Refusal> {
    captures.number(name).ok_or(Refusal::Invalid { offset: 0 })
}

/// The password of a line, hashed with `salt` unless it is given as its hash. The argument has the
/// name of the keyword before it.
fn typed_password(captures: &Captures<'_>, salt: [u8; SALT_LEN]) -> Result<PasswordHash, Refusal> {
    let password = captures
        .values("password")
        .find_map(|value| match value {
            Value::Word(word) => Some(word),
            _ => None,
        })
        .ok_or(Refusal::Invalid { offset: 0 })?;
    if captures.has("encrypted") {
        return Err(Refusal::Unsupported(
            "The older encrypted form of passwords",
        ));
    }
    if captures.has("pbkdf2") {
        return PasswordHash::parse(password).ok_or(Refusal::BadPasswordHash);
    }
    if !LENGTHS.contains(&password.len()) {
        return Err(Refusal::PasswordLength);
    }
    Ok(PasswordHash::of(password.as_bytes(), salt))
}

/// A number whose range in the syntax fits the smaller type.
fn small<T: TryFrom<u32>>(captures: &Captures<'_>, name: &str) -> Result<T, Refusal> {
    T::try_from(number(captures, name)?).map_err(|_| Refusal::Invalid { offset: 0 })
}

/// Refuses to clear things if one of them is used.
fn unused(thing: Thing, used: Option<&String>, by: &'static str) -> Result<(), Refusal> {
    match used {
        Some(name) => Err(Refusal::InUse {
            thing,
            name: name.clone(),
            by,
        }),
        None => Ok(()),
    }
}

/// A refusal that points at the argument `name`.
fn invalid(captures: &Captures<'_>, name: &str) -> Refusal {
    let offset = captures
        .iter()
        .find(|capture| capture.name == name && capture.value != Value::Keyword)
        .map_or(0, |capture| capture.offset);
    Refusal::Invalid { offset }
}

/// Address and mask of a network without host bits.
fn network(address: Ipv4Addr, mask: Ipv4Addr) -> Result<Subnet, Refusal> {
    let subnet = Subnet::from_mask(address, mask).ok_or(Refusal::BadMask(mask))?;
    if subnet.is_network() {
        Ok(subnet)
    } else {
        Err(Refusal::NotPaired(address, mask))
    }
}
