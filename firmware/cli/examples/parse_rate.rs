//! Prints how long 10,000 access-list lines take to parse, and to type into the editor.

use cli::editor::{Editor, Entry, Event};
use cli::grammar::{Fragment, Grammar, No, Row, Scope};
use std::time::Instant;

const LINES: usize = 10_000;
const CONFIG: u64 = 1;

const FRAGMENTS: &[Fragment] = &[
    Fragment {
        name: "address",
        syntax: "{any|any4|any6|host <host:ip>|object <object>|object-group <group>|interface <nameif>\
                 |<network:ip> <mask:mask>}",
        help: &[],
    },
    Fragment {
        name: "ports",
        syntax: "{eq <low:port>|range <low:port> <high:port>|gt <low:port>|lt <low:port>|neq <low:port>}",
        help: &[],
    },
    Fragment {
        name: "service",
        syntax: "{ip|tcp|udp|icmp|object <object>|object-group <group>}",
        help: &[],
    },
];

const fn row(syntax: &'static str) -> Row<()> {
    Row::new(CONFIG, 15, syntax, &[], ()).no(No::Same)
}

const ROWS: &[Row<()>] = &[
    row(
        "access-list <name:word(240)> [line <line:1-65535>] extended {permit|deny} $service@service \
         $address@source [$ports@source-ports] $address@destination [$ports@destination-ports] \
         [log [<level:0-7>] [interval <secs:1-600>]] [inactive]",
    ),
    row("access-list <name:word(240)> [line <line:1-65535>] standard {permit|deny} $address"),
    row("access-list <name:word(240)> [line <line:1-65535>] remark <remark:text>"),
    row("access-list alert-interval <secs:1-3600>"),
    row("access-list deny-flow-max <flows:1-4096>"),
    row("access-group <name> {in|out} interface <nameif>"),
    row("hostname <name:word(63)>"),
    row("object network <name>"),
    row("route <nameif> <network:ip> <mask:mask> <gateway:ip> [<metric:1-255>]"),
];

fn main() {
    let grammar = Grammar::compile(ROWS, FRAGMENTS).expect("the table above compiles");
    let scopes = [Scope {
        modes: CONFIG,
        title: "configure",
    }];
    let lines: Vec<String> = (0..LINES)
        .map(|n| {
            format!(
                "access-list OUTSIDE-IN extended permit tcp 198.51.100.0 255.255.255.0 host 203.0.113.{} \
                 range {} {} log 6 interval 300",
                n % 256,
                n,
                n + 1
            )
        })
        .collect();
    let start = Instant::now();
    let captures: usize = lines
        .iter()
        .map(|line| {
            grammar
                .parse(line, &scopes, 15)
                .map_or(0, |found| found.iter().count())
        })
        .sum();
    let parsed = start.elapsed();
    println!("parsed {LINES} lines, {captures} captures: {parsed:?}");

    let mut editor = Editor::new(80);
    let mut echo = Vec::new();
    let (mut echoed, mut entered, mut typed) = (0, 0, 0);
    let start = Instant::now();
    editor.begin("asa1(config)# ", Entry::Command, &mut echo);
    for byte in lines.iter().flat_map(|line| line.bytes().chain(*b"\r\n")) {
        typed += 1;
        if let Some(Event::Line(_)) = editor.handle_byte(byte, &mut echo) {
            entered += 1;
            editor.begin("asa1(config)# ", Entry::Command, &mut echo);
        }
        echoed += echo.len();
        echo.clear();
    }
    println!(
        "typed {typed} bytes, {entered} lines, {echoed} bytes of echo: {:?}",
        start.elapsed()
    );
}
