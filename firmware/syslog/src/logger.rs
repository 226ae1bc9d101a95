//! Who wants which message, and the destinations inside the box.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use hal::time::Instant;

use crate::hosts::{Datagram, HostCounts, HostOutcome, HostQueue, Parts, TcpStats};
use crate::line::Line;
use crate::message::{Id, Message};
use crate::rate::Windows;
use crate::ring::Ring;
use crate::settings::{Destination, DeviceId, RateLimit, RateTarget, Settings, Timestamp};
use crate::severity::Severity;

/// Room of the queue of a terminal, in bytes: a few seconds of a line of 115,200 bits per second.
const TERMINAL_BYTES: usize = 64 << 10;

/// Destinations that messages really go to.
const SERVED: [Destination; 4] = [
    Destination::Console,
    Destination::Monitor,
    Destination::Buffered,
    Destination::Trap,
];

/// Destinations with a queue of lines.
const TERMINALS: [Destination; 2] = [Destination::Console, Destination::Monitor];

/// The moment of a message.
#[derive(Clone, Copy)]
pub struct Stamp<'a> {
    /// Time since the start of the box.
    pub now: Instant,
    /// Local time as `logging timestamp` writes it.
    pub classic: &'a dyn fmt::Display,
    /// UTC as `logging timestamp rfc5424` writes it.
    pub rfc5424: &'a dyn fmt::Display,
}

/// There is no memory for a buffer of that size; what was there stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The size asked for.
    pub bytes: usize,
}

/// What a destination got and what it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that went to it.
    pub logged: u64,
    /// Messages it had no room for; for the buffer, messages overwritten by newer ones.
    pub dropped: u64,
}

/// What is worked out in advance for each message.
#[derive(Clone, Copy, Debug)]
struct Plan {
    severity: Severity,
    /// Destinations that want it, as [`Destination::bit`]s.
    wanted_by: u8,
    /// The rate limit that holds for it.
    limit: Option<usize>,
}

/// Lines waiting for a terminal.
#[derive(Debug, Default)]
struct Terminal {
    ring: Ring,
    /// Messages that found no room since it was last said.
    missed: u64,
}

/// Takes messages and keeps them where the settings say.
#[derive(Debug)]
pub struct Logger {
    settings: Settings,
    plans: Vec<Plan>,
    windows: Windows,
    line: Line,
    buffer: Ring,
    /// The console, and other terminals: [`TERMINALS`].
    terminals: [Terminal; TERMINALS.len()],
    hosts: HostQueue,
    counts: [Counts; SERVED.len()],
    /// Messages cut to the longest line.
    cut: u64,
    /// Events that were lost before they became messages.
    untold: u64,
}

impl Default for Logger {
    fn default() -> Self {
        Self::new()
    }
}

