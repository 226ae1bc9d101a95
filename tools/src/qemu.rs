//! Starts a virtual box, watches it, ends it.
//!
//! A [`Config`] says what the box has, and becomes a command line with [`Config::command`].
//! [`Qemu::start`] runs it with the console on a socket that is connected *before* the guest runs its
//! first instruction, so that no boot message is lost. Sockets live in a private folder under the
//! system's temporary one, because socket paths are limited to about 100 bytes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::console::Console;
use crate::network::Uplink;

/// How long QEMU may take to connect its sockets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// QEMU's machine model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Machine {
    /// PCI Express, ICH9.
    #[default]
    Q35,
    /// PCI, PIIX.
    Pc,
}

impl Machine {
    /// The name after `-M`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
            Self::Pc => "pc",
        }
    }
}

impl std::str::FromStr for Machine {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "q35" => Ok(Self::Q35),
            "pc" => Ok(Self::Pc),
            other => bail!("`{other}` is not a machine: q35 or pc"),
        }
    }
}

/// What a network port of the box is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A socket this process listens on; frames are length-prefixed (`-netdev stream`).
    Stream(PathBuf),
    /// A TAP device that exists where QEMU runs.
    Tap(String),
    /// A TAP device of several queues, each driven by a pair of the card's.
    Taps {
        /// Name of the device, made with `multi_queue`.
        name: String,
        /// How many.
        pairs: u16,
    },
    /// QEMU's own user networking: a private 10.0.2.0/24-like network and a way out.
    User {
        /// Network in CIDR notation.
        network: String,
    },
}

/// Where the console goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsolePort {
    /// This process's terminal, raw; Ctrl-A x ends QEMU, Ctrl-A c is its monitor.
    Terminal,
    /// A socket this process listens on.
    Socket(PathBuf),
}

/// A virtual box.
#[derive(Clone, Debug)]
pub struct Config {
    /// The image that QEMU loads itself; without one the machine boots from a disk.
    pub kernel: Option<PathBuf>,
    /// Machine model.
    pub machine: Machine,
    /// Guest memory in MiB.
    pub memory_mib: u32,
    /// Network ports in PCI order: GigabitEthernet0/0 first.
    pub ports: Vec<Link>,
    /// Raw disk file for configuration and keys.
    pub disk: Option<PathBuf>,
    /// File that takes the developer log of the second serial port.
    pub developer_log: Option<PathBuf>,
    /// Kernel command line.
    pub command_line: String,
    /// Words put before `qemu-system-x86_64`, such as `ip netns exec NAME`.
    pub wrapper: Vec<OsString>,
    /// Arguments added at the end.
    pub extra: Vec<OsString>,
    /// File that takes what QEMU itself prints.
    pub output: Option<PathBuf>,
}

impl Config {
    /// A 256 MiB q35 box without ports or disk.
    pub fn new(kernel: impl Into<PathBuf>) -> Self {
        Self {
            kernel: Some(kernel.into()),
            ..Self::without_kernel()
        }
    }

    /// The same, to boot from what [`extra`](Self::extra) adds.
    pub fn without_kernel() -> Self {
        Self {
            kernel: None,
            machine: Machine::default(),
            memory_mib: 256,
            ports: Vec::new(),
            disk: None,
            developer_log: None,
            command_line: String::new(),
            wrapper: Vec::new(),
            extra: Vec::new(),
            output: None,
        }
    }

