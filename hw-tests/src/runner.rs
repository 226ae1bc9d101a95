//! Runs tests one after the other, prints a line for each, keeps what explains a failure.
//!
//! Lines are those of Rust's own harness (`test NAME ... ok, 1.2 s`), so that whatever counts the one
//! counts the other. A test is a future with a deadline; what it started ends when it is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::timeout;
use tools::progress::show;
use tools::workspace;

use tools::console::Console;

use crate::process::tail;

/// A test under way.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A configured box with what is around it, booted once for many tests.
pub trait Ground: Sized {
    /// Boots and configures it, with logs in `folder`.
    ///
    /// # Errors
    /// At the first thing that goes wrong.
    fn new(folder: &Path) -> impl Future<Output = Result<Self>>;

    /// The serial console, at a prompt.
    fn console(&mut self) -> &mut Console;

    /// What the box shows about itself, for a failure report.
    fn dumps(&mut self) -> impl Future<Output = String>;
}

/// A test on a shared box.
pub struct Shared<G> {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub run: for<'a> fn(&'a mut G) -> Run<'a>,
}

/// A test that boots what it needs; its folder is its argument.
pub struct Alone {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub run: for<'a> fn(&'a Path) -> Run<'a>,
}

/// What is run, and how it went.
#[derive(Debug, Default)]
pub struct Runner {
    filter: Option<String>,
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Runner {
    /// Reads `--filter WORD` from the command line; a bare word is a filter too. Options of Rust's
    /// own harness are taken and ignored.
    pub fn new(arguments: impl Iterator<Item = String>) -> Self {
        let mut filter = None;
        let mut is_next = false;
        for argument in arguments {
            if is_next || !argument.starts_with('-') {
                filter = Some(argument);
                is_next = false;
            } else {
                is_next = argument == "--filter";
            }
        }
        Self {
            filter,
            ..Self::default()
        }
    }

    /// Tells whether the filter lets a test run.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|word| name.contains(word))
    }

    /// Runs the tests of a shared box, which is booted if any of them is wanted.
    pub async fn shared<G: Ground>(&mut self, group: &str, tests: &[Shared<G>], limit: Duration) {
        if !tests.iter().any(|test| self.wants(test.name)) {
            return;
        }
        let folder = folder(group);
        let begun = Instant::now();
        let booted = timeout(limit, G::new(&folder)).await;
        let booted = booted.context("took too long").and_then(|booted| booted);
        let name = format!("{group}_box_is_configured");
        let mut ground = match booted {
            Ok(ground) => {
                self.report(&name, begun, &Ok(()));
                ground
            }
            Err(error) => {
                self.report(&name, begun, &Err(error));
                return keep_logs(&folder);
            }
        };
        for test in tests {
            if !self.wants(test.name) {
                continue;
            }
            let begun = Instant::now();
            ground.console().set_patience(Duration::from_secs(60));
            let outcome = timeout(limit, (test.run)(&mut ground)).await;
            let outcome = outcome.context("took too long").and_then(|done| done);
            self.report(test.name, begun, &outcome);
            if outcome.is_err() {
                let dumps = ground.dumps().await;
                let _ = fs::write(folder.join(format!("{}-show.txt", test.name)), &dumps);
                let console = ground.console();
                let _ = fs::write(folder.join("console.txt"), console.transcript());
                eprintln!("{dumps}\nconsole:\n{}", console.tail(40));
                keep_logs(&folder);
            }
        }
    }

    /// Runs tests that share nothing.
    pub async fn alone(&mut self, tests: &[Alone], limit: Duration) {
        for test in tests {
            if !self.wants(test.name) {
                continue;
            }
            let folder = folder(test.name);
            let begun = Instant::now();
            let outcome = timeout(limit, (test.run)(&folder)).await;
            let outcome = outcome.context("took too long").and_then(|done| done);
            self.report(test.name, begun, &outcome);
            if outcome.is_err() {
                keep_logs(&folder);
            }
        }
    }

    /// Says of a test that it is not run, and why.
    pub fn ignore(&mut self, name: &str, reason: &str) {
        if self.wants(name) {
            self.ignored += 1;
            println!("test {name} ... ignored, {reason}");
        }
    }

    fn report(&mut self, name: &str, begun: Instant, outcome: &Result<()>) {
        let time = show(begun.elapsed());
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("test {name} ... ok, {time}");
            }
            Err(error) => {
                self.failed += 1;
                println!("test {name} ... FAILED, {time}");
                eprintln!("      {error:#}");
            }
        }
    }

    /// Prints the sums and tells the process how it went.
    pub fn finish(&self) -> ExitCode {
        println!(
            "test result: {}. {} passed; {} failed; {} ignored",
            if self.failed == 0 { "ok" } else { "FAILED" },
            self.passed,
            self.failed,
            self.ignored
        );
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// An empty folder for a test under `target/hw-tests`.
fn folder(name: &str) -> PathBuf {
    let path = workspace::root().join("target/hw-tests").join(name);
    // What an earlier run left is in the way; what cannot be made is missed by the test itself.
    let _ = fs::remove_dir_all(&path);
    let _ = fs::create_dir_all(&path);
    path
}

/// Shows the end of every log in a folder, and says where the rest is.
fn keep_logs(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut logs: Vec<PathBuf> = files.map(|file| file.path()).collect();
    logs.sort();
    for log in logs {
        if log.extension().is_some_and(|kind| kind == "log") {
            let bytes = fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            eprintln!("--- {}\n{}", log.display(), tail(&text, 15));
        }
    }
    eprintln!("logs and captures are in {}", folder.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_found_between_options_of_the_common_harness() {
        let words = |line: &str| -> Runner {
            Runner::new(line.split_ascii_whitespace().map(str::to_owned))
        };
        assert!(words("--nocapture --test-threads=1").wants("anything"));
        let runner = words("--nocapture --filter tls");
        assert!(runner.wants("tls_expired") && !runner.wants("ping"));
        assert!(!words("ping --nocapture").wants("tls_expired"));
    }
}
