//! Prints how long large configurations take to read, to print, and to read back: 10,000 and 40,000
//! lines, so that growth is visible. Run with
//! `cargo run --profile host -p config --example load_rate`.

use cli::grammar::Grammar;
use config::Handler;
use config::print::{Secrets, print};
use std::time::{Duration, Instant};

fn main() {
    let grammar = config::grammar().expect("a test compiles every row");
    println!("{:>7} {:<22} {:>9} {:>9}", "lines", "what", "ms", "ns/line");
    for lines in [10_000, 40_000] {
        let text = configuration(lines);
        let (config, took) = timed(|| load(&grammar, &text));
        report(text.lines().count(), "read", took);
        let (printed, took) = timed(|| print(&config, Secrets::Shown));
        report(printed.len(), "print", took);
        let (again, took) = timed(|| load(&grammar, &print(&config, Secrets::Shown).join("\n")));
        report(printed.len(), "print and read back", took);
        assert!(again == config, "what was printed reads back");
        let (_, took) = timed(|| apply(&grammar, config, &text));
        report(text.lines().count(), "paste it once more", took);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn report(lines: usize, what: &str, took: Duration) {
    let per_line = took.as_nanos() / lines.max(1) as u128;
    println!(
        "{lines:>7} {what:<22} {:>9.1} {per_line:>9}",
        took.as_secs_f64() * 1e3
    );
}

fn load(grammar: &Grammar<Handler>, text: &str) -> config::Config {
    let (config, problems) = config::load(grammar, Some, text, 2);
    assert!(problems.is_empty(), "{:?}", problems.first());
    config
}

/// Applies `text` to a configuration that already says the same.
fn apply(grammar: &Grammar<Handler>, mut config: config::Config, text: &str) {
    let mut state = config::ModeState::new();
    for line in text.lines() {
        let outcome = config::apply_line(grammar, Some, &mut config, &mut state, line, [0; 16]);
        let unchanged = outcome.is_ok_and(|outcome| !outcome.changed);
        assert!(unchanged, "{line} is refused or changes something");
    }
}

/// A configuration of about `lines` lines: objects, groups, a long access list with objects and
/// literals, translations of both kinds, routes.
fn configuration(lines: usize) -> String {
    let mut text = String::from(
        "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n \
         ip address 203.0.113.2 255.255.255.240\n no shutdown\n\
         interface GigabitEthernet0/1\n nameif inside\n security-level 100\n \
         ip address 10.20.0.1 255.255.0.0\n no shutdown\n",
    );
    // Of every hundred lines: 24 of objects, 8 of groups, 50 of the access list, 10 of manual
    // translations, 4 of object translations (two lines each, with 2 of their objects), 4 routes.
    let parts = lines / 100;
    let host = |number: usize| {
        format!(
            "10.{}.{}.{}",
            30 + number / 62_500,
            number / 250 % 250,
            number % 250 + 1
        )
    };
    for number in 0..parts * 12 {
        text.push_str(&format!(
            "object network H{number}\n host {}\n",
            host(number)
        ));
    }
    for number in 0..parts {
        text.push_str(&format!("object-group network G{number}\n"));
        for member in 0..7 {
            text.push_str(&format!(
                " network-object object H{}\n",
                number * 7 + member
            ));
        }
    }
    for number in 0..parts * 50 {
        let port = 1024 + number % 60_000;
        let rule = match number % 5 {
            0 => format!("permit tcp any object H{} eq {port}", number % (parts * 12)),
            1 => format!(
                "permit tcp object-group G{} host {} range {port} {}",
                number % parts,
                host(number),
                port + 9
            ),
            2 => format!(
                "deny udp 192.0.2.0 255.255.255.0 host {} eq {port} log 5",
                host(number)
            ),
            3 => format!("permit tcp host {} any eq https", host(number)),
            _ => format!("permit icmp host {} any echo inactive", host(number)),
        };
        text.push_str(&format!("access-list OUTSIDE-IN extended {rule}\n"));
    }
    for number in 0..parts * 10 {
        text.push_str(&format!(
            "nat (inside,outside) source static H{number} H{} unidirectional\n",
            parts * 12 - 1 - number
        ));
    }
    for number in 0..parts * 2 {
        text.push_str(&format!(
            "object network H{number}\n nat (inside,outside) static {}\n",
            host(500_000 + number)
        ));
    }
    text.push_str("access-group OUTSIDE-IN in interface outside\n");
    for number in 0..parts * 4 {
        text.push_str(&format!(
            "route inside 172.{}.{}.0 255.255.255.0 10.20.0.{} 1\n",
            16 + number / 256,
            number % 256,
            2 + number % 200
        ));
    }
    text
}
