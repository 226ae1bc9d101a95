//! Requirement: `docs/commands.md` tells of every command, and of no other. Needs: nothing.

use std::path::Path;

#[test]
fn the_command_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let reference = firmware::command_reference();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &reference).expect("the reference can be written");
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, should)) in (1..).zip(reference.lines().zip(written.lines())) {
        assert_eq!(
            is, should,
            "line {number} of docs/commands.md; run this test with UPDATE_SNAPSHOTS=1"
        );
    }
    assert_eq!(
        reference.len(),
        written.len(),
        "docs/commands.md is out of date; run this test with UPDATE_SNAPSHOTS=1"
    );
}
