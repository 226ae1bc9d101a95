//! The text of `show crypto ca certificates` and `show crypto key mypubkey`.
//!
//! Dates are written by the caller, who knows the time zone.

use core::fmt::{self, Write};

use crate::certificate::CertificateInfo;
use crate::key::{KeyAlgorithm, KeyPair, KeyUsage};
use crate::name::NamePart;

/// Writes a moment (UTC seconds since 1970) in the configured zone: `10:00:00 CET Nov 1 2021`.
pub type DateWriter<'a> = &'a dyn Fn(&mut dyn Write, u64) -> fmt::Result;

/// Bytes of a key shown in one group, and on one line.
const GROUP_LEN: usize = 4;
const LINE_LEN: usize = 32;

/// What a certificate is to its trustpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its identity certificate.
    Identity,
    /// Its CA certificate.
    Authority,
}

/// Writes one entry of `show crypto ca certificates`; a blank line between entries is the caller's.
///
/// # Errors
/// As `out`.
pub fn certificate(
    out: &mut dyn Write,
    role: Role,
    info: &CertificateInfo,
    trustpoints: &[&str],
    date: DateWriter<'_>,
) -> fmt::Result {
    out.write_str(match role {
        Role::Identity => "Certificate\n",
        Role::Authority => "CA Certificate\n",
    })?;
    writeln!(out, "  Status: Available")?;
    writeln!(out, "  Certificate Serial Number: {}", info.serial_hex())?;
    writeln!(out, "  Certificate Usage: {}", info.usage)?;
    writeln!(out, "  Public Key Type: {}", info.public_key)?;
    writeln!(out, "  Signature Algorithm: {}", info.signature_algorithm)?;
    name(out, "Issuer", &info.issuer)?;
    name(out, "Subject", &info.subject)?;
    if !info.crl_distribution_points.is_empty() {
        writeln!(out, "  CRL Distribution Points:")?;
        for (index, url) in info.crl_distribution_points.iter().enumerate() {
            writeln!(out, "    [{}]  {url}", index + 1)?;
        }
    }
    writeln!(out, "  Validity Date:")?;
    for (label, moment) in [("start", info.not_before), ("end  ", info.not_after)] {
        write!(out, "    {label} date: ")?;
        date(out, moment)?;
        writeln!(out)?;
    }
    write!(out, "  Associated Trustpoints:")?;
    for trustpoint in trustpoints {
        write!(out, " {trustpoint}")?;
    }
    writeln!(out)
}

/// Writes one entry of `show crypto key mypubkey {rsa | ecdsa}`.
///
/// # Errors
/// As `out`.
pub fn key(out: &mut dyn Write, pair: &KeyPair, date: DateWriter<'_>) -> fmt::Result {
    write!(out, "Key pair was generated at: ")?;
    date(out, pair.generated_at())?;
    writeln!(out)?;
    writeln!(out, "Key name: {}", pair.label())?;
    writeln!(
        out,
        " Usage: {}",
        match pair.usage() {
            KeyUsage::General => "General Purpose Key",
            KeyUsage::Signature => "Signature Key",
            KeyUsage::Encryption => "Encryption Key",
        }
    )?;
    match pair.algorithm() {
        KeyAlgorithm::Rsa(size) => writeln!(out, " Modulus Size (bits): {}", size.bits())?,
        KeyAlgorithm::Ecdsa(curve) => writeln!(out, " EC Size (bits): {}", curve.bits())?,
    }
    writeln!(out, " Storage: config")?;
    writeln!(out, " Key Data:\n")?;
    for line in pair.public_key().chunks(LINE_LEN) {
        out.write_str(" ")?;
        for group in line.chunks(GROUP_LEN) {
            out.write_str(" ")?;
            for byte in group {
                write!(out, "{byte:02x}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn name(out: &mut dyn Write, whose: &str, parts: &[NamePart]) -> fmt::Result {
    writeln!(out, "  {whose} Name:")?;
    for part in parts {
        writeln!(out, "    {part}")?;
    }
    Ok(())
}
