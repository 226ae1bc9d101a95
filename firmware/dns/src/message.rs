//! Questions and answers on the wire (RFC 1035 §4), as much of them as a stub resolver needs.
//!
//! Reading follows the answer from the name asked, along aliases, to its addresses. Bytes come from
//! anybody: every read is checked, pointers go only backwards, and a message is walked a bounded number
//! of times.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::entry::ADDRESSES_MAX;
use crate::name::HostName;

/// The port that servers listen on.
pub const SERVER_PORT: u16 = 53;
/// Aliases followed from one name to its addresses.
pub const ALIASES_MAX: usize = 8;
/// Records looked at in one answer; the smallest takes 11 bytes, so a datagram of 512 has no more.
const RECORDS_MAX: u16 = 48;
/// Bytes of a name on the wire (RFC 1035 §2.3.4).
const WIRE_NAME_MAX: usize = 255;
const HEADER_LEN: usize = 12;
const CLASS_IN: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;
/// Flags of a question: recursion desired.
const RECURSION_DESIRED: u16 = 0x0100;
const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const RCODE: u16 = 0x000F;

/// What is asked about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// IPv4 addresses: A records.
    V4,
    /// IPv6 addresses: AAAA records (RFC 3596).
    V6,
}

impl Kind {
    const fn code(self) -> u16 {
        match self {
            Self::V4 => 1,
            Self::V6 => 28,
        }
    }
}

/// A message that says nothing usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It ends in the middle of something.
    Short,
    /// A name is too long, or points to itself.
    Name,
    /// A record has a length that its type does not have.
    Record,
    /// More than [`ALIASES_MAX`] aliases, or a circle of them.
    Aliases,
}

/// What a message that answers a question says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The addresses, each once, and how many seconds they may be used: the least of all records on the
    /// way to them. `left_out` is how many more there were.
    Addresses {
        /// At most [`ADDRESSES_MAX`].
        addresses: Vec<IpAddr>,
        /// Seconds.
        ttl: u32,
        /// Addresses beyond the limit.
        left_out: u16,
    },
    /// There is no such name, or it has no such address; with the seconds that this may be believed,
    /// if the server says so (RFC 2308 §5).
    None(Option<u32>),
    /// The server could not answer; its response code.
    Failed(u8),
    /// There was no room for the whole answer.
    Truncated,
}

/// A question as it was sent: what an answer must repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Identifier of the message.
    pub id: u16,
    bytes: Vec<u8>,
    kind: Kind,
}

impl Question {
    /// A question for `name`. Its letters become capital ones where `capitals` gives true; that is asked
    /// once for every letter.
    pub fn new(id: u16, name: &HostName, kind: Kind, mut capitals: impl FnMut() -> bool) -> Self {
        let mut bytes = Vec::with_capacity(name.as_str().len().saturating_add(6));
        for label in name.labels() {
            bytes.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            bytes.extend(label.bytes().map(|byte| {
                if byte.is_ascii_lowercase() && capitals() {
                    byte.to_ascii_uppercase()
                } else {
                    byte
                }
            }));
        }
        bytes.push(0);
        bytes.extend(kind.code().to_be_bytes());
        bytes.extend(CLASS_IN.to_be_bytes());
        Self { id, bytes, kind }
    }

    /// The message to send.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER_LEN.saturating_add(self.bytes.len()));
        for field in [self.id, RECURSION_DESIRED, 1, 0, 0, 0] {
            message.extend(field.to_be_bytes());
        }
        message.extend(&self.bytes);
        message
    }

    /// Whether `message` is a response that repeats this question to the letter. The identifier is not
    /// looked at.
    #[must_use]
    pub fn is_repeated_in(&self, message: &[u8]) -> bool {
        let (Some(flags), Some(questions)) = (u16_at(message, 2), u16_at(message, 4)) else {
            return false;
        };
        flags & (RESPONSE | OPCODE) == RESPONSE
            && questions == 1
            && message
                .get(HEADER_LEN..)
                .is_some_and(|rest| rest.starts_with(&self.bytes))
    }

    /// What `message` answers; it has been found to [repeat](Self::is_repeated_in) the question.
    ///
    /// # Errors
    /// [`Malformed`] if it cannot be read to its end. Nothing of such a message is used.
    pub fn read(&self, message: &[u8]) -> Result<Answer, Malformed> {
        let flags = u16_at(message, 2).ok_or(Malformed::Short)?;
        if flags & TRUNCATED != 0 {
            return Ok(Answer::Truncated);
        }
        // 3: the name does not exist (RFC 1035 §4.1.1).
        match flags & RCODE {
            0 | 3 => {}
            code => return Ok(Answer::Failed(u8::try_from(code).unwrap_or(u8::MAX))),
        }
        let (records, next) = records(
            message,
            HEADER_LEN.saturating_add(self.bytes.len()),
            u16_at(message, 6).ok_or(Malformed::Short)?,
        )?;
        let authority = u16_at(message, 8).ok_or(Malformed::Short)?;
        let (authorities, _) = self::records(message, next, authority)?;

        let mut current = Name::at(message, HEADER_LEN)?.0;
        let mut ttl = u32::MAX;
        for _ in 0..=ALIASES_MAX {
            let mut addresses = Vec::new();
            let mut left_out = 0_u16;
            for record in records.iter().filter(|record| record.owner == current) {
                let Some(address) = record.address(self.kind)? else {
                    continue;
                };
                ttl = ttl.min(record.ttl);
                if addresses.contains(&address) {
                    continue;
                }
                if addresses.len() < ADDRESSES_MAX {
                    addresses.push(address);
                } else {
                    left_out = left_out.saturating_add(1);
                }
            }
            if !addresses.is_empty() {
                return Ok(Answer::Addresses {
                    addresses,
                    ttl,
                    left_out,
                });
            }
            let alias = records
                .iter()
                .find(|record| record.kind == TYPE_CNAME && record.owner == current);
            let Some(alias) = alias else {
                return Ok(Answer::None(negative_ttl(message, &authorities)?));
            };
            ttl = ttl.min(alias.ttl);
            let (target, end) = Name::at(message, alias.data_at)?;
            if end != alias.data_at.saturating_add(alias.data.len()) {
                return Err(Malformed::Record);
            }
            current = target;
        }
        Err(Malformed::Aliases)
    }
}

