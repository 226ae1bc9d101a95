//! Joins the data plane's intercepted connections to the TLS proxy's sessions.
//!
//! The data plane knows flows, the proxy knows sessions, and neither knows the other. This module
//! opens a session for a first SYN, carries packets between the two, answers the proxy's questions
//! about addresses inside messages from the NAT rules, and ends flow and session together.

mod inspector;
mod messages;
mod settings;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use core::net::Ipv4Addr;
use core::time::Duration;

use clock::ClockReader;
use config::Config;
use config::model::Timer;
use dataplane::{DataPlane, DropReason, FlowId, Intercepted, PortId};
use hal::entropy::Entropy;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;
use pki::KeyStore;
use syslog::Message;
use tls_proxy::{CloseReason, Event as ProxyEvent, Leg, Limits, SessionId, TlsProxy};

use crate::journal::{Event, Journal};
use crate::messages::Herald;
use crate::policy::{Compiled, InspectedClass};
use inspector::NatInspector;
use settings::Settings;

pub(crate) use settings::SettingsError;

/// Packets handed over in one turn, so that a flood of them leaves the ports their turn.
const PACKETS_PER_TURN: usize = 64;

/// Ended sessions that are remembered for the operator.
const ENDED_KEPT: usize = 16;

/// The proxy and what it takes to run it.
pub(crate) struct Federation {
    proxy: TlsProxy,
    sessions: BTreeMap<FlowId, Session>,
    settings: Settings,
    ended: VecDeque<Ended>,
    by_class: BTreeMap<String, ClassCounters>,
    /// Most sessions there is memory for.
    capacity: u32,
}

/// A session of the proxy, as the data plane knows it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// The class and TLS proxy that took it.
    pub(crate) class: InspectedClass,
    pub(crate) ingress: PortId,
    pub(crate) egress: PortId,
    originator: tls_proxy::Endpoints,
    target: tls_proxy::Endpoints,
    /// Whether the handshakes with originator and target are done.
    handshaken: [bool; 2],
}

/// What a class has done since power-on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClassCounters {
    pub(crate) active: u32,
    pub(crate) most: u32,
    pub(crate) bytes: u64,
}

/// A session that is over.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) at: Instant,
    pub(crate) class: String,
    pub(crate) originator: (Ipv4Addr, u16),
    pub(crate) target: (Ipv4Addr, u16),
    pub(crate) cause: Cause,
}

/// Why a session is over, or never began.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// It ran and ended.
    Ended {
        reason: CloseReason,
        leg: Leg,
        messages: u64,
    },
    /// Every session was taken.
    NoSession,
    /// The configured certificates make no TLS settings.
    Settings(SettingsError),
}

/// What the work of a turn needs of the rest of the box.
pub(crate) struct Surroundings<'a> {
    pub(crate) dataplane: &'a mut DataPlane,
    pub(crate) pool: &'a mut PacketPool,
    pub(crate) config: &'a Config,
    pub(crate) compiled: &'a Compiled,
    pub(crate) keys: &'a KeyStore,
    pub(crate) entropy: &'a mut dyn Entropy,
    pub(crate) journal: &'a mut dyn Journal,
    pub(crate) herald: Herald<'a>,
}

impl Federation {
    /// Claims the memory of all sessions.
    pub(crate) fn new(sessions: u16, clock: ClockReader) -> Self {
        let limits = Limits {
            sessions: usize::from(sessions),
            ..Limits::default()
        };
        Self {
            proxy: TlsProxy::new(limits),
            sessions: BTreeMap::new(),
            settings: Settings::new(clock),
            ended: VecDeque::with_capacity(ENDED_KEPT),
            by_class: BTreeMap::new(),
            capacity: u32::from(sessions),
        }
    }

    /// TLS settings are made anew from configuration and keys at the next session.
    pub(crate) fn forget_settings(&mut self) {
        self.settings.forget();
    }

    /// The proxy itself, for `show tls-proxy`.
    pub(crate) fn proxy(&self) -> &TlsProxy {
        &self.proxy
    }

    /// The session of a flow.
    pub(crate) fn session(&self, flow: u64) -> Option<&Session> {
        self.sessions.get(&FlowId::from_bits(flow))
    }

    /// What a class has done.
    pub(crate) fn class_counters(&self, class: &str) -> ClassCounters {
        self.by_class.get(class).copied().unwrap_or_default()
    }

