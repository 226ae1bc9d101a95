//! A way back for who has lost the passwords, and no way to the keys.
//!
//! A break on the line soon after the start ([`RECOVERY_WINDOW`]) ends whatever session there is and
//! asks what to do. Whoever holds the console cable need not be the owner of the box, so what the keys
//! protect goes with the passwords: the configuration stays, private keys and the secrets shared with
//! time servers are overwritten. With `no service password-recovery` nothing is left but to erase all.
//!
//! [`RECOVERY_WINDOW`]: crate::state::RECOVERY_WINDOW

use alloc::string::String;
use alloc::vec::Vec;

use config::Config;
use config::print::Secrets;

use super::exec::{document, save_error};
use super::session::{Gone, Session};
use crate::messages::Effect;
use crate::print::put_line;
use crate::state::{Core, SaveError};

/// What messages call whoever sent the break.
const WHO: &str = "console";

/// Asks what to do after a break.
pub(super) async fn converse(session: &mut Session) -> Result<(), Gone> {
    let (is_closed, is_allowed) = {
        let core = session.core();
        let config = &core.config;
        (needs_password(config), config.password_recovery)
    };
    session.say("\n\nPassword recovery\n").await?;
    match (is_closed, is_allowed) {
        (false, _) => {
            session
                .say("INFO: no password is set, 'enable' sets one\n\n")
                .await
        }
        (true, true) => remove_passwords(session).await,
        (true, false) => erase_all(session).await,
    }
}

/// Whether a password stands between the console and the box.
pub(crate) fn needs_password(config: &Config) -> bool {
    let access = &config.access;
    config.enable_password.is_some()
        || !config.enable_level_passwords.is_empty()
        || (access.serial_login && !access.users.is_empty())
}

async fn remove_passwords(session: &mut Session) -> Result<(), Gone> {
    session
        .say(
            "Passwords and local users of this box can be removed. Its private keys and the keys of its \
             time\nservers are erased with them, and every trustpoint has to be enrolled again.\n",
        )
        .await?;
    if !session
        .yes_no("Remove the passwords and erase the keys? [yes/no]: ")
        .await?
    {
        return session.say("INFO: nothing was changed\n\n").await;
    }
    let report = {
        let mut core = session.core();
        let pairs = forget_secrets(&mut core);
        core.executed(WHO, "password recovery", Effect::Action);
        let mut report = String::new();
        put_line!(
            &mut report,
            "INFO: passwords and users are removed, {pairs} key pair(s) erased"
        );
        match save_twice(&mut core) {
            Ok(()) => report.push_str("[OK]\n\n"),
            // Without a disk nothing was kept in the first place.
            Err(SaveError::NoDisk) => report.push('\n'),
            Err(error) => report.push_str(&save_error(error)),
        }
        report
    };
    session.say(&report).await
}

/// Takes passwords, users and keys out of what is in force. Returns how many key pairs there were.
fn forget_secrets(core: &mut Core) -> usize {
    // A commit that waits would bring the passwords back.
    core.unconfirmed = None;
    core.drafts.clear();
    let access = &mut core.config.access;
    access.users.clear();
    access.serial_login = false;
    access.enable_by_user = false;
    core.config.enable_password = None;
    core.config.enable_level_passwords.clear();
    core.config.ntp.forget_keys();
    let pairs = core.keys.zeroize_where(|_| true);
    core.note_change(WHO);
    core.settle();
    pairs
}

/// Saves to one slot and then to the other, so that neither holds the keys any more.
fn save_twice(core: &mut Core) -> Result<(), SaveError> {
    let text = document(core, Secrets::Shown, Some(WHO));
    core.save(text.clone())?;
    core.save(text)
}

async fn erase_all(session: &mut Session) -> Result<(), Gone> {
    session
        .say(
            "Password recovery is disabled on this box. The only way in is to erase its configuration, its \
             keys\nand all of its files.\n",
        )
        .await?;
    if !session
        .yes_no("Erase everything and restart? [yes/no]: ")
        .await?
    {
        return session.say("INFO: nothing was changed\n\n").await;
    }
    let outcome = {
        let mut core = session.core();
        core.erase()
            .map_err(save_error)
            .and_then(|()| erase_files(&mut core))
    };
    match outcome {
        Ok(()) => {
            session.say("[OK]\n").await?;
            super::line::drain(session.shared()).await;
            session.core().reset();
            Err(Gone)
        }
        Err(error) => session.say(&error).await,
    }
}

/// Overwrites every file of the disk.
fn erase_files(core: &mut Core) -> Result<(), String> {
    let Ok(list) = core.file_list() else {
        return Ok(());
    };
    let names: Vec<String> = list.iter().map(|file| String::from(file.name())).collect();
    for name in names {
        core.file_delete(&name, true)
            .map_err(|error| alloc::format!("ERROR: {name}: {error}\n[FAILED]\n"))?;
    }
    Ok(())
}
