//! Trustpoints and certificates.

use super::family::Family;
use super::object::current;
use super::{Change, ModeState, Outcome, PartialCertificate};
use super::{ip, kept, row, text, usage, word};
use crate::mode::{CERTIFICATE_CHAIN, CRL, GLOBAL, Mode, TRUSTPOINT};
use crate::model::{
    Certificate, ClientType, Config, Enrollment, Fqdn, Named, RevocationMethod, Trustpoint,
    ValidationUsage,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, No};

/// Most hexadecimal digits of a certificate being entered: 32 KiB, many times the largest in use.
const CERTIFICATE_DIGITS_MAX: usize = 64 * 1024;

pub(super) const CRYPTO: Family = Family {
    keyword: "crypto",
    help: "Trustpoints and certificates",
    narrow: "[{ ca [{ trustpoint [<name>] | certificate [chain [<name>]] | trustpool }] | ipsec }]",
    rows: &[
        row(
        GLOBAL,
        "crypto ca trustpoint <name:word(127)>",
        No::Same,
        &[
            ("crypto", "Configure certificates and keys"),
            ("ca", "Certification authority"),
            ("trustpoint", "Define a CA and our identity with it"),
            ("name", "Name of the trustpoint"),
        ],
        trustpoint,
    ).example("crypto ca trustpoint IMP-TRUST"),
        row(
        GLOBAL,
        "crypto ca certificate chain <name>",
        No::Forbidden,
        &[
            ("certificate", "Certificates"),
            ("chain", "The certificates of a trustpoint"),
        ],
        chain,
    ).example("crypto ca certificate chain IMP-TRUST"),
        row(
        CERTIFICATE_CHAIN,
        "certificate [ca] <serial:hex>",
        No::Same,
        &[
            ("certificate", "Add a certificate in hexadecimal"),
            ("ca", "The certificate of the CA"),
            ("serial", "Serial number"),
        ],
        certificate,
    ).example("certificate ca 01"),
        row(
        TRUSTPOINT,
        "enrollment { self | terminal | url <url> | retry { count <count:1-100> | period <minutes:1-60> } }",
        No::Syntax(
            "enrollment { self | terminal | url [<url>] | retry { count [<count:1-100>] \
             | period [<minutes:1-60>] } }",
        ),
        &[
            ("enrollment", "How the certificate is obtained"),
            ("self", "We sign it ourselves"),
            ("terminal", "It is pasted"),
            ("url", "From this address (kept only)"),
            ("retry", "Polling of the CA"),
            ("count", "How many times"),
            ("period", "How long between"),
            ("minutes", "Minutes"),
        ],
        enrollment,
    ).example("enrollment terminal"),
        row(
        TRUSTPOINT,
        "fqdn { none | <fqdn:word(253)> }",
        No::Syntax("fqdn [{ none | <fqdn:word(253)> }]"),
        &[
            ("fqdn", "Domain name in the certificate"),
            ("none", "No domain name"),
        ],
        fqdn,
    ).example("fqdn asa1.example.com"),
        row(
        TRUSTPOINT,
        "subject-name <subject:text>",
        No::Syntax("subject-name [<subject:text>]"),
        &[
            ("subject-name", "Subject of the certificate"),
            ("subject", "X.500 name: CN=..,O=.."),
        ],
        subject_name,
    ).example("subject-name CN=asa1.example.com,O=Example"),
        row(
        TRUSTPOINT,
        "keypair <keypair:word(127)>",
        No::Syntax("keypair [<keypair>]"),
        &[("keypair", "Label of the key pair")],
        keypair,
    ).example("keypair IMP-KEY"),
        row(
        TRUSTPOINT,
        "ip-address { none | <address:ip> }",
        No::Syntax("ip-address [{ none | <address:ip> }]"),
        &[
            ("ip-address", "IP address in the certificate"),
            ("address", "IP address"),
        ],
        ip_address,
    ).example("ip-address 203.0.113.2"),
        row(
        TRUSTPOINT,
        "email <email>",
        No::Syntax("email [<email>]"),
        &[("email", "E-mail address in the certificate")],
        email,
    ).example("email admin@example.com"),
        row(
        TRUSTPOINT,
        "serial-number",
        No::Same,
        &[(
            "serial-number",
            "Serial number of the box in the certificate",
        )],
        serial_number,
    ).example("serial-number"),
        row(
        TRUSTPOINT,
        "client-types { ipsec | ssl }+",
        No::Syntax("client-types [{ ipsec | ssl }+]"),
        &[
            ("client-types", "Which clients the CA may vouch for"),
            ("ipsec", "IPsec clients"),
            ("ssl", "SSL clients"),
        ],
        client_types,
    ).example("client-types ssl"),
        row(
        TRUSTPOINT,
        "validation-usage { ipsec-client | ssl-client | ssl-server }+",
        No::Syntax("validation-usage [{ ipsec-client | ssl-client | ssl-server }+]"),
        &[
            ("validation-usage", "What the CA may vouch for"),
            ("ipsec-client", "IPsec clients"),
            ("ssl-client", "SSL clients"),
            ("ssl-server", "SSL servers"),
        ],
        validation_usage,
    ).example("validation-usage ssl-client ssl-server"),
        row(
        TRUSTPOINT,
        "revocation-check { none | crl | ocsp }+",
        No::Syntax("revocation-check [{ none | crl | ocsp }+]"),
        &[
            ("revocation-check", "How revocation is checked"),
            ("none", "Not at all"),
            ("crl", "By revocation lists (kept only)"),
            ("ocsp", "By OCSP (kept only)"),
        ],
        revocation_check,
    ).example("revocation-check none"),
        row(
        TRUSTPOINT,
        "ca-check",
        No::Same,
        &[("ca-check", "Require CA:TRUE in the CA certificate")],
        ca_check,
    ).example("ca-check"),
        row(
        TRUSTPOINT,
        "{ id-usage { ssl-ipsec | code-signer } | accept-subordinates | proxy-ldc-issuer \
         | ignore-ssl-keyusage | ignore-ipsec-keyusage | crl { required | optional | nocheck } \
         | ocsp { url <url> | disable-nonce } \
         | validation-policy { ssl | ipsec } [no-chain] }",
        No::Same,
        &[
            ("id-usage", "What our certificate is used for"),
            ("ssl-ipsec", "SSL and IPsec"),
            ("code-signer", "Signing of code"),
            (
                "accept-subordinates",
                "Accept subordinate CAs sent by the peer",
            ),
            ("proxy-ldc-issuer", "Issuer of certificates for phones"),
            (
                "ignore-ssl-keyusage",
                "Do not look at the key usage of SSL certificates",
            ),
            (
                "ignore-ipsec-keyusage",
                "Do not look at the key usage of IPsec certificates",
            ),
            ("required", "A revocation list is required"),
            ("optional", "A revocation list is optional"),
            ("nocheck", "No revocation check"),
            ("disable-nonce", "No nonce in OCSP requests"),
            ("validation-policy", "Which connections may be validated"),
            ("no-chain", "Do not build chains"),
        ],
        extra,
    ).example("id-usage ssl-ipsec"),
        row(
        TRUSTPOINT,
        "crl configure",
        No::Same,
        &[("configure", "Enter the settings of revocation lists")],
        crl_configure,
    ).example("crl configure"),
        row(
        CRL,
        "{ policy { cdp | static | both } | url <index:1-5> <url> | cache-time <minutes:1-1440> \
         | enforcenextupdate | protocol { http | ldap | scep } }",
        No::Same,
        &[
            ("policy", "Where revocation lists come from"),
            ("cdp", "From the certificate"),
            ("static", "From the addresses given here"),
            ("both", "From both"),
            ("index", "Place in the list of addresses"),
            ("cache-time", "How long a list is kept"),
            ("enforcenextupdate", "Respect the NextUpdate field"),
            ("protocol", "Protocol of retrieval"),
            ("http", "HTTP"),
            ("ldap", "LDAP"),
            ("scep", "SCEP"),
        ],
        crl_line,
    ).example("policy static"),
    ],
    kept: kept::CRYPTO,
    print: print::pki::crypto,
    clear: Some(clear_crypto),
    ..Family::EMPTY
};

