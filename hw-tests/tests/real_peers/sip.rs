//! Two Kamailio servers on either side of the box, each calling the other over mutual TLS.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::federation::Federation;
use hw_tests::process::Daemon;
use hw_tests::sip::{self, Company, message};
use hw_tests::topology::{EDGE, NODE_1, PUBLIC};

const LIMIT: Duration = Duration::from_secs(15);

/// The inside company's server and the outside one's.
async fn servers(lab: &Federation) -> Result<(Daemon, Daemon)> {
    let inside = Company {
        domain: "example.com",
        address: NODE_1,
        tls_port: 5062,
        other_domain: "example.net",
        next_hop: (EDGE, 5061),
        identity: &lab.cards.node,
        trusts: &lab.cards.inside_proxy,
    };
    let outside = Company {
        domain: "example.net",
        address: EDGE,
        tls_port: 5061,
        other_domain: "example.com",
        next_hop: (PUBLIC, 5061),
        identity: &lab.cards.edge,
        trusts: &lab.cards.public_authority.certificate,
    };
    let node = sip::start(&lab.topology.node1, &inside, &lab.folder).await?;
    let edge = sip::start(&lab.topology.edge, &outside, &lab.folder).await?;
    Ok((node, edge))
}

/// What stands between two marks in a log, from the last occurrence of the first.
fn between<'a>(log: &'a str, begin: &str, end: &str) -> Result<&'a str> {
    let start = log
        .rfind(begin)
        .with_context(|| format!("no {begin} in:\n{log}"))?;
    let rest = log.get(start..).unwrap_or_default();
    let stop = rest
        .find(end)
        .with_context(|| format!("no {end} in:\n{rest}"))?;
    Ok(rest.get(..stop).unwrap_or_default())
}

pub(crate) async fn kamailio_messages_inside_to_outside(lab: &mut Federation) -> Result<()> {
    let (_node, mut edge) = servers(lab).await?;
    let via = format!("UDP {NODE_1}:5070");
    for number in 1..=3 {
        let body = format!("good morning {number}");
        let call = format!("outward{number}");
        let text = message("alice@example.com", "bob@example.net", &via, &call, &body);
        let reply = sip::send(&lab.topology.node1, NODE_1, &text).await?;
        ensure!(reply.contains("SIP/2.0 200"), "the user's reply: {reply}");
        let log = edge.wait_for(&body, LIMIT).await?;
        let summary = between(&log, "GOT MESSAGE", " END")?;
        ensure!(summary.contains(&format!("src={PUBLIC}:")), "{summary}");
        ensure!(summary.contains("proto=tls"), "{summary}");
        ensure!(summary.contains("peer=imp-public.example.com"), "{summary}");
        let whole = between(&log, "MESSAGE MESSAGE", "ENDMESSAGE")?;
        ensure!(
            whole.contains(&format!("SIP/2.0/TLS {PUBLIC}:5061")),
            "Via: {whole}"
        );
        ensure!(
            whole.contains(&format!("Record-Route: <sip:{PUBLIC}:5061")),
            "Record-Route: {whole}"
        );
        // The user agent's own Via names a port that no rule publishes; the node that took the message
        // put it there, and it stays.
        let leak = whole
            .lines()
            .filter(|line| !line.starts_with("Via: SIP/2.0/UDP"))
            .find(|line| line.contains("10.20.0."));
        ensure!(leak.is_none(), "a private address leaked: {leak:?}");
    }
    Ok(())
}

pub(crate) async fn kamailio_messages_outside_to_inside(lab: &mut Federation) -> Result<()> {
    let (mut node, edge) = servers(lab).await?;
    let via = format!("UDP {EDGE}:5070");
    for number in 1..=3 {
        let body = format!("good evening {number}");
        let call = format!("inward{number}");
        let text = message("bob@example.net", "alice@example.com", &via, &call, &body);
        let reply = sip::send(&lab.topology.edge, EDGE, &text).await?;
        ensure!(reply.contains("SIP/2.0 200"), "the user's reply: {reply}");
        let log = node.wait_for(&body, LIMIT).await?;
        let summary = between(&log, "GOT MESSAGE", " END")?;
        ensure!(summary.contains(&format!("src={EDGE}:")), "{summary}");
        ensure!(summary.contains("peer=10.20.0.1"), "{summary}");
        let seen = between(&edge.output(), "REPLY 200", " END")?.to_owned();
        ensure!(
            seen.contains(&format!("contact=<sip:{PUBLIC}:5061;transport=tls>")),
            "Contact of the reply: {seen}"
        );
    }
    Ok(())
}
