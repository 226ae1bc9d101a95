//! Short runs of the fuzz targets, on the stable compiler.
//!
//! A target is a binary of the crate in `firmware/fuzz/`, linked with libFuzzer. The coverage
//! instrumentation is asked for by compiler flags; an explicit `--target` keeps them away from build
//! scripts and procedural macros.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::host;
use crate::workspace;

/// How long each target runs, in seconds.
const SECONDS: u32 = 10;

/// How long one input may take, in seconds, before it counts as a hang.
const INPUT_SECONDS: u32 = 20;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// SanitizerCoverage as libFuzzer wants it (LLVM documentation, "SanitizerCoverage").
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1";

/// What inputs are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// The same every time, so that a tree which passed passes again.
    Fixed,
    /// New every time, to find what nobody has seen.
    Random,
}

/// Builds and runs every target for a few seconds; returns their names.
///
/// # Errors
/// When a target does not build or finds a fault; the input that showed it is kept.
pub fn run_briefly(seed: Seed) -> Result<Vec<String>> {
    let manifest = home().join("Cargo.toml");
    if !manifest.exists() {
        return Ok(Vec::new());
    }
    host::require(host::FOR_HOST_CRATES)?;
    let targets = targets(&manifest)?;
    let folder = workspace::root().join("target").join("fuzz");
    let mut cargo = workspace::cargo();
    cargo
        .args([
            "build",
            "--release",
            "--bins",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", RUSTFLAGS)
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env_remove("CARGO_TARGET_DIR");
    workspace::run(&mut cargo)?;
    for target in &targets {
        run_target(target, &folder, seed)?;
    }
    Ok(targets)
}

/// Where the fuzz crate lives.
fn home() -> PathBuf {
    workspace::root().join("firmware").join("fuzz")
}

fn run_target(target: &str, folder: &Path, seed: Seed) -> Result<()> {
    // Good examples come from the target itself. With random inputs, what was learned is kept from run to
    // run.
    let corpus = match seed {
        Seed::Fixed => folder.join("corpus-fixed").join(target),
        Seed::Random => folder.join("corpus").join(target),
    };
    if seed == Seed::Fixed && corpus.exists() {
        std::fs::remove_dir_all(&corpus)
            .with_context(|| format!("cannot empty {}", corpus.display()))?;
    }
    let artifacts = folder.join("found").join(target);
    for made in [&corpus, &artifacts] {
        std::fs::create_dir_all(made)
            .with_context(|| format!("cannot create {}", made.display()))?;
    }
    let program = folder.join(TARGET).join("release").join(target);
    let fuzz = |inputs: &[PathBuf]| -> Result<()> {
        let mut command = std::process::Command::new(&program);
        command
            .arg(format!("-max_total_time={SECONDS}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .args((seed == Seed::Fixed).then_some("-seed=1"))
            .arg("-print_final_stats=0")
            .arg("-verbosity=0")
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(inputs);
        workspace::run(&mut command)
            .with_context(|| format!("target {target}; see {}", artifacts.display()))
    };
    let known = past_crashes(target)?;
    if !known.is_empty() {
        eprintln!("      {target}: {} earlier crashes", known.len());
        fuzz(&known)?;
    }
    eprintln!("      {target} for {SECONDS} s");
    fuzz(&[corpus])
}

/// Inputs that once broke a law; kept in the source tree, run before anything new is tried.
fn past_crashes(target: &str) -> Result<Vec<PathBuf>> {
    let folder = home().join("regressions").join(target);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let mut inputs = files
        .map(|file| Ok(file?.path()))
        .collect::<Result<Vec<_>>>()?;
    inputs.sort();
    Ok(inputs)
}

/// Names of the binaries in the fuzz crate.
fn targets(manifest: &Path) -> Result<Vec<String>> {
    let output = workspace::cargo()
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    let manifest = manifest.to_string_lossy();
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let package = packages
        .iter()
        .find(|package| package.get("manifest_path").and_then(Value::as_str) == Some(&*manifest))
        .context("the fuzz crate is not in its own metadata")?;
    let targets = package
        .get("targets")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let is_binary = |target: &&Value| {
        target
            .get("kind")
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
    };
    let name = |target: &Value| {
        target
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Ok(targets.iter().filter(is_binary).filter_map(name).collect())
}