fn trustpoint(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if !captures.negated() {
        change.outcome.changed = change.config.trustpoints.make(name, Trustpoint::default);
        change.enter(Mode::Trustpoint(name.into()));
        return Ok(());
    }
    let present = change.config.trustpoints.get(name);
    let present = present.ok_or_else(|| Refusal::Missing(Thing::Trustpoint, name.into()))?;
    let enrolled = present.ca_certificate.is_some() || present.identity_certificate.is_some();
    if let Some(by) = usage::of_trustpoint(change.config, name) {
        return Err(Refusal::InUse {
            thing: Thing::Trustpoint,
            name: name.into(),
            by,
        });
    }
    change.config.trustpoints.remove(name);
    change.outcome.changed = true;
    if enrolled {
        change.notice(Notice::CertificatesRemoved);
    }
    Ok(())
}

fn chain(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if !change.config.trustpoints.contains_key(name) {
        return Err(Refusal::Missing(Thing::Trustpoint, name.into()));
    }
    change.enter(Mode::CertificateChain(name.into()));
    Ok(())
}

fn certificate(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let serial = word(captures, "serial")?.to_ascii_lowercase();
    let is_ca = captures.has("ca");
    if !captures.negated() {
        change.state.certificate = Some(PartialCertificate {
            is_ca,
            serial,
            digits: String::new(),
        });
        return Ok(());
    }
    let (_, trustpoint) = current!(change, CertificateChain, trustpoints);
    let place = place(trustpoint, is_ca);
    let matches = place
        .as_ref()
        .is_some_and(|present| same_serial(&present.serial, &serial));
    if !matches {
        return Err(Refusal::NothingToRemove);
    }
    *place = None;
    change.outcome.changed = true;
    if is_ca && trustpoint.identity_certificate.take().is_some() {
        change.notice(Notice::CaRemoved);
    }
    Ok(())
}

