//! Forwarding, translation and policy, as ordinary network tools see them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::federation::Federation;
use hw_tests::topology::{EDGE, INSIDE, OUTSIDE, PUBLIC, ROUTER, WEB};

const LIMIT: Duration = Duration::from_secs(30);

/// Ports that nmap tries: every published one, neighbours of them, and common ones.
const PORTS: &str = "22,23,25,80,443,5060,5061,5062,5063,5080,5222,5269,8080,15269,25269,45062";

pub(crate) async fn ping_reaches_the_box_from_both_sides(lab: &mut Federation) -> Result<()> {
    let (inside, outside) = (INSIDE.to_string(), OUTSIDE.to_string());
    let words = |target| ["ping", "-c", "3", "-i", "0.2", "-W", "2", target];
    lab.topology
        .client
        .run(&words(&inside), LIMIT)
        .await?
        .success()?;
    lab.topology
        .router
        .run(&words(&outside), LIMIT)
        .await?
        .success()?;
    let shown = lab.console.command(&format!("ping {ROUTER}")).await?;
    ensure!(shown.contains("(5/5)"), "the box's own ping: {shown}");
    Ok(())
}

pub(crate) async fn ping_passes_from_inside_to_outside(lab: &mut Federation) -> Result<()> {
    let edge = EDGE.to_string();
    for size in ["56", "1472"] {
        let words = ["ping", "-c", "5", "-i", "0.2", "-W", "2", "-s", size, &edge];
        let finished = lab.topology.client.run(&words, LIMIT).await?;
        let output = finished.success()?;
        ensure!(output.contains(" 0% packet loss"), "{output}");
    }
    Ok(())
}

pub(crate) async fn public_address_is_answered_for_in_arp(lab: &mut Federation) -> Result<()> {
    let public = PUBLIC.to_string();
    // No answer to the ping itself is wanted: only the neighbour it makes the router look for.
    let words = ["ping", "-c", "1", "-W", "1", &public];
    lab.topology.router.run(&words, LIMIT).await?;
    let words = ["ip", "neigh", "show", &public];
    let output = lab.topology.router.run(&words, LIMIT).await?.success()?;
    // GigabitEthernet0/0 is QEMU's first port.
    ensure!(output.contains("52:54:00:5a:11:00"), "{output}");
    Ok(())
}

pub(crate) async fn curl_fetches_a_page_through_dynamic_translation(
    lab: &mut Federation,
) -> Result<()> {
    let listen = format!("TCP4-LISTEN:80,bind={WEB},reuseaddr,fork");
    let script = lab.folder.join("page.sh");
    std::fs::write(
        &script,
        "printf 'HTTP/1.0 200 OK\\r\\n\\r\\nyou are %s\\n' \"$SOCAT_PEERADDR\"\n",
    )?;
    let page = format!("SYSTEM:sh {}", script.to_string_lossy());
    let words = ["socat", &listen, &page];
    let _server = lab.topology.router.daemon("web", &words)?;
    hw_tests::sip::wait_listening(&lab.topology.router, WEB, 80).await?;
    let url = format!("http://{WEB}/");
    let words = ["curl", "-sS", "--max-time", "10", &url];
    let output = lab.topology.client.run(&words, LIMIT).await?.success()?;
    ensure!(output.contains(&format!("you are {PUBLIC}")), "{output}");
    let shown = lab.console.command("show xlate").await?;
    ensure!(shown.contains("10.20.0.40"), "{shown}");
    Ok(())
}

