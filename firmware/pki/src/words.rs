//! Errors of keys and enrolment in words, without the `ERROR:` in front.
//!
//! Those of certificates that are pasted in stand beside their checks, in [`import`](crate::import).

use core::fmt;

use crate::enroll::EnrollError;
use crate::key::KeyError;
use crate::name::NameError;
use crate::store::{BlobError, StoreError};

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadLabel => "the name of the key pair is empty, too long, or holds blanks",
            Self::Rejected => "the key is damaged",
            Self::Unsupported => "keys of this kind or size are not supported",
            Self::NoRandomness => "there are no random numbers to make a key from",
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(
                f,
                "there are {} key pairs already; remove one first",
                crate::store::MAX_KEYS
            ),
        }
    }
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeyStore => f.write_str("they are no key store"),
            Self::UnknownVersion(version) => {
                write!(f, "they were written in the unknown format {version}")
            }
            Self::TooLarge => f.write_str("they are more than the key store holds"),
            Self::Corrupt => f.write_str("they are damaged"),
            Self::BadKey { index, error } => write!(f, "key {} of them: {error}", index + 1),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the subject name is empty"),
            Self::NotTypeAndValue { part } => {
                write!(
                    f,
                    "part {} of the subject name is not of the form TYPE=VALUE",
                    part
                )
            }
            Self::UnknownType { part } => {
                write!(
                    f,
                    "the type of part {} of the subject name is not known",
                    part
                )
            }
            Self::BadValue { part } => {
                write!(
                    f,
                    "the value of part {} of the subject name cannot be used",
                    part
                )
            }
            Self::BadCountry { part } => write!(
                f,
                "part {} of the subject name: a country is two letters, such as C=NL",
                part
            ),
            Self::Unterminated => f.write_str("a quotation mark in the subject name is not closed"),
            Self::TooManyParts => f.write_str("the subject name has too many parts"),
        }
    }
}

impl fmt::Display for EnrollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => write!(f, "{error}"),
            Self::NoSubject => f.write_str(
                "the trustpoint has neither a subject name nor an fqdn; configure 'subject-name'",
            ),
            Self::BadFqdn => f.write_str("the fqdn of the trustpoint is not a DNS name"),
            Self::BadText => f.write_str("the e-mail address or serial number cannot be used"),
            Self::BadTime => f.write_str("the clock is beyond what a certificate can hold"),
            Self::Key(error) => write!(f, "{error}"),
            Self::Encoding => f.write_str("the certificate could not be encoded"),
        }
    }
}
