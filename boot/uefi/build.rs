//! Link arguments of the UEFI loader: a position-independent executable that needs no loader but ours.
//!
//! They are given here because host programs have the same target.

use std::path::PathBuf;
use std::{env, fs, io};

/// Archives that crates ask for by name; empty stand-ins keep the host's C library out.
const STAND_INS: [&str; 7] = ["c", "m", "rt", "pthread", "dl", "util", "gcc_s"];

/// An archive without members is its magic number alone (ar(5)).
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

fn main() -> io::Result<()> {
    // Cargo sets both of the variables asked for.
    let variable = |name: &str| PathBuf::from(env::var_os(name).unwrap_or_default());
    let out = variable("OUT_DIR");
    for name in STAND_INS {
        fs::write(out.join(format!("lib{name}.a")), EMPTY_ARCHIVE)?;
    }
    let script = variable("CARGO_MANIFEST_DIR").join("link.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    println!("cargo::rerun-if-changed=build.rs");
    for argument in [
        "-nostartfiles".into(),
        "-nostdlib".into(),
        "-static-pie".into(),
        "-Wl,-z,norelro".into(),
        "-Wl,--no-dynamic-linker".into(),
        "-Wl,--gc-sections".into(),
        "-Wl,--build-id=none".into(),
        format!("-L{}", out.display()),
        format!("-T{}", script.display()),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}
