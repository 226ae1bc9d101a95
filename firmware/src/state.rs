//! Everything the appliance owns, and the work of one turn of its loop.
//!
//! The console's tasks hold a [`Shared`] handle and borrow the core for one step at a time, never
//! across an `await`; between their steps the packet path runs.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use clock::{TimeSource, WallClock, ZoneRules};
use config::Config;
use config::model::{InterfaceId, Subnet};
use dataplane::{DataPlane, Opened, PortId};
use hal::disk::Disk;
use hal::entropy::Entropy;
use hal::nic::MacAddr;
use hal::packet::PacketPool;
use hal::power::Power;
use hal::serial::Serial;
use hal::time::{Instant, Monotonic, Rtc};
use pki::KeyStore;
use storage::startup::{Saved, Store, StoreError};
use syslog::Logger;

use crate::board::{Board, HeapUse};
use crate::budget::{Budget, Claim};
use crate::change::{Drafts, Unconfirmed};
use crate::console::line::ConsoleLine;
use crate::events::{EVENTS_PER_TURN, Untold};
use crate::federation::{Federation, Surroundings};
use crate::flash::Flash;
use crate::journal::{Event, Journal};
use crate::load_meter::{LoadMeter, Part};
use crate::log_hosts::LogHosts;
use crate::logins::Logins;
use crate::messages::Herald;
use crate::meter::{Meter, Sampler};
use crate::partition;
use crate::ping::PendingEcho;
use crate::policy::logical::{self, Numbers};
use crate::policy::schedule::Moment;
use crate::policy::{Compiled, compile};
use crate::ports::Port;
use crate::print::access_list::cut;
use crate::print::power::shutdown_in;
use crate::reload::{Clocks, Reload};
use crate::tasks::Timers;
use crate::threat::Threats;
use crate::zone;

/// How tasks reach the core.
pub(crate) type Shared = Rc<RefCell<Core>>;

/// How long a changed configuration may wait for more changes before it is put in force. Pasting
/// thousands of lines compiles a few times, not once a line.
const POLICY_DELAY: Duration = Duration::from_millis(250);

/// How often cables are looked at.
const LINK_EVERY: Duration = Duration::from_secs(1);

/// How long after the start a break at the console means that passwords are lost.
pub(crate) const RECOVERY_WINDOW: Duration = Duration::from_secs(30);

/// The appliance's possessions.
pub(crate) struct Core {
    pub(crate) ports: Vec<Port>,
    /// Of every interface, by its number in the packet engine.
    pub(crate) meters: Vec<Meter>,
    /// Of the subinterfaces in force.
    numbers: Numbers,
    pub(crate) pool: PacketPool,
    pub(crate) dataplane: DataPlane,
    pub(crate) federation: Federation,
    pub(crate) config: Config,
    pub(crate) compiled: Compiled,
    pub(crate) keys: KeyStore,
    pub(crate) wall: WallClock,
    pub(crate) zone: ZoneRules,
    pub(crate) console: Box<dyn Serial>,
    pub(crate) line: ConsoleLine,
    pub(crate) timers: Timers,
    pub(crate) echo: PendingEcho,
    pub(crate) logins: Logins,
    pub(crate) logger: Logger,
    pub(crate) untold: Untold,
    pub(crate) log_hosts: LogHosts,
    pub(crate) threats: Threats,
    pub(crate) drafts: Drafts,
    /// A commit that is taken back unless confirmed.
    pub(crate) unconfirmed: Option<Unconfirmed>,
    /// How often the running configuration was changed.
    pub(crate) changes: u64,
    /// What happened while nobody was asking; said before the next prompt.
    pub(crate) word_left: Option<String>,
    /// A restart that is planned.
    pub(crate) reload: Reload,
    /// Where the processor's time goes.
    pub(crate) load: LoadMeter,
    pub(crate) budget: Budget,
    /// What the parts really took.
    pub(crate) claims: [Claim; 3],
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) rtc: Box<dyn Rtc>,
    pub(crate) heap: fn() -> HeapUse,
    pub(crate) cpu: String,
    /// Image file and loader that the box was started from.
    pub(crate) origin: (String, &'static str),
    pub(crate) crash: Option<String>,
    pub(crate) startup: Startup,
    pub(crate) drops_cleared: DropsCleared,
    pub(crate) disk: Option<Box<dyn Disk>>,
    pub(crate) flash: Flash,
    store: Option<Store>,
    power: Box<dyn Power>,
    clock: Box<dyn Monotonic>,
    journal: Box<dyn Journal>,
    sampler: Sampler,
    next_link_check: Instant,
    /// Until when a break at the console means that passwords are lost.
    recovery_until: Instant,
    /// When the oldest change that is not in force yet was made.
    changed_at: Option<Instant>,
}

