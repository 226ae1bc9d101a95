//! The federation shown end to end: two companies, the box between them, and what each saw.

pub mod cast;
pub mod lab;
pub mod script;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::console::Dialogue;
use crate::peers::Sight;
use crate::progress::Steps;
use crate::{build, host};
use cast::PUBLIC;
use lab::{Lab, Shape};

/// What the demonstration was asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The box.
    pub shape: Shape,
    /// Power the box off at the end even if a person could take the console.
    pub exits: bool,
}

/// Runs the demonstration.
///
/// # Errors
/// At the first step that fails; the message names it and carries the console's last lines.
pub async fn demo(options: &Options) -> Result<()> {
    let mut steps = Steps::new(15);
    steps.begin("looking for QEMU");
    host::require(host::FOR_QEMU)?;
    build::build(&mut steps)?;
    let lab = perform(&options.shape, &mut steps).await?;
    let has_person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if has_person && !options.exits {
        steps.finish("demo");
        return hand_over(lab).await;
    }
    steps.begin("powering the box off");
    power_off(lab).await.with_context(|| steps.current())?;
    steps.finish("demo");
    Ok(())
}

/// Boots, configures and talks; returns the box as it stands.
///
/// # Errors
/// As [`demo`].
pub async fn perform(shape: &Shape, steps: &mut Steps) -> Result<Lab> {
    let described = format!(
        "booting the box: {} with {} MiB",
        shape.machine.name(),
        shape.memory_mib
    );
    steps.begin(&described);
    let mut lab = Lab::boot(shape).await.with_context(|| steps.current())?;
    match converse(&mut lab, steps).await {
        Ok(()) => Ok(lab),
        Err(error) => {
            let tail = lab.console.tail(25);
            Err(error.context(format!(
                "{} failed; the console's last lines were:\n{tail}\n",
                steps.current()
            )))
        }
    }
}

async fn converse(lab: &mut Lab, steps: &mut Steps) -> Result<()> {
    lab.enter().await?;
    steps.begin("names, interfaces, routes");
    lab.configure(script::BASICS).await?;
    steps.begin("certificates inside");
    lab.certificates_inside().await?;
    steps.begin("certificates outside");
    lab.certificates_outside().await?;
    steps.begin("address translation and access lists");
    lab.configure(script::TRANSLATION).await?;
    lab.configure(script::ACCESS).await?;
    steps.begin("TLS proxies and inspection");
    lab.configure(script::INSPECTION).await?;

    steps.begin("a SIP message from outside to inside");
    let mut node = lab.node_server(4, true)?;
    let mut edge = lab.edge_server(4, true)?;
    let mut inward = lab.call_from_outside().await?;
    let message = Lab::message_from_outside(1, "Hello Alice, this is Bob at example.net");
    let sights = Lab::exchange(&mut inward, &mut node, &message).await?;
    report(&sights);
    ensure!(
        sights.iter().all(is_translated_outside),
        "a private address was seen outside"
    );

    steps.begin("a SIP message from inside to outside");
    let mut outward = lab.call_from_inside().await?;
    let message = Lab::message_from_inside(2, "Hello Bob, this is Alice at example.com");
    let sights = Lab::exchange(&mut outward, &mut edge, &message).await?;
    report(&sights);
    ensure!(
        sights.iter().all(is_translated_outside),
        "a private address was seen outside"
    );

    steps.begin("XMPP streams through ports 5269 and 15269");
    for (is_second, port) in [(false, 5269), (true, 15269)] {
        let sights = lab
            .xmpp(is_second, port)
            .await
            .with_context(|| format!("port {port}"))?;
        report(&sights);
    }

    steps.begin("what the box shows while both calls are up");
    for command in ["show conn", "show xlate", "show tls-proxy session"] {
        let output = lab.console.command(command).await?;
        if command == "show conn" && !output.contains("198.51.100.20") {
            bail!("`show conn` does not list the calls");
        }
    }
    inward.close().await?;
    outward.close().await
}

/// What the world sees must name the public address only.
fn is_translated_outside(sight: &Sight) -> bool {
    let is_outside = !sight.who.starts_with("imp");
    let leaks = |text: &str| text.contains("10.20.0.");
    !is_outside
        || (!leaks(&sight.remote.to_string())
            && sight.lines.iter().all(|(_, text)| !leaks(text))
            && sight.remote.ip() == PUBLIC)
}

fn report(sights: &[Sight]) {
    for sight in sights {
        println!("{sight}");
    }
}

async fn hand_over(mut lab: Lab) -> Result<()> {
    println!(
        "The box runs, and the companies with it. The console is yours; Ctrl-A x ends the demonstration."
    );
    lab.console.send(b"\r").await?;
    // Taken apart, because the networks must go on while a person types.
    let Lab {
        qemu,
        console,
        cast,
        uplinks,
        ..
    } = lab;
    let _ending = console.interact().await?;
    drop((cast, uplinks));
    println!();
    qemu.kill().await
}

async fn power_off(mut lab: Lab) -> Result<()> {
    lab.console.set_patience(Duration::from_secs(10));
    let dialogue = Dialogue::new("shutdown")
        .answer("[confirm]", "")
        .answer("Save?", "n");
    // Success looks like a broken console: the line closes when the power goes.
    let outcome = lab.console.dialogue(&dialogue).await;
    if lab.qemu.wait(Duration::from_secs(10)).await.is_ok() {
        return Ok(());
    }
    eprintln!("      `shutdown` did not end QEMU ({outcome:?}); asking QEMU itself");
    lab.qemu.control("quit").await?;
    lab.qemu.wait(Duration::from_secs(10)).await.map(drop)
}
