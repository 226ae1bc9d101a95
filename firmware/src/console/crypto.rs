//! The certificate dialogues: keys, enrolment, and certificates pasted in and shown.
//!
//! Each runs as the ASA's does, so that its words can be waited for by a script. What is refused
//! changes nothing: configuration and key store are touched only after the last question.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use config::model::{Certificate, Enrollment as EnrollmentKind, Fqdn, Trustpoint};
use hal::entropy::Entropy;
use pki::key::ModulusChoice;
use pki::pem::{self, Label};
use pki::{
    CertificateInfo, Curve, DEFAULT_RSA_LABEL, Enrollment, Fingerprints, KeyAlgorithm, KeyPair,
    Progress, RsaBits, RsaGeneration, certificate::Grouped, import,
};

use super::commands::Command;
use super::session::{Gone, Session};
use crate::state::Core;
use crate::tasks::yield_now;

/// Modulus of a key pair if the command does not say.
const DEFAULT_MODULUS: u16 = 2048;

/// Runs a dialogue. Returns false if `command` is none of these.
pub(super) async fn run(
    session: &mut Session,
    command: Command,
    words: &Captures<'_>,
) -> Result<bool, Gone> {
    match command {
        Command::CryptoGenerateRsa => generate_rsa(session, words).await?,
        Command::CryptoGenerateEcdsa => generate_ecdsa(session, words).await?,
        Command::CryptoZeroize => zeroize(session, words).await?,
        Command::CryptoAuthenticate => authenticate(session, words).await?,
        Command::CryptoEnroll => enroll(session, words).await?,
        Command::CryptoImport => import_identity(session, words).await?,
        Command::CryptoExport => export(session, words).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

async fn generate_rsa(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let label = String::from(words.word("label").unwrap_or(DEFAULT_RSA_LABEL));
    let asked = words
        .number("bits")
        .map_or(DEFAULT_MODULUS, |bits| bits as u16);
    let Some(choice) = RsaBits::choose(asked) else {
        return session
            .say("ERROR: modulus must be 2048, 3072 or 4096\n")
            .await;
    };
    if !may_replace(session, &label, words.has("noconfirm")).await? {
        return Ok(());
    }
    if let Some(warning) = ModulusChoice::warning(choice) {
        session.say(&alloc::format!("{warning}\n")).await?;
    }
    session
        .say(&alloc::format!(
            "INFO: The name for the keys will be: {label}\n"
        ))
        .await?;
    session
        .say("Keypair generation process begin. Please wait...\n")
        .await?;
    let started = {
        let mut core = session.core();
        let generated_at = core.wall.unix_secs(core.now());
        RsaGeneration::start(choice.bits(), &label, generated_at, &mut *core.entropy)
    };
    let mut generation = match started {
        Ok(generation) => generation,
        Err(error) => return session.say(&alloc::format!("ERROR: {error}\n")).await,
    };
    // A step takes about a millisecond; packets pass between the steps.
    let pair = loop {
        let progress = generation.step(&mut *session.core().entropy);
        match progress {
            Ok(Progress::Working) => yield_now().await,
            Ok(Progress::Done(pair)) => break pair,
            Err(error) => return session.say(&alloc::format!("ERROR: {error}\n")).await,
        }
    };
    keep(session, *pair).await
}

async fn generate_ecdsa(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let label = String::from(words.word("label").unwrap_or("<Default-ECDSA-Key>"));
    let Some(curve) = Curve::from_bits(words.number("bits").unwrap_or(256) as u16) else {
        return session
            .say("ERROR: elliptic-curve must be 256 or 384\n")
            .await;
    };
    if !may_replace(session, &label, words.has("noconfirm")).await? {
        return Ok(());
    }
    session
        .say(&alloc::format!(
            "INFO: The name for the keys will be: {label}\n"
        ))
        .await?;
    session
        .say("Keypair generation process begin. Please wait...\n")
        .await?;
    let generated_at = {
        let core = session.core();
        core.wall.unix_secs(core.now())
    };
    match KeyPair::generate_ecdsa(&label, curve, generated_at) {
        Ok(pair) => keep(session, pair).await,
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

async fn may_replace(session: &mut Session, label: &str, is_sure: bool) -> Result<bool, Gone> {
    if is_sure || session.core().keys.get(label).is_none() {
        return Ok(true);
    }
    session
        .say(&alloc::format!(
            "WARNING: You already have keys defined named {label}.\n\n"
        ))
        .await?;
    session
        .yes_no("Do you really want to replace them? [yes/no]: ")
        .await
}

async fn keep(session: &mut Session, pair: KeyPair) -> Result<(), Gone> {
    let kept = {
        let mut core = session.core();
        let kept = core.keys.insert(pair);
        core.note_change();
        kept
    };
    match kept {
        Ok(()) => Ok(()),
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

async fn zeroize(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let label = words.word("label").map(String::from);
    let is_rsa = words.has("rsa");
    let kind = if is_rsa { "RSA" } else { "ECDSA" };
    let meant = move |pair: &KeyPair| {
        matches!(pair.algorithm(), KeyAlgorithm::Rsa(_)) == is_rsa
            && label.as_deref().is_none_or(|label| pair.label() == label)
    };
    if !session.core().keys.iter().any(&meant) {
        return session
            .say(&alloc::format!("ERROR: there is no such {kind} key pair\n"))
            .await;
    }
    if !words.has("noconfirm") {
        session
            .say(&alloc::format!(
                "WARNING: {kind} keys will be removed.\nWARNING: All device certificates issued \
                 using these keys will no longer work.\n\n"
            ))
            .await?;
        if !session
            .yes_no("Do you really want to remove these keys? [yes/no]: ")
            .await?
        {
            return Ok(());
        }
    }
    let mut core = session.core();
    core.keys.zeroize_where(meant);
    core.note_change();
    Ok(())
}

async fn authenticate(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some((name, trustpoint)) = trustpoint(session, words).await? else {
        return Ok(());
    };
    match trustpoint.enrollment {
        EnrollmentKind::Terminal => {}
        EnrollmentKind::Url(_) => {
            return session
                .say(
                    "ERROR: enrollment over the network is not supported; configure \
                     'enrollment terminal' and paste the certificate\n",
                )
                .await;
        }
        EnrollmentKind::SelfSigned | EnrollmentKind::None => {
            return session
                .say("ERROR: the trustpoint must be configured with 'enrollment terminal'\n")
                .await;
        }
    }
    if trustpoint.ca_certificate.is_some() {
        return session
            .say(&alloc::format!(
                "ERROR: trustpoint '{name}' is already authenticated; delete its CA certificate \
                 (crypto ca certificate chain) before it can be authenticated again\n"
            ))
            .await;
    }
    session
        .say(
            "Enter the base 64 encoded CA certificate.\n\
             End with the word \"quit\" on a line by itself\n",
        )
        .await?;
    let Some(text) = session.paste().await? else {
        return Ok(());
    };
    let now = wall_secs(&session.core());
    let imported = match import::authority(&text, now) {
        Ok(imported) => imported,
        Err(error) => {
            return session
                .say(&alloc::format!(
                    "\nERROR: {error}\n% Error in saving certificate: status = FAIL\n"
                ))
                .await;
        }
    };
    session
        .say("\nINFO: Certificate has the following attributes:\n")
        .await?;
    let digests = Fingerprints::of(&imported.der);
    session
        .say(&alloc::format!(
            "Fingerprint:     {}\n",
            Grouped(&digests.md5)
        ))
        .await?;
    session
        .say(&alloc::format!(
            "SHA-256:         {}\n",
            Grouped(&digests.sha256)
        ))
        .await?;
    for warning in &imported.warnings {
        session.say(&alloc::format!("WARNING: {warning}\n")).await?;
    }
    if !words.has("nointeractive")
        && !session
            .yes_no("Do you accept this certificate? [yes/no]: ")
            .await?
    {
        return session.say("\n% Certificate not accepted\n").await;
    }
    let certificate = Certificate {
        serial: imported.info.serial_hex(),
        der: imported.der,
    };
    if !store(session, &name, |trustpoint| {
        trustpoint.ca_certificate = Some(certificate)
    }) {
        return session.say("ERROR: the trustpoint is gone\n").await;
    }
    session
        .say("\nTrustpoint CA certificate accepted.\n\n% Certificate successfully imported\n")
        .await
}

async fn enroll(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some((name, trustpoint)) = trustpoint(session, words).await? else {
        return Ok(());
    };
    let is_self_signed = match trustpoint.enrollment {
        EnrollmentKind::SelfSigned => true,
        EnrollmentKind::Terminal => false,
        EnrollmentKind::Url(_) => {
            return session
                .say(
                    "ERROR: enrollment over the network is not supported; configure \
                     'enrollment terminal'\n",
                )
                .await;
        }
        EnrollmentKind::None => {
            return session
                .say("ERROR: configure 'enrollment self' or 'enrollment terminal' first\n")
                .await;
        }
    };
    if !is_self_signed && trustpoint.ca_certificate.is_none() {
        return session
            .say(&alloc::format!(
                "ERROR: authenticate trustpoint '{name}' first\n"
            ))
            .await;
    }
    let label = String::from(trustpoint.keypair.as_deref().unwrap_or(DEFAULT_RSA_LABEL));
    if session.core().keys.get(&label).is_none() {
        return session
            .say(&alloc::format!(
                "ERROR: key pair {label} does not exist; use 'crypto key generate rsa label {label}'\n"
            ))
            .await;
    }
    let is_sure = words.has("noconfirm");
    let system_fqdn = system_fqdn(&session.core());
    let fqdn = match &trustpoint.fqdn {
        Fqdn::Absent => None,
        Fqdn::Name(name) => Some(name.clone()),
        Fqdn::Default => Some(system_fqdn.clone()),
    };
    if fqdn.as_ref().is_some_and(|fqdn| *fqdn != system_fqdn) && !is_sure {
        session
            .say(
                "% WARNING: The certificate enrollment is configured with an fqdn\n\
                 that differs from the system fqdn. If this certificate will be\n\
                 used for VPN authentication this may cause connection problems.\n\n",
            )
            .await?;
        if !session
            .yes_no("Would you like to continue with this enrollment? [yes/no]: ")
            .await?
        {
            return Ok(());
        }
    }
    if trustpoint.identity_certificate.is_some() && !is_sure {
        session
            .say("% The trustpoint has an identity certificate already.\n")
            .await?;
        if !session
            .yes_no("Would you like to replace it? [yes/no]: ")
            .await?
        {
            return Ok(());
        }
    }
    if !is_self_signed {
        session.say("% Start certificate enrollment ..\n").await?;
    }
    let mut wanted = Enrollment {
        subject_name: trustpoint.subject_name.as_deref(),
        fqdn: fqdn.as_deref(),
        ip_address: trustpoint.ip_address,
        email: trustpoint.email.as_deref(),
        serial_number: None,
    };
    if let Err(error) = pki::enroll::check(&wanted) {
        return session.say(&alloc::format!("ERROR: {error}\n")).await;
    }
    if trustpoint.subject_name.is_some() && !is_self_signed {
        let subject = pki::enroll::shown_subject(&wanted);
        session
            .say(&alloc::format!(
                "% The subject name in the certificate will be: {subject}\n"
            ))
            .await?;
    }
    if let Some(fqdn) = &fqdn {
        session
            .say(&alloc::format!(
                "% The fully-qualified domain name in the certificate will be: {fqdn}\n"
            ))
            .await?;
    }
    if let Some(address) = trustpoint.ip_address {
        session
            .say(&alloc::format!(
                "% The IP address in the certificate is {address}\n"
            ))
            .await?;
    }
    let serial = serial_number(&session.core());
    let with_serial = if is_sure {
        trustpoint.serial_number
    } else {
        session
            .yes_no("% Include the device serial number in the subject name? [yes/no]: ")
            .await?
    };
    if with_serial {
        session
            .say(&alloc::format!(
                "% The serial number in the certificate will be: {serial}\n"
            ))
            .await?;
        wanted.serial_number = Some(&serial);
    }
    if is_self_signed {
        enroll_self(session, &name, &label, &wanted, is_sure).await
    } else {
        request(session, &label, &wanted, is_sure).await
    }
}

async fn enroll_self(
    session: &mut Session,
    name: &str,
    label: &str,
    wanted: &Enrollment<'_>,
    is_sure: bool,
) -> Result<(), Gone> {
    if !is_sure {
        session.say("\n").await?;
        if !session
            .yes_no("Generate Self-Signed Certificate? [yes/no]: ")
            .await?
        {
            return Ok(());
        }
    }
    let made = {
        let mut core = session.core();
        match wall_secs(&core) {
            None => Err(String::from("the clock is not set; use 'clock set' first")),
            Some(now) => {
                let Core { keys, entropy, .. } = &mut *core;
                match keys.get(label) {
                    None => Err(String::from("the key pair is gone")),
                    Some(key) => {
                        let random: &mut dyn Entropy = &mut **entropy;
                        pki::enroll::self_signed(key, wanted, random, now)
                            .map_err(|error| alloc::format!("{error}"))
                    }
                }
            }
        }
    };
    let certificate = made.and_then(|der| match CertificateInfo::parse(&der) {
        Ok(info) => Ok(Certificate {
            serial: info.serial_hex(),
            der,
        }),
        Err(error) => Err(alloc::format!("{error}")),
    });
    match certificate {
        Ok(certificate) => {
            store(session, name, |trustpoint| {
                trustpoint.identity_certificate = Some(certificate)
            });
            Ok(())
        }
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

async fn request(
    session: &mut Session,
    label: &str,
    wanted: &Enrollment<'_>,
    is_sure: bool,
) -> Result<(), Gone> {
    let made = {
        let core = session.core();
        core.keys
            .get(label)
            .map(|key| pki::enroll::signing_request(key, wanted))
    };
    let der = match made {
        Some(Ok(der)) => der,
        Some(Err(error)) => return session.say(&alloc::format!("ERROR: {error}\n")).await,
        None => return session.say("ERROR: the key pair is gone\n").await,
    };
    if !is_sure
        && !session
            .yes_no("Display Certificate Request to terminal? [yes/no]: ")
            .await?
    {
        return Ok(());
    }
    loop {
        session.say("Certificate Request follows:\n").await?;
        session
            .say(&pem::encode(Label::CertificateRequest, &der))
            .await?;
        session.say("\n").await?;
        if is_sure
            || !session
                .yes_no("Redisplay enrollment request? [yes/no]: ")
                .await?
        {
            return Ok(());
        }
    }
}

async fn import_identity(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some((name, trustpoint)) = trustpoint(session, words).await? else {
        return Ok(());
    };
    if trustpoint.enrollment != EnrollmentKind::Terminal {
        return session
            .say("ERROR: the trustpoint must be configured with 'enrollment terminal'\n")
            .await;
    }
    if trustpoint.ca_certificate.is_none() {
        return session
            .say(&alloc::format!(
                "ERROR: authenticate trustpoint '{name}' first\n"
            ))
            .await;
    }
    let fqdn = match &trustpoint.fqdn {
        Fqdn::Absent => None,
        Fqdn::Name(name) => Some(name.clone()),
        Fqdn::Default => Some(system_fqdn(&session.core())),
    };
    if let Some(fqdn) = fqdn {
        session
            .say(&alloc::format!(
                "\n% The fully-qualified domain name in the certificate will be: {fqdn}\n"
            ))
            .await?;
    }
    session
        .say(
            "\nEnter the base 64 encoded certificate.\n\
             End with the word \"quit\" on a line by itself\n",
        )
        .await?;
    let Some(text) = session.paste().await? else {
        return Ok(());
    };
    let imported = {
        let core = session.core();
        let label = trustpoint.keypair.as_deref().unwrap_or(DEFAULT_RSA_LABEL);
        let others = core.config.trustpoints.values();
        // The trustpoint's own CA certificate first, then those of the others.
        let authorities: Vec<&[u8]> = core::iter::once(&trustpoint)
            .chain(others)
            .filter_map(|trustpoint| Some(trustpoint.ca_certificate.as_ref()?.der.as_slice()))
            .collect();
        match core.keys.get(label) {
            None => Err(alloc::format!("key pair {label} does not exist")),
            Some(key) => import::identity(&text, key, authorities, wall_secs(&core))
                .map_err(|error| alloc::format!("{error}")),
        }
    };
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            return session
                .say(&alloc::format!(
                    "\nERROR: {error}\nERROR: Failed to import certificate\n"
                ))
                .await;
        }
    };
    for warning in &imported.warnings {
        session.say(&alloc::format!("WARNING: {warning}\n")).await?;
    }
    let certificate = Certificate {
        serial: imported.info.serial_hex(),
        der: imported.der,
    };
    if !store(session, &name, |trustpoint| {
        trustpoint.identity_certificate = Some(certificate)
    }) {
        return session.say("ERROR: the trustpoint is gone\n").await;
    }
    session
        .say("INFO: Certificate successfully imported\n")
        .await
}

async fn export(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some((name, trustpoint)) = trustpoint(session, words).await? else {
        return Ok(());
    };
    let Some(certificate) = trustpoint.identity_certificate else {
        return session
            .say(&alloc::format!(
                "ERROR: trustpoint '{name}' holds no identity certificate\n"
            ))
            .await;
    };
    session
        .say("\nThe PEM encoded identity certificate follows:\n\n")
        .await?;
    session
        .say(&pem::encode(Label::Certificate, &certificate.der))
        .await?;
    session.say("\n").await
}

/// The trustpoint that a command names, copied; says so if there is none.
async fn trustpoint(
    session: &mut Session,
    words: &Captures<'_>,
) -> Result<Option<(String, Trustpoint)>, Gone> {
    let name = String::from(words.word("trustpoint").unwrap_or_default());
    let found = session.core().config.trustpoints.get(&name).cloned();
    match found {
        Some(trustpoint) => Ok(Some((name, trustpoint))),
        None => {
            session
                .say(&alloc::format!(
                    "ERROR: trustpoint '{name}' does not exist\n"
                ))
                .await?;
            Ok(None)
        }
    }
}

/// Changes a trustpoint in place. Returns false if it is gone.
fn store(session: &Session, name: &str, change: impl FnOnce(&mut Trustpoint)) -> bool {
    let mut core = session.core();
    let Some(trustpoint) = core.config.trustpoints.get_mut(name) else {
        return false;
    };
    change(trustpoint);
    core.note_change();
    true
}

/// UTC seconds since 1970, while the clock is set.
fn wall_secs(core: &Core) -> Option<u64> {
    core.wall.is_set().then(|| core.wall.unix_secs(core.now()))
}

/// Host name and domain name of the box.
fn system_fqdn(core: &Core) -> String {
    match &core.config.domain_name {
        Some(domain) => alloc::format!("{}.{domain}", core.config.hostname),
        None => core.config.hostname.clone(),
    }
}

/// The serial number of the box: that of its first port.
fn serial_number(core: &Core) -> String {
    let mac = core
        .ports
        .first()
        .map(crate::ports::Port::mac)
        .unwrap_or_default();
    let mut serial = String::from("SP");
    for byte in mac.0 {
        serial.push_str(&alloc::format!("{byte:02X}"));
    }
    serial
}
