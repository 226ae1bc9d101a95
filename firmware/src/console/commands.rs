//! The EXEC commands and the certificate dialogues: one row each, with syntax and help.

use cli::grammar::{ModeSet, Row};

/// EXEC commands, which configuration modes take as well.
pub(crate) const EXEC: ModeSet = 1;

/// EXEC commands that would be dangerous or meaningless inside configuration mode.
pub(crate) const EXEC_ONLY: ModeSet = 1 << 1;

/// Switching off. A scope of its own behind the others, so that `sh` goes on meaning `show`.
pub(crate) const POWER: ModeSet = 1 << 2;

/// Configuration mode, where certificate dialogues are held.
const CONFIG: ModeSet = config::GLOBAL;

/// Least privilege of a row: every user, or after `enable`.
const USER: u8 = 0;
const PRIVILEGED: u8 = 15;

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    ClearAccessListCounters,
    ClearArp,
    ClearAspDrop,
    ClearConn,
    ClearCrashinfo,
    ClearInterface,
    ClearNatCounters,
    ClearTlsProxySession,
    ClearXlate,
    ClockSet,
    ConfigureTerminal,
    CopyRunningStartup,
    CryptoAuthenticate,
    CryptoEnroll,
    CryptoExport,
    CryptoGenerateEcdsa,
    CryptoGenerateRsa,
    CryptoImport,
    CryptoZeroize,
    Disable,
    Enable,
    Exit,
    Help,
    Ping,
    Reload,
    ShowAccessList,
    ShowArp,
    ShowAspDrop,
    ShowBlocks,
    ShowChecksum,
    ShowClock,
    ShowConn,
    ShowCrashinfo,
    ShowCryptoCertificates,
    ShowCryptoKeys,
    ShowCryptoTrustpoints,
    ShowCurpriv,
    ShowFirewall,
    ShowHistory,
    ShowInterface,
    ShowInterfaceBrief,
    ShowMemory,
    ShowMode,
    ShowNameif,
    ShowNat,
    ShowNatPool,
    ShowRoute,
    ShowRunningConfig,
    ShowStartupConfig,
    ShowTlsProxy,
    ShowTlsProxySession,
    ShowVersion,
    ShowXlate,
    Shutdown,
    TerminalPager,
    WriteErase,
    WriteMemory,
    WriteTerminal,
}

/// Help for words that several rows share.
type Words = &'static [(&'static str, &'static str)];

macro_rules! row {
    ($modes:expr, $privilege:expr, $syntax:literal, $command:ident, $help:expr) => {
        Row::new(
            $modes,
            $privilege,
            $syntax,
            $help as Words,
            Command::$command,
        )
    };
}

/// A row whose output can be filtered.
macro_rules! show {
    ($privilege:expr, $syntax:literal, $command:ident, $help:expr) => {
        Row::new(
            EXEC,
            $privilege,
            concat!($syntax, " $filter@filter"),
            $help as Words,
            Command::$command,
        )
    };
}

