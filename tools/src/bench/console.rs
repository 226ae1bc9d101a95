//! How long the console takes to answer a question mark.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Figure;
use crate::demo::lab::Lab;

/// Beginnings of lines that are asked about: few words to choose from, and many.
const QUESTIONS: [&str; 4] = [
    "",
    "show ",
    "show running-config ",
    "access-list x extended permit tcp any host 192.0.2.1 eq ",
];

/// How often each is asked.
const TIMES: usize = 20;

/// From sending `?` to the prompt being there again, the help above it.
pub(super) async fn help(lab: &mut Lab) -> Figure {
    let work = async {
        lab.console.command("configure terminal").await?;
        let mut worst: Option<(Duration, &str)> = None;
        for question in QUESTIONS {
            let mut times = Vec::new();
            for _ in 0..TIMES {
                times.push(ask(lab, question).await?);
            }
            times.sort();
            let middle = times.get(TIMES / 2).copied().context("nothing was asked")?;
            if worst.is_none_or(|(worst, _)| middle > worst) {
                worst = Some((middle, question));
            }
        }
        lab.console.command("end").await?;
        let (time, question) = worst.context("nothing was asked")?;
        Ok(format!(
            "{:.1} ms (`{question}?`)",
            time.as_secs_f64() * 1e3
        ))
    };
    let name = format!(
        "Answer to ? at the console, slowest of {} lines, middle of {TIMES}",
        QUESTIONS.len()
    );
    Figure::new(name, work.await, "under 50 ms")
}

async fn ask(lab: &mut Lab, question: &str) -> Result<Duration> {
    let console = &mut lab.console;
    console.send(question.as_bytes()).await?;
    console.expect(question.trim_end()).await?;
    let began = Instant::now();
    console.send(b"?").await?;
    console.expect("mode commands/options:").await?;
    console.expect(&format!(")# {question}")).await?;
    let took = began.elapsed();
    // Ctrl-U takes the line back.
    console.send(b"\x15\r").await?;
    console.expect(")# ").await?;
    Ok(took)
}
