//! Certificates pasted in, and shown to be carried elsewhere.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use config::model::{Certificate, Enrollment as EnrollmentKind};
use pki::certificate::Grouped;
use pki::pem::{self, Label};
use pki::{DEFAULT_RSA_LABEL, Fingerprints, import};
use syslog::Message;

use super::{fqdn_of, store, trustpoint, wall_secs};
use crate::console::place::{self, Place};
use crate::console::session::{Gone, Session};

pub(super) async fn authenticate(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
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
    let Some(text) = entered(session, words, "Enter the base 64 encoded CA certificate.").await?
    else {
        return Ok(());
    };
    let now = wall_secs(&session.core());
    let imported = match import::authority(&text, now) {
        Ok(imported) => imported,
        Err(error) => {
            session.core().log(&Message::CertificateInvalid {
                reason: &alloc::format!("{error}"),
            });
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
        .core()
        .log(&Message::CertificateReceived { trustpoint: &name });
    session
        .say("\nTrustpoint CA certificate accepted.\n\n% Certificate successfully imported\n")
        .await
}

/// The text of a certificate: pasted after `request`, or from the place the command names. `None` if
/// there is none, which was said.
async fn entered(
    session: &mut Session,
    words: &Captures<'_>,
    request: &str,
) -> Result<Option<String>, Gone> {
    let Some(source) = words.word("source") else {
        session
            .say(&alloc::format!(
                "{request}\nEnd with the word \"quit\" on a line by itself\n"
            ))
            .await?;
        return session.paste().await;
    };
    match Place::parse(source) {
        Ok(place) => {
            let text = place::read_text(session, &place).await?;
            Ok(text.map(|text| String::from(text.as_str())))
        }
        Err(error) => {
            session.say(&alloc::format!("{error}\n")).await?;
            Ok(None)
        }
    }
}

pub(super) async fn import_identity(
    session: &mut Session,
    words: &Captures<'_>,
) -> Result<(), Gone> {
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
    let fqdn = fqdn_of(&session.core(), &trustpoint);
    if let Some(fqdn) = fqdn {
        session
            .say(&alloc::format!(
                "\n% The fully-qualified domain name in the certificate will be: {fqdn}\n"
            ))
            .await?;
    }
    let Some(text) = entered(session, words, "\nEnter the base 64 encoded certificate.").await?
    else {
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
            session.core().log(&Message::InstallFailed {
                trustpoint: &name,
                reason: &error,
            });
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
        .core()
        .log(&Message::CertificateReceived { trustpoint: &name });
    session
        .say("INFO: Certificate successfully imported\n")
        .await
}

pub(super) async fn export(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
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
