//! Link arguments of the bare-metal image.
//!
//! They are given here and not in global flags, because host and image are the same target triple
//! and build scripts must not be linked this way.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Archives that crates ask for by name. Empty stand-ins keep the host's C library out of the image,
/// so that every C symbol in use must be one that `src/libc` defines.
const STAND_INS: [&str; 7] = ["c", "m", "rt", "pthread", "dl", "util", "gcc_s"];

/// An archive without members is its magic number alone (ar(5)).
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

fn main() -> io::Result<()> {
    let out = variable("OUT_DIR");
    for name in STAND_INS {
        fs::write(out.join(format!("lib{name}.a")), EMPTY_ARCHIVE)?;
    }
    let script = variable("CARGO_MANIFEST_DIR").join("link.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    println!("cargo::rerun-if-changed=build.rs");
    // defmt's macros read this while they are expanded, and without it keep errors only.
    println!("cargo::rerun-if-env-changed=DEFMT_LOG");
    if env::var_os("DEFMT_LOG").is_none() {
        println!("cargo::rustc-env=DEFMT_LOG=info");
    }
    for argument in arguments(&script, &out) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}

fn arguments(script: &Path, stand_ins: &Path) -> [String; 9] {
    [
        "-nostartfiles".into(),
        "-nostdlib".into(),
        "-static".into(),
        "-no-pie".into(),
        "-Wl,--gc-sections".into(),
        "-Wl,--build-id=none".into(),
        format!("-L{}", stand_ins.display()),
        format!("-T{}", script.display()),
        // defmt's own script: the sections its decoder reads.
        "-Tdefmt.x".into(),
    ]
}

fn variable(name: &str) -> PathBuf {
    // Cargo sets both of the variables asked for.
    PathBuf::from(env::var_os(name).unwrap_or_default())
}
