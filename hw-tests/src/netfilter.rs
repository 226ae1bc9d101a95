//! The packet engine and a Linux kernel with nftables, given the same frames.
//!
//! Both stand between two networks. What one forwards the other must forward, byte for byte from the IP
//! header on; what one drops the other must drop. The engine runs in this process, the kernel reads and
//! writes two TAP devices in the network namespace of the tests.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant as Wall};

use anyhow::{Context, Result, bail, ensure};
use dataplane::{
    AccessList, Ace, AceLog, AclId, Action, AddressRange, ConnectionClass, ConnectionSettings,
    DataPlane, Interface, Limits, MappedAddress, NatRule, NatSection, Policy, PortId, PortMatch,
    Service, SourceNat, StaticRoute, Transport,
};
use hal::nic::{MacAddr, Nic};
use hal::packet::{Batch, PacketPool};
use hal::time::Instant;
use hal_sim::tap::TapNic;

use crate::frames::{self, Frame};
use crate::process::command;

/// The two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Behind the firewall.
    Inside,
    /// The world.
    Outside,
}

impl Side {
    const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Inside => Self::Outside,
            Self::Outside => Self::Inside,
        }
    }

    const fn tap(self) -> &'static str {
        match self {
            Self::Inside => "nf-in",
            Self::Outside => "nf-out",
        }
    }

    const fn port(self) -> PortId {
        PortId(self as u8)
    }

    /// The address of the firewall on this side.
    const fn own(self) -> Ipv4Addr {
        match self {
            Self::Inside => Ipv4Addr::new(10, 20, 0, 1),
            Self::Outside => Ipv4Addr::new(203, 0, 113, 2),
        }
    }

    const fn prefix_len(self) -> u8 {
        match self {
            Self::Inside => 24,
            Self::Outside => 28,
        }
    }

    /// The station that everything of this side comes from and goes to.
    const fn station(self) -> MacAddr {
        MacAddr([6, 0, 0, 0, 0, self as u8])
    }
}

/// An inside host that the world knows as [`PUBLIC`].
pub const PUBLISHED: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);
/// Its address in the world.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// An inside host without translation.
pub const PLAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 12);
/// Hosts of the world.
pub const STRANGERS: [Ipv4Addr; 2] = [
    Ipv4Addr::new(198, 51, 100, 20),
    Ipv4Addr::new(198, 51, 100, 30),
];
const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Port of the datagrams that mark the end of what was sent; the first rule of every set lets them pass.
const MARKER: u16 = 9_999;
/// How long the kernel may take for a frame.
const PATIENCE: Duration = Duration::from_secs(10);

/// A rule both understand; addresses are real ones.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Permit or deny.
    pub permits: bool,
    /// IP protocol; `None` is every one.
    pub protocol: Option<u8>,
    /// Source host; `None` is every one.
    pub source: Option<Ipv4Addr>,
    /// Destination host.
    pub destination: Option<Ipv4Addr>,
    /// Destination ports, inclusive, for TCP and UDP.
    pub ports: Option<(u16, u16)>,
}

impl Rule {
    fn element(&self) -> Ace {
        let range = |host: Option<Ipv4Addr>| host.map_or(AddressRange::ANY, AddressRange::host);
        let ports = self.ports.map_or(PortMatch::ANY, |(first, last)| {
            PortMatch::range(first, last)
        });
        let transport = match self.protocol {
            Some(6) => Some(Transport::Tcp),
            Some(17) => Some(Transport::Udp),
            _ => None,
        };
        let service = match (transport, self.protocol) {
            (Some(transport), _) => Service::Ports {
                transport,
                source: PortMatch::ANY,
                destination: ports,
            },
            (None, Some(1)) => Service::Icmp {
                kind: None,
                code: None,
            },
            (None, Some(protocol)) => Service::Protocol(protocol),
            (None, None) => Service::Any,
        };
        Ace {
            action: if self.permits {
                Action::Permit
            } else {
                Action::Deny
            },
            source: range(self.source),
            destination: range(self.destination),
            service,
            log: dataplane::AceLog::Disabled,
            is_active: true,
        }
    }

    fn nft(&self) -> String {
        let mut line = String::new();
        if let Some(source) = self.source {
            line.push_str(&format!("ip saddr {source} "));
        }
        if let Some(destination) = self.destination {
            line.push_str(&format!("ip daddr {destination} "));
        }
        let name = match self.protocol {
            Some(6) => Some("tcp"),
            Some(17) => Some("udp"),
            _ => None,
        };
        match (name, self.ports, self.protocol) {
            (Some(name), Some((first, last)), _) => {
                line.push_str(&format!("{name} dport {first}-{last} "));
            }
            (_, _, Some(protocol)) => line.push_str(&format!("ip protocol {protocol} ")),
            (_, _, None) => {}
        }
        line.push_str(if self.permits { "accept" } else { "drop" });
        line
    }
}

/// The rule that lets markers pass.
const MARKERS: Rule = Rule {
    permits: true,
    protocol: Some(17),
    source: None,
    destination: None,
    ports: Some((MARKER, MARKER)),
};

