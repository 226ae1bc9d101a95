//! The CMOS real-time clock (Motorola MC146818A data sheet; ICH9 data sheet §13.6).
//!
//! [`to_unix`] and [`from_unix`] are pure; [`CmosClock`] does the port accesses.

use hal::time::{Rtc, RtcError};

use crate::cpu;
use crate::port::{inb, outb};
use crate::tsc;

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;

const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
const STATUS_D: u8 = 0x0d;
const UPDATE_IN_PROGRESS: u8 = 1 << 7;
const SET: u8 = 1 << 7;
const BINARY: u8 = 1 << 2;
const HOURS_24: u8 = 1 << 1;
const VALID: u8 = 1 << 7;
const PM: u8 = 1 << 7;

/// An update takes 1984 us and is announced 244 us ahead (data sheet, figure 20).
const UPDATE_MICROS: u64 = 5_000;
/// Readings tried until two agree.
const READINGS: u32 = 5;

/// The clock's registers, in the encoding that status register B asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Register 0.
    pub second: u8,
    /// Register 2.
    pub minute: u8,
    /// Register 4.
    pub hour: u8,
    /// Register 6; 1 is Sunday.
    pub weekday: u8,
    /// Register 7.
    pub day: u8,
    /// Register 8.
    pub month: u8,
    /// Register 9.
    pub year: u8,
    /// The register that the FADT names, if it does.
    pub century: Option<u8>,
}

