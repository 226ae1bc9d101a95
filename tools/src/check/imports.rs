//! Imports point down only.
//!
//! The table below is the one of `docs/architecture.md`. It is proven against `cargo metadata`, not
//! against source text, so that no way of writing an import escapes it.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// What a crate may import of ours, in the code it ships.
struct Row {
    name: &'static str,
    may_import: &'static [&'static str],
}

/// Every crate of the workspace. A crate that is not here fails the check.
const TABLE: &[Row] = &[
    Row {
        name: "hal",
        may_import: &[],
    },
    Row {
        name: "hal-x86",
        may_import: &["hal"],
    },
    Row {
        name: "hal-sim",
        may_import: &["hal"],
    },
    Row {
        name: "cli",
        may_import: &["hal"],
    },
    Row {
        name: "clock",
        may_import: &["hal"],
    },
    Row {
        name: "dataplane",
        may_import: &["hal"],
    },
    Row {
        name: "dns",
        may_import: &["hal"],
    },
    Row {
        name: "pki",
        may_import: &["hal"],
    },
    Row {
        name: "sip",
        may_import: &["hal"],
    },
    Row {
        name: "storage",
        may_import: &["hal"],
    },
    Row {
        name: "syslog",
        may_import: &["hal"],
    },
    Row {
        name: "config",
        may_import: &["hal", "cli"],
    },
    Row {
        name: "tls-proxy",
        may_import: &["hal", "sip", "pki"],
    },
    Row {
        name: "firmware",
        may_import: &[
            "hal",
            "cli",
            "clock",
            "config",
            "dataplane",
            "pki",
            "sip",
            "slots",
            "storage",
            "syslog",
            "tls-proxy",
        ],
    },
    Row {
        name: "boot",
        may_import: &["hal", "hal-x86", "firmware"],
    },
    Row {
        name: "slots",
        may_import: &[],
    },
    Row {
        name: "loader",
        may_import: &["slots"],
    },
    Row {
        name: "handoff",
        may_import: &["loader"],
    },
    Row {
        name: "bios",
        may_import: &["slots", "loader", "handoff"],
    },
    Row {
        name: "uefi",
        may_import: &["slots", "loader", "handoff"],
    },
    // The image is proved with the loader's own code before it is written.
    Row {
        name: "image",
        may_import: &["slots", "loader"],
    },
    Row {
        name: "tools",
        may_import: &["image", "slots"],
    },
    Row {
        name: "hw-tests",
        may_import: &["hal", "hal-sim", "dataplane", "slots", "tools"],
    },
    // Fuzz targets feed every parser.
    Row {
        name: "fuzz",
        may_import: &[
            "hal",
            "cli",
            "config",
            "dataplane",
            "dns",
            "sip",
            "storage",
            "pki",
            "tls-proxy",
            "firmware",
        ],
    },
];

/// What tests may import beyond the table: the simulated hardware.
const FOR_TESTS: &[&str] = &["hal-sim"];

/// Crates that are part of the appliance: no operating system, no runtime of one.
const APPLIANCE: &[&str] = &[
    "hal",
    "cli",
    "clock",
    "dataplane",
    "dns",
    "pki",
    "sip",
    "storage",
    "syslog",
    "config",
    "tls-proxy",
    "firmware",
    "hal-x86",
    "boot",
    "slots",
    "loader",
    "handoff",
    "bios",
    "uefi",
];

/// What the appliance's shipped code must not name.
const HOST_ONLY: &[&str] = &["tokio", "tokio-rustls", "tun-rs", "libc", "clap", "rcgen"];

/// What only drivers may name.
const DRIVERS_ONLY: &[&str] = &[
    "pci_types",
    "raw-cpuid",
    "virtio-drivers",
    "uart_16550",
    "x86_64",
    "acpi",
];

/// One import: who, whom, and whether only tests do it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    is_shipped: bool,
}

/// Proves the table.
///
/// # Errors
/// Names every edge that points the wrong way.
pub fn check() -> Result<()> {
    let output = workspace::cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
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
    let (members, edges) = read(&metadata);
    let violations = judge(&members, &edges);
    if violations.is_empty() {
        return Ok(());
    }
    bail!(
        "{} imports against the table:\n  {}",
        violations.len(),
        violations.join("\n  ")
    )
}

