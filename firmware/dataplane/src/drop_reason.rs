//! Why packets and flows end: one enum, its names for `show asp drop`, its counters.
//!
//! Names and texts are the ASA's; where it has none for what happens here, the comment says so.

/// Declares the reasons once: variant, name, text, doc.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal;)*) => {
        /// Why a frame was dropped, or a flow ended before its time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum DropReason { $($(#[$doc])* $variant,)* }

        impl DropReason {
            /// Every reason, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The short name, as in `show asp drop frame NAME`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The text printed before the name.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    /// An access list, or the security levels, forbid it.
    AclDrop = "acl-drop", "Flow is denied by configured rule";
    /// Flag combination no stack sends.
    BadTcpFlags = "bad-tcp-flags", "Bad TCP flags";
    /// A transport checksum that the box itself had to rely on is wrong.
    BadTransportChecksum = "bad-tcp-cksum", "Bad TCP checksum";
    /// No room to count another client of a class that limits them. No such name on the ASA.
    ClientTableFull = "client-table-full", "Client table of connection limits full";
    /// A configured limit is reached.
    ConnLimit = "conn-limit", "Connection limit reached";
    /// A queue between the data plane and a port, session or task is full.
    DispatchQueueLimit = "dispatch-queue-limit", "Dispatch queue tail drops";
    /// No buffer was free for a packet the box makes itself.
    DispatchBlockAlloc = "dispatch-block-alloc", "Core local block alloc failure";
    /// A DNS message that breaks the format.
    DnsInvalid = "inspect-dns-invalid-pak", "DNS Inspect invalid packet";
    /// A DNS message longer than allowed.
    DnsTooLong = "inspect-dns-pak-too-long", "DNS Inspect packet too long";
    /// The flow was ended by the operator or by its proxy.
    FlowBeingFreed = "flow-being-freed", "Flow is being freed";
    /// More fragments than a datagram may have (`fragment chain`). No such name on the ASA.
    FragmentChainLimit = "fragment-chain-limit", "IP fragment set has too many elements";
    /// No room for another fragment (`fragment size`, or the share of the packet buffers). No such
    /// name on the ASA.
    FragmentDatabaseLimit = "fragment-database-limit", "IP fragment database limit exceeded";
    /// A fragment that has come before. No such name on the ASA.
    FragmentDuplicate = "fragment-duplicate", "Duplicate IP fragment";
    /// Empty, not a multiple of eight bytes, or beyond 65,535. No such name on the ASA.
    FragmentInvalid = "fragment-invalid", "Invalid IP fragment";
    /// Fragments that contradict each other (teardrop). No such name on the ASA.
    FragmentOverlap = "fragment-overlap", "Overlapping IP fragments";
    /// A datagram that would have to be whole, and is too long for it; or a fragment that lies in
    /// more than one buffer.
    FragmentReassemblyFailed = "fragment-reassembly-failed", "Fragment reassembly failed";
    /// The rest of the datagram did not come (`fragment timeout`). No such name on the ASA.
    FragmentTimeout = "fragment-timeout", "Fragment reassembly timed out";
    /// A first fragment without the whole transport header (RFC 1858). No such name on the ASA.
    FragmentTiny = "fragment-tiny", "IP fragment splits the transport header";
    /// An ICMP error about a connection that does not exist.
    IcmpErrorNoConn = "inspect-icmp-error-no-existing-conn", "ICMP Inspect error without existing conn";
    /// An echo reply nobody asked for.
    IcmpReplyUnasked = "inspect-icmp-seq-num-not-matched", "ICMP Inspect seq num not matched";
    /// An inspection or the TLS proxy ended the flow. Counts flows only.
    InspectFail = "inspect-fail", "Inspection failure";
    /// The proxy's answer does not belong to an intercepted flow, or a segment does not fit a
    /// connection that the box has answered for.
    InterceptUnexpected = "intercept-unexpected", "Intercept unexpected packet";
    /// The link is down or the port has no policy.
    InterfaceDown = "interface-down", "Interface is down";
    /// Shorter than an Ethernet header, or longer than any port takes.
    InvalidEncap = "invalid-encap", "Invalid encapsulation";
    /// IPv4 header length or checksum wrong.
    InvalidIpHeader = "invalid-ip-header", "Invalid IP header";
    /// IPv4 total length does not fit the frame.
    InvalidIpLength = "invalid-ip-length", "Invalid IP length";
    /// An IPv4 option that is not let through.
    InvalidIpOption = "invalid-ip-option", "IP option drop";
    /// TCP header does not fit, or its data offset is wrong.
    InvalidTcpLength = "invalid-tcp-hdr-length", "Invalid TCP Length";
    /// UDP header does not fit, or its length is wrong.
    InvalidUdpLength = "invalid-udp-length", "Invalid UDP Length";
    /// ICMP header does not fit. No such name on the ASA.
    InvalidIcmpLength = "invalid-icmp-length", "Invalid ICMP Length";
    /// The port's offload header (partial checksum, segment size) does not fit the packet. No such
    /// name on the ASA.
    InvalidOffload = "invalid-offload", "Invalid checksum or segmentation offload";
    /// Not for our Ethernet address, or a protocol that is neither IPv4 nor ARP, or a bad ARP.
    L2Acl = "l2_acl", "FP L2 rule drop";
    /// A syslog server reached by TCP is down, and what cannot be logged is not let through. No such
    /// name on the ASA.
    LogServerDown = "log-server-down", "TCP syslog server down, new connections denied";
    /// Longer than the egress takes, and not to be fragmented. No such name on the ASA.
    MtuExceeded = "mtu-exceeded", "Packet exceeds egress MTU";
    /// Nobody may open a connection to an address shared by port.
    NatNoXlate = "nat-no-xlate-to-pat-pool", "Connection to PAT address without pre-existing xlate";
    /// No free port in any pool of the rule.
    NatPoolExhausted = "nat-xlate-failed", "NAT failed";
    /// The protocol has no port to share an address by.
    NatUntranslatable = "nat-failed", "NAT failed for protocol without ports";
    /// The way back would be translated differently.
    NatRpfFailed = "nat-rpf-failed", "NAT reverse path failed";
    /// The next hop does not answer ARP.
    NoAdjacency = "no-adjacency", "No valid adjacency";
    /// Multicast and broadcast are not routed.
    NoMulticastInterface = "no-mcast-intrf", "FP no mcast output intrf";
    /// No route.
    NoRoute = "no-route", "No route to host";
    /// For the box, but nothing there takes it.
    NpSocketClosed = "np-socket-closed", "Dropped pending packets in a closed socket";
    /// The source is not routed back by the interface the packet came in by (`ip verify
    /// reverse-path`).
    RpfViolated = "rpf-violated", "Reverse-path verify failed";
    /// The operator shut the source out.
    Shunned = "shunned", "Packet shunned";
    /// Spoofed source, or an address of the box that is not the nearest one.
    SlowpathSecurity = "sp-security-failed", "Slowpath security checks failed";
    /// SYN-ACK does not acknowledge the SYN.
    TcpAckSynDiff = "tcp-ack-syn-diff", "TCP ACK in SYNACK from server invalid";
    /// Malformed TCP options.
    TcpBadOptionList = "tcp-bad-option-list", "TCP option list invalid";
    /// Both sides sent a SYN.
    TcpDualOpen = "tcp-dual-open", "TCP Dual open denied";
    /// Acknowledges what was never sent, or lies too far back.
    TcpInvalidAck = "tcp-invalid-ack", "TCP invalid ACK";
    /// No connection and no SYN.
    TcpNotSyn = "tcp-not-syn", "First TCP packet not SYN";
    /// More data than the receiver announced to take.
    TcpMssExceeded = "tcp-mss-exceeded", "TCP data exceeded MSS";
    /// A timestamp before that of a segment sent earlier: an old duplicate.
    TcpPawsFail = "tcp-paws-fail", "TCP packet failed PAWS test";
    /// A reserved bit is set.
    TcpReservedSet = "tcp-reserved-set", "TCP reserved flags set";
    /// RST or SYN within the window but not exactly next.
    TcpRstSynInWindow = "tcp-rst-syn-in-win", "TCP RST/SYN in window";
    /// RST or FIN outside the window.
    TcpRstFinOutOfOrder = "tcp-rstfin-ooo", "TCP RST/FIN out of order";
    /// Sequence number outside the window.
    TcpSeqPastWindow = "tcp-seq-past-win", "TCP packet SEQ past window";
    /// A second SYN with another sequence number.
    TcpSeqSynDiff = "tcp-seq-syn-diff", "TCP SEQ in SYN/SYNACK invalid";
    /// SYN-ACK with data.
    TcpSynAckData = "tcp-synack-data", "TCP SYNACK with data";
    /// SYN with data.
    TcpSynData = "tcp-syn-data", "TCP SYN with data";
    /// SYN-ACK on an open connection.
    TcpSynAckOutOfOrder = "tcp-synack-ooo", "TCP SYNACK on established conn";
    /// Something else than the next step of the handshake.
    TcpThreeWayHandshake = "tcp-3whs-failed", "TCP failed 3 way handshake";
    /// Data behind a FIN.
    TcpDataPastFin = "tcp-data-past-fin", "TCP data send after FIN";
    /// A window that had been given was taken back. No such name on the ASA.
    TcpWindowVariation = "tcp-window-variation", "TCP window was taken back";
    /// Every TLS proxy session is taken. No such name on the ASA.
    TlsProxySessionLimit = "tls-proxy-session-limit", "TLS proxy session limit reached";
    /// TTL reached zero.
    TtlExceeded = "ttl-exceeded", "ttl exceeded";
    /// The flow table is full.
    UnableToCreateFlow = "unable-to-create-flow", "Flow denied due to resource limitation";
    /// IPv6, or an IPv4 frame that says otherwise.
    UnsupportedIpVersion = "unsupported-ip-version", "Unsupported IP version";
    /// A VLAN tag behind another one. No such name on the ASA.
    VlanDoubleTag = "vlan-double-tag", "Frame with more than one VLAN tag";
    /// A VLAN tag, and less than an EtherType behind it. No such name on the ASA.
    VlanRunt = "vlan-runt", "Frame ends in its VLAN tag";
    /// No subinterface of the port has the VLAN of the frame. No such name on the ASA.
    VlanUnknown = "vlan-unknown", "No subinterface for the VLAN of the frame";
}

