//! IPv6 between Linux hosts: addresses from the box's advertisements, ping, TCP, path MTU.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hw_tests::federation::{Federation, type_lines};
use tokio::time::sleep;

const LIMIT: Duration = Duration::from_secs(30);
/// A web server somewhere in the world, on the router.
const WEB: &str = "2001:db8:ff::80";

const LINES: &str = "\
configure terminal
interface GigabitEthernet0/0
 ipv6 address 2001:db8:0:1::2/64
 ipv6 nd suppress-ra
interface GigabitEthernet0/1
 ipv6 address 2001:db8:0:2::1/64
exit
ipv6 route outside ::/0 2001:db8:0:1::1
end
";

pub(crate) async fn ipv6_hosts_number_themselves_and_reach_the_world(
    lab: &mut Federation,
) -> Result<()> {
    let topology = &lab.topology;
    topology.router.script(&format!(
        "sysctl -qw net.ipv6.conf.all.forwarding=1\n\
         ip -6 addr add 2001:db8:0:1::1/64 dev eth0 nodad\n\
         ip -6 addr add {WEB}/128 dev lo\n\
         ip -6 route add 2001:db8:0:2::/64 via 2001:db8:0:1::2"
    ))?;
    type_lines(&mut lab.console, LINES).await?;

    // The client listens to advertisements as every desk does.
    let deadline = Instant::now() + LIMIT;
    let words = ["ip", "-6", "addr", "show", "dev", "eth0", "scope", "global"];
    loop {
        let shown = topology.client.run(&words, LIMIT).await?.success()?;
        if shown.contains("inet6 2001:db8:0:2:") && !shown.contains("tentative") {
            break;
        }
        ensure!(
            Instant::now() < deadline,
            "no address from the box: {shown}"
        );
        sleep(Duration::from_millis(200)).await;
    }
    for (host, target) in [
        (&topology.client, "2001:db8:0:2::1"),
        (&topology.router, "2001:db8:0:1::2"),
        (&topology.client, WEB),
    ] {
        let words = ["ping", "-6", "-c", "3", "-i", "0.2", "-W", "2", target];
        let output = host.run(&words, LIMIT).await?.success()?;
        ensure!(output.contains(" 0% packet loss"), "{output}");
    }

    // TCP, with the sender told of a narrow way behind the box.
    topology
        .router
        .script("ip -6 route add 2001:db8:0:2::/64 via 2001:db8:0:1::2 mtu 1400 metric 1")?;
    let listen = format!("TCP6-LISTEN:8080,bind=[{WEB}],reuseaddr,fork");
    let words = ["socat", &listen, "SYSTEM:cat"];
    let _server = topology.router.daemon("web6", &words)?;
    let sent = lab.folder.join("sent");
    let server = format!("TCP6:[{WEB}]:8080");
    topology
        .client
        .hears_its_echo(&server, &sent, 20_000, 5)
        .await?;

    let neighbours = lab.console.command("show ipv6 neighbor").await?;
    ensure!(neighbours.contains("2001:db8:0:1::1"), "{neighbours}");
    let shown = lab.console.command("show ipv6 interface brief").await?;
    ensure!(shown.contains("2001:db8:0:2::1"), "{shown}");
    let conns = lab.console.command("show conn").await?;
    ensure!(conns.contains(WEB), "{conns}");

    // From outside nothing comes in.
    let before = lab.console.command("show asp drop").await?;
    let address = topology
        .client
        .run(
            &[
                "sh",
                "-c",
                "ip -6 -o addr show dev eth0 scope global | head -1 | sed 's/.*inet6 //;s,/.*,,'",
            ],
            LIMIT,
        )
        .await?
        .success()?;
    let words = ["ping", "-6", "-c", "1", "-W", "1", address.trim()];
    let finished = topology.router.run(&words, LIMIT).await?;
    ensure!(
        !finished.status.success(),
        "outside reaches inside: {before}"
    );
    Ok(())
}