impl Logger {
    /// A logger that is switched off.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings::default();
        let windows = Windows::default();
        Self {
            plans: plans(&settings, &windows),
            settings,
            windows,
            line: Line::new(),
            buffer: Ring::default(),
            terminals: Default::default(),
            hosts: HostQueue::default(),
            counts: [Counts::default(); SERVED.len()],
            cut: 0,
            untold: 0,
        }
    }

    /// Puts settings in force. Counters, the buffer and what waits stay.
    ///
    /// # Errors
    /// [`OutOfMemory`] if a buffer cannot be had at its new size; everything else is in force then.
    pub fn configure(&mut self, settings: Settings, stamp: &Stamp<'_>) -> Result<(), OutOfMemory> {
        if settings == self.settings {
            return Ok(());
        }
        for (limit, held_back) in self.windows.configure(&settings.rate_limits) {
            self.report(limit, held_back, stamp);
        }
        let mut result = Ok(());
        for (destination, terminal) in TERMINALS.into_iter().zip(&mut self.terminals) {
            let is_used = settings.is_enabled
                && (settings.destinations.contains_key(&destination)
                    || settings
                        .classes
                        .iter()
                        .any(|c| c.destination == destination));
            result = result.and(terminal.resize(if is_used { TERMINAL_BYTES } else { 0 }));
        }
        let buffer = self.buffer.resize(settings.buffer_bytes);
        if let Ok(gone) = buffer {
            count(&mut self.counts, Destination::Buffered).dropped += gone;
        }
        let hosts = self
            .hosts
            .configure(&self.settings.hosts, &settings.hosts, settings.queue_len);
        self.plans = plans(&settings, &self.windows);
        self.settings = settings;
        result.and(buffer.map(drop)).and(hosts)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether any destination wants the message: to be asked before anything is looked up for it.
    #[must_use]
    pub fn wants(&self, id: Id) -> bool {
        self.plan(id).is_some_and(|plan| plan.wanted_by != 0)
    }

    /// Whether any destination would want the message at some severity: to be asked about a message
    /// for [`record_as`](Self::record_as).
    #[must_use]
    pub fn may_want(&self, id: Id) -> bool {
        let Some(number) = number(id) else {
            return false;
        };
        Severity::ALL.iter().any(|&severity| {
            let severity = self.settings.severity_of(number, severity);
            plan(&self.settings, &self.windows, number, severity).wanted_by != 0
        })
    }

    /// Takes a message.
    pub fn record(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        if let Some(plan) = self.plan(message.id()) {
            self.admit(message, plan, stamp);
        }
    }

    /// Takes a message whose severity something else has set, as the log option of an access rule
    /// does. `logging message … level` and `no logging message` still hold.
    pub fn record_as(&mut self, message: &Message<'_>, severity: Severity, stamp: &Stamp<'_>) {
        let Some(number) = number(message.id()) else {
            return;
        };
        if let Some(severity) = self.settings.severity_of(number, severity) {
            let plan = plan(&self.settings, &self.windows, number, Some(severity));
            self.admit(message, plan, stamp);
        }
    }

    /// Reports what rate limits held back and terminals missed, when it is time to.
    pub fn handle_timeout(&mut self, stamp: &Stamp<'_>) {
        while let Some((limit, held_back)) = self.windows.poll_ended(stamp.now) {
            self.report(limit, held_back, stamp);
        }
        for at in 0..TERMINALS.len() {
            if self.terminals.get(at).is_some_and(Terminal::owes_a_report) {
                self.report_missed(at, stamp);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.terminals.iter().any(Terminal::owes_a_report) {
            return Some(Instant::ZERO);
        }
        self.windows.poll_timeout()
    }

    /// Takes the oldest line waiting for the console, without line end.
    pub fn poll_console(&mut self) -> Option<String> {
        let [console, _] = &mut self.terminals;
        console.ring.pop().map(text)
    }

    /// Whether lines wait for the console.
    #[must_use]
    pub fn has_console_lines(&self) -> bool {
        let [console, _] = &self.terminals;
        console.ring.len() > 0
    }

    /// Takes the oldest line waiting for other terminals, without line end.
    pub fn poll_monitor(&mut self) -> Option<String> {
        let [_, monitor] = &mut self.terminals;
        monitor.ring.pop().map(text)
    }

    /// Takes the next datagram for a syslog server. Tell [`host_sent`](Self::host_sent) what became
    /// of it.
    pub fn poll_host(&mut self) -> Option<Datagram<'_>> {
        self.hosts.poll(&self.settings.hosts)
    }

    /// Counts a datagram for server `index` as what became of it.
    pub fn host_sent(&mut self, index: usize, outcome: HostOutcome) {
        if let Some(counts) = self.hosts.counts.get_mut(index) {
            match outcome {
                HostOutcome::Sent => counts.sent += 1,
                HostOutcome::Failed => counts.errors += 1,
                HostOutcome::Dropped => counts.dropped += 1,
            }
        }
    }

    /// Notes since when server `index` has no connection, in words, or that it has one.
    pub fn set_host_down(&mut self, index: usize, since: Option<String>) {
        if let Some(known) = self.hosts.down_since.get_mut(index) {
            *known = since;
        }
    }

    /// Since when server `index` has no connection; `None` if it has one or needs none.
    #[must_use]
    pub fn host_down_since(&self, index: usize) -> Option<&str> {
        self.hosts.down_since.get(index)?.as_deref()
    }

    /// Counters of the connections to servers, for whoever makes those.
    pub fn tcp_stats(&mut self) -> &mut TcpStats {
        &mut self.hosts.tcp
    }

    /// Counters of the connections to servers.
    #[must_use]
    pub fn tcp(&self) -> TcpStats {
        self.hosts.tcp
    }

    /// Whether any message at all goes to servers.
    #[must_use]
    pub fn has_trap(&self) -> bool {
        let bit = Destination::Trap.bit();
        self.plans.iter().any(|plan| plan.wanted_by & bit != 0)
    }

    /// The lines of the buffer, oldest first.
    pub fn buffered(&self) -> impl Iterator<Item = String> + '_ {
        self.buffer.iter().map(text)
    }

    /// Empties the buffer.
    pub fn clear_buffer(&mut self) {
        self.buffer.clear();
    }

    /// What a destination got.
    #[must_use]
    pub fn counts(&self, destination: Destination) -> Counts {
        SERVED
            .iter()
            .position(|served| *served == destination)
            .and_then(|at| self.counts.get(at).copied())
            .unwrap_or_default()
    }

    /// What the servers got, in the order of the settings.
    #[must_use]
    pub fn host_counts(&self) -> &[HostCounts] {
        &self.hosts.counts
    }

    /// The queue to the servers: messages in it now, most ever, refused.
    #[must_use]
    pub fn queue(&self) -> (usize, usize, u64) {
        (self.hosts.len(), self.hosts.most, self.hosts.refused)
    }

    /// Messages held back by rate limits, ever.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.windows.total
    }

    /// Adds to the events nobody could make messages of, because there were too many at once.
    pub fn note_untold(&mut self, count: u64, stamp: &Stamp<'_>) {
        self.untold += count;
        self.record(&Message::NotTold { count }, stamp);
    }

    /// Events nobody could make messages of, ever.
    #[must_use]
    pub fn untold(&self) -> u64 {
        self.untold
    }

    /// Messages that were cut because they were too long, ever.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    fn plan(&self, id: Id) -> Option<Plan> {
        self.plans.get(id as usize).copied()
    }

    fn admit(&mut self, message: &Message<'_>, plan: Plan, stamp: &Stamp<'_>) {
        if plan.wanted_by == 0 {
            return;
        }
        if let Some(limit) = plan.limit {
            // A period that is over is reported before the next one begins.
            self.handle_timeout(stamp);
            if !self.windows.admit(limit, stamp.now) {
                return;
            }
        }
        self.deliver(message, plan, stamp);
    }

    fn report(&mut self, limit: RateLimit, count: u64, stamp: &Stamp<'_>) {
        let what = match limit.target {
            RateTarget::Level(severity) => severity.keyword().to_string(),
            RateTarget::Message(number) => number.to_string(),
        };
        let message = Message::RateLimited {
            count,
            what: &what,
            limit: limit.messages,
            period_secs: limit.period_secs,
        };
        if let Some(plan) = self.plan(Id::RateLimited) {
            self.deliver(&message, plan, stamp);
        }
    }

    /// Puts the report of what terminal `at` missed into its queue, if there is something to say and
    /// room for it.
    fn report_missed(&mut self, at: usize, stamp: &Stamp<'_>) {
        let missed = self.terminals.get(at).map_or(0, |terminal| terminal.missed);
        if missed > 0 {
            let message = Message::NotShown { count: missed };
            self.write(&message, Severity::Warnings, stamp);
            if let Some(terminal) = self.terminals.get_mut(at)
                && terminal.ring.push(&[self.line.as_str().as_bytes()])
            {
                terminal.missed = 0;
            }
        }
    }

    fn deliver(&mut self, message: &Message<'_>, plan: Plan, stamp: &Stamp<'_>) {
        let hidden;
        let message = if self.settings.hides_usernames {
            hidden = message.without_unproven_user();
            &hidden
        } else {
            message
        };
        let wanted_by = |destination: Destination| plan.wanted_by & destination.bit() != 0;
        for (at, destination) in TERMINALS.into_iter().enumerate() {
            if wanted_by(destination) {
                // What was missed is said before anything newer.
                self.report_missed(at, stamp);
            }
        }
        let (time_len, body_at) = self.write(message, plan.severity, stamp);
        self.cut += u64::from(self.line.finish());
        for (destination, terminal) in TERMINALS.into_iter().zip(&mut self.terminals) {
            if wanted_by(destination) {
                let is_taken = terminal.push(&self.line);
                count(&mut self.counts, destination).note(is_taken);
            }
        }
        if wanted_by(Destination::Buffered) {
            let gone = self.buffer.push_over(self.line.as_str().as_bytes());
            let counts = count(&mut self.counts, Destination::Buffered);
            counts.logged += 1;
            counts.dropped += gone;
        }
        if wanted_by(Destination::Trap) {
            let pushed = self.hosts.push(&Parts {
                priority: self.settings.facility * 8 + plan.severity.number(),
                number: number(message.id()).unwrap_or_default(),
                line: self.line.as_str(),
                time_len,
                body_at,
            });
            count(&mut self.counts, Destination::Trap).note(pushed);
        }
    }

    /// Writes the line: time, device ID, `%ASA-level-number: text`. Returns the length of the time
    /// and where `%ASA` begins.
    fn write(
        &mut self,
        message: &Message<'_>,
        severity: Severity,
        stamp: &Stamp<'_>,
    ) -> (usize, usize) {
        let line = &mut self.line;
        line.clear();
        // Writing to a line cannot fail: what is too long is cut.
        let _ = match self.settings.timestamp {
            Timestamp::Off => Ok(()),
            Timestamp::Classic => write!(line, "{}", stamp.classic),
            Timestamp::Rfc5424 => write!(line, "{}", stamp.rfc5424),
        };
        let time_len = line.len();
        let _ = match (&self.settings.device_id, time_len) {
            (None, 0) => Ok(()),
            (None, _) => line.write_str(": "),
            (Some(DeviceId { text, .. }), 0) => write!(line, "{text} : "),
            (Some(DeviceId { text, .. }), _) => write!(line, " {text} : "),
        };
        let body_at = line.len();
        let number = number(message.id()).unwrap_or_default();
        let _ = write!(line, "%ASA-{}-{number}: {message}", severity.number());
        (time_len, body_at)
    }
}

