//! The certificate dialogues: keys, enrolment, and certificates pasted in and shown.
//!
//! Each runs as the ASA's does, so that its words can be waited for by a script. What is refused
//! changes nothing: configuration and key store are touched only after the last question.

mod certificates;
mod enroll;
mod keys;

use alloc::string::String;

use cli::grammar::Captures;
use config::model::{Fqdn, Trustpoint};

use super::commands::Command;
use super::session::{Gone, Session};
use crate::state::Core;

/// Runs a dialogue. Returns false if `command` is none of these.
pub(super) async fn run(
    session: &mut Session,
    command: Command,
    words: &Captures<'_>,
) -> Result<bool, Gone> {
    match command {
        Command::CryptoGenerateRsa => keys::generate_rsa(session, words).await?,
        Command::CryptoGenerateEcdsa => keys::generate_ecdsa(session, words).await?,
        Command::CryptoZeroize => keys::zeroize(session, words).await?,
        Command::CryptoAuthenticate => certificates::authenticate(session, words).await?,
        Command::CryptoEnroll => enroll::enroll(session, words).await?,
        Command::CryptoImport => certificates::import_identity(session, words).await?,
        Command::CryptoExport => certificates::export(session, words).await?,
        _ => return Ok(false),
    }
    Ok(true)
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

/// The name that the certificate of a trustpoint is for, if any.
fn fqdn_of(core: &Core, trustpoint: &Trustpoint) -> Option<String> {
    match &trustpoint.fqdn {
        Fqdn::Absent => None,
        Fqdn::Name(name) => Some(name.clone()),
        Fqdn::Default => Some(system_fqdn(core)),
    }
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
