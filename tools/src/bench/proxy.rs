//! Handshakes and messages through the TLS proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{CONNECTIONS, Figure, SPAN};
use crate::demo::lab::Lab;
use crate::peers::sip::Client;

/// Size of a measured message on the wire, in bytes.
const MESSAGE_BYTES: usize = 400;

/// How long one message or one set-up may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures calls from outside to inside through the box.
pub(super) async fn measure(lab: &Lab, figures: &mut Vec<Figure>) {
    let server = match lab.node_server(2 * CONNECTIONS[1], false) {
        Ok(server) => server,
        Err(error) => return figures.push(Figure::new("TLS proxy", Err(error), "")),
    };
    for count in CONNECTIONS {
        let name = format!(
            "Sessions/s through the proxy, {count} at once (two mutual handshakes and one message each)"
        );
        figures.push(Figure::new(name, handshakes(lab, count).await, ""));
    }
    for count in CONNECTIONS {
        let name = format!(
            "{MESSAGE_BYTES}-byte SIP messages/s through the proxy, {count} connections, each answered"
        );
        figures.push(Figure::new(name, messages(lab, count).await, ""));
    }
    drop(server);
}

/// Opens a session, sends one message so that both legs are known to stand, closes; again and again.
async fn handshakes(lab: &Lab, count: usize) -> Result<String> {
    let started = Instant::now();
    let one = || async {
        let mut sessions = 0_u64;
        let mut failures = 0_u64;
        while started.elapsed() < SPAN {
            let attempt = async {
                let mut client = lab.call_from_outside().await?;
                client.request(&message(1)).await?;
                client.close().await
            };
            match timeout(PATIENCE, attempt).await {
                Ok(Ok(())) => sessions += 1,
                _ => failures += 1,
            }
        }
        (sessions, failures)
    };
    let counts = join_all(std::iter::repeat_with(one).take(count).collect()).await;
    let sessions: u64 = counts.iter().map(|(sessions, _)| sessions).sum();
    let failures: u64 = counts.iter().map(|(_, failures)| failures).sum();
    anyhow::ensure!(sessions > 0, "no session stood ({failures} attempts)");
    let rate = sessions as f64 / started.elapsed().as_secs_f64();
    let lost = if failures > 0 {
        format!(", {failures} failed")
    } else {
        String::new()
    };
    Ok(format!("{rate:.1}/s{lost}"))
}

/// Sends messages over standing connections, one under way on each.
async fn messages(lab: &Lab, count: usize) -> Result<String> {
    let mut clients = Vec::new();
    for number in 0..count {
        let client = timeout(PATIENCE, lab.call_from_outside())
            .await
            .context("a set-up took too long")?;
        clients.push(client.with_context(|| format!("connection {}", number + 1))?);
    }
    let total = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for client in clients {
        tasks.spawn(chatter(client, Arc::clone(&total), started));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("a client broke")??;
    }
    Ok(format!(
        "{:.0}/s",
        total.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
    ))
}

async fn chatter(mut client: Client, total: Arc<AtomicU64>, started: Instant) -> Result<()> {
    let mut number = 1;
    while started.elapsed() < SPAN {
        timeout(PATIENCE, client.request(&message(number)))
            .await
            .context("no answer")??;
        total.fetch_add(1, Ordering::Relaxed);
        number += 1;
    }
    client.close().await
}

/// A message of [`MESSAGE_BYTES`] on the wire, or a little more if its headers alone are longer.
fn message(number: u32) -> crate::peers::sip::Message {
    let mut message = Lab::message_from_outside(number, "");
    // The headers leave less than 100 bytes, so Content-Length grows from one digit to two.
    let bare = message.to_bytes().len() + 1;
    message.body = "x".repeat(MESSAGE_BYTES.saturating_sub(bare));
    message
}

/// Runs futures that borrow side by side.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| Box::pin(tokio::task::unconstrained(future)))
        .collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_message_has_the_stated_size() {
        for number in [1, 99, 100_000] {
            assert_eq!(message(number).to_bytes().len(), MESSAGE_BYTES);
        }
    }
}