/// Seconds that the absence of something may be believed: the lesser of the time to live of the SOA
/// record and its last field (RFC 2308 §5).
fn negative_ttl(message: &[u8], records: &[Record<'_>]) -> Result<Option<u32>, Malformed> {
    let Some(soa) = records.iter().find(|record| record.kind == TYPE_SOA) else {
        return Ok(None);
    };
    let (_, at) = Name::at(message, soa.data_at)?;
    let (_, at) = Name::at(message, at)?;
    let end = soa.data_at.saturating_add(soa.data.len());
    // Serial, refresh, retry, expire, minimum: five fields of four bytes.
    if at.checked_add(20) != Some(end) {
        return Err(Malformed::Record);
    }
    let minimum = u32_at(message, at.saturating_add(16)).ok_or(Malformed::Short)?;
    Ok(Some(soa.ttl.min(sane(minimum))))
}

/// A time to live whose first bit is set counts as zero (RFC 2181 §8).
fn sane(ttl: u32) -> u32 {
    if ttl > i32::MAX.unsigned_abs() {
        0
    } else {
        ttl
    }
}

struct Record<'m> {
    owner: Name,
    kind: u16,
    class: u16,
    ttl: u32,
    data_at: usize,
    data: &'m [u8],
}

impl Record<'_> {
    /// The address in it, if it is a record of that kind.
    fn address(&self, kind: Kind) -> Result<Option<IpAddr>, Malformed> {
        if self.kind != kind.code() || self.class != CLASS_IN {
            return Ok(None);
        }
        let address = match kind {
            Kind::V4 => <[u8; 4]>::try_from(self.data).map(|octets| Ipv4Addr::from(octets).into()),
            Kind::V6 => <[u8; 16]>::try_from(self.data).map(|octets| Ipv6Addr::from(octets).into()),
        };
        address.map(Some).map_err(|_| Malformed::Record)
    }
}

/// `count` records from `at` on, and where they end. No more than [`RECORDS_MAX`] are given.
fn records(
    message: &[u8],
    mut at: usize,
    count: u16,
) -> Result<(Vec<Record<'_>>, usize), Malformed> {
    let mut records = Vec::new();
    if count > RECORDS_MAX {
        return Err(Malformed::Record);
    }
    for _ in 0..count {
        let (owner, after) = Name::at(message, at)?;
        let field = |offset: usize| u16_at(message, after.saturating_add(offset));
        let kind = field(0).ok_or(Malformed::Short)?;
        let class = field(2).ok_or(Malformed::Short)?;
        let ttl = u32_at(message, after.saturating_add(4)).ok_or(Malformed::Short)?;
        let len = usize::from(field(8).ok_or(Malformed::Short)?);
        let data_at = after.saturating_add(10);
        let end = data_at.saturating_add(len);
        let data = message.get(data_at..end).ok_or(Malformed::Short)?;
        records.push(Record {
            owner,
            kind,
            class,
            ttl: sane(ttl),
            data_at,
            data,
        });
        at = end;
    }
    Ok((records, at))
}

/// A name as in a message: labels with their lengths, in small letters, uncompressed.
#[derive(Debug, PartialEq, Eq)]
struct Name(Vec<u8>);

impl Name {
    /// The name that begins at `at`, and where what follows it begins.
    ///
    /// A pointer must lead to before the place where the piece that holds it began, so that following
    /// them comes to an end.
    fn at(message: &[u8], at: usize) -> Result<(Self, usize), Malformed> {
        let mut name = Vec::new();
        let mut position = at;
        let mut piece = at;
        let mut end = None;
        loop {
            let len = *message.get(position).ok_or(Malformed::Short)?;
            match len >> 6 {
                0 => {
                    let next = position.saturating_add(1).saturating_add(usize::from(len));
                    let label = message.get(position..next).ok_or(Malformed::Short)?;
                    if name.len().saturating_add(label.len()) > WIRE_NAME_MAX {
                        return Err(Malformed::Name);
                    }
                    // A length is at most 63, below every letter.
                    name.extend(label.iter().map(u8::to_ascii_lowercase));
                    position = next;
                    if len == 0 {
                        return Ok((Self(name), end.unwrap_or(position)));
                    }
                }
                3 => {
                    let pointer = u16_at(message, position).ok_or(Malformed::Short)?;
                    let target = usize::from(pointer & 0x3FFF);
                    if target >= piece {
                        return Err(Malformed::Name);
                    }
                    end = end.or(Some(position.saturating_add(2)));
                    position = target;
                    piece = target;
                }
                _ => return Err(Malformed::Name),
            }
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    field.try_into().ok().map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    field.try_into().ok().map(u32::from_be_bytes)
}