impl Counts {
    fn note(&mut self, is_taken: bool) {
        match is_taken {
            true => self.logged += 1,
            false => self.dropped += 1,
        }
    }
}

impl Terminal {
    fn resize(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        self.missed += self.ring.resize(bytes)?;
        if bytes == 0 {
            // Nobody listens any more, so nobody is told.
            self.missed = 0;
        }
        Ok(())
    }

    fn push(&mut self, line: &Line) -> bool {
        let is_taken = self.missed == 0 && self.ring.push(&[line.as_str().as_bytes()]);
        self.missed += u64::from(!is_taken);
        is_taken
    }

    /// Whether the queue was emptied after something was missed.
    fn owes_a_report(&self) -> bool {
        self.missed > 0 && self.ring.len() == 0
    }
}

/// The counters of a destination that is served.
fn count(counts: &mut [Counts; SERVED.len()], destination: Destination) -> &mut Counts {
    let [console, monitor, buffered, trap] = counts;
    match destination {
        Destination::Console => console,
        Destination::Monitor => monitor,
        Destination::Trap => trap,
        _ => buffered,
    }
}

/// A message's number. Every message has a row; a test holds the two lists together.
pub(crate) fn number(id: Id) -> Option<u32> {
    Message::ROWS.get(id as usize).map(|row| row.number)
}

fn plans(settings: &Settings, windows: &Windows) -> Vec<Plan> {
    Message::ROWS
        .iter()
        .map(|row| {
            let severity = settings.severity_of(row.number, row.severity);
            plan(settings, windows, row.number, severity)
        })
        .collect()
}

fn plan(settings: &Settings, windows: &Windows, number: u32, severity: Option<Severity>) -> Plan {
    let Some(severity) = severity else {
        return Plan {
            severity: Severity::Debugging,
            wanted_by: 0,
            limit: None,
        };
    };
    let wanted_by = SERVED
        .into_iter()
        .filter(|destination| *destination != Destination::Trap || !settings.hosts.is_empty())
        .filter(|destination| settings.wants(*destination, number, severity))
        .fold(0, |bits, destination| bits | destination.bit());
    Plan {
        severity,
        wanted_by,
        limit: windows.find(number, severity),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