/// Turns registers into seconds since 1970-01-01T00:00:00Z. Without a century register the years
/// are 2000 to 2099.
///
/// # Errors
/// [`RtcError::Invalid`] if the registers hold no date, or one before 1970.
pub fn to_unix(registers: &Registers, status_b: u8) -> Result<u64, RtcError> {
    let number = |value: u8| {
        if status_b & BINARY != 0 {
            Ok(u64::from(value))
        } else if value >> 4 <= 9 && value & 0xf <= 9 {
            Ok(u64::from(value >> 4) * 10 + u64::from(value & 0xf))
        } else {
            Err(RtcError::Invalid)
        }
    };
    let hour = if status_b & HOURS_24 != 0 {
        number(registers.hour)?
    } else {
        match number(registers.hour & !PM)? {
            hour @ 1..=12 => hour % 12 + if registers.hour & PM != 0 { 12 } else { 0 },
            _ => return Err(RtcError::Invalid),
        }
    };
    let century = registers.century.map_or(Ok(20), number)?;
    let year = century * 100 + number(registers.year)?;
    let (month, day) = (number(registers.month)?, number(registers.day)?);
    let (minute, second) = (number(registers.minute)?, number(registers.second)?);
    let is_date = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_date {
        return Err(RtcError::Invalid);
    }
    Ok(((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Turns seconds since 1970-01-01T00:00:00Z into registers.
///
/// # Errors
/// [`RtcError::OutOfRange`] beyond the year 9999, or outside 2000 to 2099 without a century register.
pub fn from_unix(unix_secs: u64, status_b: u8, has_century: bool) -> Result<Registers, RtcError> {
    let days = unix_secs / 86_400;
    let (year, month, day) = date(days).ok_or(RtcError::OutOfRange)?;
    if !has_century && !(2000..=2099).contains(&year) {
        return Err(RtcError::OutOfRange);
    }
    let encode = |value: u64| {
        // Every value is below 100.
        let value = value as u8;
        if status_b & BINARY != 0 {
            value
        } else {
            ((value / 10) << 4) | (value % 10)
        }
    };
    let hour = unix_secs / 3_600 % 24;
    Ok(Registers {
        second: encode(unix_secs % 60),
        minute: encode(unix_secs / 60 % 60),
        hour: if status_b & HOURS_24 != 0 {
            encode(hour)
        } else {
            encode((hour + 11) % 12 + 1) | if hour >= 12 { PM } else { 0 }
        },
        // 1970-01-01 was a Thursday.
        weekday: encode((days + 4) % 7 + 1),
        day: encode(day),
        month: encode(month),
        year: encode(year % 100),
        century: has_century.then(|| encode(year / 100)),
    })
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of `year`, from 1970 on.
fn days_before_year(year: u64) -> u64 {
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400;
    // 477 leap days lie before 1970.
    (year - 1970) * 365 + leap_days - 477
}

fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let months: u64 = (1..month).map(|month| days_in_month(year, month)).sum();
    days_before_year(year) + months + day - 1
}

/// The date `days` after 1970-01-01, up to the year 9999.
fn date(days: u64) -> Option<(u64, u64, u64)> {
    let guess = 1970 + days / 366;
    let year = (guess..=9999).find(|&year| days < days_before_year(year + 1))?;
    let mut left = days - days_before_year(year);
    let month = (1..12)
        .find(|&month| {
            let len = days_in_month(year, month);
            let is_here = left < len;
            if !is_here {
                left -= len;
            }
            is_here
        })
        .unwrap_or(12);
    Some((year, month, left + 1))
}

/// The clock of a PC.
#[derive(Clone, Copy, Debug, Default)]
pub struct CmosClock {
    century_register: Option<u8>,
}

impl CmosClock {
    /// The clock, whose century is in `century_register` if there is one (from the FADT).
    #[must_use]
    pub fn new(century_register: Option<u8>) -> Self {
        // Registers below are the clock's own; the top bit of the index is not part of it.
        Self {
            century_register: century_register.filter(|register| (0x0e..0x80).contains(register)),
        }
    }

    fn registers(self) -> Registers {
        Registers {
            second: read(0),
            minute: read(2),
            hour: read(4),
            weekday: read(6),
            day: read(7),
            month: read(8),
            year: read(9),
            century: self.century_register.map(read),
        }
    }
}

impl Rtc for CmosClock {
    fn read(&mut self) -> Result<u64, RtcError> {
        if read(STATUS_D) & VALID == 0 {
            return Err(RtcError::Invalid);
        }
        // Two equal readings, neither begun during an update, cannot be torn.
        let mut previous = None;
        for _ in 0..READINGS {
            if !tsc::wait_until(UPDATE_MICROS, || read(STATUS_A) & UPDATE_IN_PROGRESS == 0) {
                return Err(RtcError::Timeout);
            }
            let registers = self.registers();
            if previous == Some(registers) {
                return to_unix(&registers, read(STATUS_B));
            }
            previous = Some(registers);
        }
        Err(RtcError::Timeout)
    }

    fn write(&mut self, unix_secs: u64) -> Result<(), RtcError> {
        let status_b = read(STATUS_B);
        let registers = from_unix(unix_secs, status_b, self.century_register.is_some())?;
        if !tsc::wait_until(UPDATE_MICROS, || read(STATUS_A) & UPDATE_IN_PROGRESS == 0) {
            return Err(RtcError::Timeout);
        }
        // SET stops updates, so that the clock does not carry into a half-written date.
        write(STATUS_B, status_b | SET);
        write(0, registers.second);
        write(2, registers.minute);
        write(4, registers.hour);
        write(6, registers.weekday);
        write(7, registers.day);
        write(8, registers.month);
        write(9, registers.year);
        if let (Some(register), Some(century)) = (self.century_register, registers.century) {
            write(register, century);
        }
        write(STATUS_B, status_b & !SET);
        Ok(())
    }
}

fn read(register: u8) -> u8 {
    let were_on = cpu::disable_interrupts();
    // SAFETY: CMOS registers reach no memory; index and data are not torn apart, interrupts being
    // off. Bit 7 of the index, clear, leaves NMI enabled.
    let value = unsafe {
        outb(INDEX, register);
        inb(DATA)
    };
    // SAFETY: `were_on` is from the matching call above.
    unsafe { cpu::restore_interrupts(were_on) };
    value
}

fn write(register: u8, value: u8) {
    let were_on = cpu::disable_interrupts();
    // SAFETY: as in `read`.
    unsafe {
        outb(INDEX, register);
        outb(DATA, value);
    }
    // SAFETY: `were_on` is from the matching call above.
    unsafe { cpu::restore_interrupts(were_on) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments() {
        let registers = Registers {
            second: 0x59,
            minute: 0x58,
            hour: 0x23,
            weekday: 2,
            day: 0x23,
            month: 0x11,
            year: 0x26,
            century: Some(0x20),
        };
        // 2026-11-23T23:58:59Z, a Monday.
        assert_eq!(to_unix(&registers, HOURS_24), Ok(1_795_478_339));
        assert_eq!(from_unix(1_795_478_339, HOURS_24, true), Ok(registers));
        let leap_day = from_unix(951_782_400, HOURS_24 | BINARY, false).expect("in range");
        assert_eq!((leap_day.year, leap_day.month, leap_day.day), (0, 2, 29));
    }

    #[test]
    fn twelve_hours_have_noon_and_midnight_right() {
        let at = |hour: u64| {
            from_unix(946_684_800 + hour * 3_600, BINARY, false)
                .expect("in range")
                .hour
        };
        assert_eq!(
            [at(0), at(1), at(12), at(13), at(23)],
            [12, 1, 12 | PM, 1 | PM, 11 | PM]
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let good = from_unix(1_795_478_339, HOURS_24, true).expect("in range");
        let bad = [
            Registers { month: 0, ..good },
            Registers {
                month: 0x13,
                ..good
            },
            Registers { day: 0x31, ..good },
            Registers { day: 0, ..good },
            Registers { hour: 0x24, ..good },
            Registers {
                second: 0x5a,
                ..good
            },
            Registers {
                second: 0x60,
                ..good
            },
            Registers {
                century: Some(0x19),
                year: 0x69,
                ..good
            },
            Registers {
                century: Some(0xff),
                ..good
            },
        ];
        for registers in bad {
            assert_eq!(
                to_unix(&registers, HOURS_24),
                Err(RtcError::Invalid),
                "{registers:?}"
            );
        }
        assert_eq!(
            to_unix(&Registers { hour: 0, ..good }, 0),
            Err(RtcError::Invalid)
        );
        assert_eq!(from_unix(u64::MAX, 0, true), Err(RtcError::OutOfRange));
        assert_eq!(from_unix(0, 0, false), Err(RtcError::OutOfRange));
    }

    proptest! {
        #[test]
        fn what_is_set_is_read_back(secs in 0_u64..253_402_300_800, status_b in 0_u8..8) {
            let registers = from_unix(secs, status_b, true).expect("in range");
            prop_assert_eq!(to_unix(&registers, status_b), Ok(secs));
        }

        #[test]
        fn no_registers_panic(bytes in any::<[u8; 8]>(), status_b: u8) {
            let [second, minute, hour, weekday, day, month, year, century] = bytes;
            let century = Some(century);
            let _ = to_unix(&Registers { second, minute, hour, weekday, day, month, year, century }, status_b);
        }
    }
}
