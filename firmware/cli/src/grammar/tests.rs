use super::*;
use core::net::Ipv4Addr;

const EXEC: u64 = 1;
const CONFIG: u64 = 2;
const INTERFACE: u64 = 4;

const FRAGMENTS: &[Fragment] = &[
    Fragment {
        name: "address",
        syntax: "{any|any4|host <host:ip>|object <object>|object-group <group>|interface <nameif>|<network:ip> <mask:mask>}",
        help: &[
            ("any", "Any address"),
            ("any4", "Any IPv4 address"),
            ("host", "Single host"),
            ("object", "Network object"),
            ("object-group", "Network object-group"),
            ("interface", "Interface address"),
            ("network", "Network address"),
            ("mask", "Network mask"),
            ("nameif", "Interface name"),
            ("group", "Group name"),
        ],
    },
    Fragment {
        name: "ports",
        syntax: "{eq <low:port>|range <low:port> <high:port>|gt <low:port>|lt <low:port>}",
        help: &[("low", "Port"), ("high", "Last port")],
    },
    Fragment {
        name: "service",
        syntax: "{ip|tcp|udp|icmp|object-group <group>}",
        help: &[],
    },
];

const ACL: &str = "access-list <name:word(240)> [line <line:1-65535>] extended {permit|deny} $service@service \
    $address@source [$ports@source-ports] $address@destination [$ports@destination-ports] \
    [log [<level:0-7>] [interval <secs:1-600>]] [inactive]";

fn row(modes: u64, syntax: &'static str, action: u32) -> Row<u32> {
    Row::new(modes, 0, syntax, &[], action)
}

fn rows() -> Vec<Row<u32>> {
    vec![
        Row::new(
            CONFIG,
            15,
            ACL,
            &[
                ("access-list", "Configure an access control element"),
                ("name", "Access list identifier"),
                ("source.host", "Source host"),
            ],
            1,
        )
        .no(No::Same),
        row(CONFIG, "access-list <name> remark <remark:text>", 2),
        row(CONFIG, "access-list deny-flow-max <n:1-4096>", 3),
        row(
            CONFIG,
            "ntp server <server:ip> {key <key:1-4294967295>|source <nameif>|prefer}*",
            4,
        )
        .no(No::Syntax("ntp server <server:ip>")),
        row(
            CONFIG,
            "nat <interfaces:pair> [<position:1-2147483647>] source {static <real> {<mapped>|interface}|dynamic <real> {<mapped>|interface|pat-pool <pool> {description <text:word>|dns|extended|flat|round-robin}*}} [inactive]",
            5,
        ),
        row(CONFIG, "interface <interface:interface>", 6),
        row(CONFIG, "hostname <name:word(63)>", 7),
        row(CONFIG, "clock timezone <zone> <hours:0-23>", 8),
        row(CONFIG, "banner motd <line:verbatim>", 9),
        row(CONFIG, "timeout {conn|xlate} {<idle:time>|0}", 10),
        row(EXEC, "show conn [detail]", 20),
        row(EXEC, "show clock", 21),
        row(EXEC, "show crypto ca certificates [<trustpoint>]", 22),
        row(EXEC, "show access-list [brief|<name>]", 23),
        row(EXEC, "clock set <time:time>", 24),
        Row::new(EXEC, 15, "reload", &[], 25),
        row(EXEC, "ping [<nameif>] <host:host>", 26),
        row(INTERFACE, "shutdown", 30).no(No::Same),
        row(
            INTERFACE,
            "ip address <ip:ip> <mask:mask> [standby <standby:ip>]",
            31,
        )
        .no(No::Syntax("ip address")),
        row(INTERFACE, "nameif <name>", 32).no(No::Syntax("nameif [<name>]")),
        row(INTERFACE, "description <text:text>", 33),
    ]
}

fn grammar() -> Grammar<u32> {
    Grammar::compile(&rows(), FRAGMENTS).unwrap()
}

const AT_EXEC: &[Scope] = &[Scope {
    modes: EXEC,
    title: "exec",
}];
const AT_CONFIG: &[Scope] = &[
    Scope {
        modes: CONFIG,
        title: "configure",
    },
    Scope {
        modes: EXEC,
        title: "exec",
    },
];
const AT_INTERFACE: &[Scope] = &[
    Scope {
        modes: INTERFACE,
        title: "interface",
    },
    Scope {
        modes: CONFIG,
        title: "configure",
    },
    Scope {
        modes: EXEC,
        title: "exec",
    },
];

