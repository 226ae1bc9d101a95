//! The document and the table.

use crate::message::{Id, Message};
use crate::{Class, document};
use std::collections::BTreeSet;
use std::path::Path;
use std::{env, format, fs};

#[test]
fn the_document_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/messages.md");
    let text = document::document();
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/messages.md is out of date; run with UPDATE_SNAPSHOTS=1"
    );
}

#[test]
fn every_message_has_a_number_of_its_own_and_a_class() {
    assert_eq!(Id::ALL.len(), Message::ROWS.len());
    let numbers: BTreeSet<u32> = Message::ROWS.iter().map(|row| row.number).collect();
    assert_eq!(numbers.len(), Message::ROWS.len());
    for (at, (id, row)) in Id::ALL.iter().zip(Message::ROWS).enumerate() {
        assert_eq!(*id as usize, at);
        assert!((100_000..=999_999).contains(&row.number));
        assert!(Class::of(row.number).is_some(), "{}", row.number);
        assert!(row.meaning.trim().ends_with('.'), "{}", row.number);
        for (name, _) in row.fields {
            assert!(row.text.contains(&format!("{{{name}")), "{}", row.number);
        }
    }
}

#[test]
fn a_message_is_in_one_class_only() {
    for row in Message::ROWS {
        let classes = Class::ALL
            .iter()
            .filter(|class| class.contains(row.number))
            .count();
        assert_eq!(classes, 1, "{}", row.number);
    }
}