    /// The program and its arguments.
    pub fn command(&self, console: &ConsolePort, control: Option<&Path>) -> Vec<OsString> {
        let mut line: Vec<OsString> = self.wrapper.clone();
        let mut add = |words: &[&str]| line.extend(words.iter().map(OsString::from));
        let memory = self.memory_mib.to_string();
        add(&[
            "qemu-system-x86_64",
            "-M",
            self.machine.name(),
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-m",
            &memory,
        ]);
        add(&["-nodefaults", "-no-user-config", "-display", "none"]);
        if let Some(kernel) = &self.kernel {
            add(&["-kernel", &kernel.to_string_lossy()]);
        }
        if !self.command_line.is_empty() {
            add(&["-append", &self.command_line]);
        }
        match console {
            ConsolePort::Terminal => add(&["-serial", "mon:stdio"]),
            ConsolePort::Socket(path) => {
                let chardev = format!("socket,id=console,path={}", comma_safe(path));
                add(&["-chardev", &chardev, "-serial", "chardev:console"]);
            }
        }
        match &self.developer_log {
            Some(path) => add(&["-serial", &format!("file:{}", path.to_string_lossy())]),
            None => add(&["-serial", "null"]),
        }
        for (index, link) in self.ports.iter().enumerate() {
            let backend = match link {
                Link::Stream(path) => {
                    format!(
                        "stream,id=net{index},server=off,addr.type=unix,addr.path={}",
                        comma_safe(path)
                    )
                }
                Link::Tap(name) => {
                    format!("tap,id=net{index},ifname={name},script=no,downscript=no")
                }
                Link::Taps { name, pairs } => {
                    format!(
                        "tap,id=net{index},ifname={name},queues={pairs},script=no,downscript=no"
                    )
                }
                Link::User { network } => format!("user,id=net{index},net={network}"),
            };
            // No option ROM: the box does not boot from the network, and the ROM costs boot time.
            let device =
                format!("virtio-net-pci,netdev=net{index},mac=52:54:00:5a:11:{index:02x},romfile=");
            let several = match link {
                Link::Taps { .. } => ",mq=on",
                Link::Stream(_) | Link::Tap(_) | Link::User { .. } => "",
            };
            let device = format!("{device}{several}");
            add(&["-netdev", &backend, "-device", &device]);
        }
        add(&["-device", "virtio-rng-pci"]);
        if let Some(disk) = &self.disk {
            let drive = format!("if=none,id=disk0,format=raw,file={}", comma_safe(disk));
            add(&["-drive", &drive, "-device", "virtio-blk-pci,drive=disk0"]);
        }
        if let Some(path) = control {
            add(&[
                "-qmp",
                &format!("unix:{},server=on,wait=off", comma_safe(path)),
            ]);
        }
        line.extend(self.extra.iter().cloned());
        line
    }
}

/// QEMU option values double their commas.
fn comma_safe(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

/// Creates a zeroed disk file of `mebibytes` unless it exists.
///
/// # Errors
/// When the file cannot be made.
pub fn ensure_disk(path: &Path, mebibytes: u64) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    file.set_len(mebibytes << 20)
        .with_context(|| format!("cannot size {}", path.display()))
}

/// A private folder for sockets, removed when dropped.
#[derive(Debug)]
pub struct SocketFolder {
    path: PathBuf,
}

impl SocketFolder {
    /// Makes a new one.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sallyport-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path })
    }

    /// The path of a socket in it.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        // Nothing sensible is left to do if a temporary folder cannot be removed.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A running virtual box. Dropping it ends QEMU.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    control: PathBuf,
    sockets: SocketFolder,
}

impl Qemu {
    /// Starts the box and returns it with its console.
    ///
    /// # Errors
    /// When QEMU cannot be started or ends before it has connected its console.
    pub async fn start(config: &Config) -> Result<(Self, Console)> {
        let (qemu, console, _) = Self::start_joined(config, &[]).await?;
        Ok((qemu, console))
    }

