//! The TLS proxy between `openssl s_client` at the foreign edge and `openssl s_server` at the node.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hw_tests::federation::Federation;
use hw_tests::openssl::{Identity, show};
use hw_tests::process::Talker;
use hw_tests::sip::{message, wait_listening};
use hw_tests::topology::{EDGE, NODE_1, PUBLIC};
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_secs(15);

/// How far the box may be behind: it read whole seconds from its clock chip when it started. A
/// certificate made just now is not valid for it yet.
const CLOCK_LAG: Duration = Duration::from_millis(1_500);

/// The node's server, which asks for the proxy's certificate and will not go on without.
async fn server(lab: &Federation, identity: &Identity) -> Result<Talker> {
    let accept = format!("{NODE_1}:5062");
    let (certificate, key) = (show(&identity.certificate), show(&identity.key));
    let trusted = show(&lab.cards.inside_proxy);
    let words = [
        "openssl",
        "s_server",
        "-accept",
        &accept,
        "-cert",
        &certificate,
        "-key",
        &key,
        "-CAfile",
        &trusted,
        "-Verify",
        "1",
        "-verify_return_error",
        "-quiet",
    ];
    let server = lab.topology.node1.talk(&words, PATIENCE, true)?;
    wait_listening(&lab.topology.node1, NODE_1, 5062).await?;
    Ok(server)
}

/// The edge's client, with a certificate or without.
fn client(lab: &Federation, identity: Option<&Identity>, more: &[&str]) -> Result<Talker> {
    let connect = format!("{PUBLIC}:5061");
    let bind = EDGE.to_string();
    let trusted = show(&lab.cards.public_authority.certificate);
    let files = identity.map(|own| (show(&own.certificate), show(&own.key)));
    let mut words = vec![
        "openssl",
        "s_client",
        "-connect",
        &connect,
        "-bind",
        &bind,
        "-CAfile",
        &trusted,
        "-verify_return_error",
        "-quiet",
        "-servername",
        "imp-public.example.com",
    ];
    if let Some((certificate, key)) = &files {
        words.extend(["-cert", certificate, "-key", key]);
    }
    words.extend(more);
    lab.topology.edge.talk(&words, PATIENCE, true)
}

/// One message inward and its answer outward.
async fn exchange(lab: &mut Federation, more: &[&str], call: &str) -> Result<()> {
    let node = lab.cards.node.clone();
    let edge = lab.cards.edge.clone();
    let mut server = server(lab, &node).await?;
    let mut client = client(lab, Some(&edge), more)?;
    let body = format!("hello {call}");
    let via = format!("TLS {EDGE}:5061");
    let text = message("bob@example.net", "alice@example.com", &via, call, &body);
    client.line.send(text.as_bytes()).await?;
    let got = server.line.expect(&body).await;
    let got = got.with_context(|| format!("the caller saw: {}", client.line.tail(10)))?;
    ensure!(got.contains("MESSAGE sip:alice@example.com"), "{got}");
    let reply = format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS {EDGE}:5061;branch=z9hG4bK{call}\r\n\
         From: <sip:bob@example.net>;tag={call}\r\nTo: <sip:alice@example.com>;tag=n\r\n\
         Contact: <sip:{NODE_1}:5062;transport=tls>\r\n\
         Call-ID: {call}\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    );
    server.line.send(reply.as_bytes()).await?;
    let seen = client.line.expect("Content-Length: 0").await?;
    ensure!(
        !seen.contains("10.20.0."),
        "a private address leaked: {seen}"
    );
    let contact = format!("Contact: <sip:{PUBLIC}:5061;transport=tls>");
    ensure!(seen.contains(&contact), "{seen}");
    client.kill().await;
    server.kill().await;
    Ok(())
}

pub(crate) async fn openssl_with_a_certificate_passes_a_message(
    lab: &mut Federation,
) -> Result<()> {
    exchange(lab, &["-tls1_2"], "twelve")
        .await
        .context("TLS 1.2")?;
    exchange(lab, &["-tls1_3"], "thirteen")
        .await
        .context("TLS 1.3")
}

/// A caller that must be shut out: it sees its connection end, its message does not arrive, and the
/// box counts `reason`.
async fn refused(
    lab: &mut Federation,
    identity: Option<&Identity>,
    version: &str,
    reason: &str,
) -> Result<()> {
    let before = lab.statistic(reason).await?;
    let node = lab.cards.node.clone();
    let mut server = server(lab, &node).await?;
    let mut client = client(lab, identity, &[version])?;
    let via = format!("TLS {EDGE}:5061");
    let text = message(
        "bob@example.net",
        "alice@example.com",
        &via,
        "no",
        "unwanted",
    );
    // A refusal may come before the message can be written.
    let _ = client.line.send(text.as_bytes()).await;
    client.wait(PATIENCE).await.context("the refused caller")?;
    let seen = client.line.transcript();
    ensure!(seen.contains("alert"), "the caller saw no alert: {seen}");
    ensure!(
        !server.line.transcript().contains("unwanted"),
        "the message passed"
    );
    lab.expect_statistic(reason, before + 1).await?;
    server.line.set_patience(Duration::from_millis(100));
    server.kill().await;
    Ok(())
}

