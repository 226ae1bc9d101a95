//! Key pairs: made, and destroyed.

use alloc::string::String;

use cli::grammar::Captures;
use pki::key::ModulusChoice;
use pki::{Curve, DEFAULT_RSA_LABEL, KeyAlgorithm, KeyPair, Progress, RsaBits, RsaGeneration};

use crate::console::session::{Gone, Session};
use crate::tasks::yield_now;

/// Modulus of a key pair if the command does not say.
const DEFAULT_MODULUS: u16 = 2048;

pub(super) async fn generate_rsa(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
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

pub(super) async fn generate_ecdsa(
    session: &mut Session,
    words: &Captures<'_>,
) -> Result<(), Gone> {
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
        let by = session.name();
        let mut core = session.core();
        let kept = core.keys.insert(pair);
        core.note_change(&by);
        kept
    };
    match kept {
        Ok(()) => Ok(()),
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

pub(super) async fn zeroize(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
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
    let by = session.name();
    let mut core = session.core();
    core.keys.zeroize_where(meant);
    core.note_change(&by);
    Ok(())
}
