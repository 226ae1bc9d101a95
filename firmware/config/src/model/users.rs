//! Who may use the box: local users and how they log in.

use crate::password::PasswordHash;
use alloc::collections::BTreeMap;
use alloc::string::String;

/// The privilege of a user for whom none was configured.
pub const DEFAULT_PRIVILEGE: u8 = 2;

/// Most local users.
pub const USERS_MAX: usize = 64;

/// Days that `aaa authentication login-history` looks back unless told otherwise.
pub const DEFAULT_LOGIN_HISTORY_DAYS: u16 = 90;

/// `username NAME …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The password; `None` for `nopassword`: any password is accepted.
    pub password: Option<PasswordHash>,
    /// `privilege N`: 0 to 15.
    pub privilege: u8,
    /// `service-type` among the attributes.
    pub service: ServiceType,
}

/// What a user may log in for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceType {
    /// Everything.
    #[default]
    Admin,
    /// User EXEC mode only; `enable` is refused.
    NasPrompt,
    /// No management access at all.
    RemoteAccess,
}

impl ServiceType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Admin, Self::NasPrompt, Self::RemoteAccess];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::NasPrompt => "nas-prompt",
            Self::RemoteAccess => "remote-access",
        }
    }
}

/// The `username …` and `aaa …` lines that this box acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSettings {
    /// `username`, by name.
    pub users: BTreeMap<String, User>,
    /// `aaa authentication serial console LOCAL`: the console asks for a user name.
    pub serial_login: bool,
    /// `aaa authentication enable console LOCAL`: `enable` asks for the user's own password.
    pub enable_by_user: bool,
    /// `aaa local authentication attempts max-fail N`: failures in a row that lock a user.
    pub max_fail: Option<u8>,
    /// `aaa authentication login-history duration DAYS`; `None` switches the history off.
    pub login_history_days: Option<u16>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            serial_login: false,
            enable_by_user: false,
            max_fail: None,
            login_history_days: Some(DEFAULT_LOGIN_HISTORY_DAYS),
        }
    }
}