fn place(trustpoint: &mut Trustpoint, is_ca: bool) -> &mut Option<Certificate> {
    if is_ca {
        &mut trustpoint.ca_certificate
    } else {
        &mut trustpoint.identity_certificate
    }
}

fn same_serial(first: &str, second: &str) -> bool {
    first.trim_start_matches('0') == second.trim_start_matches('0')
}

/// See [`super::collect`].
pub(super) fn collect(
    config: &mut Config,
    state: &mut ModeState,
    line: &str,
) -> Result<Option<Outcome>, Refusal> {
    let Some(mut partial) = state.certificate.take() else {
        return Ok(None);
    };
    if !line.trim().eq_ignore_ascii_case("quit") {
        for byte in line.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            if !byte.is_ascii_hexdigit() || partial.digits.len() >= CERTIFICATE_DIGITS_MAX {
                return Err(Refusal::BadCertificate);
            }
            partial.digits.push(char::from(byte));
        }
        state.certificate = Some(partial);
        return Ok(None);
    }
    let der = from_hex(&partial.digits).filter(|der| is_one_sequence(der));
    let der = der.ok_or(Refusal::BadCertificate)?;
    let Mode::CertificateChain(name) = &state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let trustpoint = config.trustpoints.get_mut(name);
    let trustpoint = trustpoint.ok_or_else(|| Refusal::Missing(Thing::Trustpoint, name.clone()))?;
    let place = place(trustpoint, partial.is_ca);
    if let Some(present) = place
        && !same_serial(&present.serial, &partial.serial)
    {
        return Err(Refusal::CertificatePresent(present.serial.clone()));
    }
    let certificate = Certificate {
        serial: partial.serial,
        der,
    };
    let mut outcome = Outcome::default();
    outcome.set(place, Some(certificate));
    Ok(Some(outcome))
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut pairs = digits.as_bytes().chunks_exact(2);
    for pair in &mut pairs {
        let pair = core::str::from_utf8(pair).ok()?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
    }
    pairs.remainder().is_empty().then_some(bytes)
}

