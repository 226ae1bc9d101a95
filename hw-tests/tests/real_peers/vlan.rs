//! VLANs between Linux hosts on one cable: ping, curl and bulk TCP from one to the other and to the
//! world, with the offloads that the hosts' kernels use.

use std::time::Duration;

use anyhow::{Result, ensure};
use hw_tests::federation::{Federation, type_lines};
use hw_tests::namespace::Namespace;
use hw_tests::process::Daemon;
use hw_tests::topology::{PUBLIC, WEB};
use tools::workspace;

const LIMIT: Duration = Duration::from_secs(30);

const LINES: &str = "\
configure terminal
interface GigabitEthernet0/1.10
 vlan 10
 nameif desks
 security-level 90
 ip address 10.30.10.1 255.255.255.0
interface GigabitEthernet0/1.20
 vlan 20
 nameif servers
 security-level 80
 ip address 10.30.20.1 255.255.255.0
exit
mtu servers 1400
object network desks
 subnet 10.30.10.0 255.255.255.0
 nat (desks,outside) dynamic 203.0.113.10
exit
end
capture tags interface servers buffer 100000
";

/// Afterwards the box is as other tests expect it.
const LINES_AWAY: &str = "\
no capture tags
configure terminal
no object network desks
no interface GigabitEthernet0/1.10
no interface GigabitEthernet0/1.20
end
";

/// A VLAN device on `eth0` of a host, with an address: the kernel's, or where it has none one in user
/// space.
struct Device<'a> {
    host: &'a Namespace,
    vlan: u8,
    in_user_space: Option<Daemon>,
}

impl<'a> Device<'a> {
    async fn new(host: &'a Namespace, vlan: u8, mtu: u16) -> Result<Self> {
        let add = format!("ip link add link eth0 name eth0.{vlan} type vlan id {vlan}");
        let mut device = Self {
            host,
            vlan,
            in_user_space: None,
        };
        if host.script(&add).is_err() {
            let program = workspace::root().join("hw-tests/clients/vlan.py");
            let (program, number) = (program.to_string_lossy(), vlan.to_string());
            let words = ["python3", &program, "eth0", &number];
            let mut daemon = host.daemon(&format!("{}-vlan{vlan}", host.name()), &words)?;
            daemon.wait_for("ready", LIMIT).await?;
            device.in_user_space = Some(daemon);
        }
        host.script(&format!(
            "ip link set eth0.{vlan} mtu {mtu} up\n\
             ip addr add 10.30.{vlan}.9/24 dev eth0.{vlan}"
        ))?;
        Ok(device)
    }

    fn remove(self) -> Result<()> {
        match self.in_user_space {
            // It takes its device along.
            Some(daemon) => drop(daemon),
            None => self
                .host
                .script(&format!("ip link del eth0.{}", self.vlan))?,
        }
        Ok(())
    }
}

pub(crate) async fn vlans_of_one_cable_reach_each_other_and_the_world(
    lab: &mut Federation,
) -> Result<()> {
    type_lines(&mut lab.console, LINES).await?;
    let topology = &lab.topology;
    let mut devices = Vec::new();
    for (host, vlan, mtu) in [(&topology.client, 10, 1500), (&topology.node1, 20, 1400)] {
        devices.push(Device::new(host, vlan, mtu).await?);
        host.script(&format!("ip route add 10.30.0.0/16 via 10.30.{vlan}.1"))?;
    }
    topology
        .client
        .script(&format!("ip route add {WEB}/32 via 10.30.10.1"))?;

    let world = WEB.to_string();
    for (target, size) in [
        ("10.30.10.1", "56"),
        ("10.30.20.9", "56"),
        // In pieces on the way: the other network is narrower.
        ("10.30.20.9", "1472"),
        (&world, "1472"),
    ] {
        let words = [
            "ping", "-c", "3", "-i", "0.2", "-W", "2", "-s", size, "-M", "dont", target,
        ];
        let output = topology.client.run(&words, LIMIT).await?.success()?;
        ensure!(output.contains(" 0% packet loss"), "{target}: {output}");
    }

    // A page from the other VLAN, and one from the world, each with the address the client has there.
    let script = lab.folder.join("vlan-page.sh");
    std::fs::write(
        &script,
        "printf 'HTTP/1.0 200 OK\\r\\n\\r\\nyou are %s\\n' \"$SOCAT_PEERADDR\"\n",
    )?;
    let page = format!("SYSTEM:sh {}", script.to_string_lossy());
    let listen = |address: &str| format!("TCP4-LISTEN:8020,bind={address},reuseaddr,fork");
    let near_words = ["socat", &listen("10.30.20.9"), &page];
    let _near = topology.node1.daemon("vlan-page", &near_words)?;
    let far_words = ["socat", &listen(&world), &page];
    let _far = topology.router.daemon("vlan-page-far", &far_words)?;
    for (host, seen) in [
        ("10.30.20.9", "10.30.10.9".to_owned()),
        (&world, PUBLIC.to_string()),
    ] {
        let url = format!("http://{host}:8020/");
        let words = [
            "curl",
            "-sS",
            "--max-time",
            "10",
            "--retry",
            "20",
            "--retry-delay",
            "1",
            "--retry-connrefused",
            &url,
        ];
        let output = topology.client.run(&words, LIMIT).await?.success()?;
        ensure!(output.contains(&format!("you are {seen}")), "{output}");
    }

    // Bulk: the kernels hand over segments of up to 64 KiB with their tags.
    let echo_words = [
        "socat",
        "TCP4-LISTEN:8021,bind=10.30.20.9,reuseaddr,fork",
        "SYSTEM:cat",
    ];
    let _echo = topology.node1.daemon("vlan-echo", &echo_words)?;
    let sent = lab.folder.join("vlan-sent");
    let server = "TCP4:10.30.20.9:8021";
    topology
        .client
        .hears_its_echo(server, &sent, 400_000, 10)
        .await?;

    let console = &mut lab.console;
    let captured = console.command("show capture tags count 20").await?;
    ensure!(captured.contains("802.1Q vlan#20 P0 10.30."), "{captured}");
    let shown = console.command("show interface desks").await?;
    ensure!(shown.contains("VLAN identifier 10"), "{shown}");
    let neighbours = console.command("show arp").await?;
    ensure!(neighbours.contains("servers 10.30.20.9"), "{neighbours}");

    // A VLAN that the box does not have goes nowhere.
    devices.push(Device::new(&topology.client, 30, 1500).await?);
    let words = ["ping", "-c", "1", "-W", "1", "10.30.30.1"];
    let finished = topology.client.run(&words, LIMIT).await?;
    ensure!(!finished.status.success(), "an answer from VLAN 30");
    let drops = console.command("show asp drop").await?;
    ensure!(drops.contains("(vlan-unknown)"), "{drops}");

    for device in devices {
        device.remove()?;
    }
    // Routes by the devices went with them.
    type_lines(console, LINES_AWAY).await?;
    let left = console.command("show running-config interface").await?;
    ensure!(!left.contains("vlan"), "{left}");
    Ok(())
}
