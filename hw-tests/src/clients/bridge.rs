//! An OpenSSH server on loopback whose every session is the box's serial line.
//!
//! ```text
//! client ─ssh─ sshd ─ forced command ─ socat ─ Unix socket ─ this program ─ QEMU's serial port
//! ```
//!
//! This is what console servers do for boxes without a network of their own. The session's terminal,
//! if the client asks for one, is raw and echoes nothing: the box does that. The line carries no
//! hang-up, so a client that leaves without logging out leaves its session to the next one, as on
//! any three-wire cable; [`Bridge::serve`] types nothing but one line feed when a client comes, with
//! which an operator wakes a line as well.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{UnixListener, UnixStream};
use tools::console::Console;
use tools::qemu::SocketFolder;

use crate::namespace::Namespace;
use crate::process::{self, Daemon};
use crate::sip::wait_listening;

/// Where it listens on loopback, in a network namespace of its own.
pub const PORT: u16 = 2222;

/// Typed when a client comes: Ctrl-E, which moves to the end of an empty line, and a line feed. A
/// carriage return last would swallow a line feed that the client sends next; before the line feed it
/// is what the last client may have ended with.
const WAKE: &[u8] = b"\x05\n";

/// Keeps its records out of the host's: within the sandbox only this server writes them.
const HIDE_RECORDS: &str = "\
mkdir -p /run/sshd
for file in /run/utmp /var/log/wtmp /var/log/lastlog /var/log/btmp; do
  if [ -e $file ]; then : > $RECORDS; mount --bind $RECORDS $file; fi
done";

/// The server, its keys, and the socket behind it.
#[derive(Debug)]
pub struct Bridge {
    listener: UnixListener,
    socket: PathBuf,
    key: PathBuf,
    _server: Daemon,
    _sockets: SocketFolder,
}

impl Bridge {
    /// Starts the server in `namespace`, with keys, settings and log in `folder`.
    ///
    /// # Errors
    /// When keys cannot be made or the server does not start.
    pub async fn new(namespace: &Namespace, folder: &Path) -> Result<Self> {
        let sockets = SocketFolder::new()?;
        let socket = sockets.socket("line");
        let listener = UnixListener::bind(&socket).context("cannot listen for the bridge")?;
        let folder = folder.join("ssh");
        fs::create_dir_all(&folder)?;
        let (host_key, key) = (folder.join("host_key"), folder.join("key"));
        for file in [&host_key, &key] {
            let words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"];
            let mut command = process::command(&words);
            command.arg(file);
            process::run(command, Duration::from_secs(20))
                .await?
                .success()?;
        }
        let command = folder.join("line.sh");
        fs::write(&command, forced_command(&socket))?;
        fs::set_permissions(&command, fs::Permissions::from_mode(0o755))?;
        let settings = folder.join("sshd_config");
        fs::write(&settings, server_settings(&host_key, &key, &command))?;
        let records = folder.join("records");
        namespace.script(&format!("RECORDS={}\n{HIDE_RECORDS}", records.display()))?;
        let settings = settings.to_string_lossy();
        let sshd = tools::host::find("sshd").context("sshd is missing")?;
        let server = namespace.daemon(
            "sshd",
            // It insists on being called by its whole path.
            &[&sshd.to_string_lossy(), "-D", "-e", "-f", &settings],
        )?;
        wait_listening(namespace, Ipv4Addr::LOCALHOST, PORT).await?;
        Ok(Self {
            listener,
            socket,
            key,
            _server: server,
            _sockets: sockets,
        })
    }

    /// The private key that the server takes.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The line itself, for clients that do without ssh.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Gives the console to one client after the other, for as long as the future is polled.
    ///
    /// # Errors
    /// When the console closes.
    pub async fn serve(&self, console: &mut Console) -> Result<()> {
        loop {
            let client = self.accept().await?;
            console.send(WAKE).await?;
            console.lend(client).await?;
        }
    }

    async fn accept(&self) -> Result<UnixStream> {
        let (client, _) = self.listener.accept().await.context("accepting failed")?;
        Ok(client)
    }
}

/// What every session runs instead of a shell.
fn forced_command(socket: &Path) -> String {
    format!(
        "#!/bin/sh\n\
         if [ -t 0 ]; then stty raw -echo; fi\n\
         exec socat STDIO UNIX-CONNECT:{}\n",
        socket.display()
    )
}

fn server_settings(host_key: &Path, key: &Path, command: &Path) -> String {
    format!(
        "ListenAddress 127.0.0.1\n\
         Port {PORT}\n\
         HostKey {}\n\
         AuthorizedKeysFile {}.pub\n\
         ForceCommand {}\n\
         PidFile none\n\
         StrictModes no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         UsePAM no\n\
         PrintMotd no\n\
         PrintLastLog no\n\
         LogLevel ERROR\n",
        host_key.display(),
        key.display(),
        command.display()
    )
}
