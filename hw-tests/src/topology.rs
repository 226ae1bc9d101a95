//! The networks around the box.
//!
//! ```text
//!   node1  10.20.0.11 ─┐                                     ┌─ 203.0.113.1 router ─┬─ edge 198.51.100.20
//!   node2  10.20.0.12 ─┼─ br-in ─ Gi0/1  box  Gi0/0 ─ br-out ┘    198.51.100.53     └─ xmpp 198.51.100.30
//!   client 10.20.0.40 ─┘   └ capture          capture ┘           192.0.2.80
//! ```
//!
//! Every host has the box or the router as its gateway. Bridges and QEMU are in a namespace of their
//! own. A cable can take the place of the box, for trying the peers against each other.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tools::qemu::Link;

use crate::namespace::Namespace;
use crate::process::Daemon;

pub use tools::demo::cast::{EDGE, INSIDE, NODE_1, NODE_2, PUBLIC, ROUTER, XMPP};

/// An inside host that is no IM&P node; also the inside name server.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 40);
/// The box's outside address.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
/// The outside name server, on the router.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 53);
/// A web server somewhere in the world, on the router.
pub const WEB: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// Bytes kept of each captured frame.
const SNAPSHOT_LEN: &str = "256";

/// All namespaces and the two captures.
#[derive(Debug)]
pub struct Topology {
    /// First IM&P node.
    pub node1: Namespace,
    /// Second IM&P node.
    pub node2: Namespace,
    /// Another inside host.
    pub client: Namespace,
    /// The outside router.
    pub router: Namespace,
    /// The foreign SIP edge.
    pub edge: Namespace,
    /// The foreign XMPP server.
    pub xmpp: Namespace,
    /// Bridges and QEMU.
    pub bridges: Namespace,
    captures: Vec<Daemon>,
}

impl Topology {
    /// Makes everything, with logs and captures in `folder`.
    ///
    /// # Errors
    /// When a namespace or device cannot be made.
    pub async fn new(folder: &Path) -> Result<Self> {
        let new = |name| Namespace::new(name, folder);
        let mut topology = Self {
            node1: new("node1")?,
            node2: new("node2")?,
            client: new("client")?,
            router: new("router")?,
            edge: new("edge")?,
            xmpp: new("xmpp")?,
            bridges: new("bridges")?,
            captures: Vec::new(),
        };
        topology.lay_cables()?;
        for (side, bridge) in [("inside", "br-in"), ("outside", "br-out")] {
            let file = folder.join(format!("{side}.pcap"));
            let file = file.to_string_lossy();
            let mut capture = topology.bridges.daemon(
                &format!("capture-{side}"),
                &[
                    "tcpdump",
                    "-i",
                    bridge,
                    "-s",
                    SNAPSHOT_LEN,
                    "-U",
                    "-n",
                    "-Z",
                    "root",
                    "-w",
                    &file,
                ],
            )?;
            let limit = Duration::from_secs(10);
            capture.wait_for("listening on", limit).await?;
            topology.captures.push(capture);
        }
        Ok(topology)
    }

    fn lay_cables(&self) -> Result<()> {
        let mut bridges = String::from(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n",
        );
        for (side, letter) in [("in", "i"), ("out", "o")] {
            bridges.push_str(&format!(
                "ip link add br-{side} type bridge mcast_snooping 0\n\
                 ip link set br-{side} up\n\
                 ip tuntap add tap-{side} mode tap\n\
                 ip link set tap-{side} master br-{side} up\n"
            ));
            let hosts: &[&Namespace] = if side == "in" {
                &[&self.node1, &self.node2, &self.client]
            } else {
                &[&self.router]
            };
            for (index, host) in hosts.iter().enumerate() {
                bridges.push_str(&format!(
                    "ip link add {letter}{index} type veth peer name eth0 netns {}\n\
                     ip link set {letter}{index} master br-{side} up\n",
                    host.pid()
                ));
            }
        }
        self.bridges.script(&bridges)?;
        for (host, address) in [
            (&self.node1, NODE_1),
            (&self.node2, NODE_2),
            (&self.client, CLIENT),
        ] {
            host.script(&format!(
                "ip addr add {address}/24 dev eth0\n\
                 ip link set eth0 up\n\
                 ip route add default via {INSIDE}"
            ))?;
        }
        // The router also has addresses of other networks; it is to ask for neighbours with the one of
        // the network it asks on, because firewalls do not answer strangers to it.
        self.router.script(&format!(
            "sysctl -qw net.ipv4.ip_forward=1\n\
             sysctl -qw net.ipv4.conf.all.arp_announce=2\n\
             ip addr add {ROUTER}/28 dev eth0\n\
             ip addr add {NAME_SERVER}/32 dev lo\n\
             ip addr add {WEB}/32 dev lo\n\
             ip link set eth0 up\n\
             ip link add edge type veth peer name eth0 netns {}\n\
             ip link add xmpp type veth peer name eth0 netns {}\n\
             ip link set edge up\n\
             ip link set xmpp up\n\
             ip route add {EDGE}/32 dev edge\n\
             ip route add {XMPP}/32 dev xmpp",
            self.edge.pid(),
            self.xmpp.pid()
        ))?;
        for (host, address) in [(&self.edge, EDGE), (&self.xmpp, XMPP)] {
            host.script(&format!(
                "ip addr add {address}/32 dev eth0\n\
                 ip link set eth0 up\n\
                 ip route add {ROUTER}/32 dev eth0\n\
                 ip route add default via {ROUTER}"
            ))?;
        }
        Ok(())
    }

    /// What the box's ports are connected to: GigabitEthernet0/0 is outside.
    pub fn links(&self) -> Vec<Link> {
        vec![Link::Tap("tap-out".into()), Link::Tap("tap-in".into())]
    }

    /// Puts a Linux router without translation in the box's place.
    ///
    /// # Errors
    /// When the addresses cannot be set.
    pub fn bypass_box(&self) -> Result<()> {
        self.bridges.script(&format!(
            "sysctl -qw net.ipv4.ip_forward=1\n\
             ip addr add {INSIDE}/24 dev br-in\n\
             ip addr add {OUTSIDE}/28 dev br-out\n\
             ip route add default via {ROUTER}"
        ))?;
        self.router
            .script(&format!("ip route add 10.20.0.0/24 via {OUTSIDE}"))
    }

    /// Frames in the outside capture that match a `tcpdump` filter, one a line.
    ///
    /// # Errors
    /// When the capture cannot be read.
    pub async fn outside_frames(&self, folder: &Path, filter: &str) -> Result<Vec<String>> {
        let file = folder.join("outside.pcap");
        let file = file.to_string_lossy();
        let words = ["tcpdump", "-n", "-Z", "root", "-r", &file, filter];
        let finished = self.bridges.run(&words, Duration::from_secs(60)).await?;
        let output = finished.success().context("reading the capture")?;
        Ok(output
            .lines()
            .filter(|line| line.contains(" IP ") || line.contains(" ARP"))
            .map(str::to_owned)
            .collect())
    }
}
