//! PEM and bare base64 (RFC 7468), as people paste it.
//!
//! Terminals add carriage returns and blanks, mail clients re-wrap lines, and some consoles cut the
//! boundary lines off. All of that is taken; anything else is refused with the place it is at.

use alloc::string::String;
use alloc::vec::Vec;

/// Longest certificate taken, in DER bytes. Real ones are 1-3 KiB.
pub const MAX_DER_LEN: usize = 16 * 1024;

/// Base64 characters of a line (RFC 7468 §2).
const LINE_LEN: usize = 64;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is between the boundary lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A certificate.
    Certificate,
    /// A PKCS#10 request.
    CertificateRequest,
}

impl Label {
    /// The words of the boundary line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::CertificateRequest => "CERTIFICATE REQUEST",
        }
    }
}

/// Why pasted text could not be read. Lines are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemError {
    /// There is no base64 in it.
    Empty,
    /// A character is neither base64 nor white space.
    BadCharacter {
        /// Line it is on.
        line: usize,
    },
    /// The last group of four characters is not whole, or its spare bits are not zero.
    Truncated,
    /// Something follows the `=` signs or the END line.
    TrailingText {
        /// Line it is on.
        line: usize,
    },
    /// There is a BEGIN line and no END line, or the other way round.
    MissingBoundary,
    /// The boundary lines name something else, such as a private key or a request.
    WrongLabel {
        /// Line it is on.
        line: usize,
    },
    /// It is longer than [`MAX_DER_LEN`].
    TooLarge,
}

/// Writes `der` as PEM, each line ended by a line feed.
#[must_use]
pub fn encode(label: Label, der: &[u8]) -> String {
    let label = label.text();
    let mut text = String::with_capacity(der.len() * 4 / 3 + der.len() / 48 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    for line in der.chunks(LINE_LEN / 4 * 3) {
        for group in line.chunks(3) {
            push_group(&mut text, group);
        }
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// Reads the bytes of pasted text, with or without boundary lines.
///
/// # Errors
/// [`PemError`].
pub fn decode(text: &str, label: Label) -> Result<Vec<u8>, PemError> {
    let mut decoder = Decoder::default();
    let (mut begun, mut ended) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if ended {
            return Err(PemError::TrailingText { line: number });
        }
        if let Some(rest) = line.strip_prefix("-----BEGIN ") {
            if begun || decoder.started {
                return Err(PemError::TrailingText { line: number });
            }
            check_boundary(rest, label, number)?;
            begun = true;
        } else if let Some(rest) = line.strip_prefix("-----END ") {
            if !begun {
                return Err(PemError::MissingBoundary);
            }
            check_boundary(rest, label, number)?;
            ended = true;
        } else {
            decoder.line(line, number)?;
        }
    }
    if begun != ended {
        return Err(PemError::MissingBoundary);
    }
    decoder.finish()
}

fn check_boundary(rest: &str, label: Label, line: usize) -> Result<(), PemError> {
    // OpenSSL also writes "X509 CERTIFICATE", "TRUSTED CERTIFICATE" and "NEW CERTIFICATE REQUEST";
    // the trusted form has trailing data and is refused.
    let named = rest.strip_suffix("-----").map(str::trim);
    let is_ours = match label {
        Label::Certificate => matches!(named, Some("CERTIFICATE" | "X509 CERTIFICATE")),
        Label::CertificateRequest => {
            matches!(
                named,
                Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST")
            )
        }
    };
    is_ours.then_some(()).ok_or(PemError::WrongLabel { line })
}

fn push_group(text: &mut String, group: &[u8]) {
    let mut bits = 0u32;
    for position in 0..3 {
        bits = bits << 8 | u32::from(group.get(position).copied().unwrap_or(0));
    }
    for position in 0..4 {
        if position > group.len() {
            text.push('=');
        } else {
            let value = bits >> (18 - 6 * position) & 0x3f;
            // Six bits index 64 characters.
            text.push(char::from(ALPHABET[value as usize]));
        }
    }
}

/// Collects base64 characters into bytes.
#[derive(Default)]
struct Decoder {
    bytes: Vec<u8>,
    bits: u32,
    /// Characters in `bits`, 0-3.
    held: u8,
    padding: u8,
    started: bool,
}

impl Decoder {
    fn line(&mut self, text: &str, line: usize) -> Result<(), PemError> {
        for byte in text.bytes() {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.padding = self.padding.saturating_add(1);
                    continue;
                }
                _ if byte.is_ascii_whitespace() => continue,
                _ => return Err(PemError::BadCharacter { line }),
            };
            if self.padding != 0 {
                return Err(PemError::TrailingText { line });
            }
            self.started = true;
            self.bits = self.bits << 6 | u32::from(value);
            self.held += 1;
            if self.held == 4 {
                let [_, first, second, third] = self.bits.to_be_bytes();
                self.bytes.extend([first, second, third]);
                (self.bits, self.held) = (0, 0);
                if self.bytes.len() > MAX_DER_LEN {
                    return Err(PemError::TooLarge);
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, PemError> {
        if !self.started {
            return Err(PemError::Empty);
        }
        match (self.held, self.padding) {
            (0, 0) => {}
            (2, 0 | 2) if self.bits & 0x0f == 0 => self.bytes.push((self.bits >> 4) as u8),
            (3, 0 | 1) if self.bits & 0x03 == 0 => {
                self.bytes
                    .extend([(self.bits >> 10) as u8, (self.bits >> 2) as u8]);
            }
            _ => return Err(PemError::Truncated),
        }
        if self.bytes.len() > MAX_DER_LEN {
            return Err(PemError::TooLarge);
        }
        Ok(self.bytes)
    }
}