/// Whether the bytes are one DER SEQUENCE and nothing after it (X.690 §8.1); what is in it is for
/// the certificate parser to judge.
fn is_one_sequence(der: &[u8]) -> bool {
    let (len, content) = match der {
        [0x30, len @ 0..=0x7f, content @ ..] => (usize::from(*len), content),
        [0x30, 0x81, len, content @ ..] => (usize::from(*len), content),
        [0x30, 0x82, high, low, content @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), content)
        }
        _ => return false,
    };
    content.len() == len
}

fn enrollment(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let negated = captures.negated();
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    if captures.has("count") && captures.has("retry") && !captures.has("period") {
        let count = number_unless(negated, captures, "count")?;
        change.outcome.set(&mut trustpoint.retry_count, count);
    } else if captures.has("retry") {
        let minutes = number_unless(negated, captures, "minutes")?;
        change
            .outcome
            .set(&mut trustpoint.retry_period_mins, minutes);
    } else if negated || captures.has("self") || captures.has("terminal") {
        let enrollment = if negated {
            Enrollment::None
        } else if captures.has("self") {
            Enrollment::SelfSigned
        } else {
            Enrollment::Terminal
        };
        change.outcome.set(&mut trustpoint.enrollment, enrollment);
    } else {
        let url = captures.values("url").find_map(|value| match value {
            cli::grammar::Value::Word(url) => Some(url),
            _ => None,
        });
        let url = url.ok_or(Refusal::Invalid { offset: 0 })?;
        let enrollment = Enrollment::Url(url.into());
        change.outcome.set(&mut trustpoint.enrollment, enrollment);
        change.notice(Notice::KeptOnly("enrollment url"));
    }
    Ok(())
}

fn number_unless(
    negated: bool,
    captures: &Captures<'_>,
    name: &str,
) -> Result<Option<u8>, Refusal> {
    if negated {
        return Ok(None);
    }
    let number = captures.values(name).find_map(|value| match value {
        cli::grammar::Value::Number(number) => u8::try_from(number).ok(),
        _ => None,
    });
    number.map(Some).ok_or(Refusal::Invalid { offset: 0 })
}

/// The argument `name`, which may share its name with a keyword.
fn argument<'a>(captures: &Captures<'a>, name: &str) -> Option<&'a str> {
    captures.values(name).find_map(|value| match value {
        cli::grammar::Value::Word(word) => Some(word),
        _ => None,
    })
}

fn fqdn(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let fqdn = if captures.negated() {
        Fqdn::Default
    } else if let Some(name) = argument(captures, "fqdn") {
        Fqdn::Name(name.into())
    } else {
        Fqdn::Absent
    };
    change.outcome.set(&mut trustpoint.fqdn, fqdn);
    Ok(())
}

fn subject_name(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let subject = match captures.negated() {
        true => None,
        false => Some(text(captures, "subject")?.into()),
    };
    change.outcome.set(&mut trustpoint.subject_name, subject);
    Ok(())
}

fn keypair(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let keypair = argument(captures, "keypair").filter(|_| !captures.negated());
    let keypair = keypair.map(Into::into);
    change.outcome.set(&mut trustpoint.keypair, keypair);
    Ok(())
}

fn ip_address(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let absent = captures.negated() || captures.has("none");
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let address = if absent {
        None
    } else {
        Some(ip(captures, "address")?)
    };
    change.outcome.set(&mut trustpoint.ip_address, address);
    Ok(())
}