fn parse_error(line: &str, scopes: &[Scope]) -> ParseError {
    grammar()
        .parse(line, scopes, 15)
        .map(|m| m.action)
        .unwrap_err()
}

#[test]
fn an_access_list_line_gives_labelled_captures_in_order() {
    let grammar = grammar();
    let line = "acce OUT-in line 3 ext permit tcp host 198.51.100.20 gt 1023 203.0.113.0 255.255.255.0 eq sip log 5 int 30 inact";
    let m = grammar.parse(line, AT_CONFIG, 15).unwrap();
    assert_eq!((m.action, m.scope, m.row), (1, 0, 0));
    assert_eq!(m.word("name"), Some("OUT-in"));
    assert_eq!(m.number("line"), Some(3));
    assert_eq!(m.one_of(&["permit", "deny"]), Some("permit"));
    assert_eq!(m.group("service").first_keyword(), Some("tcp"));
    let source = m.group("source");
    assert!(source.has("host") && m.has("source.host") && !m.has("host"));
    assert_eq!(source.ip("host"), Some(Ipv4Addr::new(198, 51, 100, 20)));
    assert_eq!(m.port("source-ports.low"), Some(1023));
    assert_eq!(
        m.ip("destination.network"),
        Some(Ipv4Addr::new(203, 0, 113, 0))
    );
    assert_eq!(
        m.mask("destination.mask"),
        Some(Ipv4Addr::new(255, 255, 255, 0))
    );
    assert_eq!(m.port("destination-ports.low"), Some(5060));
    assert_eq!((m.number("level"), m.number("secs")), (Some(5), Some(30)));
    assert!(m.has("inactive") && !m.negated());
    let paths: Vec<String> = m.iter().map(Capture::path).collect();
    assert_eq!(paths.first().map(String::as_str), Some("access-list"));
    assert_eq!(paths.last().map(String::as_str), Some("inactive"));
    assert_eq!(
        m.iter().map(|c| c.offset).max(),
        Some(line.rfind("inact").unwrap())
    );
}

#[test]
fn a_name_that_looks_like_an_abbreviated_keyword_stays_a_name() {
    let grammar = grammar();
    let m = grammar
        .parse("access-list d extended deny ip any any", AT_CONFIG, 15)
        .unwrap();
    assert_eq!((m.action, m.word("name")), (1, Some("d")));
    let m = grammar.parse("access-list d 5", AT_CONFIG, 15).unwrap();
    assert_eq!((m.action, m.number("n")), (3, Some(5)));
    let m = grammar
        .parse("nat (inside,outside) source static H interf", AT_CONFIG, 15)
        .unwrap();
    assert!(m.has("interface") && !m.has("mapped"));
    let m = grammar
        .parse(
            "nat (inside,outside) source static H Hmapped",
            AT_CONFIG,
            15,
        )
        .unwrap();
    assert_eq!(m.word("mapped"), Some("Hmapped"));
}

#[test]
fn options_in_any_order_are_taken_once_each() {
    let grammar = grammar();
    let m = grammar
        .parse(
            "ntp server 192.0.2.1 prefer source inside key 7",
            AT_CONFIG,
            15,
        )
        .unwrap();
    assert_eq!(
        m.keywords().collect::<Vec<_>>(),
        ["ntp", "server", "prefer", "source", "key"]
    );
    assert_eq!(
        (m.word("nameif"), m.number("server")),
        (Some("inside"), None)
    );
    let line = "ntp server 192.0.2.1 prefer prefer";
    assert_eq!(
        parse_error(line, AT_CONFIG),
        ParseError::Invalid {
            offset: line.rfind("prefer").unwrap()
        }
    );
}

