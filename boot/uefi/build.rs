//! Link arguments of the UEFI loader: a position-independent executable that needs no loader but ours.

#[path = "../freestanding.rs"]
mod freestanding;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../freestanding.rs");
    freestanding::link(&["-static-pie", "-Wl,-z,norelro", "-Wl,--no-dynamic-linker"])
}
