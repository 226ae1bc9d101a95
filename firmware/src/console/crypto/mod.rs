//! The certificate dialogues: keys, enrolment, and certificates pasted in and shown.
//!
//! Each runs as the ASA's does, so that its words can be waited for by a script. What is refused
//! changes nothing: configuration and key store are touched only after the last question.

mod certificates;
mod enroll;
mod keys;
mod show;

use alloc::string::String;

use cli::grammar::Captures;
use config::model::{Fqdn, Trustpoint};

use super::declare::{CONFIG, PRIVILEGED, Rows, show, talk};
use super::session::{Gone, Session};
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show crypto ca certificates [<trustpoint:word>]",
        show::certificates,
        &[
            ("crypto", "Keys and certificates"),
            ("ca", "Certificates"),
            ("certificates", "The certificates of the trustpoints"),
            ("trustpoint", "Name of a trustpoint"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show crypto ca trustpoints [<trustpoint:word>]",
        show::trustpoints,
        &[
            ("trustpoints", "The trustpoints"),
            ("trustpoint", "Name of a trustpoint"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show crypto key mypubkey {rsa|ecdsa}",
        show::keys,
        &[
            ("key", "Key pairs"),
            ("mypubkey", "Public halves of the key pairs"),
            ("rsa", "RSA keys"),
            ("ecdsa", "ECDSA keys"),
        ]
    )
    .example("show crypto key mypubkey rsa"),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto key generate rsa [{general-keys|usage-keys}] [label <label:word>] [modulus <bits:512-4096>] [noconfirm]",
        keys::generate_rsa,
        &[
            ("crypto", "Keys and certificates"),
            ("key", "Key pairs"),
            ("generate", "Make a key pair"),
            ("rsa", "An RSA key pair"),
            ("general-keys", "One pair for everything"),
            ("usage-keys", "Accepted; one pair for everything is made"),
            ("label", "Name the pair"),
            ("modulus", "Length of the modulus in bits"),
            ("bits", "2048, 3072 or 4096; less is raised to 2048"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto key generate ecdsa [label <label:word>] [elliptic-curve <bits:256-521>] [noconfirm]",
        keys::generate_ecdsa,
        &[
            ("ecdsa", "An ECDSA key pair"),
            ("elliptic-curve", "Size of the curve"),
            ("bits", "256 or 384"),
            ("label", "Name the pair"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto key zeroize {rsa|ecdsa} [label <label:word>] [noconfirm]",
        keys::zeroize,
        &[
            ("zeroize", "Destroy key pairs"),
            ("rsa", "RSA key pairs"),
            ("ecdsa", "ECDSA key pairs"),
            ("label", "Only the pair of this name"),
            ("noconfirm", "Do not ask"),
        ]
    )
    .example("crypto key zeroize rsa label imp_proxy_key noconfirm"),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto ca authenticate <trustpoint:word> [from <source:word>] [nointeractive]",
        certificates::authenticate,
        &[
            ("ca", "Certificates"),
            ("authenticate", "Enter the CA certificate of a trustpoint"),
            ("from", "Read it from a file instead of the terminal"),
            ("source", "disk0:/NAME or xmodem:"),
            ("trustpoint", "Name of a trustpoint"),
            ("nointeractive", "Do not ask"),
        ]
    )
    .example("crypto ca authenticate node_ca from disk0:/ca.pem"),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto ca enroll <trustpoint:word> [noconfirm]",
        enroll::enroll,
        &[
            ("enroll", "Make a certificate or a request for one"),
            ("trustpoint", "Name of a trustpoint"),
            ("noconfirm", "Do not ask"),
        ]
    )
    .example("crypto ca enroll outside_tp"),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto ca import <trustpoint:word> certificate [from <source:word>] [nointeractive]",
        certificates::import_identity,
        &[
            ("import", "Enter the certificate that a CA has issued"),
            ("trustpoint", "Name of a trustpoint"),
            ("certificate", "The identity certificate"),
            ("from", "Read it from a file instead of the terminal"),
            ("source", "disk0:/NAME or xmodem:"),
            ("nointeractive", "Do not ask"),
        ]
    )
    .example("crypto ca import outside_tp certificate"),
    talk!(
        CONFIG,
        PRIVILEGED,
        "crypto ca export <trustpoint:word> identity-certificate",
        certificates::export,
        &[
            ("export", "Show a certificate to be carried elsewhere"),
            ("trustpoint", "Name of a trustpoint"),
            ("identity-certificate", "The identity certificate"),
        ]
    )
    .example("crypto ca export imp_proxy identity-certificate"),
];

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
    let by = session.name();
    let mut core = session.core();
    let Some(trustpoint) = core.config.trustpoints.get_mut(name) else {
        return false;
    };
    change(trustpoint);
    core.note_change(&by);
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
