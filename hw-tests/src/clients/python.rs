//! Virtual environments with the clients' Python packages.
//!
//! They are made before the test program enters its sandbox, which has no way out to a package
//! index, and kept under `target` until the list of their packages changes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tools::workspace;

/// One environment.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Name of its folder.
    name: &'static str,
    /// Its packages with their versions, as `pip` reads them.
    packages: &'static str,
}

/// netmiko, scrapli, pexpect, ciscoconfparse2, ntc-templates.
pub const DESK: Environment = Environment {
    name: "desk",
    packages: include_str!("../../clients/desk.txt"),
};

/// Ansible with its network collections: half a gigabyte, so not for every run.
pub const ANSIBLE: Environment = Environment {
    name: "ansible",
    packages: include_str!("../../clients/ansible.txt"),
};

impl Environment {
    fn folder(&self) -> PathBuf {
        workspace::root().join("target/python").join(self.name)
    }

    /// Names the packages that were installed to the end.
    fn stamp(&self) -> PathBuf {
        self.folder().join("installed.txt")
    }

    /// Says why it could not be made, to the program within the sandbox.
    fn reason(&self) -> PathBuf {
        self.folder().join("missing.txt")
    }

    fn is_complete(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|packages| packages == self.packages)
    }

    /// Makes it, unless it is there. What goes wrong is kept for [`Environment::program`].
    pub fn prepare(&self) {
        if self.is_complete() {
            return;
        }
        eprintln!("installing the Python packages of {}", self.name);
        if let Err(error) = self.install() {
            // A folder that cannot be written is noticed by whoever looks for the programs.
            let _ = fs::create_dir_all(self.folder());
            let _ = fs::write(self.reason(), format!("{error:#}"));
        }
    }

    fn install(&self) -> Result<()> {
        let folder = self.folder();
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let list = folder.join("packages.txt");
        fs::write(&list, self.packages)?;
        run(Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&list))?;
        fs::write(self.stamp(), self.packages)?;
        Ok(())
    }

    /// A program of it.
    ///
    /// # Errors
    /// When the environment could not be made; the message is the reason.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        if !self.is_complete() {
            let reason = fs::read_to_string(self.reason());
            bail!(
                "the Python packages of {} are missing: {}",
                self.name,
                reason
                    .as_deref()
                    .unwrap_or("they were not installed")
                    .trim()
            );
        }
        Ok(self.folder().join("bin").join(name))
    }
}

/// Runs a command that must succeed; its last words are the error.
fn run(command: &mut Command) -> Result<()> {
    let shown = workspace::display(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        bail!("`{shown}` failed: {}", last.unwrap_or("without a word"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_a_fixed_version() {
        for environment in [DESK, ANSIBLE] {
            let lines = environment.packages.lines().map(str::trim);
            let packages: Vec<&str> = lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .collect();
            assert!(!packages.is_empty());
            for package in packages {
                assert!(package.contains("=="), "{package}");
            }
        }
    }
}
