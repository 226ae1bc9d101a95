//! VLANs between Linux hosts on one cable: ping, curl and bulk TCP from one to the other and to the
//! world, with whatever offloads the hosts' kernels use.

use std::time::Duration;

use anyhow::{Result, ensure};
use hw_tests::federation::{Federation, type_lines};
use hw_tests::topology::{PUBLIC, WEB};

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

pub(crate) async fn vlans_of_one_cable_reach_each_other_and_the_world(
    lab: &mut Federation,
) -> Result<()> {
    type_lines(&mut lab.console, LINES).await?;
    let topology = &lab.topology;
    for (host, vlan) in [(&topology.client, 10), (&topology.node1, 20)] {
        host.script(&format!(
            "ip link add link eth0 name eth0.{vlan} type vlan id {vlan}\n\
             ip link set eth0.{vlan} up\n\
             ip addr add 10.30.{vlan}.9/24 dev eth0.{vlan}\n\
             ip route add 10.30.0.0/16 via 10.30.{vlan}.1"
        ))?;
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
    let sent = lab.folder.join("vlan-sent");
    let text: String = (0..400_000).map(|line| format!("line {line}\n")).collect();
    std::fs::write(&sent, &text)?;
    let echo_words = [
        "socat",
        "TCP4-LISTEN:8021,bind=10.30.20.9,reuseaddr,fork",
        "SYSTEM:cat",
    ];
    let _echo = topology.node1.daemon("vlan-echo", &echo_words)?;
    let script = format!(
        "socat -t 10 - TCP4:10.30.20.9:8021,retry=20,interval=0.2 < {} | cksum; cksum < {0}",
        sent.display()
    );
    let output = topology
        .client
        .run(&["sh", "-c", &script], LIMIT)
        .await?
        .success()?;
    let sums: Vec<&str> = output.lines().collect();
    ensure!(sums.len() == 2 && sums[0] == sums[1], "{output}");

    let console = &mut lab.console;
    let captured = console.command("show capture tags count 20").await?;
    ensure!(captured.contains("802.1Q vlan#20 P0 10.30."), "{captured}");
    let shown = console.command("show interface desks").await?;
    ensure!(shown.contains("VLAN identifier 10"), "{shown}");
    let neighbours = console.command("show arp").await?;
    ensure!(neighbours.contains("servers 10.30.20.9"), "{neighbours}");

    // A VLAN that the box does not have goes nowhere.
    topology.client.script(
        "ip link add link eth0 name eth0.30 type vlan id 30\n\
         ip link set eth0.30 up\n\
         ip addr add 10.30.30.9/24 dev eth0.30",
    )?;
    let words = ["ping", "-c", "1", "-W", "1", "10.30.30.1"];
    let finished = topology.client.run(&words, LIMIT).await?;
    ensure!(!finished.status.success(), "an answer from VLAN 30");
    let drops = console.command("show asp drop").await?;
    ensure!(drops.contains("(vlan-unknown)"), "{drops}");

    for (host, vlans) in [(&topology.client, &[10, 30][..]), (&topology.node1, &[20])] {
        for vlan in vlans {
            host.script(&format!("ip link del eth0.{vlan}"))?;
        }
    }
    // Routes by the devices went with them.
    type_lines(console, LINES_AWAY).await?;
    let left = console.command("show running-config interface").await?;
    ensure!(!left.contains("vlan"), "{left}");
    Ok(())
}
