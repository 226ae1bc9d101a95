//! From a disk to a firmware that may be started: what the BIOS and the UEFI loader share.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`key`] | the public key that firmware must be signed with |
//! | [`slot`] | one slot: read, verified, refused with a reason |
//! | [`elf`] | where the firmware's parts go; what would go wrong is refused |
//! | [`memory_map`] | the machine's memory as the firmware is told about it |
//!
//! [`prepare`] walks from the partition table to a verified firmware in memory and says each step. It
//! reaches the machine only through what it is given, so that the same code runs on a host against
//! images that somebody has tampered with. Nothing of a firmware is looked at before its signature and digest hold; nothing
//! is started here at all: the loaders hand [`Ready`] to the jump.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod elf;
pub mod key;
pub mod memory_map;
pub mod slot;

use core::fmt::{self, Write as _};
use core::ops::Range;

use heapless::String;
use slots::layout::{BOOT_STATE, SLOT_A, SLOT_B, SLOT_MEBIBYTES};
use slots::{BlockDevice, BootState, Choice, Extent, GptError, Header, Reason, Slot, choose, gpt};

use crate::elf::Firmware;
use crate::key::PublicKey;

/// Longest command line of a firmware, in bytes.
pub const COMMAND_LINE_MAX: usize = 512;

/// Largest firmware, in bytes: what a slot holds behind its header.
pub const FIRMWARE_MAX: usize =
    ((SLOT_MEBIBYTES << 20) as usize) - (slots::header::PAYLOAD_SECTOR as usize) * slots::SECTOR;

/// Which loader this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The one of BIOS machines.
    Bios,
    /// The one of UEFI machines.
    Uefi,
}

impl Path {
    /// Its name on the firmware's command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
        }
    }
}

/// The machine, as far as loading goes.
pub struct Surroundings<'a> {
    /// Which loader runs.
    pub path: Path,
    /// The disk it was started from.
    pub disk: &'a mut dyn BlockDevice,
    /// Where lines for the operator go.
    pub console: &'a mut dyn fmt::Write,
    /// Whether the firmware may be put at these physical addresses: memory that is free and that the
    /// loader does not need.
    pub is_free: &'a dyn Fn(Range<u64>) -> bool,
    /// Whose firmware is started.
    pub key: &'a PublicKey,
}

/// A verified firmware, ready to be put in its place and started.
pub struct Ready<'a> {
    /// The slot it is from.
    pub slot: Slot,
    /// Why this slot.
    pub reason: Reason,
    /// What its header says.
    pub header: Header,
    /// Its parts and its entry.
    pub firmware: Firmware<'a>,
    /// Its command line.
    pub command_line: String<COMMAND_LINE_MAX>,
}

/// Why nothing can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Without a partition table there are no slots.
    Gpt(GptError),
    /// No slot holds a firmware that may be started. Why has been said slot by slot.
    NoSlot,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt(error) => error.fmt(f),
            Self::NoSlot => f.write_str("no slot holds a firmware that may be started"),
        }
    }
}

/// Finds, verifies and reads the firmware to be started, into `staging`. The boot state is written if
/// that is due.
///
/// # Errors
/// [`Failure`].
pub fn prepare<'a>(
    around: &mut Surroundings<'_>,
    staging: &'a mut [u8],
) -> Result<Ready<'a>, Failure> {
    if around.key.is_development() {
        say(
            around,
            format_args!("this loader trusts the development key, which everybody has"),
        );
    }
    let [state_place, slot_a, slot_b] =
        gpt::find(around.disk, &[BOOT_STATE, SLOT_A, SLOT_B]).map_err(Failure::Gpt)?;
    let places = [slot_a, slot_b];
    let state = match state_place {
        Some(place) => BootState::load(around.disk, place),
        None => BootState::default(),
    };
    let is_writable = state_place.is_some() && around.disk.is_writable();
    let mut verified = None;
    let mut choice = decide(&state, is_writable, around, places, staging, &mut verified);
    if let (Some(mut next), Some(place)) = (choice.state.take(), state_place)
        && let Err(error) = next.store(around.disk, place)
    {
        say(
            around,
            format_args!("the boot state was not written: {error}"),
        );
        // A trial that is not counted could go on for ever.
        if matches!(choice.start, Some((_, Reason::Trial(_)))) {
            choice = decide(&state, false, around, places, staging, &mut verified);
        }
    }
    let (Some((slot, reason)), Some(header)) = (choice.start, verified) else {
        return Err(Failure::NoSlot);
    };
    let firmware = slot::loaded(&header, staging).ok_or(Failure::NoSlot)?;
    let firmware = elf::parse(firmware, around.is_free).map_err(|_| Failure::NoSlot)?;
    let mut command_line = String::new();
    // The operator's line is shorter than what is left of the room.
    let _ = write!(
        command_line,
        "slot={slot} boot={} {}",
        around.path.word(),
        state.line
    );
    say(around, format_args!("starting slot {slot}: {reason}"));
    Ok(Ready {
        slot,
        reason,
        header,
        firmware,
        command_line,
    })
}

/// Chooses a slot; its firmware is then in `staging` and its header in `verified`.
fn decide(
    state: &BootState,
    is_writable: bool,
    around: &mut Surroundings<'_>,
    places: [Option<Extent>; 2],
    staging: &mut [u8],
    verified: &mut Option<Header>,
) -> Choice {
    choose(state, is_writable, |slot| {
        let place = match (slot, places) {
            (Slot::A, [place, _]) | (Slot::B, [_, place]) => place,
        };
        let checked = slot::load(around, place, staging);
        match checked {
            Ok(header) => {
                say(
                    around,
                    format_args!(
                        "slot {slot}: version {}, {} bytes, build {}: verified",
                        header.version,
                        header.payload_bytes,
                        slot::ShortHash(&header.build)
                    ),
                );
                *verified = Some(header);
                true
            }
            Err(refusal) => {
                say(around, format_args!("slot {slot}: refused: {refusal}"));
                false
            }
        }
    })
}

fn say(around: &mut Surroundings<'_>, line: fmt::Arguments<'_>) {
    // A console that takes nothing is no reason not to start.
    let _ = around.console.write_fmt(format_args!("{line}\r\n"));
}
