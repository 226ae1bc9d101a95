//! Keys typed at the console in configuration mode: the editor, the grammar, help, completion, and
//! the effect on the configuration; and the same bytes as pasted text.

use std::sync::LazyLock;

use cli::editor::{ECHO_MAX, Editor, Entry, Event, LINE_MAX};
use cli::grammar::Grammar;
use cli::regex::Regex;
use config::print::{Secrets, print};
use config::{Config, Handler, ModeState, apply_line, load};

const PROMPT: &str = "ciscoasa(config)# ";
const PORTS: u16 = 3;
const PRIVILEGE: u8 = 15;
const WIDTH: usize = 80;

thread_local! {
    pub(crate) static GRAMMAR: LazyLock<Grammar<Handler>> =
        LazyLock::new(|| config::grammar().expect("a test of config rules this out"));
}

/// Types `data`. A line that is refused must change nothing, no key may cause more echo than
/// promised, and what was configured must read back as it was. Whatever the bytes are, a line that comes
/// of them is printable ASCII. The cleaner of pasted text gets them too.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    GRAMMAR.with(|grammar| type_in(grammar, data));
    crate::paste::clean(data);
}

/// The configuration that the printed text of `config` gives must be `config`.
///
/// # Panics
/// If it is not.
pub fn reread(config: &Config) {
    GRAMMAR.with(|grammar| {
        let text = print(config, Secrets::Shown).join("\n");
        let ports = config.port_count();
        let (again, problems) = load(grammar, Some, &text, ports);
        assert_eq!(problems, [], "the print is refused:\n{text}");
        assert_eq!(&again, config, "the print says something else:\n{text}");
    });
}

/// Loads stored text; what was understood must read back.
///
/// # Panics
/// If a law is broken.
pub fn load_text(text: &str) {
    let (config, _) = GRAMMAR.with(|grammar| load(grammar, Some, text, PORTS));
    reread(&config);
}

fn type_in(grammar: &Grammar<Handler>, data: &[u8]) {
    let mut editor = Editor::new(WIDTH);
    let mut echo = Vec::new();
    let mut config = Config::factory(PORTS);
    let mut state = ModeState::new();
    editor.begin(PROMPT, Entry::Command, &mut echo);
    for (index, &byte) in data.iter().enumerate() {
        echo.clear();
        editor.set_more_waiting(byte & 1 == 0 && index + 1 < data.len());
        let event = editor.handle_byte(byte, &mut echo);
        assert!(
            echo.len() <= ECHO_MAX + PROMPT.len(),
            "{} bytes of echo",
            echo.len()
        );
        if let Some(Event::Line(line) | Event::Help(line) | Event::Tab(line)) = &event {
            let is_printable = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            assert!(is_printable && line.len() <= LINE_MAX, "{line:?}");
        }
        match event {
            None => continue,
            Some(Event::Line(line)) => enter(grammar, &mut config, &mut state, &line),
            Some(Event::Help(line)) => {
                let mut out = String::new();
                grammar.write_help(&line, &state.mode().scopes(), PRIVILEGE, WIDTH, &mut out);
                editor.redraw(&mut echo);
                continue;
            }
            Some(Event::Tab(line)) => {
                let completion = grammar.complete(&line, &state.mode().scopes(), PRIVILEGE);
                editor.complete(&completion, &mut echo);
                continue;
            }
            Some(Event::EndOfMode) => state.reset(),
            Some(Event::TooLong | Event::Interrupt | Event::Key(_)) => {}
        }
        editor.begin(PROMPT, Entry::Command, &mut echo);
    }
    reread(&config);
}

fn enter(grammar: &Grammar<Handler>, config: &mut Config, state: &mut ModeState, line: &str) {
    if let Some((_, pattern)) = line.split_once('|')
        && let Ok(mut regex) = Regex::new(pattern)
    {
        regex.is_match(line);
    }
    let before = (config.clone(), state.clone());
    if apply_line(grammar, Some, config, state, line, [7; 16]).is_err() {
        // A certificate that is refused at its `quit` is over all the same.
        let is_same_state = *state == before.1 || before.1.is_collecting();
        assert!(
            *config == before.0 && is_same_state,
            "a refused line had an effect: {line}"
        );
    }
}

