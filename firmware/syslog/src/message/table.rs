//! The messages.
//!
//! Texts are those of the ASA syslog manual (release 9) and of logs from the field; where the two
//! differ the text is that of the logs. 106101, 113007, 199001 for the serial line, 211001, 308001,
//! 321001, 414003, 414004, 710004, 717008, 717024 and 771001 are written from memory of the manual.
//! 199701 to 199703 are Sallyport's own: an ASA says nothing when it leaves messages out.

use super::declare::messages;
use super::field::{
    ArpKind, CertificateKind, ChainWarning, Direction, Elapsed, Endpoint, Hits, Host, HostPort,
    IcmpDetail, LoginPath, Mac, Outcome, Permission, Protocol, RuleHashes, TcpFlags, Teardown,
    TlsPeer, TranslationFailure, TranslationKind, Verdict,
};
use core::net::{IpAddr, Ipv4Addr};

messages! {
    /// A TCP connection from a lower security level was refused by default.
    InboundTcpDenied { source: HostPort, destination: HostPort, flags: TcpFlags, interface: &'a str } = 106001, Critical,
        "Inbound TCP connection denied from {source} to {destination} flags {flags}  on interface {interface}";
    /// A UDP packet from a lower security level was refused by default.
    InboundUdpDenied { source: HostPort, destination: HostPort, interface: &'a str } = 106006, Critical,
        "Deny inbound UDP from {source} to {destination} on interface {interface}";
    /// A packet of another protocol from a lower security level was refused by default.
    InboundDenied { protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 106010, Errors,
        "Deny inbound {protocol} src {source} dst {destination}";
    /// An ICMP packet from a lower security level was refused by default.
    InboundIcmpDenied { source: Host<'a>, destination: Host<'a>, kind: u8, code: u8 } = 106014, Errors,
        "Deny inbound icmp src {source} dst {destination} (type {kind}, code {code})";
    /// A TCP segment belongs to no connection and opens none.
    NoTcpConnection { source: HostPort, destination: HostPort, flags: TcpFlags, interface: &'a str } = 106015, Informational,
        "Deny TCP (no connection) from {source} to {destination} flags {flags}  on interface {interface}";
    /// The source address cannot be that of a sender.
    IpSpoof { source: IpAddr, destination: IpAddr, interface: &'a str } = 106016, Critical,
        "Deny IP spoof from ({source}) to {destination} on interface {interface}";
    /// Source and destination are the same.
    LandAttack { source: IpAddr, destination: IpAddr } = 106017, Critical,
        "Deny IP due to Land Attack from {source} to {destination}";
    /// Fragments that overlap: an attack, or a broken sender.
    Teardrop { size: u16, offset: u16, source: Ipv4Addr, destination: Ipv4Addr } = 106020, Critical,
        "Deny IP teardrop fragment (size = {size}, offset = {offset}) from {source} to {destination}";
    /// The source is not routed to the interface the packet came in by.
    ReversePathDenied { protocol: Protocol, source: IpAddr, destination: IpAddr, interface: &'a str } = 106021, Alerts,
        "Deny {protocol:#} reverse path check from {source} to {destination} on interface {interface}";
    /// An access list refused a packet.
    AccessDenied { protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a>, icmp: IcmpDetail, access_group: &'a str, hashes: RuleHashes } = 106023, Warnings,
        "Deny {protocol} src {source} dst {destination}{icmp} by access-group \"{access_group}\" {hashes}";
    /// A rule with the log option was hit; the rule may set another severity.
    AccessListHit { access_list: &'a str, verdict: Verdict, protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a>, count: u32, hits: Hits, hashes: RuleHashes } = 106100, Informational,
        "access-list {access_list} {verdict} {protocol} {source:#} -> {destination:#} hit-cnt {count} {hits} {hashes}";
    /// As many refused flows are counted for 106100 as may be; more are not logged.
    DenyFlowsFull { limit: u32 } = 106101, Alerts,
        "Number of cached deny-flows for ACL log has reached limit ({limit}).";
    /// There is no interface towards the destination.
    NoEgressInterface { protocol: Protocol, source: Endpoint<'a>, destination: HostPort } = 110002, Informational,
        "Failed to locate egress interface for {protocol:#} from {source} to {destination}";
    /// There is no next hop towards the destination.
    NoNextHop { protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 110003, Informational,
        "Routing failed to locate next-hop for {protocol:#} from {source} to {destination}";
    /// Somebody began to save the running configuration.
    SaveBegun { who: &'a str } = 111001, Notifications,
        "Begin configuration: {who} writing to memory";
    /// Somebody began to read a configuration.
    ReadBegun { who: &'a str, device: &'a str } = 111002, Notifications,
        "Begin configuration: {who} reading from {device}";
    /// Somebody erased the saved configuration.
    ConfigurationErased { who: &'a str } = 111003, Notifications,
        "{who} Erase configuration";
    /// Saving or erasing the configuration ended.
    ConfigurationEnded { who: &'a str, outcome: Outcome } = 111004, Notifications,
        "{who} end configuration: {outcome}";
    /// Somebody left configuration mode.
    ConfigurationLeft { who: &'a str } = 111005, Notifications,
        "{who} end configuration: OK";
    /// Somebody replaced or merged the configuration from a device.
    ConfigurationRead { who: &'a str, device: &'a str } = 111007, Notifications,
        "Begin configuration: {who} reading from {device}.";
    /// Somebody entered a command that is not only a question.
    CommandExecuted { user: &'a str, command: &'a str } = 111008, Notifications,
        "User '{user}' executed the '{command}' command.";
    /// Somebody entered a command that changes nothing.
    QueryExecuted { user: &'a str, command: &'a str } = 111009, Debugging,
        "User '{user}' executed cmd: {command}";
    /// Somebody changed the configuration.
    ConfigurationChanged { user: &'a str, application: &'a str, address: Ipv4Addr, command: &'a str } = 111010, Notifications,
        "User '{user}', running '{application}' from IP {address}, executed '{command}'";
    /// A user failed too often and can no longer log in.
    UserLocked { user: &'a str, attempts: u32 } = 113006, Informational,
        "User '{user}' locked out on exceeding '{attempts}' successive failed authentication attempts";
    /// An administrator lifted the lock of a user.
    UserUnlocked { user: &'a str, administrator: &'a str } = 113007, Informational,
        "User '{user}' unlocked by '{administrator}'";
    /// Somebody restarted the box.
    Reloading { origin: &'a str } = 199001, Notifications,
        "Reload command executed from {origin}";
    /// The box has started.
    StartupCompleted = 199002, Informational,
        "startup completed. Beginning operation.";
    /// Messages were held back by a configured rate.
    RateLimited { count: u64, what: &'a str, limit: u32, period_secs: u32 } = 199701, Warnings,
        "{count} messages of {what} suppressed by logging rate-limit {limit} {period_secs}";
    /// Messages did not reach a terminal that could not keep up.
    NotShown { count: u64 } = 199702, Warnings,
        "{count} messages not shown here, the terminal is too slow for them";
    /// Packets were handled faster than what happened to them could be logged.
    NotTold { count: u64 } = 199703, Warnings,
        "{count} events of the packet engine not logged, too many at once";
    /// No new connection is let through, because it could not be logged to a TCP server.
    NewConnectionsRefused = 201008, Errors,
        "Disallowing new connections.";
    /// A class has as many half-open connections as it may.
    EmbryonicLimit { count: u32, most: u32, source: HostPort, destination: HostPort, interface: &'a str } = 201010, Informational,
        "Embryonic connection limit exceeded {count}/{most} for input packet from {source} to {destination} on interface {interface}";
    /// A class has as many connections as it may.
    ConnectionLimit { count: u32, most: u32, source: HostPort, destination: HostPort, interface: &'a str } = 201011, Errors,
        "Connection limit exceeded {count}/{most} for input packet from {source} to {destination} on interface {interface}";
    /// A client has as many half-open connections as it may.
    ClientEmbryonicLimit { count: u32, most: u32, source: HostPort, destination: HostPort, interface: &'a str } = 201012, Informational,
        "Per-client embryonic connection limit exceeded {count}/{most} for input packet from {source} to {destination} on interface {interface}";
    /// A client has as many connections as it may.
    ClientConnectionLimit { count: u32, most: u32, source: HostPort, destination: HostPort, interface: &'a str } = 201013, Errors,
        "Per-client connection limit exceeded {count}/{most} for input packet from {source} to {destination} on interface {interface}";
    /// A translation found no free port.
    PatPoolExhausted { pool: &'a str, low: u16, high: u16, protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 202010, Errors,
        "PAT pool exhausted for {pool}, port range {low}-{high}. Unable to create {protocol:#} connection from {source} to {destination}";
    /// There is no room for another fragment.
    FragmentDatabaseFull { limit: u32, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, id: u16 } = 209003, Warnings,
        "Fragment database limit of {limit} exceeded:  src = {source}, dest = {destination}, proto = {protocol}, id = {id}";
    /// A fragment lies beyond the longest packet.
    FragmentSize { size: u32, limit: u32, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, id: u16 } = 209004, Warnings,
        "Invalid IP fragment, size = {size} exceeds maximum size = {limit}:  src = {source}, dest = {destination}, proto = {protocol}, id = {id}";
    /// A packet has more fragments than are allowed.
    FragmentChain { limit: u32, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, id: u16 } = 209005, Warnings,
        "Discard IP fragment set with more than {limit} elements:  src = {source}, dest = {destination}, proto = {protocol}, id = {id}";
    /// Memory ran out.
    OutOfMemory = 211001, Errors,
        "Memory allocation Error";
    /// A TCP connection was opened.
    TcpBuilt { direction: Direction, connection: u64, from: Endpoint<'a>, from_mapped: HostPort, to: Endpoint<'a>, to_mapped: HostPort } = 302013, Informational,
        "Built {direction} TCP connection {connection} for {from} ({from_mapped}) to {to} ({to_mapped})";
    /// A TCP connection ended.
    TcpTeardown { connection: u64, from: Endpoint<'a>, to: Endpoint<'a>, duration: Elapsed, bytes: u64, reason: Teardown } = 302014, Informational,
        "Teardown TCP connection {connection} for {from} to {to} duration {duration} bytes {bytes} {reason}";
    /// A UDP exchange began.
    UdpBuilt { direction: Direction, connection: u64, from: Endpoint<'a>, from_mapped: HostPort, to: Endpoint<'a>, to_mapped: HostPort } = 302015, Informational,
        "Built {direction} UDP connection {connection} for {from} ({from_mapped}) to {to} ({to_mapped})";
    /// A UDP exchange ended.
    UdpTeardown { connection: u64, from: Endpoint<'a>, to: Endpoint<'a>, duration: Elapsed, bytes: u64 } = 302016, Informational,
        "Teardown UDP connection {connection} for {from} to {to} duration {duration} bytes {bytes}";
    /// An ICMP exchange began.
    IcmpBuilt { direction: Direction, foreign: HostPort, global: HostPort, local: HostPort, kind: u8, code: u8 } = 302020, Informational,
        "Built {direction} ICMP connection for faddr {foreign} gaddr {global} laddr {local} type {kind} code {code}";
    /// An ICMP exchange ended.
    IcmpTeardown { foreign: HostPort, global: HostPort, local: HostPort, kind: u8, code: u8 } = 302021, Informational,
        "Teardown ICMP connection for faddr {foreign} gaddr {global} laddr {local} type {kind} code {code}";
    /// No translation rule fits although one is needed.
    NoTranslation { protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 305005, Errors,
        "No translation group found for {protocol} src {source} dst {destination}";
    /// A translation rule fits but gives no translation.
    TranslationFailed { failure: TranslationFailure, protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 305006, Errors,
        "{failure} translation creation failed for {protocol} src {source} dst {destination}";
    /// An address got a mapped address.
    AddressTranslationBuilt { kind: TranslationKind, real: Host<'a>, mapped: Host<'a> } = 305009, Informational,
        "Built {kind} translation from {real} to {mapped}";
    /// An address gave its mapped address back.
    AddressTranslationTeardown { kind: TranslationKind, real: Host<'a>, mapped: Host<'a>, duration: Elapsed } = 305010, Informational,
        "Teardown {kind} translation from {real} to {mapped} duration {duration}";
    /// A port got a mapped port.
    PortTranslationBuilt { kind: TranslationKind, protocol: Protocol, real: Endpoint<'a>, mapped: Endpoint<'a> } = 305011, Informational,
        "Built {kind} {protocol:#} translation from {real} to {mapped}";
    /// A port gave its mapped port back.
    PortTranslationTeardown { kind: TranslationKind, protocol: Protocol, real: Endpoint<'a>, mapped: Endpoint<'a>, duration: Elapsed } = 305012, Informational,
        "Teardown {kind} {protocol:#} translation from {real} to {mapped} duration {duration}";
    /// The way back would be translated differently.
    AsymmetricNat { protocol: Protocol, source: Endpoint<'a>, destination: Endpoint<'a> } = 305013, Notifications,
        "Asymmetric NAT rules matched for forward and reverse flows; Connection {protocol} src {source} dst {destination} denied due to NAT reverse path failure";
    /// The enable password was wrong too often.
    EnablePasswordWrong { tries: u32, origin: &'a str } = 308001, Errors,
        "console enable password incorrect for {tries} tries (from {origin})";
    /// An ICMP packet to the box was refused.
    IcmpToBoxDenied { kind: u8, code: u8, source: IpAddr, interface: &'a str } = 313001, Errors,
        "Denied ICMP type={kind}, code={code} from {source} on interface {interface}";
    /// An ICMP answer belongs to no exchange.
    IcmpNoSession { kind: u8, source: IpAddr, interface: &'a str, destination: IpAddr } = 313004, Warnings,
        "Denied ICMP type={kind}, from laddr {source} on interface {interface} to {destination}: no matching session";
    /// An ICMP error is about a packet of no connection.
    IcmpErrorNoConnection { source: Host<'a>, destination: Host<'a>, kind: u8, code: u8, interface: &'a str, protocol: Protocol, original_source: HostPort, original_destination: HostPort } = 313005, Warnings,
        "No matching connection for ICMP error message: icmp src {source} dst {destination} (type {kind}, code {code}) on {interface} interface. Original IP payload: {protocol} src {original_source} dst {original_destination}.";
    /// A table of the packet engine is full.
    ResourceLimit { resource: &'a str, limit: u32 } = 321001, Notifications,
        "Resource {resource} limit of {limit} reached.";
    /// An address was shut out.
    ShunAdded { source: Ipv4Addr, destination: Ipv4Addr, source_port: u16, destination_port: u16 } = 401002, Warnings,
        "Shun added: {source} {destination} {source_port} {destination_port}";
    /// An address was let in again.
    ShunDeleted { source: Ipv4Addr } = 401003, Warnings,
        "Shun deleted: {source}";
    /// A packet of an address that is shut out was dropped.
    Shunned { source: Ipv4Addr, destination: Ipv4Addr, interface: &'a str } = 401004, Warnings,
        "Shunned packet: {source} = {destination} on interface {interface}";
    /// Two machines claim the same address.
    ArpCollision { kind: ArpKind, source: Ipv4Addr, source_mac: Mac, interface: &'a str, known: Ipv4Addr, known_mac: Mac } = 405001, Warnings,
        "Received ARP {kind} collision from {source}/{source_mac} on interface {interface} with existing ARP entry {known}/{known_mac}";
    /// The cable of an interface was plugged in.
    LinkUp { interface: &'a str } = 411001, Warnings,
        "Line protocol on Interface {interface}, changed state to up";
    /// The cable of an interface was pulled.
    LinkDown { interface: &'a str } = 411002, Warnings,
        "Line protocol on Interface {interface}, changed state to down";
    /// An interface was put into service.
    InterfaceEnabled { interface: &'a str } = 411003, Warnings,
        "Configuration status on interface {interface} changed state to up";
    /// An interface was taken out of service.
    InterfaceDisabled { interface: &'a str } = 411004, Warnings,
        "Configuration status on interface {interface} changed state to down";
    /// A syslog server that is reached by TCP cannot be reached.
    SyslogServerDown { interface: &'a str, server: HostPort, permission: Permission } = 414003, Errors,
        "TCP Syslog Server {interface}: {server} not responding. New connections are {permission} based on logging permit-hostdown policy.";
    /// A syslog server that is reached by TCP can be reached again.
    SyslogServerUp { interface: &'a str, server: HostPort } = 414004, Informational,
        "TCP Syslog Server {interface}: {server} - Connection restored.";
    /// A second SYN of a connection begins at another sequence number.
    DuplicateSyn { source: Endpoint<'a>, destination: Endpoint<'a> } = 419002, Warnings,
        "Duplicate TCP SYN from {source} to {destination} with different initial sequence number";
    /// The TLS proxy has as many sessions as it can.
    TlsProxyLimit { limit: u32 } = 446001, Warnings,
        "Maximum TLS Proxy session limit of {limit} reached.";
    /// A local user was added.
    UserAdded { user: &'a str, level: u8 } = 502101, Notifications,
        "New user added to local dbase: Uname: {user} Priv: {level} Encpass: *****";
    /// A local user was removed.
    UserDeleted { user: &'a str, level: u8 } = 502102, Notifications,
        "User deleted from local dbase: Uname: {user} Priv: {level} Encpass: *****";
    /// Somebody got another privilege level.
    PrivilegeChanged { user: &'a str, from: u8, to: u8 } = 502103, Notifications,
        "User priv level changed: Uname: {user} From: {from} To: {to}";
    /// Somebody failed to log in.
    LoginDenied { path: LoginPath<'a>, user: &'a str } = 605004, Informational,
        "Login denied from {path} for user \"{user}\"";
    /// Somebody logged in.
    LoginPermitted { path: LoginPath<'a>, user: &'a str } = 605005, Informational,
        "Login permitted from {path} for user \"{user}\"";
    /// A host was heard of for the first time.
    LocalHostBuilt { host: Host<'a> } = 609001, Debugging,
        "Built local-host {host}";
    /// A host was forgotten.
    LocalHostTeardown { host: Host<'a>, duration: Elapsed } = 609002, Debugging,
        "Teardown local-host {host} duration {duration}";
    /// An NTP packet came from a machine that is no configured server.
    NtpDenied { interface: &'a str, source: Ipv4Addr } = 610001, Errors,
        "NTP daemon interface {interface}: Packet denied from {source}";
    /// An NTP packet has a wrong or no authentication.
    NtpAuthenticationFailed { interface: &'a str, source: Ipv4Addr } = 610002, Errors,
        "NTP daemon interface {interface}: Authentication failed for packet from {source}";
    /// Somebody proved to be a user.
    AuthenticationSucceeded { address: Ipv4Addr, user: &'a str } = 611101, Informational,
        "User authentication succeeded: IP address: {address}, Uname: {user}";
    /// Somebody did not prove to be a user.
    AuthenticationFailed { address: Ipv4Addr, user: &'a str } = 611102, Informational,
        "User authentication failed: IP address: {address}, Uname: {user}";
    /// Somebody logged out.
    LoggedOut { user: &'a str } = 611103, Notifications,
        "User logged out: Uname: {user}";
    /// Nobody typed for the configured time.
    ConsoleTimedOut = 611104, Notifications,
        "Serial console idle timeout exceeded";
    /// A connection to the box was attempted.
    AccessRequested { protocol: Protocol, source: HostPort, destination: Endpoint<'a> } = 710001, Debugging,
        "{protocol:#} access requested from {source} to {destination}";
    /// A connection to the box was let in.
    AccessPermitted { protocol: Protocol, source: HostPort, destination: Endpoint<'a> } = 710002, Debugging,
        "{protocol:#} access permitted from {source} to {destination}";
    /// A connection to the box was refused.
    AccessToBoxDenied { protocol: Protocol, source: HostPort, destination: Endpoint<'a> } = 710003, Errors,
        "{protocol:#} access denied by ACL from {source} to {destination}";
    /// A service of the box has as many connections as it takes.
    AccessLimit { protocol: Protocol, source: HostPort, destination: Endpoint<'a>, current: u32, limit: u32 } = 710004, Debugging,
        "{protocol:#} connection limit exceeded from {source} to {destination} (current connections/connection limit = {current}/{limit})";
    /// Nothing in the box listens on the port.
    RequestDiscarded { protocol: Protocol, source: HostPort, destination: Endpoint<'a> } = 710005, Debugging,
        "{protocol:#} request discarded from {source} to {destination}";
    /// Nothing in the box speaks the protocol.
    ProtocolDiscarded { protocol: Protocol, source: IpAddr, destination: Host<'a> } = 710006, Debugging,
        "{protocol:#} request discarded from {source} to {destination}";
    /// The key pair of a trustpoint is not there.
    KeypairMissing = 717001, Errors,
        "Querying keypair failed.";
    /// A certificate could not be had.
    EnrollmentFailed { trustpoint: &'a str, reason: &'a str } = 717002, Errors,
        "Certificate enrollment failed for trustpoint {trustpoint}. Reason: {reason}.";
    /// A certificate was received and installed.
    CertificateReceived { trustpoint: &'a str } = 717003, Informational,
        "Certificate received from Certificate Authority for trustpoint {trustpoint}.";
    /// Keys and certificates could not be exported.
    ExportFailed { trustpoint: &'a str } = 717004, Informational,
        "PKCS #12 export failed for trustpoint {trustpoint}.";
    /// Keys and certificates were exported.
    ExportSucceeded { trustpoint: &'a str } = 717005, Informational,
        "PKCS #12 export succeeded for trustpoint {trustpoint}.";
    /// Keys and certificates could not be imported.
    ImportFailed { trustpoint: &'a str } = 717006, Informational,
        "PKCS #12 import failed for trustpoint {trustpoint}.";
    /// Keys and certificates were imported.
    ImportSucceeded { trustpoint: &'a str } = 717007, Informational,
        "PKCS #12 import succeeded for trustpoint {trustpoint}.";
    /// There was not enough memory to work on a certificate.
    CertificateMemory { process: &'a str } = 717008, Critical,
        "Insufficient memory to {process}.";
    /// A certificate is not valid.
    CertificateInvalid { reason: &'a str } = 717009, Errors,
        "Certificate validation failed. {reason}.";
    /// The box could not take its certificate into use.
    InstallFailed { trustpoint: &'a str, reason: &'a str } = 717020, Errors,
        "Failed to install device certificate for trustpoint {trustpoint}. Reason: {reason}.";
    /// Nothing known can verify a certificate.
    CertificateUnverified { reason: &'a str, serial: &'a str, subject: &'a str } = 717021, Errors,
        "Certificate data could not be verified. Reason: {reason} serial number: {serial}, subject name: {subject}.";
    /// A certificate is valid.
    CertificateValidated { serial: &'a str, subject: &'a str } = 717022, Informational,
        "Certificate was successfully validated. serial number: {serial}, subject name: {subject}.";
    /// TLS could not take a certificate of the box into use.
    TlsCertificateFailed { trustpoint: &'a str, reason: &'a str } = 717023, Errors,
        "SSL failed to set device certificate for trustpoint {trustpoint}. Reason: {reason}.";
    /// A revocation list is being looked at.
    CrlChecked { trustpoint: &'a str, purpose: &'a str } = 717024, Debugging,
        "Checking CRL from trustpoint: {trustpoint} for {purpose}";
    /// A certificate chain is about to be verified.
    ChainValidating { count: u32 } = 717025, Debugging,
        "Validating certificate chain containing {count} certificate(s).";
    /// A name of a PKI server could not be looked up.
    PkiNameUnknown { hostname: &'a str } = 717026, Warnings,
        "Name lookup failed for hostname {hostname} during PKI operation.";
    /// A certificate chain is not valid.
    ChainInvalid { reason: &'a str } = 717027, Errors,
        "Certificate chain failed validation. {reason}.";
    /// A certificate chain is valid.
    ChainValidated { warning: ChainWarning } = 717028, Informational,
        "Certificate chain was successfully validated{warning}.";
    /// A certificate of a trustpoint soon expires.
    CertificateExpiring { kind: CertificateKind, trustpoint: &'a str, days: u32, expiration: &'a str, subject: &'a str, issuer: &'a str, serial: &'a str } = 717054, Alerts,
        "The {kind} certificate in the trustpoint {trustpoint} is due to expire in {days} days. Expiration {expiration} Subject Name {subject} Issuer Name {issuer} Serial Number {serial}";
    /// A certificate of a trustpoint has expired.
    CertificateExpired { kind: CertificateKind, trustpoint: &'a str, expiration: &'a str, subject: &'a str, issuer: &'a str, serial: &'a str } = 717055, Alerts,
        "The {kind} certificate in the trustpoint {trustpoint} has expired. Expiration {expiration} Subject Name {subject} Issuer Name {issuer} Serial Number {serial}";
    /// A TLS handshake begins.
    TlsStarting { peer: TlsPeer, from: Endpoint<'a>, to: HostPort, version: &'a str } = 725001, Informational,
        "Starting SSL handshake with {peer} {from} to {to} for {version} session";
    /// A TLS handshake succeeded.
    TlsCompleted { peer: TlsPeer, from: Endpoint<'a>, to: HostPort, version: &'a str } = 725002, Informational,
        "Device completed SSL handshake with {peer} {from} to {to} for {version} session";
    /// A caller wants to resume a TLS session.
    TlsResuming { from: Endpoint<'a>, to: HostPort } = 725003, Informational,
        "SSL client {from} to {to} request to resume previous session";
    /// The box asks a caller for its certificate.
    TlsClientCertificateRequested { from: Endpoint<'a>, to: HostPort } = 725004, Informational,
        "Device requesting certificate from SSL client {from} to {to} for authentication";
    /// A server asks the box for its certificate.
    TlsOurCertificateRequested { from: Endpoint<'a>, to: HostPort } = 725005, Informational,
        "SSL server {from} to {to} requesting our device certificate for authentication";
    /// A TLS handshake failed.
    TlsFailed { peer: TlsPeer, from: Endpoint<'a>, to: HostPort } = 725006, Informational,
        "Device failed SSL handshake with {peer} {from} to {to}";
    /// A TLS session ended.
    TlsTerminated { peer: TlsPeer, from: Endpoint<'a>, to: HostPort } = 725007, Informational,
        "SSL session with {peer} {from} to {to} terminated";
    /// The TLS library reports an error.
    TlsLibraryError { function: &'a str, reason: &'a str } = 725014, Debugging,
        "SSL lib error. Function: {function} Reason: {reason}";
    /// The box chose the certificate it shows.
    TlsTrustpointSelected { trustpoint: &'a str, peer: TlsPeer, from: Endpoint<'a>, to: HostPort } = 725016, Informational,
        "Device selects trust-point {trustpoint} for {peer} {from} to {to}";
    /// Packets are dropped faster than is usual.
    ThreatRate { class: &'a str, number: u32, burst: u64, burst_limit: u32, average: u64, average_limit: u32, total: u64 } = 733100, Warnings,
        "[{class}] drop rate-{number} exceeded. Current burst rate is {burst} per second, max configured rate is {burst_limit}; Current average rate is {average} per second, max configured rate is {average_limit}; Cumulative total count is {total}";
    /// Somebody set the clock.
    ClockSet { source: &'a str, before: &'a str, after: &'a str } = 771001, Notifications,
        "CLOCK: System clock set, source: {source}, before: {before}, after: {after}";
    /// A time server set the clock.
    ClockSetByServer { source: &'a str, server: Ipv4Addr, before: &'a str, after: &'a str } = 771002, Notifications,
        "CLOCK: System clock set, source: {source}, IP: {server}, before: {before}, after: {after}";
}
