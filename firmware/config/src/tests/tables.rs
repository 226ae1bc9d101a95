//! The tables themselves.

use super::{Session, snapshot};
use crate::model::{CipherSuite, Config, InspectEngine, Timer};
use crate::print::{Cryptochecksum, Extent, Heading, Secrets, document, print, print_selection};
use crate::text;

#[test]
fn every_word_of_every_row_has_help() {
    let grammar = text::grammar().unwrap();
    assert_eq!(grammar.missing_help(), []);
    assert_eq!(grammar.unused_help(), []);
}

#[test]
fn timers_stand_in_the_table_where_their_enum_says() {
    for (index, row) in Timer::ROWS.iter().enumerate() {
        assert_eq!(row.timer as usize, index);
        assert_eq!(row.timer.row().keyword, row.keyword);
    }
}

#[test]
fn keywords_are_distinct() {
    let ciphers: std::collections::BTreeSet<_> = CipherSuite::ALL
        .iter()
        .map(|suite| suite.keyword())
        .collect();
    assert_eq!(ciphers.len(), CipherSuite::ALL.len());
    let engines: std::collections::BTreeSet<_> = InspectEngine::ALL
        .iter()
        .map(|engine| engine.keyword())
        .collect();
    assert_eq!(engines.len(), InspectEngine::ALL.len());
}

#[test]
fn a_document_has_our_own_version_and_reads_back() {
    let session = Session::with_interfaces();
    let heading = Heading {
        saved: true,
        hardware: "Sallyport, 256 MB RAM",
        written: Some("enable_15 at 20:03:32.236 UTC Mon Nov 22 2021"),
        version: "0.1.0",
    };
    let text = document(
        &session.config,
        &heading,
        Extent::Configured,
        Secrets::Shown,
    );
    assert!(
        text.starts_with(": Saved\n\n:\n: Hardware:   Sallyport"),
        "{text}"
    );
    assert!(text.contains("\nSallyport Version 0.1.0\n"));
    let sum = Cryptochecksum::of_config(&session.config);
    assert!(text.ends_with(&format!("\nCryptochecksum:{sum:#}\n: end\n")));
    assert_eq!(sum.to_string().split(' ').count(), 4);
    assert_eq!(Cryptochecksum::of_document(&text), Some(sum));
    assert_eq!(Cryptochecksum::of_document("hostname asa1"), None);
    let (again, problems) = text::load(&session.grammar, Some, &text, 3);
    assert_eq!(problems, []);
    assert_eq!(again, session.config);
}

#[test]
fn the_checksum_is_md5_in_groups() {
    // RFC 1321 §A.5.
    assert_eq!(
        Cryptochecksum::of("abc").to_string(),
        "90015098 3cd24fb0 d6963f7d 28e17f72"
    );
}

#[test]
fn sections_and_names_filter_the_text() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object network A\n host 10.20.0.11\n nat (inside,outside) static 203.0.113.10\n\
         access-list one extended permit ip any any\naccess-list two extended deny ip any any\n",
    );
    assert_eq!(
        session.shown("object"),
        ["object network A", " host 10.20.0.11"]
    );
    assert_eq!(
        session.shown("nat"),
        [
            "object network A",
            " nat (inside,outside) static 203.0.113.10"
        ]
    );
    assert_eq!(
        session.shown("access-list two"),
        ["access-list two extended deny ip any any"]
    );
    assert_eq!(session.shown("interface gi0/2").len(), 6);
    assert_eq!(
        session.shown("int inside"),
        session.shown("interface GigabitEthernet 0/1")
    );
}