#[test]
fn arguments_over_several_words_are_read() {
    let grammar = grammar();
    for line in [
        "nat (inside,outside) source static A B",
        "nat (inside, outside) source static A B",
        "nat ( inside , outside ) source static A B",
        "nat (inside ,outside ) source static A B",
    ] {
        assert_eq!(
            grammar
                .parse(line, AT_CONFIG, 15)
                .unwrap()
                .pair("interfaces"),
            Some(("inside", "outside")),
            "{line}"
        );
    }
    for line in [
        "interface GigabitEthernet0/1.20",
        "interface gigabitethernet 0/1.20",
        "int g0/1.20",
    ] {
        let name = grammar
            .parse(line, AT_CONFIG, 15)
            .unwrap()
            .interface("interface")
            .unwrap();
        assert_eq!(name.to_string(), "GigabitEthernet0/1.20", "{line}");
    }
    assert_eq!(
        parse_error("interface gig", AT_CONFIG),
        ParseError::Incomplete
    );
    assert_eq!(
        parse_error("nat (inside,", AT_CONFIG),
        ParseError::Incomplete
    );
    assert_eq!(
        parse_error("interface fast0/0", AT_CONFIG),
        ParseError::Invalid { offset: 10 }
    );
    let m = grammar
        .parse("banner motd    two  words ", AT_CONFIG, 15)
        .unwrap();
    assert_eq!(m.text("line"), Some("   two  words "));
    let m = grammar
        .parse("access-list A remark  a | b  c ", AT_CONFIG, 15)
        .unwrap();
    assert_eq!(m.text("remark"), Some("a | b  c"));
    let m = grammar
        .parse("timeout conn 1:00:00", AT_CONFIG, 15)
        .unwrap();
    assert_eq!(m.time("idle").map(TimeOfDay::as_secs), Some(3600));
    assert!(
        grammar
            .parse("timeout conn 0", AT_CONFIG, 15)
            .unwrap()
            .has("0")
    );
}

#[test]
fn no_takes_its_own_form() {
    let grammar = grammar();
    assert!(
        grammar
            .parse("no shut", AT_INTERFACE, 15)
            .unwrap()
            .negated()
    );
    assert_eq!(
        grammar.parse("NO nameif", AT_INTERFACE, 15).unwrap().action,
        32
    );
    assert_eq!(
        grammar
            .parse("no ip address", AT_INTERFACE, 15)
            .unwrap()
            .action,
        31
    );
    assert_eq!(
        parse_error("no description", AT_INTERFACE),
        ParseError::Invalid { offset: 3 }
    );
    assert_eq!(parse_error("no", AT_INTERFACE), ParseError::Incomplete);
    assert_eq!(
        parse_error("no", AT_EXEC),
        ParseError::Invalid { offset: 0 }
    );
}

#[test]
fn a_line_falls_through_to_the_outer_modes() {
    let grammar = grammar();
    let scope = |line| {
        grammar
            .parse(line, AT_INTERFACE, 15)
            .map(|m| (m.scope, m.action))
    };
    assert_eq!(scope("shutdown"), Ok((0, 30)));
    assert_eq!(scope("hostname fw"), Ok((1, 7)));
    assert_eq!(scope("sh conn"), Ok((2, 20)));
    assert_eq!(scope("clock set 10:00:00"), Ok((2, 24)));
    assert_eq!(scope("clock timezone CET 1"), Ok((1, 8)));
    // Written out in one mode goes before abbreviated in another.
    let rows = [
        row(INTERFACE, "host <ip:word>", 1),
        row(CONFIG, "hos <x:word>", 2),
    ];
    let grammar = Grammar::compile(&rows, &[]).unwrap();
    assert_eq!(grammar.parse("hos x", AT_INTERFACE, 15).unwrap().action, 2);
}

#[test]
fn errors_name_the_farthest_word() {
    assert_eq!(
        parse_error("show cdp neighbors", AT_EXEC),
        ParseError::Invalid { offset: 5 }
    );
    assert_eq!(
        parse_error("show crypto ca", AT_EXEC),
        ParseError::Incomplete
    );
    assert_eq!(
        parse_error("show c", AT_EXEC),
        ParseError::Ambiguous { offset: 5 }
    );
    assert_eq!(
        parse_error("show c detail", AT_EXEC),
        ParseError::Ambiguous { offset: 5 }
    );
    assert_eq!(
        parse_error("  xyz", AT_CONFIG),
        ParseError::Invalid { offset: 2 }
    );
    assert_eq!(
        parse_error("show conn detail x", AT_CONFIG),
        ParseError::Invalid { offset: 17 }
    );
    assert_eq!(
        parse_error("clock set 10:00:61", AT_CONFIG),
        ParseError::Invalid { offset: 10 }
    );
    assert_eq!(parse_error(" ! comment", AT_CONFIG), ParseError::Blank);
    assert_eq!(parse_error(": Saved", AT_CONFIG), ParseError::Blank);
    assert_eq!(parse_error("", AT_CONFIG), ParseError::Blank);
}