/// Every row.
pub(crate) const ROWS: &[Row<Command>] = &[
    row!(
        EXEC_ONLY,
        USER,
        "enable [<level:0-15>]",
        Enable,
        &[
            ("enable", "Turn on privileged commands"),
            ("level", "Privilege level"),
        ]
    ),
    row!(
        EXEC_ONLY,
        PRIVILEGED,
        "disable",
        Disable,
        &[("disable", "Exit from privileged mode")]
    ),
    row!(
        EXEC_ONLY,
        USER,
        "{exit|logout|quit}",
        Exit,
        &[
            ("exit", "Exit from the EXEC"),
            ("logout", "Exit from the EXEC"),
            ("quit", "Exit from the EXEC"),
        ]
    ),
    row!(
        EXEC,
        USER,
        "help",
        Help,
        &[("help", "Description of the interactive help system")]
    ),
    row!(
        EXEC_ONLY,
        PRIVILEGED,
        "configure [terminal]",
        ConfigureTerminal,
        &[
            ("configure", "Configure using various methods"),
            ("terminal", "Configure from the terminal"),
        ]
    ),
    row!(
        EXEC,
        USER,
        "ping [<nameif:word>] <host:ip> [repeat <count:1-100000>] [size <bytes:28-1500>] [timeout <secs:1-60>]",
        Ping,
        &[
            ("ping", "Send echo messages"),
            ("nameif", "Name of the interface to send from"),
            ("host", "Address of the destination"),
            ("repeat", "How many requests to send"),
            ("count", "Number of requests"),
            ("size", "Size of the IP packets"),
            ("bytes", "Bytes of an IP packet"),
            ("timeout", "How long to wait for each answer"),
            ("secs", "Seconds"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "write [memory]",
        WriteMemory,
        &[
            ("write", "Write the running configuration"),
            ("memory", "Save it to be used at the next start"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "write terminal",
        WriteTerminal,
        &[("terminal", "Show it")]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "write erase",
        WriteErase,
        &[("erase", "Erase the saved configuration and the saved keys"),]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "copy running-config startup-config",
        CopyRunningStartup,
        &[
            ("copy", "Copy from one place to another"),
            ("running-config", "The configuration in force"),
            ("startup-config", "The configuration used at the next start"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "reload [noconfirm]",
        Reload,
        &[("reload", "Restart the box"), ("noconfirm", "Do not ask"),]
    ),
    row!(
        POWER,
        PRIVILEGED,
        "shutdown [noconfirm]",
        Shutdown,
        &[
            ("shutdown", "Switch the box off"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clock set <time:time> {<day:1-31> <month:word> | <month:word> <day:1-31>} <year:1993-2099>",
        ClockSet,
        &[
            ("clock", "Manage the clock"),
            ("set", "Set date and time"),
            ("time", "Local time"),
            ("day", "Day of the month"),
            ("month", "Month of the year"),
            ("year", "Year"),
        ]
    ),
    row!(
        EXEC,
        USER,
        "terminal pager [lines] <count:0-2147483647>",
        TerminalPager,
        &[
            ("terminal", "Set terminal parameters of this session"),
            ("pager", "Lines shown before --More--"),
            ("lines", "Lines shown before --More--"),
            ("count", "Number of lines, 0 for no pause"),
        ]
    ),
    show!(
        USER,
        "show version",
        ShowVersion,
        &[
            ("show", "Show running system information"),
            ("version", "Version of the firmware and the hardware"),
        ]
    ),
    show!(
        USER,
        "show clock [detail]",
        ShowClock,
        &[
            ("clock", "Date and time"),
            ("detail", "With the source of the time"),
        ]
    ),
    show!(
        USER,
        "show curpriv",
        ShowCurpriv,
        &[("curpriv", "Current privilege level")]
    ),
    show!(
        USER,
        "show checksum",
        ShowChecksum,
        &[("checksum", "Checksum of the running configuration"),]
    ),
    show!(
        USER,
        "show history",
        ShowHistory,
        &[("history", "Commands of this session")]
    ),
    show!(
        USER,
        "show mode",
        ShowMode,
        &[("mode", "Security context mode")]
    ),
    show!(
        USER,
        "show firewall",
        ShowFirewall,
        &[("firewall", "Firewall mode")]
    ),
    show!(
        PRIVILEGED,
        "show running-config [all] [$section@section]",
        ShowRunningConfig,
        &[
            ("running-config", "The configuration in force"),
            ("all", "With the settings that are at their default"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show startup-config",
        ShowStartupConfig,
        &[("startup-config", "The configuration used at the next start"),]
    ),
    show!(
        PRIVILEGED,
        "show interface ip brief",
        ShowInterfaceBrief,
        &[
            ("interface", "State and counters of the ports"),
            ("ip", "Addresses of the ports"),
            ("brief", "One line for each port"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show interface [{<port:interface>|<nameif:word>}]",
        ShowInterface,
        &[
            ("interface", "State and counters of the ports"),
            ("port", "A port"),
            ("nameif", "The name of a port"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show nameif",
        ShowNameif,
        &[("nameif", "Names and security levels")]
    ),
    show!(
        PRIVILEGED,
        "show route",
        ShowRoute,
        &[("route", "The routing table")]
    ),
    show!(
        PRIVILEGED,
        "show arp",
        ShowArp,
        &[("arp", "Neighbours' Ethernet addresses")]
    ),
    show!(
        PRIVILEGED,
        "show conn [{count|detail|long}] [address <host:ip>] [port <port:port>]",
        ShowConn,
        &[
            ("conn", "Connections"),
            ("count", "Only how many there are"),
            ("detail", "With translated addresses and times"),
            ("long", "With translated addresses and times"),
            ("address", "Only those of a host"),
            ("host", "Address of the host"),
            ("port", "Only those of a port"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show xlate [count]",
        ShowXlate,
        &[
            ("xlate", "Translations in use"),
            ("count", "Only how many there are"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show nat [detail]",
        ShowNat,
        &[
            ("nat", "Translation rules and how often they were used"),
            ("detail", "With addresses and ports"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show nat pool",
        ShowNatPool,
        &[("pool", "Use of addresses that are shared by port"),]
    ),
    show!(
        PRIVILEGED,
        "show access-list [<name:word>]",
        ShowAccessList,
        &[
            ("access-list", "Access lists and how often they matched"),
            ("name", "Name of an access list"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show asp drop [{frame|flow}]",
        ShowAspDrop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Why packets and flows were dropped"),
            ("frame", "Only packets"),
            ("flow", "Only flows"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show memory [detail]",
        ShowMemory,
        &[
            ("memory", "Use of memory"),
            ("detail", "With what was claimed at boot"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show blocks",
        ShowBlocks,
        &[("blocks", "Packet buffers")]
    ),
    show!(
        PRIVILEGED,
        "show crashinfo",
        ShowCrashinfo,
        &[("crashinfo", "What the last crash left behind"),]
    ),
    show!(
        PRIVILEGED,
        "show crypto ca certificates [<trustpoint:word>]",
        ShowCryptoCertificates,
        &[
            ("crypto", "Keys and certificates"),
            ("ca", "Certificates"),
            ("certificates", "The certificates of the trustpoints"),
            ("trustpoint", "Name of a trustpoint"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show crypto ca trustpoints [<trustpoint:word>]",
        ShowCryptoTrustpoints,
        &[
            ("trustpoints", "The trustpoints"),
            ("trustpoint", "Name of a trustpoint"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show crypto key mypubkey {rsa|ecdsa}",
        ShowCryptoKeys,
        &[
            ("key", "Key pairs"),
            ("mypubkey", "Public halves of the key pairs"),
            ("rsa", "RSA keys"),
            ("ecdsa", "ECDSA keys"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show tls-proxy [<name:word>]",
        ShowTlsProxy,
        &[
            ("tls-proxy", "TLS proxies"),
            ("name", "Name of a TLS proxy"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show tls-proxy session [{count|detail|statistics}]",
        ShowTlsProxySession,
        &[
            ("session", "Sessions in progress"),
            ("count", "Only how many there are"),
            ("detail", "With the state of both halves"),
            ("statistics", "Counters, and how the last sessions ended"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear conn [{all|address <host:ip>}]",
        ClearConn,
        &[
            ("clear", "Reset functions"),
            ("conn", "End connections"),
            ("all", "All connections"),
            ("address", "Those of a host"),
            ("host", "Address of the host"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear xlate",
        ClearXlate,
        &[("xlate", "Remove translations and end their connections"),]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear arp",
        ClearArp,
        &[("arp", "Forget neighbours")]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear asp drop",
        ClearAspDrop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Zero the counters of dropped packets"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear nat counters",
        ClearNatCounters,
        &[
            ("nat", "Translation rules"),
            ("counters", "Zero the counters"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear access-list <name:word> counters",
        ClearAccessListCounters,
        &[
            ("access-list", "Access lists"),
            ("name", "Name of an access list"),
            ("counters", "Zero the counters"),
        ]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear interface",
        ClearInterface,
        &[("interface", "Zero the counters of all interfaces"),]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear crashinfo",
        ClearCrashinfo,
        &[("crashinfo", "Forget what the last crash left behind"),]
    ),
    row!(
        EXEC,
        PRIVILEGED,
        "clear tls-proxy session",
        ClearTlsProxySession,
        &[
            ("tls-proxy", "TLS proxies"),
            ("session", "End all sessions"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto key generate rsa [{general-keys|usage-keys}] [label <label:word>] [modulus <bits:512-4096>] [noconfirm]",
        CryptoGenerateRsa,
        &[
            ("crypto", "Keys and certificates"),
            ("key", "Key pairs"),
            ("generate", "Make a key pair"),
            ("rsa", "An RSA key pair"),
            ("general-keys", "One pair for everything"),
            ("usage-keys", "Accepted; one pair for everything is made"),
            ("label", "Name the pair"),
            ("modulus", "Length of the modulus in bits"),
            ("bits", "2048, 3072 or 4096; less is raised to 2048"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto key generate ecdsa [label <label:word>] [elliptic-curve <bits:256-521>] [noconfirm]",
        CryptoGenerateEcdsa,
        &[
            ("ecdsa", "An ECDSA key pair"),
            ("elliptic-curve", "Size of the curve"),
            ("bits", "256 or 384"),
            ("label", "Name the pair"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto key zeroize {rsa|ecdsa} [label <label:word>] [noconfirm]",
        CryptoZeroize,
        &[
            ("zeroize", "Destroy key pairs"),
            ("rsa", "RSA key pairs"),
            ("ecdsa", "ECDSA key pairs"),
            ("label", "Only the pair of this name"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto ca authenticate <trustpoint:word> [nointeractive]",
        CryptoAuthenticate,
        &[
            ("ca", "Certificates"),
            ("authenticate", "Enter the CA certificate of a trustpoint"),
            ("trustpoint", "Name of a trustpoint"),
            ("nointeractive", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto ca enroll <trustpoint:word> [noconfirm]",
        CryptoEnroll,
        &[
            ("enroll", "Make a certificate or a request for one"),
            ("trustpoint", "Name of a trustpoint"),
            ("noconfirm", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto ca import <trustpoint:word> certificate [nointeractive]",
        CryptoImport,
        &[
            ("import", "Enter the certificate that a CA has issued"),
            ("trustpoint", "Name of a trustpoint"),
            ("certificate", "The identity certificate"),
            ("nointeractive", "Do not ask"),
        ]
    ),
    row!(
        CONFIG,
        PRIVILEGED,
        "crypto ca export <trustpoint:word> identity-certificate",
        CryptoExport,
        &[
            ("export", "Show a certificate to be carried elsewhere"),
            ("trustpoint", "Name of a trustpoint"),
            ("identity-certificate", "The identity certificate"),
        ]
    ),
];
