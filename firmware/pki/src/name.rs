//! X.500 names: read from the text of `subject-name`, shown as `show crypto ca certificates` does.
//!
//! The operator types the most specific part first (`cn=…,OU=…,O=…`); certificates hold it last
//! (RFC 4514 §2.1 is the same reversal). Parts may be quoted or escaped with a backslash to hold a
//! comma.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::{Any, Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Encode, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

/// Longest value of a part, in bytes (RFC 5280 appendix A.1, ub-common-name and its like are 64
/// characters).
pub const VALUE_MAX: usize = 64;

/// Most parts of a typed name.
pub const PARTS_MAX: usize = 16;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SURNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.4");
pub(crate) const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
const LOCALITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.7");
const STATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.8");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const TITLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.12");
const GIVEN_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.42");
const DOMAIN_COMPONENT: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25");
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
pub(crate) const UNSTRUCTURED_NAME: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.2");
pub(crate) const UNSTRUCTURED_ADDRESS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.8");

/// Types that can be typed, and that are shown by these words.
const TYPES: [(&str, ObjectIdentifier); 11] = [
    ("cn", COMMON_NAME),
    ("ou", ORGANIZATIONAL_UNIT),
    ("o", ORGANIZATION),
    ("c", COUNTRY),
    ("st", STATE),
    ("l", LOCALITY),
    ("ea", EMAIL_ADDRESS),
    ("gn", GIVEN_NAME),
    ("sn", SURNAME),
    ("t", TITLE),
    ("dc", DOMAIN_COMPONENT),
];

/// Types that are only shown.
const SHOWN_TYPES: [(&str, ObjectIdentifier); 3] = [
    ("hostname", UNSTRUCTURED_NAME),
    ("ipaddress", UNSTRUCTURED_ADDRESS),
    ("serialNumber", SERIAL_NUMBER),
];

/// Why the text of a name was refused. Parts are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is nothing in it.
    Empty,
    /// The part is not `type=value`.
    NotTypeAndValue {
        /// Which part.
        part: usize,
    },
    /// The part's type is not known.
    UnknownType {
        /// Which part.
        part: usize,
    },
    /// The part's value is empty, longer than [`VALUE_MAX`], or holds control characters.
    BadValue {
        /// Which part.
        part: usize,
    },
    /// The value of `C` is not two letters.
    BadCountry {
        /// Which part.
        part: usize,
    },
    /// A quotation mark is not closed, or a backslash ends the text.
    Unterminated,
    /// There are more than [`PARTS_MAX`] parts.
    TooManyParts,
}

/// A typed name, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X500Name {
    /// As typed: most specific first.
    parts: Vec<(ObjectIdentifier, String)>,
}

impl X500Name {
    /// Reads the text of `subject-name`.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = Vec::new();
        for (index, (kind, value)) in split(text)?.into_iter().enumerate() {
            let part = index + 1;
            let kind = kind.ok_or(NameError::NotTypeAndValue { part })?;
            let (_, oid) = TYPES
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(&kind))
                .ok_or(NameError::UnknownType { part })?;
            if value.is_empty() || value.len() > VALUE_MAX || value.chars().any(char::is_control) {
                return Err(NameError::BadValue { part });
            }
            let is_ia5_only = matches!(*oid, EMAIL_ADDRESS | DOMAIN_COMPONENT);
            if is_ia5_only && !value.is_ascii() {
                return Err(NameError::BadValue { part });
            }
            if *oid == COUNTRY
                && (value.len() != 2 || !value.bytes().all(|b| b.is_ascii_alphabetic()))
            {
                return Err(NameError::BadCountry { part });
            }
            if parts.len() == PARTS_MAX {
                return Err(NameError::TooManyParts);
            }
            parts.push((*oid, value));
        }
        Ok(Self { parts })
    }

    /// The common name, if there is one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.parts
            .iter()
            .find(|(oid, _)| *oid == COMMON_NAME)
            .map(|(_, value)| value.as_str())
    }

    /// Appends the parts to a certificate's name, least specific first.
    pub(crate) fn push_to(&self, sequence: &mut RdnSequence) -> Result<(), der::Error> {
        for (oid, value) in self.parts.iter().rev() {
            let mut part = RelativeDistinguishedName::default();
            part.insert(attribute(*oid, value)?)?;
            sequence.push(part);
        }
        Ok(())
    }
}

