//! What is a name of a host.

use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;

use crate::{HostName, NameError};

#[test]
fn names_are_kept_in_small_letters_without_the_last_dot() {
    assert_eq!(
        HostName::parse("Host-1.EXAMPLE.").unwrap().as_str(),
        "host-1.example"
    );
}

#[test]
fn what_is_no_name_is_refused_with_its_reason() {
    let long = vec!["a".repeat(49); 6].join(".");
    for (text, error) in [
        ("", NameError::Length),
        (".", NameError::Length),
        (long.as_str(), NameError::Length),
        ("a..b", NameError::LabelLength),
        ("a..", NameError::LabelLength),
        ("-a.b", NameError::Character),
        ("a-.b", NameError::Character),
        ("a b", NameError::Character),
        ("h\u{f6}st", NameError::Character),
    ] {
        assert_eq!(HostName::parse(text), Err(error), "{text}");
    }
    let label: String = "a".repeat(64);
    assert_eq!(HostName::parse(&label), Err(NameError::LabelLength));
    assert!(HostName::parse(&label[1..]).is_ok());
}

proptest! {
    #[test]
    fn what_is_read_is_read_again_the_same(text in "[-_.a-zA-Z0-9]{0,80}") {
        if let Ok(name) = HostName::parse(&text) {
            prop_assert_eq!(HostName::parse(name.as_str()), Ok(name));
        }
    }
}