/// When counters were zeroed, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Cleared {
    pub(crate) at: Instant,
    pub(crate) by: String,
}

/// When the drop counters were zeroed last.
#[derive(Debug, Default)]
pub(crate) struct DropsCleared {
    pub(crate) frames: Option<Cleared>,
    pub(crate) flows: Option<Cleared>,
}

/// What is known of the saved configuration.
#[derive(Default)]
pub(crate) struct Startup {
    /// The saved text.
    pub(crate) text: Option<String>,
    /// Whether there was a saved configuration at boot.
    pub(crate) was_found: bool,
    /// Whether this is a box out of the factory: there is a disk, and nothing was ever saved on it.
    pub(crate) is_factory_new: bool,
    /// What was found on the disk at boot, in words.
    pub(crate) report: String,
    /// Why there is no disk, if there is none.
    pub(crate) disk_absence: &'static str,
    /// Whether the running configuration differs from the saved one, as far as commands go.
    pub(crate) is_modified: bool,
    /// When the configuration was last changed by a person.
    pub(crate) modified_at: Option<Instant>,
    /// Who did that.
    pub(crate) modified_by: String,
    /// The interfaces' addresses right after loading, to tell typed ones from loaded ones.
    pub(crate) addresses: BTreeMap<InterfaceId, Subnet>,
}

/// Why a configuration could not be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaveError {
    /// There is no disk.
    NoDisk,
    /// The store refused.
    Store(StoreError),
}