/// How many reasons there are.
pub(crate) const REASONS: usize = DropReason::ALL.len();

/// Counters of frames and of flows, by reason.
#[derive(Clone, Debug)]
pub(crate) struct DropCounters {
    frames: [u64; REASONS],
    flows: [u64; REASONS],
}

impl Default for DropCounters {
    fn default() -> Self {
        Self {
            frames: [0; REASONS],
            flows: [0; REASONS],
        }
    }
}

impl DropCounters {
    pub(crate) fn count_frame(&mut self, reason: DropReason) {
        self.frames[reason as usize] += 1;
    }

    pub(crate) fn count_flow(&mut self, reason: DropReason) {
        self.flows[reason as usize] += 1;
    }

    pub(crate) fn clear_frames(&mut self) {
        self.frames = [0; REASONS];
    }

    pub(crate) fn clear_flows(&mut self) {
        self.flows = [0; REASONS];
    }

    pub(crate) fn frames(&self, reason: DropReason) -> u64 {
        self.frames[reason as usize]
    }

    pub(crate) fn flows(&self, reason: DropReason) -> u64 {
        self.flows[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_name_of_its_own_and_a_counter() {
        let names: BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), REASONS);
        for (index, &reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason as usize, index);
            let mut counters = DropCounters::default();
            counters.count_frame(reason);
            assert_eq!((counters.frames(reason), counters.flows(reason)), (1, 0));
        }
    }
}