pub(crate) async fn openssl_without_a_certificate_is_refused(lab: &mut Federation) -> Result<()> {
    for version in ["-tls1_2", "-tls1_3"] {
        refused(lab, None, version, "certificate-missing")
            .await
            .context(version)?;
    }
    Ok(())
}

pub(crate) async fn openssl_with_a_strangers_certificate_is_refused(
    lab: &mut Federation,
) -> Result<()> {
    let authority = lab.cards.stranger_authority.clone();
    let names = ["edge.example.net"];
    let stranger = lab
        .cards
        .folder
        .issue(&authority, "stranger", &names, false)?;
    sleep(CLOCK_LAG).await;
    for version in ["-tls1_2", "-tls1_3"] {
        refused(lab, Some(&stranger), version, "certificate-unknown-issuer")
            .await
            .context(version)?;
    }
    Ok(())
}

pub(crate) async fn openssl_with_an_expired_certificate_is_refused(
    lab: &mut Federation,
) -> Result<()> {
    let authority = lab.cards.edge_authority.clone();
    let names = ["edge.example.net"];
    let expired = lab
        .cards
        .folder
        .issue(&authority, "expired", &names, true)?;
    sleep(CLOCK_LAG).await;
    for version in ["-tls1_2", "-tls1_3"] {
        refused(lab, Some(&expired), version, "certificate-expired")
            .await
            .context(version)?;
    }
    Ok(())
}

pub(crate) async fn called_server_with_a_strangers_certificate_is_refused(
    lab: &mut Federation,
) -> Result<()> {
    let authority = lab.cards.stranger_authority.clone();
    let names = ["imp1.example.com"];
    let stranger = lab
        .cards
        .folder
        .issue(&authority, "impostor", &names, false)?;
    sleep(CLOCK_LAG).await;
    imposture(lab, &stranger, "certificate-unknown-issuer").await?;
    // The trusted certificate's very name, but not its key.
    let twin = lab.cards.folder.node("twin", "imp1.example.com")?;
    sleep(CLOCK_LAG).await;
    imposture(lab, &twin, "certificate-invalid").await
}

/// A called server that the box must not talk to.
async fn imposture(lab: &mut Federation, impostor: &Identity, reason: &str) -> Result<()> {
    let before = lab.statistic(reason).await?;
    let mut server = server(lab, impostor).await?;
    let edge = lab.cards.edge.clone();
    let mut client = client(lab, Some(&edge), &[])?;
    let via = format!("TLS {EDGE}:5061");
    let text = message(
        "bob@example.net",
        "alice@example.com",
        &via,
        "no",
        "unwanted",
    );
    let _ = client.line.send(text.as_bytes()).await;
    client
        .wait(PATIENCE)
        .await
        .context("the caller of an impostor")?;
    lab.expect_statistic(reason, before + 1).await?;
    let heard = server.line.expect("alert").await;
    heard.context("the impostor was told nothing")?;
    ensure!(
        !server.line.transcript().contains("unwanted"),
        "the message passed"
    );
    server.kill().await;
    Ok(())
}

pub(crate) async fn plaintext_is_closed_and_counted(lab: &mut Federation) -> Result<()> {
    let before = lab.statistic("not-tls").await?;
    let node = lab.cards.node.clone();
    let server = server(lab, &node).await?;
    let target = format!("TCP4:{PUBLIC}:5061");
    // It ends half a second after the far end has closed, whatever stays open on this side.
    let words = ["socat", "-t", "0.5", "-", &target];
    let mut caller = lab.topology.edge.talk(&words, PATIENCE, true)?;
    caller
        .line
        .send(b"OPTIONS sip:example.com SIP/2.0\r\n\r\n")
        .await?;
    caller
        .wait(PATIENCE)
        .await
        .context("the plaintext caller")?;
    lab.expect_statistic("not-tls", before + 1).await?;
    server.kill().await;
    Ok(())
}

pub(crate) async fn garbage_within_tls_is_closed_and_counted(lab: &mut Federation) -> Result<()> {
    let before = lab.statistic("sip ").await?;
    let node = lab.cards.node.clone();
    let mut server = server(lab, &node).await?;
    let edge = lab.cards.edge.clone();
    let mut client = client(lab, Some(&edge), &[])?;
    client
        .line
        .send(b"this is not SIP at all, it is unwanted\r\n\r\n")
        .await?;
    client
        .wait(PATIENCE)
        .await
        .context("the caller with garbage")?;
    lab.expect_statistic("sip ", before + 1).await?;
    server.line.set_patience(Duration::from_millis(100));
    if server.line.expect("unwanted").await.is_ok() {
        bail!("the garbage passed");
    }
    server.kill().await;
    Ok(())
}

pub(crate) async fn sessions_work_after_all_that(lab: &mut Federation) -> Result<()> {
    exchange(lab, &[], "after").await?;
    for _ in 0..20 {
        if lab.statistic("Sessions").await? == 0 {
            return Ok(());
        }
        sleep(Duration::from_millis(500)).await;
    }
    bail!("sessions stay although every peer is gone")
}