pub(crate) async fn iperf3_passes_both_ways(lab: &mut Federation) -> Result<()> {
    let web = WEB.to_string();
    let _server = lab
        .topology
        .router
        .daemon("iperf3", &["iperf3", "-s", "-B", &web])?;
    hw_tests::sip::wait_listening(&lab.topology.router, WEB, 5201).await?;
    for (what, more) in [
        ("TCP to outside", &[][..]),
        ("TCP to inside", &["-R"][..]),
        ("UDP to outside", &["-u", "-b", "20M", "-l", "1200"][..]),
    ] {
        let mut words = vec![
            "iperf3",
            "-c",
            &web,
            "-t",
            "2",
            "-f",
            "m",
            "--connect-timeout",
            "5000",
        ];
        words.extend(more);
        let finished = lab.topology.client.run(&words, LIMIT).await?;
        let output = finished.success().with_context(|| what)?;
        let line = output.lines().rfind(|line| line.contains("receiver"));
        let line = line.with_context(|| format!("{what}: no receiver's line:\n{output}"))?;
        let figure = line.split_whitespace().zip(line.split_whitespace().skip(1));
        let figure = figure.filter(|(_, unit)| unit.ends_with("bits/sec"));
        let rate: f64 = figure.map(|(rate, _)| rate).next().unwrap_or("0").parse()?;
        println!("      {what}: {rate} Mbit/s");
        ensure!(rate > 0.0, "{what}: no data arrived: {line}");
    }
    Ok(())
}

/// What answers from outside: the edge may open SIP to the first node; anyone may open XMPP to both.
/// Where nobody listens behind a permitted port the node itself says `closed`.
pub(crate) async fn nmap_finds_only_what_policy_allows(lab: &mut Federation) -> Result<()> {
    let listen = |port: u16| format!("TCP4-LISTEN:{port},reuseaddr,fork");
    let nodes = &lab.topology;
    let _one = nodes
        .node1
        .daemon("listen-5269", &["socat", &listen(5269), "PIPE"])?;
    let _forbidden = nodes
        .node1
        .daemon("listen-5080", &["socat", &listen(5080), "PIPE"])?;
    let _two = nodes
        .node2
        .daemon("listen-two", &["socat", &listen(5269), "PIPE"])?;
    hw_tests::sip::wait_listening(&nodes.node2, "10.20.0.12".parse()?, 5269).await?;
    let (public, outside) = (PUBLIC.to_string(), OUTSIDE.to_string());
    let words = |kind, target| {
        [
            "nmap",
            "-n",
            "-Pn",
            kind,
            "-p",
            PORTS,
            "--max-retries",
            "2",
            "--host-timeout",
            "40s",
            "-T4",
            target,
        ]
    };
    let limit = Duration::from_secs(60);
    for kind in ["-sT", "-sS"] {
        let output = nodes
            .router
            .run(&words(kind, &public), limit)
            .await?
            .success()?;
        let open = ports(&output, "open");
        ensure!(open == [5269, 15269], "{kind} {PUBLIC}: {output}");
        ensure!(
            ports(&output, "closed").is_empty(),
            "{kind} {PUBLIC}: {output}"
        );
        let output = nodes
            .router
            .run(&words(kind, &outside), limit)
            .await?
            .success()?;
        ensure!(
            ports(&output, "open").is_empty(),
            "{kind} {OUTSIDE}: {output}"
        );
    }
    let shown = lab.console.command("show asp drop").await?;
    ensure!(shown.contains("acl-drop"), "{shown}");
    Ok(())
}

/// The ports that nmap puts in `state`.
fn ports(output: &str, state: &str) -> Vec<u16> {
    let lines = output.lines().filter_map(|line| {
        let (port, rest) = line.split_once("/tcp")?;
        (rest.split_whitespace().next() == Some(state)).then(|| port.parse().ok())?
    });
    lines.collect()
}

/// Looks back over the whole run, so it stands last.
pub(crate) async fn no_private_address_was_seen_outside(lab: &mut Federation) -> Result<()> {
    let all = lab.topology.outside_frames(&lab.folder, "ip").await?;
    ensure!(!all.is_empty(), "the capture is empty");
    let leaks = lab
        .topology
        .outside_frames(&lab.folder, "net 10.0.0.0/8")
        .await?;
    ensure!(
        leaks.is_empty(),
        "{} frames, the first: {:?}",
        leaks.len(),
        leaks.first()
    );
    Ok(())
}