impl Core {
    /// Claims all memory and takes the devices over. Nothing is forwarded yet: there is no policy.
    pub(crate) fn new(board: Board) -> Self {
        let Board {
            nics,
            disk,
            console,
            mut rtc,
            mut entropy,
            power,
            clock,
            journal,
            ..
        } = board;
        let now = clock.now();
        let count = u8::try_from(nics.len()).unwrap_or(u8::MAX);
        let budget = Budget::plan(board.memory_bytes, nics.len());
        let mut key = [0; 16];
        entropy.fill(&mut key);
        let ports = (0..count)
            .zip(nics)
            .map(|(number, nic)| Port::new(number, nic))
            .collect();
        let mut wall = WallClock::new();
        if let Ok(unix_secs) = rtc.read() {
            // The chip tells whole seconds; half a second is the best guess of the rest. An
            // implausible date leaves the clock unset, which `show clock` tells.
            let unix_micros = unix_secs.saturating_mul(1_000_000).saturating_add(500_000);
            let _ = wall.set(unix_micros, TimeSource::HardwareCalendar, now);
        }
        let config = Config::factory(u16::from(count));
        let zone = ZoneRules::default();
        let moment = Moment {
            unix_secs: None,
            zone: &zone,
        };
        let compiled = compile(&config, &[], moment, budget.elements());
        let mut claims = budget.rows();
        let [packets, flows, sessions] = &mut claims;
        let pool = packets.measure(board.heap, || PacketPool::new(budget.packet_buffers));
        let dataplane = flows.measure(board.heap, || DataPlane::new(budget.dataplane(count), key));
        let mut meters = Vec::new();
        meters.resize_with(usize::from(dataplane.limits().all_ports()), Meter::default);
        let federation = sessions.measure(board.heap, || {
            Federation::new(budget.sessions, wall.reader())
        });
        let partition::Claimed { mut disk, absence } = partition::claim(disk);
        let flash = Flash::mount(disk.as_deref_mut());
        let store = disk.as_deref().and_then(|disk| Store::new(disk).ok());
        Self {
            ports,
            meters,
            numbers: Numbers::new(),
            pool,
            dataplane,
            federation,
            compiled,
            config,
            keys: KeyStore::new(),
            wall,
            zone,
            console,
            line: ConsoleLine::new(),
            timers: Timers::default(),
            echo: PendingEcho::default(),
            logins: Logins::default(),
            logger: Logger::new(),
            untold: Untold::default(),
            log_hosts: LogHosts::default(),
            threats: Threats::default(),
            drafts: Drafts::default(),
            unconfirmed: None,
            changes: 0,
            word_left: None,
            reload: Reload::default(),
            load: LoadMeter::new(now),
            budget,
            claims,
            entropy,
            rtc,
            heap: board.heap,
            cpu: board.cpu,
            origin: partition::origin(&board.command_line),
            crash: board.crash,
            startup: Startup {
                disk_absence: absence,
                ..Startup::default()
            },
            drops_cleared: DropsCleared::default(),
            disk,
            flash,
            store,
            power,
            clock,
            journal,
            sampler: Sampler::default(),
            next_link_check: now,
            recovery_until: now + RECOVERY_WINDOW,
            changed_at: None,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn record(&mut self, event: Event) {
        self.journal.record(&event);
    }

    /// Whether anything is kept over a restart.
    pub(crate) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Moves packets, sessions and console bytes once. Returns whether anything was done.
    pub(crate) fn work(&mut self) -> bool {
        let now = self.now();
        self.wall.publish(now);
        self.dataplane.note_time(now);
        let mut was_busy = self.exchange_console();
        self.lap(Part::Console);
        for port in &mut self.ports {
            was_busy |= port.receive(&mut self.dataplane, &mut self.pool, now);
        }
        self.lap(Part::Receive);
        let mut around = Surroundings {
            dataplane: &mut self.dataplane,
            pool: &mut self.pool,
            config: &self.config,
            compiled: &self.compiled,
            keys: &self.keys,
            entropy: &mut *self.entropy,
            journal: &mut *self.journal,
            herald: Herald {
                logger: &mut self.logger,
                zone: &self.zone,
                unix_secs: self.wall.unix_secs(now),
                now,
                has_told: false,
            },
        };
        was_busy |= self.federation.turn(&mut around, now);
        if around.herald.has_told {
            self.show_console_lines();
        }
        while let Some(local) = self.dataplane.poll_local() {
            if !self.log_hosts.handle_packet(&local, &mut self.pool, now) {
                self.echo.handle_packet(local.packet.bytes());
            }
            self.pool.free(local.packet);
        }
        self.lap(Part::Federation);
        for port in &mut self.ports {
            was_busy |= port.transmit(&mut self.dataplane, &mut self.pool);
        }
        self.lap(Part::Transmit);
        self.handle_timeout(now);
        was_busy |= self.tell_events(EVENTS_PER_TURN);
        was_busy |= self.exchange_log_lines(now);
        self.lap(Part::Timers);
        was_busy
    }

    /// Moves console bytes between their queues and the device; a break soon after the start ends the
    /// session. Returns whether there were any.
    pub(crate) fn exchange_console(&mut self) -> bool {
        if self.console.take_break() && self.now() < self.recovery_until {
            self.line.break_off();
        }
        self.line.exchange(&mut *self.console)
    }

    /// Connections and translations that were made, and in which time: of late, and since the start.
    pub(crate) fn opened(&self) -> [(Opened, Duration); 2] {
        let since_start = self.now().since(Instant::ZERO);
        [
            self.sampler.opened(),
            (self.dataplane.opened(), since_start),
        ]
    }

    /// Gives the time since the last lap to `part`.
    pub(crate) fn lap(&mut self, part: Part) {
        self.load.lap(part, self.clock.now());
    }

    /// Both clocks as they stand at `now`.
    pub(crate) fn clocks(&self, now: Instant) -> Clocks {
        Clocks {
            now,
            unix_micros: self.wall.unix_micros(now),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.dataplane.poll_timeout().is_some_and(|at| at <= now) {
            self.dataplane.handle_timeout(&mut self.pool, now);
        }
        self.sampler
            .handle_timeout(&mut self.meters, &self.dataplane, now);
        for exceeded in self.threats.handle_timeout(&self.dataplane, now) {
            self.log(&exceeded.message());
        }
        self.timers.handle_timeout(now);
        self.take_back_if_due();
        self.poll_logger();
        self.console.handle_timeout(now);
        self.load.handle_timeout(now);
        self.warn_of_reload(now);
        if self.next_link_check <= now {
            self.next_link_check = now + LINK_EVERY;
            self.check_links();
        }
        let is_changed = self.changed_at.is_some_and(|at| at + POLICY_DELAY <= now);
        let unix_secs = self.moment(now).unix_secs;
        // A time range begins or ends, or the clock was set.
        if is_changed || self.compiled.validity.is_over(unix_secs) {
            self.put_policy_in_force();
        }
    }

    /// Tells of a planned restart when it comes near.
    fn warn_of_reload(&mut self, now: Instant) {
        let clocks = self.clocks(now);
        let Some(left) = self.reload.handle_timeout(clocks) else {
            return;
        };
        let mut warning = String::new();
        let reason = self.reload.plan().and_then(|plan| plan.reason.as_deref());
        shutdown_in(&mut warning, left, reason);
        self.word_left.get_or_insert_default().push_str(&warning);
        self.record(Event::ResetPlanned {
            secs: u32::try_from(left.as_secs()).unwrap_or(u32::MAX),
        });
    }

    fn check_links(&mut self) {
        let mut changes = Vec::new();
        for port in &mut self.ports {
            let was_up = port.link().is_up;
            if let Some(link) = port.poll_link() {
                if link.is_up != was_up {
                    changes.push((port.id.0, link.is_up));
                    let vlans = &self.dataplane.policy().vlans;
                    let carried = vlans.iter().filter(|vlan| vlan.carrier == port.id);
                    changes.extend(carried.map(|vlan| (vlan.port.0, link.is_up)));
                }
                self.dataplane.set_link(port.id, link.is_up, &mut self.pool);
                self.journal.record(&Event::LinkChanged {
                    port: port.id.0,
                    is_up: link.is_up,
                });
            }
        }
        self.log_links(changes);
    }

    /// When there is something to do although no device says so.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.dataplane.poll_timeout(),
            self.federation.poll_timeout(),
            self.timers.poll_timeout(),
            self.logger.poll_timeout(),
            self.log_hosts.poll_timeout(),
            self.console.poll_timeout(),
            Some(self.sampler.poll_timeout()),
            self.threats.poll_timeout(),
            Some(self.next_link_check),
            self.changed_at.map(|at| at + POLICY_DELAY),
            self.next_time_edge(),
            self.unconfirmed.as_ref().map(|waiting| waiting.deadline),
            Some(self.load.poll_timeout()),
            self.reload.poll_timeout(self.clocks(self.now())),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The time for which time ranges are judged.
    pub(crate) fn moment(&self, now: Instant) -> Moment<'_> {
        let unix_secs = self.wall.unix_secs(now);
        Moment {
            unix_secs: i64::try_from(unix_secs).ok().filter(|_| self.wall.is_set()),
            zone: &self.zone,
        }
    }

    /// When the next time range begins or ends.
    fn next_time_edge(&self) -> Option<Instant> {
        let until = u64::try_from(self.compiled.validity.until()?).ok()?;
        let now = self.now();
        let until = until.saturating_mul(1_000_000);
        let left = until.saturating_sub(self.wall.unix_micros(now));
        Some(now + Duration::from_micros(left))
    }

    /// Prepares for sleep. Returns false if a port has frames waiting already.
    pub(crate) fn arm_interrupts(&mut self) -> bool {
        let mut is_quiet = true;
        for port in &mut self.ports {
            is_quiet &= port.arm_interrupt() && !port.has_unsent();
        }
        is_quiet
    }

    /// Polls again after sleep.
    pub(crate) fn disarm_interrupts(&mut self) {
        for port in &mut self.ports {
            port.disarm_interrupt();
        }
    }

    /// Remembers that the configuration was changed by a person.
    pub(crate) fn note_change(&mut self, by: &str) {
        let now = self.now();
        self.changes += 1;
        self.startup.modified_by = by.into();
        self.startup.is_modified = true;
        self.startup.modified_at = Some(now);
        self.changed_at.get_or_insert(now);
    }

    /// Puts changes in force that are not yet; called before anything looks at the result.
    pub(crate) fn settle(&mut self) {
        if self.changed_at.is_some() {
            self.put_policy_in_force();
        }
    }

    /// Compiles the configuration and swaps the policy, whole. Links of ports that the policy does
    /// not use go down, the others up.
    pub(crate) fn put_policy_in_force(&mut self) {
        let now = self.now();
        self.changed_at = None;
        self.zone = zone::rules(&self.config.clock);
        self.configure_logger();
        let users = &self.config.access.users;
        self.logins.retain(|name| users.contains_key(name));
        self.number_subinterfaces(now);
        let macs: Vec<MacAddr> = self.ports.iter().map(Port::mac).collect();
        let mut compiled = compile(
            &self.config,
            &macs,
            self.moment(now),
            self.budget.elements(),
        );
        self.warn_of_cut_lists(&compiled);
        let policy = core::mem::take(&mut compiled.policy);
        self.journal.record(&Event::PolicySwapped {
            access_list_entries: policy
                .access_lists
                .iter()
                .map(|list| list.elements.len() as u32)
                .sum(),
            nat_rules: policy.nat.len() as u32,
        });
        let carrier = |used: PortId| {
            let mut vlans = policy.vlans.iter();
            vlans
                .find(|vlan| vlan.port == used)
                .map_or(used, |vlan| vlan.carrier)
        };
        let is_used = |port: &Port| {
            let mut interfaces = policy.interfaces.iter();
            interfaces.any(|used| carrier(used.port) == port.id)
        };
        let used: Vec<bool> = self.ports.iter().map(is_used).collect();
        if policy.access_lists != self.dataplane.policy().access_lists {
            self.dataplane.end_access_log();
        }
        // Events name lists and ports by their places in the policy that made them.
        self.tell_events(usize::MAX);
        self.dataplane.set_policy(policy, &mut self.pool, now);
        self.compiled = compiled;
        self.threats
            .configure(&self.config.threats, &self.dataplane, now);
        self.federation.forget_settings();
        let mut changes = Vec::new();
        for (port, is_used) in self.ports.iter_mut().zip(used) {
            if port.set_running(is_used, &mut self.pool) {
                changes.push((port.id.0, is_used));
            }
        }
        self.log_ports(changes);
        self.check_links();
    }

    /// Gives new subinterfaces their numbers, and counters that begin at zero.
    fn number_subinterfaces(&mut self, now: Instant) {
        let numbers = logical::number(&mut self.config, &self.numbers);
        for (id, &number) in &numbers {
            if self.numbers.get(id) != Some(&number)
                && let Some(meter) = self.meters.get_mut(usize::from(number))
            {
                *meter = Meter::since(now);
                self.dataplane.clear_port_counters(PortId(number));
            }
        }
        self.numbers = numbers;
    }

    /// Tells of access lists for which there is not memory enough, once each.
    fn warn_of_cut_lists(&mut self, compiled: &Compiled) {
        for (name, list) in &compiled.lists {
            let before = self.compiled.lists.get(name);
            if let Some(line) = list.cut_at
                && before.is_none_or(|before| before.cut_at.is_none())
            {
                let warning = self.word_left.get_or_insert_default();
                cut(warning, name, line);
            }
        }
    }

    /// Writes the running configuration and the keys to the disk.
    ///
    /// # Errors
    /// [`SaveError`]; what was saved before is then still there.
    pub(crate) fn save(&mut self, text: String) -> Result<(), SaveError> {
        let (Some(disk), Some(store)) = (self.disk.as_deref_mut(), self.store.as_mut()) else {
            return Err(SaveError::NoDisk);
        };
        let saved = Saved {
            text,
            keys: self.keys.to_blob().to_vec(),
        };
        let generation = store.save(disk, &saved).map_err(SaveError::Store)?;
        self.startup.text = Some(saved.text.clone());
        self.startup.is_modified = false;
        self.record(Event::ConfigurationSaved { generation });
        Ok(())
    }

    /// Erases the saved configuration and the saved keys.
    ///
    /// # Errors
    /// [`SaveError`].
    pub(crate) fn erase(&mut self) -> Result<(), SaveError> {
        let (Some(disk), Some(store)) = (self.disk.as_deref_mut(), self.store.as_mut()) else {
            return Err(SaveError::NoDisk);
        };
        store.erase(disk).map_err(SaveError::Store)?;
        self.startup.text = None;
        self.startup.is_modified = true;
        Ok(())
    }

    /// Reads what was saved, if anything.
    pub(crate) fn load(&mut self) -> Option<(Saved, u64)> {
        let (Some(disk), Some(store)) = (self.disk.as_deref_mut(), self.store.as_mut()) else {
            self.startup.report = match self.disk {
                None => {
                    let why = self.startup.disk_absence;
                    alloc::format!("{why}: nothing will be kept over a restart")
                }
                Some(_) => "the disk is too small: nothing will be kept over a restart".into(),
            };
            return None;
        };
        let loaded = store.load(disk);
        self.startup.report = alloc::format!("{loaded}");
        self.startup.is_factory_new = matches!(loaded, storage::startup::Loaded::Empty);
        match loaded {
            storage::startup::Loaded::Found {
                saved, generation, ..
            } => Some((saved, generation)),
            _ => None,
        }
    }

    /// Restarts the machine.
    pub(crate) fn reset(&mut self) {
        self.record(Event::Resetting);
        self.power.reset();
    }

    /// Switches the machine off.
    pub(crate) fn power_off(&mut self) {
        self.record(Event::PoweringOff);
        self.power.power_off();
    }
}