/// Both firewalls.
pub struct Pair {
    engine: DataPlane,
    pool: PacketPool,
    now: Instant,
    taps: [TapNic; 2],
    tap_pool: PacketPool,
    markers: u32,
}

impl Pair {
    /// Makes the TAP devices and lets the kernel route between them.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new() -> Result<Self> {
        let open = |side: Side| {
            TapNic::open(side.tap(), side.station())
                .with_context(|| format!("cannot make {}", side.tap()))
        };
        let mut taps = [open(Side::Inside)?, open(Side::Outside)?];
        let mut script = String::from(
            "sysctl -qw net.ipv4.ip_forward=1 net.netfilter.nf_conntrack_tcp_loose=0 \
             net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
             net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n",
        );
        for side in [Side::Inside, Side::Outside] {
            script.push_str(&format!(
                "ip addr add {}/{} dev {tap}\nip link set {tap} address {} up\n",
                side.own(),
                side.prefix_len(),
                colons(mac(side)),
                tap = side.tap()
            ));
        }
        let neighbours = [
            (PUBLISHED, Side::Inside),
            (PLAIN, Side::Inside),
            (GATEWAY, Side::Outside),
        ];
        for (address, side) in neighbours {
            script.push_str(&format!(
                "ip neigh replace {address} lladdr {} dev {} nud permanent\n",
                colons(side.station()),
                side.tap()
            ));
        }
        script.push_str(&format!("ip route add default via {GATEWAY}\n"));
        run(command(&["sh", "-ec", &script]), "")?;
        let mut tap_pool = PacketPool::new(256);
        for tap in &mut taps {
            tap.start(&mut tap_pool);
        }
        Ok(Self {
            engine: DataPlane::new(Limits::default(), [7; 16]),
            pool: PacketPool::new(256),
            now: Instant::from_secs(1),
            taps,
            tap_pool,
            markers: 0,
        })
    }

    /// Gives both the same rules, in this order, and forgets every connection of the engine. The kernel
    /// cannot be made to forget, so callers use ports of their own each time.
    ///
    /// # Errors
    /// When the kernel refuses the rules.
    pub fn set_rules(&mut self, rules: &[Rule]) -> Result<()> {
        let all = || core::iter::once(&MARKERS).chain(rules);
        let lines: String = all().map(|rule| format!("  {}\n", rule.nft())).collect();
        let script = format!(
            "flush ruleset\n\
             table ip filter {{\n chain forward {{\n  type filter hook forward priority 0; policy drop;\n\
             \x20 ct state established,related accept\n  ct state invalid drop\n{lines} }}\n}}\n\
             table ip translation {{\n\
             \x20chain before {{\n  type nat hook prerouting priority -100;\n\
             \x20 iif {} ip daddr {PUBLIC} dnat to {PUBLISHED}\n }}\n\
             \x20chain after {{\n  type nat hook postrouting priority 100;\n\
             \x20 oif {1} ip saddr {PUBLISHED} snat to {PUBLIC}\n }}\n}}\n",
            Side::Outside.tap(),
            Side::Outside.tap(),
        );
        run(command(&["nft", "-f", "-"]), &script)?;
        let elements = all().map(Rule::element).collect();
        self.engine
            .set_policy(policy(elements), &mut self.pool, self.now);
        self.engine.clear_conns(|_| true, self.now);
        self.drain();
        for (side, address) in [
            (Side::Inside, PUBLISHED),
            (Side::Inside, PLAIN),
            (Side::Outside, GATEWAY),
        ] {
            let frame = frames::arp_request(side.station(), address, side.own());
            self.offer(side, &frame);
        }
        Ok(())
    }

    /// Gives both a packet that arrives at `side`; returns what leaves the other side of each, from the
    /// IP header on.
    ///
    /// # Errors
    /// When the kernel does not work.
    pub fn send(&mut self, side: Side, packet: &[u8]) -> Result<[Option<Vec<u8>>; 2]> {
        let engine = self
            .offer(side, &frames::ethernet(mac(side), side.station(), packet))
            .into_iter()
            .find(|(at, _)| *at == side.other())
            .map(|(_, frame)| ip_packet(&frame));
        let kernel = self.kernel(side, packet)?;
        Ok([engine, kernel])
    }

    fn offer(&mut self, side: Side, frame: &Frame) -> Vec<(Side, Frame)> {
        let mut batch = Batch::new();
        if let Some(mut buffer) = self.pool.take()
            && buffer.extend(frame)
        {
            // An empty batch has room.
            let _ = batch.push_back(buffer);
        }
        self.engine
            .handle_batch(side.port(), &mut batch, &mut self.pool, self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<(Side, Frame)> {
        let mut left = Vec::new();
        for side in [Side::Inside, Side::Outside] {
            let mut batch = Batch::new();
            self.engine.drain_transmit(side.port(), &mut batch);
            while let Some(frame) = batch.pop_front() {
                left.push((side, frame.bytes().to_vec()));
                self.pool.free(frame);
            }
        }
        left
    }

    /// What the kernel forwards of `packet`. A marker sent after it tells when there is nothing to wait
    /// for any more.
    fn kernel(&mut self, side: Side, packet: &[u8]) -> Result<Option<Vec<u8>>> {
        self.markers += 1;
        let number = self.markers.to_be_bytes();
        let (source, destination) = match side {
            Side::Inside => (PLAIN, GATEWAY),
            Side::Outside => (GATEWAY, PLAIN),
        };
        let marker = frames::udp((source, MARKER), (destination, MARKER), &number);
        for packet in [packet, &marker] {
            self.write(side, packet)?;
        }
        let deadline = Wall::now() + PATIENCE;
        let mut found = None;
        loop {
            for tap in [side, side.other()] {
                for frame in self.read(tap) {
                    // What comes back on the side of the sender is talk of the kernel itself.
                    if tap == side || frame.get(12..14) != Some(&[8, 0]) {
                        continue;
                    }
                    let left = ip_packet(&frame);
                    let is_marker = left.get(28..32) == Some(&number[..])
                        && left.get(22..24) == Some(&MARKER.to_be_bytes()[..]);
                    if is_marker {
                        return Ok(found);
                    }
                    ensure!(found.is_none(), "the kernel sent two packets for one");
                    found = Some(left);
                }
            }
            if Wall::now() > deadline {
                bail!("the kernel does not forward the marker");
            }
            std::thread::yield_now();
        }
    }

    fn write(&mut self, side: Side, packet: &[u8]) -> Result<()> {
        let frame = frames::ethernet(mac(side), side.station(), packet);
        let mut buffer = self.tap_pool.take().context("no buffer")?;
        ensure!(buffer.extend(&frame), "the frame does not fit");
        let mut batch = Batch::new();
        let _ = batch.push_back(buffer);
        let Some(tap) = self.taps.get_mut(side.index()) else {
            return Ok(());
        };
        tap.transmit(&mut batch, &mut self.tap_pool);
        ensure!(batch.is_empty(), "the kernel's queue is full");
        Ok(())
    }

    fn read(&mut self, side: Side) -> Vec<Frame> {
        let mut batch = Batch::new();
        if let Some(tap) = self.taps.get_mut(side.index()) {
            tap.receive(&mut batch, &mut self.tap_pool);
        }
        let mut read = Vec::new();
        while let Some(frame) = batch.pop_front() {
            read.push(frame.bytes().to_vec());
            self.tap_pool.free(frame);
        }
        read
    }
}

fn ip_packet(frame: &[u8]) -> Vec<u8> {
    let packet = frame.get(14..).unwrap_or_default();
    let total = packet
        .get(2..4)
        .map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
    packet.get(..total).unwrap_or(packet).to_vec()
}

/// The address of either firewall's port on a side.
const fn mac(side: Side) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, side as u8])
}

