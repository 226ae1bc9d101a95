//! The first sector of a slot.
//!
//! | At | Bytes | Field |
//! | --- | --- | --- |
//! | 0 | 8 | `SLPTSLOT` |
//! | 8 | 4 | format, 1 |
//! | 16 | 6 | version of the firmware: major, minor, patch |
//! | 24 | 8 | bytes of the firmware |
//! | 32 | 32 | build hash |
//! | 64 | 64 | SHA-512 of the firmware |
//! | 128 | 8 | key: the first bytes of the SHA-512 of the public key |
//! | 448 | 64 | Ed25519 signature (RFC 8032) of bytes 0 to 447 |
//!
//! Everything between is zero. The firmware, an ELF file, follows at [`PAYLOAD_SECTOR`]. The signature
//! covers the digest, so it vouches for the firmware too; checking both is the loaders' work.

use core::fmt;

use crate::block::SECTOR;
use crate::field;

/// Sector of a slot where the firmware begins.
pub const PAYLOAD_SECTOR: u64 = 8;
/// Bytes that are signed.
pub const SIGNED_BYTES: usize = 448;

const MAGIC: [u8; 8] = *b"SLPTSLOT";
const FORMAT: u32 = 1;

/// A firmware's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changed by what operators must learn anew.
    pub major: u16,
    /// Changed by what is new.
    pub minor: u16,
    /// Changed by what is mended.
    pub patch: u16,
}

impl Version {
    /// Reads `1.2.3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let version = Self {
            major: numbers.next()??,
            minor: numbers.next()??,
            patch: numbers.next()??,
        };
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a slot says about its firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the firmware.
    pub version: Version,
    /// Bytes of the firmware.
    pub payload_bytes: u64,
    /// Hash of what the firmware was built from.
    pub build: [u8; 32],
    /// SHA-512 of the firmware.
    pub digest: [u8; 64],
    /// Which key signed.
    pub key_id: [u8; 8],
    /// Signature of the bytes before it.
    pub signature: [u8; 64],
}

/// Why a sector is not a slot's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// The slot is empty.
    Empty,
    /// It holds something else.
    NotASlot,
    /// It is of a format that this code does not know.
    UnknownFormat(u32),
    /// Fields that must be zero are not.
    NotZero,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the slot is empty"),
            Self::NotASlot => f.write_str("no header of a firmware"),
            Self::UnknownFormat(format) => write!(f, "header of unknown format {format}"),
            Self::NotZero => f.write_str("the header is damaged"),
        }
    }
}

impl Header {
    /// The sector.
    #[must_use]
    pub fn encode(&self) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        field::put(&mut sector, 0, &MAGIC);
        field::put(&mut sector, 8, &FORMAT.to_le_bytes());
        let Version {
            major,
            minor,
            patch,
        } = self.version;
        for (at, number) in [(16, major), (18, minor), (20, patch)] {
            field::put(&mut sector, at, &number.to_le_bytes());
        }
        field::put(&mut sector, 24, &self.payload_bytes.to_le_bytes());
        field::put(&mut sector, 32, &self.build);
        field::put(&mut sector, 64, &self.digest);
        field::put(&mut sector, 128, &self.key_id);
        field::put(&mut sector, SIGNED_BYTES, &self.signature);
        sector
    }

    /// Reads a sector. Nothing is verified but the format.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn decode(sector: &[u8; SECTOR]) -> Result<Self, HeaderError> {
        if sector.iter().all(|&byte| byte == 0) {
            return Err(HeaderError::Empty);
        }
        if !sector.starts_with(&MAGIC) {
            return Err(HeaderError::NotASlot);
        }
        let format = field::u32(sector, 8);
        if format != FORMAT {
            return Err(HeaderError::UnknownFormat(format));
        }
        let header = Self {
            version: Version {
                major: field::u16(sector, 16),
                minor: field::u16(sector, 18),
                patch: field::u16(sector, 20),
            },
            payload_bytes: field::u64(sector, 24),
            build: field::bytes(sector, 32),
            digest: field::bytes(sector, 64),
            key_id: field::bytes(sector, 128),
            signature: field::bytes(sector, SIGNED_BYTES),
        };
        // One way to write a header: whatever is not a field is zero.
        if header.encode() == *sector {
            Ok(header)
        } else {
            Err(HeaderError::NotZero)
        }
    }

    /// The bytes that the signature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> [u8; SIGNED_BYTES] {
        field::bytes(&self.encode(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            version: Version::parse("1.2.3").unwrap(),
            payload_bytes: 3_507_760,
            build: [7; 32],
            digest: [8; 64],
            key_id: [9; 8],
            signature: [10; 64],
        }
    }

    #[test]
    fn a_header_survives_its_sector() {
        assert_eq!(Header::decode(&header().encode()), Ok(header()));
        assert_eq!(Header::decode(&[0; SECTOR]), Err(HeaderError::Empty));
        assert_eq!(Header::decode(&[0xff; SECTOR]), Err(HeaderError::NotASlot));
        let mut newer = header().encode();
        newer[8] = 2;
        assert_eq!(Header::decode(&newer), Err(HeaderError::UnknownFormat(2)));
        let mut filled = header().encode();
        filled[200] = 1;
        assert_eq!(Header::decode(&filled), Err(HeaderError::NotZero));
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("0.9.0") < version("0.10.0"));
        assert_eq!(version("1.20.3").to_string(), "1.20.3");
        for wrong in ["", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.70000"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same_way(bytes in proptest::collection::vec(any::<u8>(), SECTOR)) {
            let mut sector: [u8; SECTOR] = bytes.try_into().unwrap();
            sector[..12].copy_from_slice(b"SLPTSLOT\x01\0\0\0");
            if let Ok(header) = Header::decode(&sector) {
                prop_assert_eq!(header.encode(), sector);
            }
        }
    }
}