#[test]
fn errors_print_in_asa_form() {
    let print = |line: &str| {
        let mut out = String::new();
        parse_error(line, AT_EXEC).write(line, |offset| "asa1# ".len() + offset, &mut out);
        format!("asa1# {line}\n{out}")
    };
    assert_eq!(
        print("show cdp neighbors"),
        "asa1# show cdp neighbors\n           ^\nERROR: % Invalid input detected at '^' marker.\n"
    );
    assert_eq!(
        print("show crypto ca"),
        "asa1# show crypto ca\nERROR: % Incomplete command\n"
    );
    assert_eq!(
        print("show c"),
        "asa1# show c\nERROR: % Ambiguous command:  \"show c\"\n"
    );
}

#[test]
fn a_row_above_the_privilege_level_does_not_exist() {
    let grammar = grammar();
    assert!(grammar.parse("reload", AT_EXEC, 15).is_ok());
    assert_eq!(
        grammar.parse("reload", AT_EXEC, 1).map(|m| m.action),
        Err(ParseError::Invalid { offset: 0 })
    );
}

#[test]
fn of_two_readings_the_tighter_is_taken() {
    let grammar = grammar();
    let m = grammar
        .parse("ping inside 10.20.0.11", AT_EXEC, 15)
        .unwrap();
    assert_eq!(
        (m.word("nameif"), m.word("host")),
        (Some("inside"), Some("10.20.0.11"))
    );
    let m = grammar.parse("ping 10.20.0.11", AT_EXEC, 15).unwrap();
    assert_eq!(
        (m.word("nameif"), m.word("host")),
        (None, Some("10.20.0.11"))
    );
    let m = grammar.parse("show access-list br", AT_EXEC, 15).unwrap();
    assert!(m.has("brief"));
    let m = grammar.parse("show access-list bro", AT_EXEC, 15).unwrap();
    assert_eq!(m.word("name"), Some("bro"));
}

#[test]
fn a_wrong_table_does_not_compile() {
    let cause = |syntax: &'static str| {
        Grammar::compile(&[row(1, syntax, 0)], FRAGMENTS)
            .map(|_| ())
            .map_err(|error| error.cause)
    };
    assert_eq!(cause("a [b"), Err(SyntaxCause::Unclosed));
    assert_eq!(cause("a {b|}"), Err(SyntaxCause::Empty));
    assert_eq!(cause(""), Err(SyntaxCause::Empty));
    assert_eq!(cause("a ]"), Err(SyntaxCause::Unexpected));
    assert_eq!(cause("a <b:float>"), Err(SyntaxCause::UnknownKind));
    assert_eq!(cause("a <b:9-1>"), Err(SyntaxCause::UnknownKind));
    assert_eq!(cause("a $nothing"), Err(SyntaxCause::UnknownFragment));
    assert_eq!(cause("no a"), Err(SyntaxCause::StartsWithNo));
    assert_eq!(cause("a {[b]}+"), Err(SyntaxCause::RepeatsNothing));
    assert_eq!(cause("a {<b>}+"), Ok(()));
    assert_eq!(cause("a \\| b"), Ok(()));
    let loops = [Fragment {
        name: "f",
        syntax: "x $f",
        help: &[],
    }];
    let error = Grammar::compile(&[row(1, "a $f", 0)], &loops)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.cause, SyntaxCause::Recursive);
}

mod help_layout {
    use super::*;

    const NAT: &[(&str, &str)] = &[
        ("description", "Specify NAT rule description"),
        ("dns", "Use the created xlate to rewrite DNS record"),
        (
            "extended",
            "Extend PAT uniqueness to per destination instead of per interface",
        ),
        ("inactive", "Disable a NAT rule"),
        (
            "round-robin",
            "Specify to use PAT ip addresses in round robin instead one by one",
        ),
    ];

