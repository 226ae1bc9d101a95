//! Enrolment: a certificate signed by ourselves, or a request for one by a CA.

use alloc::string::String;

use cli::grammar::Captures;
use config::model::{Certificate, Enrollment as EnrollmentKind};
use hal::entropy::Entropy;
use pki::pem::{self, Label};
use pki::{CertificateInfo, DEFAULT_RSA_LABEL, Enrollment};
use syslog::Message;

use super::{fqdn_of, store, system_fqdn, trustpoint, wall_secs};
use crate::console::exec::serial_number;
use crate::console::session::{Gone, Session};
use crate::state::Core;

pub(super) async fn enroll(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
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
        session.core().log(&Message::KeypairMissing);
        return session
            .say(&alloc::format!(
                "ERROR: key pair {label} does not exist; use 'crypto key generate rsa label {label}'\n"
            ))
            .await;
    }
    let is_sure = words.has("noconfirm");
    let system_fqdn = system_fqdn(&session.core());
    let fqdn = fqdn_of(&session.core(), &trustpoint);
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
        Err(error) => {
            session.core().log(&Message::EnrollmentFailed {
                trustpoint: name,
                reason: &error,
            });
            session.say(&alloc::format!("ERROR: {error}\n")).await
        }
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
