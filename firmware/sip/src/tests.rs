use super::*;
#[test]
fn placeholder_compiles() {
    assert_eq!(Limits::default().message_bytes(), 24 * 1024);
}