    fn help(line: &str, scopes: &[Scope], width: usize) -> String {
        let rows = [
            Row::new(CONFIG, 15, "nat <interfaces:pair> source dynamic <real> pat-pool <pool> {description <text:text>|dns|extended|round-robin}* [inactive]", NAT, 1).no(No::Same),
            Row::new(CONFIG, 15, "ntp server <server:ip> {prefer|key <key:1-10>}*", &[("ntp", "Configure NTP"), ("server", "NTP server"), ("<server>", "Address of the server")], 2),
            Row::new(CONFIG, 15, "mtu <nameif:word(48)> <bytes:64-9198>", &[("mtu", "Specify MTU"), ("nameif", "Interface name")], 3),
            Row::new(INTERFACE, 15, "nameif <name:word(48)>", &[("nameif", "Assign name to interface")], 4),
            Row::new(CONFIG, 15, "port <port:port>", &[("<port>", "Enter port number (0 - 65535)")], 5),
            Row::new(EXEC, 15, "show conn", &[], 6),
            Row::new(EXEC, 15, "show clock", &[], 7),
        ];
        let grammar = Grammar::compile(&rows, &[]).unwrap();
        let mut out = String::new();
        grammar.write_help(line, scopes, 15, width, &mut out);
        out
    }

    #[test]
    fn after_a_blank_the_next_words_are_listed_under_the_mode() {
        assert_eq!(
            help(
                "nat (inside,outside) source dynamic OBJ pat-pool POOL ",
                AT_CONFIG,
                80
            ),
            "
configure mode commands/options:
  description  Specify NAT rule description
  dns          Use the created xlate to rewrite DNS record
  extended     Extend PAT uniqueness to per destination instead of per interface
  inactive     Disable a NAT rule
  round-robin  Specify to use PAT ip addresses in round robin instead one by one
  <cr>

"
        );
    }

    #[test]
    fn long_texts_wrap_under_their_column() {
        assert_eq!(
            help(
                "nat (a,b) source dynamic O pat-pool P dns inact",
                AT_CONFIG,
                80
            ),
            "  inactive\n\n"
        );
        assert_eq!(
            help(
                "nat (a,b) source dynamic O pat-pool P dns description ",
                AT_CONFIG,
                50
            ),
            "\nconfigure mode commands/options:\n  LINE\n\n"
        );
        assert!(help("nat (a,b) source dynamic O pat-pool P ", AT_CONFIG, 50).contains(
            "  extended     Extend PAT uniqueness to per\n               destination instead of per\n               interface\n"
        ));
    }

    #[test]
    fn each_mode_gets_its_block_and_arguments_their_place_holder() {
        assert_eq!(
            help("", AT_INTERFACE, 80),
            "
interface mode commands/options:
  nameif  Assign name to interface

configure mode commands/options:
  mtu   Specify MTU
  nat
  no    Negate a command or set its defaults
  ntp   Configure NTP
  port

exec mode commands/options:
  show

"
        );
        assert_eq!(
            help("mtu ", AT_CONFIG, 80),
            "\nconfigure mode commands/options:\n  WORD < 49 char  Interface name\n\n"
        );
        assert_eq!(
            help("mtu inside ", AT_CONFIG, 80),
            "\nconfigure mode commands/options:\n  <64-9198>\n\n"
        );
        assert_eq!(
            help("ntp server ", AT_CONFIG, 80),
            "\nconfigure mode commands/options:\n  A.B.C.D  Address of the server\n\n"
        );
        assert_eq!(
            help("ntp server 192.0.2.1 prefer ", AT_CONFIG, 80),
            "\nconfigure mode commands/options:\n  key\n  <cr>\n\n"
        );
        assert!(help("port ", AT_CONFIG, 80).starts_with(
            "\nconfigure mode commands/options:\n  <0-65535>          Enter port number (0 - 65535)\n  aol\n  bgp\n"
        ));
    }

    #[test]
    fn within_a_word_the_words_that_begin_so_are_listed() {
        assert_eq!(
            help("n", AT_INTERFACE, 80),
            "  nameif  nat     no      ntp\n\n"
        );
        assert_eq!(
            help("n", AT_INTERFACE, 20),
            "  nameif  nat\n  no      ntp\n\n"
        );
        assert_eq!(help("show c", AT_EXEC, 80), "  clock  conn\n\n");
        assert_eq!(
            help("mtu ins", AT_CONFIG, 80),
            "\nconfigure mode commands/options:\n  WORD < 49 char  Interface name\n\n"
        );
    }

    #[test]
    fn behind_nonsense_the_command_is_not_recognized() {
        assert_eq!(help("foo ", AT_EXEC, 80), "ERROR: % Unrecognized command\n");
        assert_eq!(help("foo", AT_EXEC, 80), "ERROR: % Unrecognized command\n");
        assert_eq!(
            help("show c ", AT_EXEC, 80),
            "ERROR: % Ambiguous command:  \"show c\"\n"
        );
    }

