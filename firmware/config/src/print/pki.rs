//! Trustpoints and certificates as text.

use super::Page;
use crate::model::{
    Certificate, ClientType, Config, Enrollment, Fqdn, RevocationMethod, Trustpoint,
};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) fn crypto(page: &mut Page<'_>, config: &Config) {
    page.kept(config);
    for (name, trustpoint) in &config.trustpoints {
        page.block("ca trustpoint", &[name]);
        page.line(format!("crypto ca trustpoint {name}"));
        trustpoint_lines(page, trustpoint);
    }
    for (name, trustpoint) in &config.trustpoints {
        if trustpoint.ca_certificate.is_none() && trustpoint.identity_certificate.is_none() {
            continue;
        }
        page.block("ca certificate chain", &[name]);
        page.line(format!("crypto ca certificate chain {name}"));
        if let Some(certificate) = &trustpoint.ca_certificate {
            certificate_lines(page, "certificate ca", certificate);
        }
        if let Some(certificate) = &trustpoint.identity_certificate {
            certificate_lines(page, "certificate", certificate);
        }
    }
}

fn trustpoint_lines(page: &mut Page<'_>, trustpoint: &Trustpoint) {
    match &trustpoint.enrollment {
        Enrollment::None => {}
        Enrollment::SelfSigned => page.line(" enrollment self"),
        Enrollment::Terminal => page.line(" enrollment terminal"),
        Enrollment::Url(url) => page.line(format!(" enrollment url {url}")),
    }
    page.optional(" enrollment retry count", trustpoint.retry_count);
    page.optional(" enrollment retry period", trustpoint.retry_period_mins);
    match &trustpoint.fqdn {
        Fqdn::Default => {}
        Fqdn::Absent => page.line(" fqdn none"),
        Fqdn::Name(name) => page.line(format!(" fqdn {name}")),
    }
    page.optional(" email", trustpoint.email.as_ref());
    page.optional(" subject-name", trustpoint.subject_name.as_ref());
    page.switch(1, "serial-number", trustpoint.serial_number, false);
    page.optional(" ip-address", trustpoint.ip_address);
    page.optional(" keypair", trustpoint.keypair.as_ref());
    if !trustpoint.client_types.is_empty() {
        let words = trustpoint.client_types.iter().map(|kind| match kind {
            ClientType::Ipsec => "ipsec",
            ClientType::Ssl => "ssl",
        });
        page.line(format!(
            " client-types {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    if !trustpoint.validation_usage.is_empty() {
        let words = trustpoint
            .validation_usage
            .iter()
            .map(|usage| usage.keyword());
        page.line(format!(
            " validation-usage {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    if !trustpoint.revocation_check.is_empty() {
        let words = trustpoint
            .revocation_check
            .iter()
            .map(|method| match method {
                RevocationMethod::None => "none",
                RevocationMethod::Crl => "crl",
                RevocationMethod::Ocsp => "ocsp",
            });
        page.line(format!(
            " revocation-check {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    page.switch(1, "ca-check", trustpoint.ca_check, true);
    for line in trustpoint.extra.values() {
        page.line(format!(" {line}"));
    }
    if trustpoint.has_crl {
        page.line(" crl configure");
        for line in trustpoint.crl.values() {
            page.line(format!("  {line}"));
        }
    }
}

fn certificate_lines(page: &mut Page<'_>, words: &str, certificate: &Certificate) {
    page.line(format!(" {words} {}", certificate.serial));
    for row in certificate.der.chunks(32) {
        let mut line = String::from("   ");
        for group in row.chunks(4) {
            line.push(' ');
            for byte in group {
                line.push_str(&format!("{byte:02x}"));
            }
        }
        page.line(line);
    }
    page.line("  quit");
}