    /// The last sessions that ended, oldest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &Ended> {
        self.ended.iter()
    }

    /// Tries the settings of a TLS proxy, so that a person learns at once what is missing.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub(crate) fn check(
        &mut self,
        config: &Config,
        keys: &KeyStore,
        tls_proxy: &str,
    ) -> Result<(), SettingsError> {
        self.settings.of(config, keys, tls_proxy).map(|_| ())
    }

    /// How many sessions there are, and how many there may be.
    pub(crate) fn session_usage(&self, config: &Config) -> (u32, u32) {
        let limit = config.tls_proxy_maximum_sessions.unwrap_or(u32::MAX);
        // There are at most as many as fit a u16.
        (self.sessions.len() as u32, limit.min(self.capacity))
    }

    /// When [`turn`](Self::turn) has something to do although no packet came.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.proxy.poll_timeout()
    }

    /// Ends every session in order.
    pub(crate) fn close_all(&mut self, now: Instant) -> usize {
        for session in self.sessions.values() {
            self.proxy.close(session.id, now);
        }
        self.sessions.len()
    }

    /// Carries packets to the proxy and back, and follows what happens there. Returns whether there
    /// was anything to do.
    pub(crate) fn turn(&mut self, around: &mut Surroundings<'_>, now: Instant) -> bool {
        let mut was_busy = false;
        for _ in 0..PACKETS_PER_TURN {
            let Some(intercepted) = around.dataplane.poll_intercept() else {
                break;
            };
            was_busy = true;
            match intercepted {
                Intercepted::Opening(opening, syn) => self.open(&opening, syn, around, now),
                Intercepted::Packet { flow, leg, packet } => {
                    self.pass(flow, from_dataplane(leg), packet, around, now);
                }
                Intercepted::Closed { flow } => {
                    if let Some(session) = self.sessions.get(&flow) {
                        self.proxy.close(session.id, now);
                    }
                }
            }
        }
        if self.proxy.poll_timeout().is_some_and(|at| at <= now) {
            was_busy = true;
            let inspector = NatInspector {
                dataplane: &*around.dataplane,
                sessions: &self.sessions,
            };
            self.proxy.handle_timeout(around.pool, &inspector, now);
        }
        while let Some(transmit) = self.proxy.poll_transmit() {
            was_busy = true;
            let leg = to_dataplane(transmit.leg);
            let flow = FlowId::from_bits(transmit.flow);
            // A refused packet has been counted and freed; TCP will send it again.
            let _ = around
                .dataplane
                .send_intercepted(flow, leg, transmit.packet, around.pool, now);
        }
        while let Some(event) = self.proxy.poll_event() {
            was_busy = true;
            self.follow(&event, around, now);
        }
        was_busy
    }

    fn open(
        &mut self,
        opening: &dataplane::Opening,
        syn: PacketBuf,
        around: &mut Surroundings<'_>,
        now: Instant,
    ) {
        let originator = endpoints(opening.originator);
        let target = endpoints(opening.target);
        let class = around
            .compiled
            .proxies
            .get(usize::from(opening.proxy.0))
            .cloned();
        let Some(class) = class else {
            // The policy changed between the data plane's decision and now.
            let reason = DropReason::InspectFail;
            around
                .dataplane
                .refuse_intercept(opening.flow, syn, reason, around.pool, now);
            return;
        };
        let limit = around.config.tls_proxy_maximum_sessions.unwrap_or(u32::MAX);
        let cause = match self
            .settings
            .of(around.config, around.keys, &class.tls_proxy)
        {
            Err(error) => Cause::Settings(error),
            Ok(_) if self.sessions.len() as u64 >= u64::from(limit) => Cause::NoSession,
            Ok((server, client)) => {
                let idle_secs = around.config.timeouts.secs(Timer::Sip);
                let mut seed = [0; 8];
                around.entropy.fill(&mut seed);
                let request = tls_proxy::Opening {
                    flow: opening.flow.to_bits(),
                    originator,
                    target,
                    server,
                    client,
                    idle_timeout: match idle_secs {
                        0 => Duration::MAX,
                        secs => Duration::from_secs(u64::from(secs)),
                    },
                    sequence_seed: u64::from_le_bytes(seed),
                };
                match self.proxy.open(request, now) {
                    Ok(id) => {
                        let counters = self.by_class.entry(class.class.clone()).or_default();
                        counters.active += 1;
                        counters.most = counters.most.max(counters.active);
                        let (ingress, egress) = (opening.ingress, opening.egress);
                        let session = Session {
                            id,
                            class,
                            ingress,
                            egress,
                            originator,
                            target,
                            handshaken: [false; 2],
                        };
                        for leg in [Leg::Originator, Leg::Target] {
                            messages::starting(around, &session, leg);
                        }
                        self.sessions.insert(opening.flow, session);
                        let active = self.sessions.len() as u32;
                        around.journal.record(&Event::SessionOpened { active });
                        self.pass(opening.flow, Leg::Originator, syn, around, now);
                        return;
                    }
                    Err(_) => Cause::NoSession,
                }
            }
        };
        around.journal.record(&Event::SessionRefused);
        if let Cause::NoSession = cause {
            let limit = limit.min(self.capacity);
            around.herald.tell(&Message::TlsProxyLimit { limit });
        }
        let reason = match cause {
            Cause::NoSession => DropReason::TlsProxySessionLimit,
            _ => DropReason::InspectFail,
        };
        around
            .dataplane
            .refuse_intercept(opening.flow, syn, reason, around.pool, now);
        self.remember(Ended {
            at: now,
            class: class.class,
            originator: originator.remote,
            target: target.remote,
            cause,
        });
    }

    fn pass(
        &mut self,
        flow: FlowId,
        leg: Leg,
        packet: PacketBuf,
        around: &mut Surroundings<'_>,
        now: Instant,
    ) {
        let Some(session) = self.sessions.get(&flow) else {
            // The session ended while the packet was on its way up.
            around.pool.free(packet);
            return;
        };
        let id = session.id;
        let inspector = NatInspector {
            dataplane: &*around.dataplane,
            sessions: &self.sessions,
        };
        self.proxy
            .handle_packet(id, leg, packet, around.pool, &inspector, now);
    }

    fn follow(&mut self, event: &ProxyEvent, around: &mut Surroundings<'_>, now: Instant) {
        match event {
            ProxyEvent::HandshakeDone {
                flow, leg, version, ..
            } => {
                if let Some(session) = self.sessions.get_mut(&FlowId::from_bits(*flow)) {
                    let [originator, target] = &mut session.handshaken;
                    match leg {
                        Leg::Originator => *originator = true,
                        Leg::Target => *target = true,
                    }
                    messages::completed(around, session, *leg, *version);
                }
            }
            ProxyEvent::MessagePassed { flow, bytes, .. } => {
                if let Some(session) = self.sessions.get(&FlowId::from_bits(*flow))
                    && let Some(counters) = self.by_class.get_mut(&session.class.class)
                {
                    counters.bytes += *bytes as u64;
                }
            }
            ProxyEvent::Closed {
                flow,
                reason,
                leg,
                messages,
                ..
            } => {
                let flow = FlowId::from_bits(*flow);
                around.dataplane.end_intercept(flow, now);
                let Some(session) = self.sessions.remove(&flow) else {
                    return;
                };
                messages::ended(around, &session);
                let active = self.sessions.len() as u32;
                around.journal.record(&Event::SessionClosed { active });
                if let Some(counters) = self.by_class.get_mut(&session.class.class) {
                    counters.active = counters.active.saturating_sub(1);
                }
                let messages = messages.iter().sum();
                self.remember(Ended {
                    at: now,
                    class: session.class.class,
                    originator: session.originator.remote,
                    target: session.target.remote,
                    cause: Cause::Ended {
                        reason: *reason,
                        leg: *leg,
                        messages,
                    },
                });
            }
        }
    }

    fn remember(&mut self, ended: Ended) {
        if self.ended.len() == ENDED_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }
}

fn endpoints(endpoints: dataplane::Endpoints) -> tls_proxy::Endpoints {
    tls_proxy::Endpoints {
        local: endpoints.local,
        remote: endpoints.remote,
    }
}

fn from_dataplane(leg: dataplane::Leg) -> Leg {
    match leg {
        dataplane::Leg::Originator => Leg::Originator,
        dataplane::Leg::Target => Leg::Target,
    }
}

fn to_dataplane(leg: Leg) -> dataplane::Leg {
    match leg {
        Leg::Originator => dataplane::Leg::Originator,
        Leg::Target => dataplane::Leg::Target,
    }
}
