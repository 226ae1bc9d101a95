//! Benchmarks of single crates, run as they are.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace;

/// One benchmark program and what it printed.
#[derive(Debug)]
pub(super) struct NativeBench {
    /// The command that repeats it.
    pub(super) command: String,
    /// Its standard output, or why there is none.
    pub(super) output: String,
}

/// Runs every benchmark of the workspace.
///
/// # Errors
/// When Cargo cannot say which there are.
pub(super) fn run() -> Result<Vec<NativeBench>> {
    let output = workspace::cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    let mut benches = Vec::new();
    for (package, bench) in find(&metadata) {
        eprintln!("      {package}: {bench}");
        let mut cargo = workspace::cargo();
        cargo.args([
            "bench",
            "--quiet",
            "--profile",
            "host",
            "--package",
            &package,
            "--bench",
            &bench,
        ]);
        let command = format!("cargo bench --profile host --package {package} --bench {bench}");
        let output = match cargo.output() {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            Ok(output) => format!("failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => format!("did not start: {error}"),
        };
        benches.push(NativeBench { command, output });
    }
    Ok(benches)
}

/// Package and name of every bench target.
fn find(metadata: &Value) -> Vec<(String, String)> {
    let list = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut found = Vec::new();
    for package in list(metadata, "packages") {
        for target in list(&package, "targets") {
            if list(&target, "kind").iter().any(|kind| kind == "bench") {
                found.push((text(&package, "name"), text(&target, "name")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_targets_are_found_by_kind() {
        let metadata = serde_json::json!({"packages": [{"name": "dataplane", "targets": [
            {"name": "dataplane", "kind": ["lib"]}, {"name": "forwarding", "kind": ["bench"]}]}]});
        assert_eq!(
            find(&metadata),
            [("dataplane".to_owned(), "forwarding".to_owned())]
        );
    }
}