    /// Starts the box with one more port per uplink, each joined to a segment of this process.
    ///
    /// # Errors
    /// As [`Qemu::start`].
    pub async fn start_joined(
        config: &Config,
        segments: &[crate::network::Segment],
    ) -> Result<(Self, Console, Vec<Uplink>)> {
        let sockets = SocketFolder::new()?;
        let mut config = config.clone();
        let mut listeners = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let path = sockets.socket(&format!("port{index}"));
            listeners.push((
                UnixListener::bind(&path).context("cannot listen for a network port")?,
                segment,
            ));
            config.ports.push(Link::Stream(path));
        }
        let console_path = sockets.socket("console");
        let control = sockets.socket("control");
        let console_listener =
            UnixListener::bind(&console_path).context("cannot listen for the console")?;
        let line = config.command(&ConsolePort::Socket(console_path), Some(&control));
        let (program, arguments) = line
            .split_first()
            .context("a command line has a first word")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        match &config.output {
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("cannot create {}", path.display()))?;
                command.stdout(file.try_clone()?).stderr(file);
            }
            None => {
                command.stdout(Stdio::null());
            }
        }
        let mut child = command.spawn().context("cannot start qemu-system-x86_64")?;
        let stream = accept(&console_listener, &mut child)
            .await
            .context("the console did not connect")?;
        let console = Console::new(stream);
        let mut uplinks = Vec::new();
        for (listener, segment) in listeners {
            let stream = accept(&listener, &mut child)
                .await
                .context("a network port did not connect")?;
            uplinks.push(Uplink::new(stream, segment));
        }
        Ok((
            Self {
                child,
                control,
                sockets,
            },
            console,
            uplinks,
        ))
    }

    /// The process number, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends one command to QEMU's control socket and returns its answer, a JSON line.
    ///
    /// # Errors
    /// When the control socket does not answer.
    pub async fn control(&self, command: &str) -> Result<String> {
        self.execute(&json!({ "execute": command })).await
    }

    /// Types a line at QEMU's monitor and returns what it prints, as QEMU's `chardev-send-break console`.
    ///
    /// # Errors
    /// When the control socket does not answer, or not with a text.
    pub async fn monitor(&self, line: &str) -> Result<String> {
        let command = json!({
            "execute": "human-monitor-command",
            "arguments": { "command-line": line },
        });
        let answer: Value = serde_json::from_str(&self.execute(&command).await?)
            .context("QEMU's answer is no JSON")?;
        let text = answer.get("return").and_then(Value::as_str);
        text.map(str::to_owned)
            .with_context(|| format!("QEMU answered {answer} to `{line}`"))
    }

    async fn execute(&self, command: &Value) -> Result<String> {
        let work = async {
            let stream = UnixStream::connect(&self.control).await?;
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            lines.next_line().await?; // greeting
            let mut answer = String::new();
            for command in [&json!({ "execute": "qmp_capabilities" }), command] {
                writer.write_all(format!("{command}\n").as_bytes()).await?;
                while let Some(line) = lines.next_line().await? {
                    if line.contains("\"return\"") || line.contains("\"error\"") {
                        answer = line;
                        break;
                    }
                }
            }
            anyhow::Ok(answer)
        };
        timeout(Duration::from_secs(10), work)
            .await
            .context("QEMU's control socket does not answer")?
    }

    /// Waits until QEMU has ended by itself, as after `shutdown`.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let status = timeout(limit, self.child.wait()).await;
        status
            .with_context(|| format!("QEMU still runs after {} s", limit.as_secs()))?
            .context("cannot wait for QEMU")
    }

    /// Pulls the plug: ends QEMU at once, as a power cut would.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("cannot end QEMU")
    }

    /// The folder of its sockets.
    pub fn sockets(&self) -> &SocketFolder {
        &self.sockets
    }
}

/// Waits for QEMU to connect, or to end with an error.
async fn accept(listener: &UnixListener, child: &mut Child) -> Result<UnixStream> {
    tokio::select! {
        accepted = listener.accept() => Ok(accepted.context("accepting failed")?.0),
        status = child.wait() => bail!("QEMU ended at once ({})", status.context("cannot wait for QEMU")?),
        () = tokio::time::sleep(CONNECT_TIMEOUT) => bail!("nothing happened in {} s", CONNECT_TIMEOUT.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(config: &Config) -> Vec<String> {
        let line = config.command(&ConsolePort::Terminal, None);
        line.into_iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn ports_appear_in_order_and_the_second_serial_port_is_always_there() {
        let mut config = Config::new("/image");
        config.ports = vec![Link::Tap("t0".into()), Link::Stream("/s".into())];
        let line = words(&config);
        let tap = line
            .iter()
            .position(|word| word.starts_with("tap,id=net0,ifname=t0"))
            .unwrap();
        let stream = line
            .iter()
            .position(|word| word.starts_with("stream,id=net1"))
            .unwrap();
        assert!(tap < stream);
        assert_eq!(line.iter().filter(|word| *word == "-serial").count(), 2);
    }

    #[test]
    fn commas_in_paths_do_not_end_an_option() {
        let mut config = Config::new("/image");
        config.disk = Some("/a,b".into());
        assert!(
            words(&config)
                .iter()
                .any(|word| word.ends_with("file=/a,,b"))
        );
    }

    #[test]
    fn a_wrapper_comes_first() {
        let mut config = Config::new("/image");
        config.wrapper = vec!["ip".into(), "netns".into()];
        assert_eq!(words(&config).first().map(String::as_str), Some("ip"));
    }
}