    #[test]
    fn gaps_in_the_help_are_found() {
        let rows = [Row::new(
            1,
            0,
            "a [b <c>]",
            &[("a", "A"), ("b", "B"), ("x", "X")],
            0,
        )];
        let grammar = Grammar::compile(&rows, &[]).unwrap();
        assert_eq!(grammar.missing_help(), [("a [b <c>]", "c")]);
        assert_eq!(grammar.unused_help(), [("a [b <c>]", "x")]);
    }
}

#[test]
fn tab_completes_keywords_only() {
    let grammar = grammar();
    let complete = |line: &str| grammar.complete(line, AT_CONFIG, 15);
    assert_eq!(complete("ac"), Completion::Whole("cess-list ".into()));
    assert_eq!(complete("HOSTN"), Completion::Whole("ame ".into()));
    assert_eq!(complete("hostname"), Completion::Whole(" ".into()));
    assert_eq!(complete("hostname f"), Completion::Nothing);
    assert_eq!(complete("hostname "), Completion::Nothing);
    assert_eq!(complete("show c"), Completion::Nothing);
    assert_eq!(complete("show cl"), Completion::Whole("ock ".into()));
    assert_eq!(
        complete("access-list A extended permit ip any any lo"),
        Completion::Whole("g ".into())
    );
    assert_eq!(
        complete("access-list A extended permit o"),
        Completion::Whole("bject-group ".into())
    );
    assert_eq!(
        complete("access-list A extended permit ip o"),
        Completion::Partial("bject".into())
    );
    assert_eq!(complete("zzz"), Completion::Nothing);
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_line_panics(line in ".{0,120}") {
            let grammar = grammar();
            let _ = grammar.parse(&line, AT_INTERFACE, 15);
            let _ = grammar.help(&line, AT_INTERFACE, 15);
            let _ = grammar.complete(&line, AT_INTERFACE, 15);
        }

        #[test]
        fn no_mix_of_words_panics_and_offsets_lie_in_the_line(
            words in prop::collection::vec(prop::sample::select(vec![
                "access-list", "a", "extended", "permit", "tcp", "any", "host", "192.0.2.1", "eq", "sip",
                "nat", "(inside,", "outside)", "(", ")", ",", "source", "static", "no", "|", "interface",
                "Gig", "0/0", "log", "5", "ntp", "server", "prefer", "key", "show", "conn", "\u{e9}", "description",
            ]), 0..20),
        ) {
            let grammar = grammar();
            let line = words.join(" ");
            match grammar.parse(&line, AT_INTERFACE, 15) {
                Ok(found) => prop_assert!(found.iter().all(|capture| capture.offset < line.len())),
                Err(ParseError::Invalid { offset } | ParseError::Ambiguous { offset }) => {
                    prop_assert!(offset <= line.len());
                }
                Err(ParseError::Incomplete) => {
                    // Whatever is incomplete can be continued.
                    let more = format!("{line} ");
                    prop_assert!(grammar.help(&more, AT_INTERFACE, 15).is_ok());
                }
                Err(ParseError::Blank) => prop_assert!(line.is_empty()),
            }
        }

        #[test]
        fn any_text_as_a_table_gives_a_grammar_or_an_error(syntax in "[a<>:|{}\\[\\]$@*+ \\\\w]{0,40}") {
            // Tables are static; a test may leak its own.
            let syntax: &'static str = String::leak(syntax);
            let _ = Grammar::compile(&[Row::new(1, 0, syntax, &[], 0)], FRAGMENTS);
        }
    }
}

#[test]
fn a_command_without_arguments_is_its_own_example() {
    let example = |syntax| Row::new(1, 0, syntax, &[], ()).example_line();
    assert_eq!(example("show route $filter@filter"), Some("show route"));
    assert_eq!(
        example("reload [in <minutes:1-60>] [noconfirm]"),
        Some("reload")
    );
    assert_eq!(
        example("show nat [{detail|pool}] $filter@filter"),
        Some("show nat")
    );
    assert_eq!(example("more <source:word>"), None);
    assert_eq!(example("clear conn {all|address <host:ip>}"), None);
    assert_eq!(example("{exit|quit}"), None);
    let row = Row::new(1, 0, "more <source:word>", &[], ()).example("more disk0:/a");
    assert_eq!(row.example_line(), Some("more disk0:/a"));
}
