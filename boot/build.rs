//! Link arguments of the bare-metal image.

#[path = "freestanding.rs"]
mod freestanding;

use std::{env, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=freestanding.rs");
    // defmt's macros read this while they are expanded, and without it keep errors only.
    println!("cargo::rerun-if-env-changed=DEFMT_LOG");
    if env::var_os("DEFMT_LOG").is_none() {
        println!("cargo::rustc-env=DEFMT_LOG=info");
    }
    freestanding::link(&[
        "-static",
        "-no-pie",
        // defmt's own script: the sections its decoder reads.
        "-Tdefmt.x",
    ])
}
