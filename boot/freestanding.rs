//! What the build scripts of everything that runs on the bare machine share: no C library of the host,
//! a linker script of their own.
//!
//! Link arguments are given by build scripts and not in global flags, because host and machine are the
//! same target triple and build scripts must not be linked this way.

use std::path::PathBuf;
use std::{env, fs, io};

/// Archives that crates ask for by name. Empty stand-ins keep the host's C library out, so that every C
/// symbol in use must be one that is defined here.
const STAND_INS: [&str; 7] = ["c", "m", "rt", "pthread", "dl", "util", "gcc_s"];

/// An archive without members is its magic number alone (ar(5)).
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

/// Links the package's programs by its `link.ld`, with the arguments `more` beside those that all have.
pub(crate) fn link(more: &[&str]) -> io::Result<()> {
    let out = variable("OUT_DIR");
    for name in STAND_INS {
        fs::write(out.join(format!("lib{name}.a")), EMPTY_ARCHIVE)?;
    }
    let script = variable("CARGO_MANIFEST_DIR").join("link.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    println!("cargo::rerun-if-changed=build.rs");
    let own = [
        "-nostartfiles".into(),
        "-nostdlib".into(),
        "-Wl,--gc-sections".into(),
        "-Wl,--build-id=none".into(),
        format!("-L{}", out.display()),
        format!("-T{}", script.display()),
    ];
    let more = more.iter().map(|argument| String::from(*argument));
    for argument in own.into_iter().chain(more) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}

fn variable(name: &str) -> PathBuf {
    // Cargo sets both of the variables asked for.
    PathBuf::from(env::var_os(name).unwrap_or_default())
}