fn email(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let email = argument(captures, "email").filter(|_| !captures.negated());
    change
        .outcome
        .set(&mut trustpoint.email, email.map(Into::into));
    Ok(())
}

fn serial_number(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let named = !captures.negated();
    change.outcome.set(&mut trustpoint.serial_number, named);
    Ok(())
}

fn client_types(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let types = [("ipsec", ClientType::Ipsec), ("ssl", ClientType::Ssl)]
        .into_iter()
        .filter(|(keyword, _)| !captures.negated() && captures.has(keyword))
        .map(|(_, kind)| kind)
        .collect();
    change.outcome.set(&mut trustpoint.client_types, types);
    Ok(())
}

fn validation_usage(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let named = |usage: &ValidationUsage| !captures.negated() && captures.has(usage.keyword());
    let usages = ValidationUsage::ALL.into_iter().filter(named).collect();
    change.outcome.set(&mut trustpoint.validation_usage, usages);
    Ok(())
}

fn revocation_check(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let mut methods = Vec::new();
    for keyword in captures.keywords() {
        let method = match keyword {
            "none" => RevocationMethod::None,
            "crl" => RevocationMethod::Crl,
            "ocsp" => RevocationMethod::Ocsp,
            _ => continue,
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    let inactive = methods
        .iter()
        .any(|method| *method != RevocationMethod::None);
    if captures.negated() {
        methods.clear();
    }
    change
        .outcome
        .set(&mut trustpoint.revocation_check, methods);
    if inactive && !captures.negated() {
        change.notice(Notice::KeptOnly("revocation-check by crl or ocsp"));
    }
    Ok(())
}

fn ca_check(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    change
        .outcome
        .set(&mut trustpoint.ca_check, !captures.negated());
    Ok(())
}

fn extra(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Trustpoint, trustpoints);
    keep_line(&mut change.outcome, &mut trustpoint.extra, captures);
    Ok(())
}

fn crl_configure(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (name, trustpoint) = current!(change, Trustpoint, trustpoints);
    let outcome = &mut change.outcome;
    outcome.set(&mut trustpoint.has_crl, !captures.negated());
    if captures.negated() {
        outcome.set(&mut trustpoint.crl, BTreeMap::new());
    } else {
        change.enter(Mode::Crl(name));
        change.notice(Notice::KeptOnly("crl configure"));
    }
    Ok(())
}

fn crl_line(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, trustpoint) = current!(change, Crl, trustpoints);
    keep_line(&mut change.outcome, &mut trustpoint.crl, captures);
    Ok(())
}

/// Keeps a line whose setting is named by its first word (and, for lists, its number).
fn keep_line(outcome: &mut Outcome, lines: &mut BTreeMap<String, String>, captures: &Captures<'_>) {
    let line = super::kept::canonical(captures);
    let first = captures.first_keyword().unwrap_or_default();
    let key = match captures.number("index") {
        Some(index) => format!("{first} {index}"),
        None => first.into(),
    };
    if captures.negated() {
        outcome.changed = lines.remove(&key).is_some();
    } else {
        outcome.set(lines.entry(key).or_default(), line);
    }
}

/// Removes every trustpoint with its certificates.
fn clear_crypto(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    for name in config.trustpoints.keys() {
        if let Some(by) = usage::of_trustpoint(config, name) {
            return Err(Refusal::InUse {
                thing: Thing::Trustpoint,
                name: name.clone(),
                by,
            });
        }
    }
    let is_enrolled = |trustpoint: &Trustpoint| {
        trustpoint.ca_certificate.is_some() || trustpoint.identity_certificate.is_some()
    };
    if config.trustpoints.values().any(is_enrolled) {
        change.outcome.notices.push(Notice::CertificatesRemoved);
    }
    change.outcome.set(&mut config.trustpoints, Named::new());
    Ok(())
}
