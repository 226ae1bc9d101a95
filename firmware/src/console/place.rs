//! Where `copy` and its relatives read from and write to.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use config::print::Secrets;

use super::exec::document;
use super::session::{Gone, Session};
use super::transfer;
use crate::flash::READ_LIMIT_BYTES;

/// A source or destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `running-config`, `system:running-config`.
    Running,
    /// `startup-config`.
    Startup,
    /// `terminal:`: typed or pasted, or shown.
    Terminal,
    /// `xmodem:`: over the console line.
    Xmodem,
    /// `disk0:/NAME`, `flash:/NAME` or just `NAME`; the name may be empty where it is asked for.
    File(String),
}

/// Why a word is no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlaceError {
    /// A capture, which is copied another way.
    Capture(String),
    /// A network service this box does not have.
    NoNetwork(String),
    /// No such device.
    Unknown(String),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(name) => write!(
                f,
                "ERROR: use copy /pcap capture:{name} disk0:FILE or xmodem:, or show capture {name}"
            ),
            Self::NoNetwork(scheme) => write!(
                f,
                "ERROR: {scheme}: is not available; files come and go by xmodem: or terminal:"
            ),
            Self::Unknown(device) => write!(
                f,
                "ERROR: there is no device {device}:; use disk0:/NAME, xmodem:, terminal:, \
                 running-config or startup-config"
            ),
        }
    }
}

impl Place {
    /// Reads a word.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub(crate) fn parse(word: &str) -> Result<Self, PlaceError> {
        let Some((device, rest)) = word.split_once(':') else {
            return Ok(match word {
                "running-config" => Self::Running,
                "startup-config" => Self::Startup,
                name => Self::File(name.into()),
            });
        };
        let name = rest.trim_start_matches('/');
        match (device.to_ascii_lowercase().as_str(), name) {
            ("disk0" | "flash", name) => Ok(Self::File(name.into())),
            ("terminal", "") => Ok(Self::Terminal),
            ("xmodem", "") => Ok(Self::Xmodem),
            ("system", "running-config") => Ok(Self::Running),
            ("nvram", "startup-config") => Ok(Self::Startup),
            ("capture", name) => Err(PlaceError::Capture(name.into())),
            (scheme @ ("tftp" | "ftp" | "http" | "https" | "scp" | "smb" | "cluster"), _) => {
                Err(PlaceError::NoNetwork(scheme.into()))
            }
            (other, _) => Err(PlaceError::Unknown(other.into())),
        }
    }
}

/// Reads a text; says why if there is none.
pub(crate) async fn read_text(
    session: &mut Session,
    place: &Place,
) -> Result<Option<Zeroizing<String>>, Gone> {
    let found = match place {
        Place::Terminal => return session.take_text().await,
        Place::Startup => session
            .core()
            .startup
            .text
            .clone()
            .ok_or_else(|| String::from("ERROR: there is no startup-config\n")),
        Place::Running => {
            let core = session.core();
            Ok(document(&core, Secrets::Shown, None))
        }
        Place::File(name) => {
            let read = session.core().file_read(name);
            match read {
                Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Err(error) => Err(alloc::format!("ERROR: {error}\n")),
            }
        }
        Place::Xmodem => {
            let mut bytes = Vec::new();
            let received = transfer::receive(session, READ_LIMIT_BYTES, |_, block| {
                bytes.extend_from_slice(block);
                Ok(())
            })
            .await?;
            received.map(|_| String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    match found {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(text) => {
            session.say(&text).await?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_an_asa_writes_them() {
        let file = |name: &str| Ok(Place::File(name.into()));
        assert_eq!(Place::parse("running-config"), Ok(Place::Running));
        assert_eq!(Place::parse("system:running-config"), Ok(Place::Running));
        assert_eq!(Place::parse("startup-config"), Ok(Place::Startup));
        assert_eq!(Place::parse("disk0:/a.cfg"), file("a.cfg"));
        assert_eq!(Place::parse("flash:a.cfg"), file("a.cfg"));
        assert_eq!(Place::parse("FLASH:/A.cfg"), file("A.cfg"));
        assert_eq!(Place::parse("a.cfg"), file("a.cfg"));
        assert_eq!(Place::parse("disk0:"), file(""));
        assert_eq!(Place::parse("xmodem:"), Ok(Place::Xmodem));
        assert_eq!(
            Place::parse("tftp://192.0.2.1/x"),
            Err(PlaceError::NoNetwork("tftp".into()))
        );
        assert_eq!(
            Place::parse("disk7:/x"),
            Err(PlaceError::Unknown("disk7".into()))
        );
    }
}
