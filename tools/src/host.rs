//! What the host must have: looked for first, installed when that is possible, named when not.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program the host must have, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name looked for in `PATH`, `/usr/sbin` and `/sbin`.
    pub name: &'static str,
    /// Debian package.
    pub package: &'static str,
}

/// The emulator. 7.2 is the first with `-netdev stream`.
pub const QEMU: Program = Program {
    name: "qemu-system-x86_64",
    package: "qemu-system-x86",
};

/// The C compiler driver that links the firmware and compiles ring.
pub const CC: Program = Program {
    name: "cc",
    package: "gcc libc6-dev",
};

/// Terminal settings for the raw console.
pub const STTY: Program = Program {
    name: "stty",
    package: "coreutils",
};

/// What building takes.
pub const FOR_BUILD: &[Program] = &[CC];

/// The C++ compiler: libFuzzer, which the fuzz targets are linked with, is C++.
pub const CXX: Program = Program {
    name: "c++",
    package: "g++",
};

/// What checking and testing every host crate takes.
pub const FOR_HOST_CRATES: &[Program] = &[CC, CXX];

/// What running the image takes.
pub const FOR_QEMU: &[Program] = &[CC, QEMU, STTY];

/// Oldest QEMU that has all we use, as (major, minor).
const QEMU_MINIMUM: (u32, u32) = (7, 2);

/// Makes sure the host has `programs`, installing what is missing.
///
/// # Errors
/// When a program is missing and cannot be installed; the message is the command to type.
pub fn require(programs: &[Program]) -> Result<()> {
    let missing: Vec<&Program> = programs
        .iter()
        .filter(|program| find(program.name).is_none())
        .collect();
    if !missing.is_empty() {
        let packages: Vec<&str> = missing
            .iter()
            .flat_map(|program| program.package.split(' '))
            .collect();
        let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
        eprintln!("missing on this host: {}", names.join(", "));
        install(&packages)?;
        if let Some(program) = missing.iter().find(|program| find(program.name).is_none()) {
            bail!(
                "package {} was installed, but `{}` is still not found",
                program.package,
                program.name
            );
        }
    }
    if programs.contains(&QEMU) {
        check_qemu_version()?;
    }
    Ok(())
}

/// Makes sure the Debian `packages` are installed.
///
/// # Errors
/// As [`require`].
pub fn require_packages(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        install(&missing)
    }
}

/// Finds a program in `PATH` and the system administration folders.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Tells whether this process may do everything.
pub fn is_root() -> bool {
    output("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

/// Tells whether a Debian package is installed.
pub fn is_installed(package: &str) -> bool {
    output("dpkg-query", &["-W", "-f=${Status}", package])
        .is_some_and(|status| status.ends_with("ok installed"))
}

/// Model name of the processor, for reports.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(
        || "unknown processor".to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}

/// Name of the operating system, for reports.
pub fn system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(
        || "unknown system".to_owned(),
        |name| name.trim_matches('"').to_owned(),
    )
}

/// First line of `qemu-system-x86_64 --version`.
pub fn qemu_version() -> Option<String> {
    output(QEMU.name, &["--version"])?
        .lines()
        .next()
        .map(str::to_owned)
}

/// Installs Debian packages as root or through a sudo that asks nothing.
fn install(packages: &[&str]) -> Result<()> {
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install -y {}",
        packages.join(" ")
    );
    if find("apt-get").is_none() {
        bail!(
            "this host has no apt-get; install the equivalents of: {}",
            packages.join(" ")
        );
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if output("sudo", &["-n", "true"]).is_some() {
        &["sudo", "-n"]
    } else {
        bail!(
            "cannot install packages without root or a passwordless sudo; please run:\n  {by_hand}"
        );
    };
    eprintln!("installing {}", packages.join(" "));
    let apt = |arguments: &[&str]| -> Result<()> {
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain([
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "-q",
                "-y",
            ])
            .chain(arguments.iter().copied())
            .collect();
        let (program, rest) = words.split_first().context("a command has a first word")?;
        let status = Command::new(program)
            .args(rest)
            .stdin(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            bail!("`{}` failed; please run:\n  {by_hand}", words.join(" "));
        }
        Ok(())
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    apt(&arguments)
}

fn check_qemu_version() -> Result<()> {
    let line = qemu_version().context("cannot run qemu-system-x86_64 --version")?;
    let found =
        parse_version(&line).with_context(|| format!("cannot read the version in `{line}`"))?;
    if found < QEMU_MINIMUM {
        bail!(
            "QEMU {}.{} is needed, this host has {}.{}",
            QEMU_MINIMUM.0,
            QEMU_MINIMUM.1,
            found.0,
            found.1
        );
    }
    Ok(())
}

/// Reads `7.2` out of `QEMU emulator version 7.2.22 (Debian …)`.
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let after = line.split("version ").nth(1)?;
    let mut numbers = after.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Standard output of a program that succeeded.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulator_version_is_read_from_its_banner() {
        assert_eq!(
            parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)"),
            Some((7, 2))
        );
        assert_eq!(parse_version("QEMU emulator version 10.0.0"), Some((10, 0)));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn a_program_of_every_host_is_found_and_an_invented_one_is_not() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-by-this-name").is_none());
    }
}
