//! `cargo xtask test`: everything that fits a normal run, counted, with what was skipped and why.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::progress::Steps;
use crate::{build, check, disk, fuzz, host, workspace};

/// The file in which `hw-tests` names the Debian packages of its peers, one a line.
const PACKAGE_LIST: &str = "hw-tests/packages.txt";

/// Set in the environment of test programs that are to run what is too heavy for every run.
pub const ALL: &str = "SALLYPORT_TEST_ALL";

/// How many tests ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Not run.
    pub skipped: usize,
    /// Each test that was not run, with its reason.
    pub reasons: Vec<String>,
    /// Each failure.
    pub failures: Vec<String>,
}

impl Tally {
    fn pass(&mut self) {
        self.passed += 1;
    }

    fn fail(&mut self, what: &str) {
        self.failed += 1;
        self.failures.push(what.to_owned());
    }

    fn skip(&mut self, what: &str) {
        self.skipped += 1;
        self.reasons.push(what.to_owned());
    }

    /// Takes one line of a test program's output.
    fn read(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test ") else {
            // Tests that find at run time that they cannot run say so themselves.
            if let Some(reason) = line.trim_start().strip_prefix("SKIPPED ") {
                self.skip(reason);
                self.passed = self.passed.saturating_sub(1);
            }
            return;
        };
        let Some((name, result)) = rest.split_once(" ... ") else {
            return;
        };
        match result
            .split([',', ':', ' '])
            .next()
            .unwrap_or_default()
            .trim()
        {
            "ok" => self.pass(),
            "FAILED" => self.fail(name),
            "ignored" | "skipped" => self.skip(rest),
            _ => {}
        }
    }
}

/// Runs the suite; what is too heavy for every run only if `runs_all`.
///
/// # Errors
/// When anything failed.
pub fn test(runs_all: bool) -> Result<()> {
    let mut steps = Steps::new(check::CHECKS.len() + 8);
    let mut tally = Tally::default();
    steps.begin("looking for QEMU and a compiler");
    host::require(host::FOR_HOST_CRATES)?;
    host::require(host::FOR_QEMU)?;
    install_peers(&mut steps, &mut tally);
    for check in check::CHECKS {
        steps.begin(check.name);
        match check.run() {
            Ok(()) => tally.pass(),
            Err(error) => {
                eprintln!("      {error:#}");
                tally.fail(&format!("check: {}", check.name));
            }
        }
    }
    steps.begin("host tests");
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace"]);
    cargo.args(workspace::WITHOUT_IMAGES);
    cargo.args(["--exclude", "hw-tests", "--no-fail-fast"]);
    run_tests(&mut cargo, "host tests", &mut tally);
    let image = build::build(&mut steps)
        .and_then(|image| disk::write(&mut steps, &image.elf, &disk::Signer::read(None)?, ""));
    match image {
        Ok(_) => {
            tally.pass();
            steps.begin("the image between real peers (hw-tests)");
            let mut cargo = workspace::cargo();
            // Its main program has no libtest options: it runs one test after another and says what it does.
            cargo.args(["test", "--package", "hw-tests", "--no-fail-fast"]);
            if runs_all {
                cargo.env(ALL, "1");
            }
            run_tests(&mut cargo, "hw-tests", &mut tally);
        }
        Err(error) => {
            eprintln!("      {error:#}");
            tally.fail("build");
            tally.skip("hw-tests: there is no image");
        }
    }
    steps.begin("fuzz targets, briefly");
    let seed = if runs_all {
        fuzz::Seed::Random
    } else {
        fuzz::Seed::Fixed
    };
    match fuzz::run_briefly(seed) {
        Ok(targets) if targets.is_empty() => tally.skip("fuzz: there are no targets"),
        Ok(targets) => tally.passed += targets.len(),
        Err(error) => {
            eprintln!("      {error:#}");
            tally.fail("fuzz");
        }
    }
    steps.finish("test");
    conclude(&tally)
}

fn conclude(tally: &Tally) -> Result<()> {
    for failure in &tally.failures {
        println!("failed: {failure}");
    }
    for reason in &tally.reasons {
        println!("skipped: {reason}");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    if tally.failed > 0 {
        bail!("{} failed", tally.failed);
    }
    Ok(())
}

/// Installs the peers that `hw-tests` wants; a peer that cannot be had is for its tests to skip.
fn install_peers(steps: &mut Steps, tally: &mut Tally) {
    steps.begin("looking for the peers of hw-tests");
    let Ok(list) = std::fs::read_to_string(workspace::root().join(PACKAGE_LIST)) else {
        return;
    };
    let packages: Vec<&str> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if let Err(error) = host::require_packages(&packages) {
        eprintln!("      {error:#}");
        tally.skip(&format!("installing the peers of hw-tests: {error}"));
    }
}

/// Runs a test command, shows its output and counts its results.
fn run_tests(command: &mut Command, what: &str, tally: &mut Tally) {
    let before = tally.failed;
    match stream(command, |line| tally.read(line)) {
        Ok(true) => {}
        // A crate that does not compile prints no test result.
        Ok(false) if tally.failed == before => {
            tally.fail(&format!("{what}: did not run to the end"))
        }
        Ok(false) => {}
        Err(error) => {
            eprintln!("      {error:#}");
            tally.fail(what);
        }
    }
}

/// Runs a command, passing each line of its output to `read` and on; tells whether it succeeded.
fn stream(command: &mut Command, mut read: impl FnMut(&str)) -> Result<bool> {
    let shown = workspace::display(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let output = child.stdout.take().context("the output was asked for")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the output")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        read(&line);
    }
    Ok(child
        .wait()
        .with_context(|| format!("cannot wait for `{shown}`"))?
        .success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted_with_their_names_and_reasons() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test one ... ok",
            "test two ... FAILED",
            "test three ... ignored, needs a machine",
            "test four - should panic ... ok",
            "test five ... skipped: no such peer",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored",
        ] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (2, 1, 2));
        assert_eq!(tally.failures, ["two"]);
        assert_eq!(
            tally.reasons,
            [
                "three ... ignored, needs a machine",
                "five ... skipped: no such peer"
            ]
        );
        assert!(conclude(&tally).is_err());
    }

    #[test]
    fn a_test_that_skips_itself_is_not_counted_as_passed() {
        let mut tally = Tally::default();
        tally.read("SKIPPED nmap: not installed");
        tally.read("test nmap_sees_only_open_ports ... ok");
        assert_eq!(tally.skipped, 1);
        assert_eq!(tally.reasons, ["nmap: not installed"]);
    }
}
