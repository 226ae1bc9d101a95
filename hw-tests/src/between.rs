//! A box whose two ports are TAP devices, with nothing else on either wire.
//!
//! The other end of a TAP device is an ordinary interface: a test sends raw frames through it, or
//! hands it to a namespace as the only interface of a host.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tools::console::Console;
use tools::demo::script;
use tools::qemu::{Config, Link, Qemu};
use tools::workspace;

use crate::federation::{PASSWORD, type_lines};
use crate::namespace::Namespace;
use crate::topology::{CLIENT, INSIDE, ROUTER};

/// TAP devices of the outside and the inside port.
pub const TAPS: [&str; 2] = ["tap-out", "tap-in"];

/// Ethernet addresses of the outside and the inside port: QEMU's first two.
pub const MACS: [&str; 2] = ["52:54:00:5a:11:00", "52:54:00:5a:11:01"];

/// The box, its console, and the namespace that holds QEMU and the TAP devices.
#[derive(Debug)]
pub struct Between {
    /// Where QEMU runs, and where the devices are until [`Between::hosts`].
    pub cables: Namespace,
    /// The serial console, in privileged mode.
    pub console: Console,
    /// Logs.
    pub folder: PathBuf,
    /// The emulator.
    pub qemu: Qemu,
}

/// A host on either side, on the wire of the box itself.
#[derive(Debug)]
pub struct Hosts {
    /// 203.0.113.1, the box's default route.
    pub outside: Namespace,
    /// 10.20.0.40.
    pub inside: Namespace,
}

/// The namespace of the cables, with both devices up and silent.
///
/// # Errors
/// When a namespace or device cannot be made.
pub fn cables(folder: &Path) -> Result<Namespace> {
    lay_cables(folder, "")
}

fn lay_cables(folder: &Path, kind: &str) -> Result<Namespace> {
    std::fs::create_dir_all(folder)?;
    let cables = Namespace::new("cables", folder)?;
    let mut lines = String::from(
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n",
    );
    for tap in TAPS {
        lines.push_str(&format!(
            "ip tuntap add {tap} mode tap{kind}\nip link set {tap} up\n"
        ));
    }
    cables.script(&lines)?;
    Ok(cables)
}

/// A machine between these cables.
pub fn machine(cables: &Namespace, folder: &Path) -> Config {
    let mut config = Config::new(workspace::image());
    config.ports = TAPS.map(|tap| Link::Tap(tap.to_owned())).to_vec();
    config.wrapper = cables.wrapper();
    config.output = Some(folder.join("qemu.log"));
    config
}

impl Between {
    /// Boots a box and configures its interfaces, its default route, and `lines` (of configuration
    /// mode, to its `end`).
    ///
    /// # Errors
    /// When it does not boot, or refuses a line.
    pub async fn boot(folder: &Path, lines: &str) -> Result<Self> {
        let cables = cables(folder)?;
        let config = machine(&cables, folder);
        Self::start(folder, lines, cables, &config).await
    }

    /// As [`Between::boot`], with so many pairs of queues at each port.
    ///
    /// # Errors
    /// As [`Between::boot`].
    pub async fn boot_with_pairs(folder: &Path, lines: &str, pairs: u16) -> Result<Self> {
        let cables = lay_cables(folder, " multi_queue")?;
        let mut config = machine(&cables, folder);
        let link = |name: &str| Link::Taps {
            name: name.to_owned(),
            pairs,
        };
        config.ports = TAPS.map(link).to_vec();
        Self::start(folder, lines, cables, &config).await
    }

    async fn start(folder: &Path, lines: &str, cables: Namespace, config: &Config) -> Result<Self> {
        let (qemu, mut console) = Qemu::start(config).await?;
        console.wait_ready().await?;
        console.enable(PASSWORD).await?;
        type_lines(&mut console, script::BASICS).await?;
        type_lines(&mut console, lines).await?;
        Ok(Self {
            cables,
            console,
            folder: folder.to_owned(),
            qemu,
        })
    }

    /// Makes a host at either end.
    ///
    /// # Errors
    /// When a namespace cannot be made.
    pub fn hosts(&self) -> Result<Hosts> {
        let new = |name| Namespace::new(name, &self.folder);
        let hosts = Hosts {
            outside: new("outside")?,
            inside: new("inside")?,
        };
        for (tap, host, address) in [
            (TAPS[0], &hosts.outside, format!("{ROUTER}/28")),
            (TAPS[1], &hosts.inside, format!("{CLIENT}/24")),
        ] {
            self.cables
                .script(&format!("ip link set {tap} netns {} name eth0", host.pid()))?;
            host.script(&format!(
                "sysctl -qw net.ipv6.conf.all.disable_ipv6=1\n\
                 ip addr add {address} dev eth0\nip link set eth0 up"
            ))?;
        }
        let route = format!("ip route add default via {INSIDE}");
        hosts.inside.script(&route)?;
        Ok(hosts)
    }
}
