//! One network namespace: a host, a router, or the place where QEMU and its bridges are.
//!
//! It is held open by a process that sleeps in it, so that it needs no name in the file system and
//! ends with this value.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Daemon, Finished, Talker};

/// How long the kernel may take to make a namespace.
const BIRTH: Duration = Duration::from_secs(10);

/// How long an echo may take in all.
const ECHO_LIMIT: Duration = Duration::from_secs(30);

/// A network namespace.
#[derive(Debug)]
pub struct Namespace {
    name: &'static str,
    holder: Child,
    folder: PathBuf,
}

impl Namespace {
    /// Makes one. Logs of what is started in it go to `folder`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(name: &'static str, folder: impl Into<PathBuf>) -> Result<Self> {
        let holder = Command::new("unshare")
            .args(["--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()
            .context("cannot run unshare")?;
        let namespace = Self {
            name,
            holder,
            folder: folder.into(),
        };
        let ours = fs::read_link("/proc/self/ns/net").context("no network namespaces here")?;
        let deadline = Instant::now() + BIRTH;
        // Until the process has left this namespace its own is ours.
        while fs::read_link(namespace.path())
            .ok()
            .is_none_or(|its| its == ours)
        {
            if Instant::now() > deadline {
                bail!("network namespace {name} did not come up");
            }
            sleep(Duration::from_millis(2));
        }
        namespace.script("ip link set lo up")?;
        Ok(namespace)
    }

    /// Its name in messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A process in it, as `ip link … netns PID` wants it.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// The words before a command that run it here.
    pub fn wrapper(&self) -> Vec<OsString> {
        let net = format!("--net={}", self.path());
        ["nsenter", &net, "--"].map(OsString::from).to_vec()
    }

    /// A command to run here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut all = self.wrapper();
        all.extend(words.iter().map(OsString::from));
        process::command(&all)
    }

    /// Runs the lines of a shell script here, at once; every one must succeed.
    ///
    /// # Errors
    /// When one fails; the message carries what was printed.
    pub fn script(&self, lines: &str) -> Result<()> {
        let output = self
            .command(&["sh", "-ec", lines])
            .stdin(Stdio::null())
            .output()
            .context("cannot run a shell")?;
        if !output.status.success() {
            bail!(
                "setting up {} failed: {}\n{lines}",
                self.name,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    /// Runs a program to its end here.
    ///
    /// # Errors
    /// As [`process::run`].
    pub async fn run(&self, words: &[&str], limit: Duration) -> Result<Finished> {
        process::run(self.command(words), limit).await
    }

    /// Sends numbered lines from the file `sent`, which it writes, to an echo server (`TCP4:HOST:PORT` as
    /// `socat` has it), and compares what comes back within `wait_secs` of the last.
    ///
    /// # Errors
    /// When it is not the same.
    pub async fn hears_its_echo(
        &self,
        server: &str,
        sent: &Path,
        lines: u32,
        wait_secs: u32,
    ) -> Result<()> {
        let text: String = (0..lines).map(|line| format!("line {line}\n")).collect();
        fs::write(sent, &text)?;
        let script = format!(
            "socat -t {wait_secs} - {server},retry=20,interval=0.2 < {} | cksum; cksum < {0}",
            sent.display()
        );
        let output = self.run(&["sh", "-c", &script], ECHO_LIMIT).await?;
        let output = output.success()?;
        let sums: Vec<&str> = output.lines().collect();
        ensure!(sums.len() == 2 && sums[0] == sums[1], "{output}");
        Ok(())
    }

    /// Starts a server here.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub fn daemon(&self, name: &str, words: &[&str]) -> Result<Daemon> {
        Daemon::start(name, self.command(words), &self.folder)
    }

    /// Starts a program to talk with here.
    ///
    /// # Errors
    /// As [`Talker::start`].
    pub fn talk(&self, words: &[&str], patience: Duration, has_errors: bool) -> Result<Talker> {
        Talker::start(&self.command(words), patience, has_errors)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