/// Takes members and their direct dependencies out of the metadata.
fn read(metadata: &Value) -> (Vec<String>, Vec<Edge>) {
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let members = packages
        .iter()
        .map(|package| text(package, "name"))
        .collect();
    let mut edges = Vec::new();
    for package in &packages {
        let dependencies = package
            .get("dependencies")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for dependency in dependencies {
            edges.push(Edge {
                from: text(package, "name"),
                to: text(&dependency, "name"),
                is_shipped: dependency.get("kind").is_none_or(Value::is_null),
            });
        }
    }
    (members, edges)
}

/// Returns one line per violation.
fn judge(members: &[String], edges: &[Edge]) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members {
        if !TABLE.iter().any(|row| row.name == member) {
            violations.push(format!("{member}: not in the table"));
        }
    }
    for Edge {
        from,
        to,
        is_shipped,
    } in edges
    {
        let is_ours = members.contains(to);
        let row = TABLE.iter().find(|row| row.name == from);
        let is_listed = row.is_some_and(|row| row.may_import.contains(&to.as_str()));
        let is_allowed_in_tests = !is_shipped && FOR_TESTS.contains(&to.as_str());
        if is_ours && from != to && !is_listed && !is_allowed_in_tests {
            violations.push(format!("{from} → {to}: the table does not allow it"));
        }
        let is_appliance = APPLIANCE.contains(&from.as_str());
        if *is_shipped && is_appliance && HOST_ONLY.contains(&to.as_str()) {
            violations.push(format!(
                "{from} → {to}: the appliance has no operating system"
            ));
        }
        let is_driver = matches!(from.as_str(), "hal-x86" | "boot");
        if *is_shipped && is_appliance && !is_driver && DRIVERS_ONLY.contains(&to.as_str()) {
            violations.push(format!("{from} → {to}: only drivers name hardware"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, is_shipped: bool) -> Edge {
        Edge {
            from: from.into(),
            to: to.into(),
            is_shipped,
        }
    }

    fn judge_one(edge: Edge) -> Vec<String> {
        let members: Vec<String> = TABLE.iter().map(|row| row.name.to_owned()).collect();
        judge(&members, &[edge])
    }

    #[test]
    fn downward_imports_pass_and_upward_ones_are_named() {
        assert!(judge_one(edge("firmware", "hal", true)).is_empty());
        let violations = judge_one(edge("hal", "firmware", true));
        assert!(
            violations
                .first()
                .is_some_and(|line| line.starts_with("hal → firmware")),
            "{violations:?}"
        );
        assert_eq!(
            judge_one(edge("sip", "pki", true)).len(),
            1,
            "parts do not import each other"
        );
    }

    #[test]
    fn simulated_hardware_is_for_tests() {
        assert!(judge_one(edge("firmware", "hal-sim", false)).is_empty());
        assert_eq!(judge_one(edge("firmware", "hal-sim", true)).len(), 1);
    }

    #[test]
    fn the_appliance_names_no_runtime_and_its_policy_no_driver() {
        assert_eq!(judge_one(edge("dataplane", "tokio", true)).len(), 1);
        assert!(judge_one(edge("tools", "tokio", true)).is_empty());
        assert_eq!(judge_one(edge("firmware", "virtio-drivers", true)).len(), 1);
        assert!(judge_one(edge("hal-x86", "virtio-drivers", true)).is_empty());
    }

    #[test]
    fn a_crate_missing_from_the_table_is_named() {
        let violations = judge(&["newcomer".to_owned()], &[]);
        assert_eq!(violations, ["newcomer: not in the table"]);
    }

    #[test]
    fn metadata_is_read_with_kinds() {
        let metadata: Value = serde_json::from_str(
            r#"{"packages":[{"name":"a","dependencies":[
                {"name":"b","kind":null},{"name":"c","kind":"dev"},{"name":"d","kind":"build"}]}]}"#,
        )
        .unwrap();
        let (members, edges) = read(&metadata);
        assert_eq!(members, ["a"]);
        assert_eq!(
            edges,
            [
                edge("a", "b", true),
                edge("a", "c", false),
                edge("a", "d", false)
            ]
        );
    }
}
