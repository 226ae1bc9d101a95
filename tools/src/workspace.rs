//! Where things are in the source tree, and how Cargo is called in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Cargo's options that leave out what runs on the bare machine: it is built by invocations of its own.
pub const WITHOUT_IMAGES: [&str; 6] = [
    "--exclude",
    "boot",
    "--exclude",
    "bios",
    "--exclude",
    "uefi",
];

/// The root of the source tree.
///
/// The folder Cargo runs this program for comes first: a target folder shared by two checkouts may
/// hold a program that was compiled in the other one.
pub fn root() -> PathBuf {
    let is_root = |folder: &Path| folder.join("tools").join("Cargo.toml").is_file();
    let running = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let parent = running
        .as_deref()
        .and_then(Path::parent)
        .filter(|folder| is_root(folder));
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
    parent
        .or_else(|| compiled.parent())
        .unwrap_or(compiled)
        .to_path_buf()
}

/// Where the laid-out image is: `target/image`.
pub fn image_directory() -> PathBuf {
    root().join("target").join("image")
}

/// The loadable image: `target/image/sallyport.elf`.
pub fn image() -> PathBuf {
    image_directory().join(image::IMAGE_NAME)
}

/// The bootable disk: `target/image/sallyport.img`.
pub fn disk_image() -> PathBuf {
    image_directory().join(image::disk::release::DISK_NAME)
}

/// The image's unstripped twin.
pub fn debug_file() -> PathBuf {
    image_directory().join(image::DEBUG_NAME)
}

/// Where `cargo xtask run` keeps its disk and logs: `target/run`.
pub fn run_directory() -> PathBuf {
    root().join("target").join("run")
}

/// A Cargo command at the root, free of what the calling Cargo put into the environment.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // `cargo run` describes the crate it runs; a nested Cargo must not take that for its own.
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with its output in front of the user.
///
/// # Errors
/// When it cannot be started or fails; the message carries the command line.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = display(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// The command line as one would type it.
pub fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
