//! `show crypto`.

use alloc::string::String;

use cli::grammar::Captures;
use clock::format::CertificateDate;
use pki::CertificateInfo;
use pki::show::Role;

use crate::print::put_line;
use crate::state::Core;

pub(super) fn certificates(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("trustpoint");
    let date = date_writer(core);
    let mut is_first = true;
    for (name, trustpoint) in &core.config.trustpoints {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let held = [
            (Role::Identity, &trustpoint.identity_certificate),
            (Role::Authority, &trustpoint.ca_certificate),
        ];
        for (role, certificate) in held {
            let Some(certificate) = certificate else {
                continue;
            };
            let Ok(info) = CertificateInfo::parse(&certificate.der) else {
                continue;
            };
            if !core::mem::take(&mut is_first) {
                put_line!(out);
            }
            let _ = pki::show::certificate(out, role, &info, &[name.as_str()], &date);
        }
    }
}

pub(super) fn keys(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let is_rsa = words.has("rsa");
    let date = date_writer(core);
    for pair in core.keys.iter() {
        if matches!(pair.algorithm(), pki::KeyAlgorithm::Rsa(_)) == is_rsa {
            let _ = pki::show::key(out, pair, &date);
        }
    }
}

pub(super) fn trustpoints(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("trustpoint");
    for (name, trustpoint) in &core.config.trustpoints {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        put_line!(out, "Trustpoint {name}:");
        let authority = trustpoint
            .ca_certificate
            .as_ref()
            .and_then(|certificate| CertificateInfo::parse(&certificate.der).ok());
        match authority {
            Some(info) => {
                put_line!(out, "    Subject Name:");
                for name in &info.subject {
                    put_line!(out, "    {name}");
                }
                put_line!(out, "          Serial Number: {}", info.serial_hex());
                put_line!(out, "    Certificate configured.");
            }
            None if trustpoint.enrollment == config::model::Enrollment::SelfSigned => {
                put_line!(
                    out,
                    "    Configured for self-signed certificate generation."
                );
            }
            None => put_line!(out, "    Not authenticated."),
        }
        put_line!(out);
    }
}

/// Writes moments in the configured zone, as certificates and keys show them.
fn date_writer(core: &Core) -> impl Fn(&mut dyn core::fmt::Write, u64) -> core::fmt::Result {
    |writer, unix_secs| {
        let unix_secs = unix_secs as i64;
        let rules = &core.zone;
        write!(writer, "{}", CertificateDate { rules, unix_secs })
    }
}
