//! Peers as processes. Each is owned, ends with its owner, and is waited for no longer than it says.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::join;
use tokio::time::{sleep, timeout};
use tools::console::Console;

/// What a program that ran to its end left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output and standard error, one after the other.
    pub output: String,
}

impl Finished {
    /// The output of a program that must have succeeded.
    ///
    /// # Errors
    /// When it did not; the message is its output.
    pub fn success(self) -> Result<String> {
        if self.status.success() {
            Ok(self.output)
        } else {
            bail!("ended with {}:\n{}", self.status, self.output)
        }
    }
}

/// Runs a program to its end, with nothing on its standard input.
///
/// # Errors
/// When it cannot be started or still runs after `limit`; it is ended then.
pub async fn run(command: Command, limit: Duration) -> Result<Finished> {
    let shown = tools::workspace::display(&command);
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output())
        .await
        .with_context(|| format!("`{shown}` still runs after {} s", limit.as_secs()))?
        .with_context(|| format!("cannot start `{shown}`"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(Finished {
        status: output.status,
        output: text,
    })
}

/// A server in the background, with its children. Dropping it ends them all.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command`; what it prints goes to `folder/NAME.log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let shown = tools::workspace::display(&command);
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has printed `wanted`, and returns all that it has printed.
    ///
    /// # Errors
    /// When it ends before, or has not after `limit`; the message carries its last lines.
    pub async fn wait_for(&mut self, wanted: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            let output = self.output();
            if output.contains(wanted) {
                return Ok(output);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                bail!("{} ended with {status}:\n{}", self.name, tail(&output, 20));
            }
            if Instant::now() > deadline {
                bail!(
                    "{} did not print `{wanted}` in {} s:\n{}",
                    self.name,
                    limit.as_secs(),
                    tail(&output, 20)
                );
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to finish, waits, and returns what it has printed.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn finish(mut self, limit: Duration) -> Result<String> {
        self.signal("INT");
        let deadline = Instant::now() + limit;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("{} does not finish", self.name);
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(self.output())
    }

    /// Signals the whole process group.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        // A group that is gone already is what was wanted.
        let _ = Command::new("kill")
            .args(["-s", signal, "--", &group])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program to talk with: what it prints is waited for, what it reads is written.
#[derive(Debug)]
pub struct Talker {
    /// Its standard output and input.
    pub line: Console,
    child: tokio::process::Child,
}

impl Talker {
    /// Starts `command`. `patience` limits each wait; its standard error is mixed into its output if
    /// `has_errors`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &Command, patience: Duration, has_errors: bool) -> Result<Self> {
        let shown = tools::workspace::display(command);
        let mut child = if has_errors {
            let mut shell = tokio::process::Command::new("sh");
            shell.args(["-c", "exec \"$@\" 2>&1", "sh"]);
            shell.arg(command.get_program()).args(command.get_args());
            shell
        } else {
            let mut plain = tokio::process::Command::new(command.get_program());
            plain.args(command.get_args()).stderr(Stdio::null());
            plain
        };
        let mut child = child
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let output = child.stdout.take().context("its output was asked for")?;
        let input = child.stdin.take().context("its input was asked for")?;
        let mut line = Console::new(join(output, input));
        line.set_patience(patience);
        Ok(Self { line, child })
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let status = timeout(limit, self.child.wait())
            .await
            .with_context(|| {
                format!(
                    "still runs after {} s; it printed:\n{}",
                    limit.as_secs(),
                    self.line.tail(20)
                )
            })?
            .context("cannot wait for it")?;
        // Its last words may still be in the pipe.
        for _ in 0..100 {
            if self.line.is_closed() {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(status)
    }

    /// Ends it at once.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }
}

/// A command with arguments.
pub fn command<S: AsRef<OsStr>>(words: &[S]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().map_or(OsStr::new("true"), AsRef::as_ref));
    command.args(words);
    command
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..)
        .unwrap_or_default()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_ended() {
        let begun = Instant::now();
        let outcome = run(command(&["sleep", "30"]), Duration::from_millis(200)).await;
        assert!(outcome.is_err());
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_dropped_daemon_takes_its_children_along() {
        let folder = std::env::temp_dir().join(format!("hw-tests-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let script = "sleep 30 & echo child $!; wait";
        let mut daemon = Daemon::start("tree", command(&["sh", "-c", script]), &folder).unwrap();
        let output = daemon
            .wait_for("child ", Duration::from_secs(5))
            .await
            .unwrap();
        let pid = output.trim().rsplit(' ').next().unwrap().to_owned();
        drop(daemon);
        // An ended child may linger unreaped, but it runs no more. The signal is under way until the
        // kernel next runs it.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                break;
            }
            assert!(Instant::now() < deadline, "it still runs: {stat}");
            sleep(Duration::from_millis(10)).await;
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn a_talker_is_written_to_and_read_from() {
        let mut talker = Talker::start(&command(&["cat"]), Duration::from_secs(5), true).unwrap();
        talker.line.send(b"hello\n").await.unwrap();
        talker.line.expect("hello").await.unwrap();
        talker.kill().await;
    }
}
