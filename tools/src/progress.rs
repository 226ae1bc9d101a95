//! Steps of a command, numbered and timed, on standard error.

use std::time::{Duration, Instant};

/// Prints `[k/n] what … time` for each step of a command.
#[derive(Debug)]
pub struct Steps {
    total: usize,
    done: usize,
    started: Instant,
    step: Instant,
    name: String,
}

impl Steps {
    /// Starts a command of `total` steps.
    pub fn new(total: usize) -> Self {
        let now = Instant::now();
        Self {
            total,
            done: 0,
            started: now,
            step: now,
            name: String::new(),
        }
    }

    /// Announces the next step.
    pub fn begin(&mut self, name: &str) {
        self.finish_step();
        self.done += 1;
        self.total = self.total.max(self.done);
        self.step = Instant::now();
        self.name = name.to_owned();
        eprintln!(
            "[{}/{}] {name} ({} so far)",
            self.done,
            self.total,
            show(self.started.elapsed())
        );
    }

    /// The step under way, for a message about its failure.
    pub fn current(&self) -> String {
        format!("step {}/{} ({})", self.done, self.total, self.name)
    }

    /// Ends the last step and prints the total.
    pub fn finish(&mut self, what: &str) {
        self.finish_step();
        eprintln!(
            "{what}: {} steps in {}",
            self.done,
            show(self.started.elapsed())
        );
    }

    fn finish_step(&mut self) {
        if !self.name.is_empty() {
            eprintln!("      {} done in {}", self.name, show(self.step.elapsed()));
            self.name.clear();
        }
    }
}

/// A duration as people read it: `0.4 s`, `12.0 s`, `3 min 05 s`.
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!(
            "{} min {:02} s",
            duration.as_secs() / 60,
            duration.as_secs() % 60
        )
    }
}