/// Statements of every kind, and some editing.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    TEXTS
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain([
            b"acc?\x15access-list A ext\tper\ttcp any any eq ?443\r\x10\x01\x06\x0b\x19\r".to_vec(),
            b"interface GigabitEthernet0/0\rna\tinside\rip add?\x1b[A\x1b[D\x1b[Dx\x08\x7f\r"
                .to_vec(),
            b"show run | include ^a(b|c)*[a-z]+.$\r".to_vec(),
            "description \u{201c}Zürich\u{201d} 北\u{200b}\u{1f600}\u{2013}\r".into(),
            b"hostname \xff\xe2\x80\rbanner motd \x93b\x94\xf0\x9f\x98\r".to_vec(),
            PASTED.as_bytes().to_vec(),
            b"asa1(config)# hostname a\r\xad\r\n<--- More --->\r   \rasa1> exit \x96".to_vec(),
        ])
        .collect()
}

/// A guide as it comes out of a mail: prompts, typography, wrapped lines, comments.
pub const PASTED: &str = "\u{feff}asa1> enable\r\nasa1(config)# route outside\r\n 0.0.0.0\r\n 0.0.0.0 \
     203.0.113.1\r\nasa1(config)# object\u{a0}network NODE\r\n host 10.20.\r\n0.11\r\n! a comment\r\n\r\n\
     domain\u{2010}name example.com ! ours\r\nrouter ospf 1\r\n network 10.0.0.0 255.0.0.0 area 0\r\n\
     \u{2026}bogus\r\n<--- More --->              asa1(config)# hostname asa1\u{200b}\r\n";

/// Configuration text; stored configurations are seeded with it too.
pub const TEXTS: &[&str] = &[
    // By itself, because hashing it takes longer than everything else.
    "enable password open!sesame\n",
    "hostname asa1\ndomain-name example.com\nclock timezone CET 1\n\
     clock summer-time CEST recurring last Sun Mar 2:00 last Sun Oct 3:00\n\
     ntp server 10.20.0.5 source inside prefer\nbanner motd two  words\nno pager\n\
     logging enable\nlogging trap 5\nprompt hostname\n\
     timeout conn 2:00:00 udp 0:10:00\nsame-security-traffic permit intra-interface\n",
    "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n\
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface GigabitEthernet0/1\n\
     nameif inside\n ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\n\
     route outside 0.0.0.0 0.0.0.0 203.0.113.1\nmtu outside 1400\n\
     icmp permit any echo outside\narp timeout 600\n",
    "interface GigabitEthernet0/0\nnameif outside\ninterface GigabitEthernet0/1\nnameif inside\n\
     object network NODE\n host 10.20.0.11\n nat (inside,outside) static 203.0.113.10 service tcp 5062 5061\n\
     object network NET\n subnet 10.20.0.0 255.255.255.0\n nat (inside,outside) dynamic interface\n\
     object network PUBLIC\nhost 203.0.113.10\nobject service S1\n service tcp source eq sip\n\
     object service S2\nservice tcp source eq 5062\n\
     nat (inside,outside) source static NODE PUBLIC service S2 S1\n\
     nat (inside,outside) after-auto source dynamic NET interface\nno nat 1\n",
    "object-group network G\n network-object host 10.20.0.11\n network-object 10.30.0.0 255.255.0.0\n\
     description both\nobject-group service P tcp\n port-object eq https\n port-object range 1 9\n\
     access-list A remark who knows\n\
     access-list A extended permit tcp object-group G any eq 5061 log 5 interval 60\n\
     access-list A line 1 extended deny ip any4 host 10.20.0.11 inactive\n\
     access-list A extended permit icmp any any echo\n\
     interface GigabitEthernet0/0\n nameif outside\naccess-group A in interface outside\n",
    "crypto ca trustpoint T\n enrollment self\n fqdn none\n subject-name cn=10.20.0.1,O=Org\n\
     keypair K\ncrypto ca trustpoint U\nenrollment terminal\n\
     crypto ca certificate chain T\n certificate 01\n 30820122\n 0a0b0c0d\n quit\n\
     tls-proxy P\n server trust-point T\n client trust-point U\n\
     client cipher-suite aes128-sha1 aes256-sha1\nssl server-version tlsv1.3\n\
     access-list A extended permit tcp any any eq 5061\nclass-map C\n match access-list A\n\
     policy-map type inspect sip I\n parameters\npolicy-map global_policy\n class C\n\
     inspect sip I tls-proxy P\nservice-policy global_policy global\n\
     no service-policy global_policy global\nclear configure policy-map\n",
];