fn colons(mac: MacAddr) -> String {
    mac.0.map(|byte| format!("{byte:02x}")).join(":")
}

fn run(mut command: Command, input: &str) -> Result<String> {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "{}{}\n{input}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The engine's policy: the list at both doors, one published host.
fn policy(elements: Vec<Ace>) -> Policy {
    let interface = |side: Side, name: &str, security_level| Interface {
        port: side.port(),
        name: name.into(),
        security_level,
        mac: mac(side),
        address: side.own(),
        prefix_len: side.prefix_len(),
        mtu: 1500,
        access_in: Some(AclId(0)),
        access_out: None,
        access_control: None,
        proxy_arp: true,
    };
    Policy {
        interfaces: vec![
            interface(Side::Inside, "inside", 100),
            interface(Side::Outside, "outside", 0),
        ],
        routes: vec![StaticRoute {
            port: Side::Outside.port(),
            network: Ipv4Addr::UNSPECIFIED,
            prefix_len: 0,
            gateway: GATEWAY,
            metric: 1,
        }],
        access_lists: vec![
            AccessList {
                name: "rules".into(),
                elements,
            },
            AccessList {
                name: "everything".into(),
                elements: vec![Ace {
                    action: Action::Permit,
                    source: AddressRange::ANY,
                    destination: AddressRange::ANY,
                    service: Service::Any,
                    log: AceLog::Default,
                    is_active: true,
                }],
            },
        ],
        nat: vec![NatRule {
            real_interface: Some(Side::Inside.port()),
            mapped_interface: Some(Side::Outside.port()),
            ..NatRule::new(
                NatSection::Auto,
                SourceNat::Static {
                    real: vec![AddressRange::host(PUBLISHED)],
                    mapped: MappedAddress::range(AddressRange::host(PUBLIC)),
                },
            )
        }],
        inspect_icmp: true,
        // What the kernel does too, and what it does not.
        connections: vec![ConnectionClass {
            name: "everything".into(),
            port: None,
            acls: vec![AclId(1)],
            settings: Some(ConnectionSettings {
                decrement_ttl: true,
                randomize_sequences: false,
                ..ConnectionSettings::default()
            }),
            checks: None,
        }],
        tcp_mss: 0,
        ..Policy::default()
    }
}
