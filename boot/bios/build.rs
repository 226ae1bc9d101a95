//! Link arguments of the BIOS loader.

#[path = "../freestanding.rs"]
mod freestanding;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../freestanding.rs");
    freestanding::link(&["-static", "-no-pie"])
}