#[test]
fn sections_are_narrowed_by_words_and_names_as_on_an_asa() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object service S\n service tcp source eq 5061\nobject network Z\n host 10.20.0.12\n\
         object network A\n host 10.20.0.11\nobject-group service P tcp\n port-object eq 5061\n\
         object-group network G\n network-object object A\ncrypto ca trustpoint T\n\
         crypto ca trustpoint U\ncrypto ca certificate chain T\n certificate ca 01\n 3003020105\n quit\n\
         crypto ipsec security-association pmtu-aging infinite\ncrypto ca trustpool policy\n",
    );
    for (section, first_words) in [
        (
            "object network",
            vec!["object network Z", "object network A"],
        ),
        ("object network id A", vec!["object network A"]),
        ("object id S", vec!["object service S"]),
        ("object ser", vec!["object service S"]),
        ("object-g network", vec!["object-group network G"]),
        ("object-group id P", vec!["object-group service P tcp"]),
        (
            "crypto ca trustpoint",
            vec!["crypto ca trustpoint T", "crypto ca trustpoint U"],
        ),
        ("cry ca trustpoint U", vec!["crypto ca trustpoint U"]),
        (
            "crypto ca certificate",
            vec!["crypto ca certificate chain T"],
        ),
        ("crypto ca trustpool", vec!["crypto ca trustpool policy"]),
        (
            "crypto ipsec",
            vec!["crypto ipsec security-association pmtu-aging infinite"],
        ),
    ] {
        let shown = session.shown(section);
        let heads: Vec<_> = shown.iter().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(heads, first_words.iter().collect::<Vec<_>>(), "{section}");
    }
    assert_eq!(session.shown("crypto").len(), 4 + 3 + 1);
}

#[test]
fn all_adds_what_is_at_its_default() {
    let mut session = Session::with_interfaces();
    session.paste(
        "crypto ca trustpoint T\ntls-proxy P\nclass-map C\npolicy-map type inspect sip S\n\
         parameters\n",
    );
    let all = print_selection(&session.config, None, Extent::All, Secrets::Masked);
    let usual = print(&session.config, Secrets::Masked);
    snapshot("defaults.txt", &(all.join("\n") + "\n"));
    let mut added = all.iter();
    for line in &usual {
        // `class-map C` becomes `class-map match-all C`; every other line stands as it is.
        let is_line = |other: &String| other == line || line.starts_with("class-map ");
        assert!(added.any(is_line), "{line} is missing or out of place");
    }
    assert!(all.len() > usual.len() + 15);
}

#[test]
fn shared_keys_are_masked_for_display_only() {
    let mut session = Session::new();
    session.line("ntp authentication-key 1 sha256 S3cret");
    let masked = session.shown("ntp");
    assert_eq!(masked, ["ntp authentication-key 1 sha256 *****"]);
    assert!(session.printed().contains("S3cret"));
    assert!(!format!("{:?}", session.config).contains("S3cret"));
}

#[test]
fn passwords_are_kept_as_their_hash() {
    let mut session = Session::new();
    session.line("enable password opensesame");
    let hash = session.config.enable_password.clone().unwrap();
    assert!(hash.verify(b"opensesame") && !hash.verify(b"opensesamf"));
    assert!(!session.printed().contains("opensesame"));
    let line = format!("enable password {hash} pbkdf2");
    assert!(session.printed().contains(&line));
    session.line("no enable password");
    session.line(&line);
    assert_eq!(session.config.enable_password, Some(hash));
}

#[test]
fn ten_thousand_rules_are_kept_in_their_order() {
    let mut session = Session::with_interfaces();
    let lines: Vec<String> = (0..10_000u32)
        .map(|index| {
            let (high, low) = (index / 250, index % 250);
            format!(
                "access-list big extended permit tcp 198.51.{high}.0 255.255.255.0 \
                 host 10.20.0.{low} eq {}",
                1024 + index
            )
        })
        .collect();
    for line in &lines {
        session.line(line);
    }
    // How long that takes is measured by the benchmark of the console.
    let text = session.printed();
    let printed: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("access-list big "))
        .collect();
    assert_eq!(printed.len(), lines.len());
    for (printed, line) in printed.iter().zip(&lines) {
        let (printed, _) = printed.split_once(" eq ").expect("ports");
        assert!(line.starts_with(printed), "{printed} for {line}");
    }
}

#[test]
fn factory_settings_read_back() {
    let session = Session::new();
    assert_eq!(
        super::reread(&session.grammar, &Config::factory(4)),
        Config::factory(4)
    );
}

#[test]
fn the_reference_has_a_chapter_for_every_mode_and_describes_every_row() {
    let titles = crate::mode::TITLES;
    let modes = titles.iter().fold(0, |modes, (mode, _)| modes | mode);
    assert_eq!(modes, crate::mode::MODES);
    let grammar = text::grammar().unwrap();
    let reference = grammar.reference(&titles);
    for row in grammar.rows() {
        // Behind the heading, which ends with a grave accent.
        let syntax = format!("`\n\n```text\n{}\n", row.syntax);
        assert!(reference.contains(&syntax), "{}", row.syntax);
        assert!(reference.contains(&format!("Example:\n\n```text\n{}\n", row.example)));
    }
}