/// An attribute in the string type that its definition, or else custom, wants.
pub(crate) fn attribute(
    oid: ObjectIdentifier,
    value: &str,
) -> Result<AttributeTypeAndValue, der::Error> {
    let wants_ia5 = matches!(oid, EMAIL_ADDRESS | DOMAIN_COMPONENT | UNSTRUCTURED_NAME);
    let value = if wants_ia5 {
        Any::encode_from(&Ia5StringRef::new(value)?)?
    } else if let Ok(printable) = PrintableStringRef::new(value) {
        Any::encode_from(&printable)?
    } else {
        Any::encode_from(&Utf8StringRef::new(value)?)?
    };
    Ok(AttributeTypeAndValue { oid, value })
}

/// One line of a shown name: `cn=Example CA`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePart {
    /// Type in ASA's lower-case words, or the dotted object identifier.
    pub kind: String,
    /// Value; characters that could steer a terminal are shown as `?`.
    pub value: String,
}

impl fmt::Display for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.value)
    }
}

/// The parts of a certificate's name, most specific first.
pub(crate) fn shown(name: &Name) -> Vec<NamePart> {
    let mut parts: Vec<NamePart> = name
        .iter_rdn()
        .flat_map(RelativeDistinguishedName::iter)
        .map(|attribute| NamePart {
            kind: TYPES
                .iter()
                .chain(&SHOWN_TYPES)
                .find(|(_, oid)| *oid == attribute.oid)
                .map_or_else(
                    || alloc::format!("{}", attribute.oid),
                    |(word, _)| String::from(*word),
                ),
            value: text_of(&attribute.value),
        })
        .collect();
    parts.reverse();
    parts
}

/// A value as text that is safe to print.
fn text_of(value: &Any) -> String {
    let bytes = value.value();
    let text: String = match value.tag() {
        Tag::BmpString => char::decode_utf16(
            bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]])),
        )
        .map(|c| c.unwrap_or('?'))
        .collect(),
        Tag::TeletexString => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => {
            return value
                .to_der()
                .map(|der| alloc::format!("#{}", crate::certificate::hex(&der)))
                .unwrap_or_default();
        }
    };
    printable(&text)
}

/// `text` with everything that could steer a terminal replaced by `?`.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// Splits at unquoted commas into (type, value), both trimmed; no type where there is no `=`.
fn split(text: &str) -> Result<Vec<(Option<String>, String)>, NameError> {
    let mut parts = Vec::new();
    let (mut kind, mut current) = (None, String::new());
    // Length up to which `current` is not to be trimmed, because it was quoted or escaped.
    let mut kept = 0;
    let mut is_quoted = false;
    let mut characters = text.chars();
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    loop {
        match characters.next() {
            Some('\\') => {
                current.push(characters.next().ok_or(NameError::Unterminated)?);
                kept = current.len();
            }
            Some('"') => {
                is_quoted = !is_quoted;
                kept = current.len();
            }
            Some('=') if !is_quoted && kind.is_none() => {
                kind = Some(String::from(current.trim()));
                current.clear();
                kept = 0;
            }
            Some(' ') if current.is_empty() && !is_quoted => {}
            Some(',') | None if !is_quoted => {
                while current.len() > kept && current.ends_with(' ') {
                    current.pop();
                }
                parts.push((kind.take(), core::mem::take(&mut current)));
                kept = 0;
                if parts.len() > PARTS_MAX {
                    return Err(NameError::TooManyParts);
                }
                // `characters` is spent exactly when the text was.
                if characters.as_str().is_empty() && !text.ends_with(',') {
                    return Ok(parts);
                }
                if characters.as_str().is_empty() {
                    return Err(NameError::NotTypeAndValue {
                        part: parts.len() + 1,
                    });
                }
            }
            None => return Err(NameError::Unterminated),
            Some(other) => current.push(other),
        }
    }
}
