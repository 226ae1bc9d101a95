//! `logging host`: lines leave the box for syslog servers.
//!
//! The logger keeps one queue for all servers. Here each message is taken out once for each server
//! and becomes a datagram, a packet of the box like that of a ping, or goes into the send buffer of
//! the server's TCP connection. A server that is reached by TCP and does not answer stops new
//! connections through the box, because they could not be logged, unless `logging permit-hostdown`
//! says otherwise.

mod channel;
mod datagram;

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use clock::format::MailDate;
use dataplane::{DataPlane, LOCAL_TCP_PORTS, LocalPacket};
use hal::entropy::Entropy;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;
use syslog::message::field::{HostPort, Permission};
use syslog::settings::{Host, Transport};
use syslog::{HostOutcome, Message};

use crate::state::Core;
use channel::{Change, Channel, Origin};

/// Messages taken out of the queue in one turn.
const LINES_PER_TURN: usize = 64;

/// Connections to the servers, and what came of them.
#[derive(Default)]
pub(crate) struct LogHosts {
    /// The servers, in the order of the settings, each with its connection if it has one.
    servers: Vec<(Host, Option<Channel>)>,
    /// Whether new connections through the box are refused.
    is_refusing: bool,
    /// Number of the next datagram (RFC 791 §3.1).
    identification: u16,
    next_at: Option<Instant>,
}

impl LogHosts {
    /// Offers a packet for the box. Returns whether it belongs to a connection of ours.
    pub(crate) fn handle_packet(
        &mut self,
        local: &LocalPacket,
        pool: &mut PacketPool,
        now: Instant,
    ) -> bool {
        let offload = local.packet.offload();
        let is_verified = offload.checksum_verified;
        let mut channels = self
            .servers
            .iter_mut()
            .filter_map(|(_, channel)| channel.as_mut());
        channels.any(|channel| channel.handle_packet(local.packet.bytes(), is_verified, pool, now))
    }

    /// When there is something to do for a connection.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next_at
    }
}

impl Core {
    /// Takes the configured servers over. Connections to those that stay are kept.
    pub(crate) fn configure_log_hosts(&mut self) {
        let hosts = &self.logger.settings().hosts;
        let mut known = core::mem::take(&mut self.log_hosts.servers);
        self.log_hosts.servers = hosts
            .iter()
            .map(|host| {
                let at = known.iter().position(|(known, _)| known == host);
                at.map_or_else(|| server(host), |at| known.swap_remove(at))
            })
            .collect();
    }

    /// Makes and keeps connections, and sends what waits. Returns whether anything was sent.
    pub(crate) fn exchange_log_lines(&mut self, now: Instant) -> bool {
        if self.log_hosts.servers.is_empty() && !self.log_hosts.is_refusing {
            return false;
        }
        // Without messages for them nobody waits for servers.
        let is_used = self.logger.has_trap();
        if is_used {
            self.advance_channels(now);
        } else {
            self.forget_channels();
        }
        self.refuse_unlogged_connections();
        let mut was_busy = self.send_lines(now);
        let mut out = Vec::new();
        let mut next_at = None;
        for channel in self.log_hosts.channels() {
            channel.transmit(&mut out, &mut self.pool, now);
            let at = channel.poll_at(now).filter(|_| is_used);
            next_at = next_at.into_iter().chain(at).min();
        }
        self.log_hosts.next_at = next_at;
        was_busy |= !out.is_empty();
        for packet in out {
            // A packet that is lost here is sent again by TCP.
            let _ = self.dataplane.send_local(packet, &mut self.pool, now);
        }
        was_busy
    }

    fn advance_channels(&mut self, now: Instant) {
        for index in 0..self.log_hosts.servers.len() {
            let Some((host, Some(channel))) = self.log_hosts.servers.get_mut(index) else {
                continue;
            };
            let change = channel.advance(|| origin(&self.dataplane, &mut *self.entropy, host), now);
            if let Some(change) = change {
                let host = host.clone();
                self.tell_of_server(index, &host, change);
            }
        }
    }

    fn forget_channels(&mut self) {
        for (index, (host, channel)) in self.log_hosts.servers.iter_mut().enumerate() {
            if let Some(channel) = channel {
                *channel = Channel::new((host.address, host.port));
                self.logger.set_host_down(index, None);
            }
        }
    }

    fn tell_of_server(&mut self, index: usize, host: &Host, change: Change) {
        let interface = host.interface.as_str();
        let server = HostPort {
            address: host.address.into(),
            port: host.port,
        };
        if change == Change::Restored {
            self.logger.set_host_down(index, None);
            return self.log(&Message::SyslogServerUp { interface, server });
        }
        if change == Change::Lost {
            self.logger.tcp_stats().flaps += 1;
        }
        let unix_secs = self.wall.unix_secs(self.now());
        let since = MailDate {
            rules: &self.zone,
            unix_secs: i64::try_from(unix_secs).unwrap_or(i64::MAX),
        };
        self.logger.set_host_down(index, Some(since.to_string()));
        let permission = match self.logger.settings().permits_host_down {
            true => Permission::Permitted,
            false => Permission::Denied,
        };
        self.log(&Message::SyslogServerDown {
            interface,
            server,
            permission,
        });
    }

    /// Stops new connections while a server is down, unless that is permitted.
    fn refuse_unlogged_connections(&mut self) {
        let is_any_down = self.log_hosts.channels().any(|channel| channel.is_down());
        let is_refusing = is_any_down && !self.logger.settings().permits_host_down;
        if is_refusing != self.log_hosts.is_refusing {
            self.log_hosts.is_refusing = is_refusing;
            self.dataplane.refuse_new_flows(is_refusing);
            if is_refusing {
                self.log(&Message::NewConnectionsRefused);
            }
        }
    }

    fn send_lines(&mut self, now: Instant) -> bool {
        // The queue waits for the first attempt; later it does not wait for a server.
        if self
            .log_hosts
            .channels()
            .any(|channel| channel.is_starting())
        {
            return false;
        }
        let mut count = 0;
        while count < LINES_PER_TURN
            && let Some(message) = self.logger.poll_host()
        {
            count += 1;
            let (index, bytes) = (message.index, message.bytes);
            let outcome = match self.log_hosts.servers.get_mut(index) {
                Some((_, Some(channel))) if channel.is_down() => {
                    self.logger.tcp_stats().channel_down += 1;
                    HostOutcome::Dropped
                }
                Some((_, Some(channel))) => match channel.send(&bytes) {
                    true => HostOutcome::Sent,
                    false => {
                        self.logger.tcp_stats().not_putable += 1;
                        HostOutcome::Dropped
                    }
                },
                Some((host, None)) => {
                    self.log_hosts.identification = self.log_hosts.identification.wrapping_add(1);
                    let identification = self.log_hosts.identification;
                    let packet = write_datagram(
                        &self.dataplane,
                        &mut self.pool,
                        host,
                        identification,
                        &bytes,
                    );
                    let is_sent = packet.is_some_and(|packet| {
                        let sent = self.dataplane.send_local(packet, &mut self.pool, now);
                        sent.is_ok()
                    });
                    match is_sent {
                        true => HostOutcome::Sent,
                        false => HostOutcome::Failed,
                    }
                }
                None => HostOutcome::Failed,
            };
            self.logger.host_sent(index, outcome);
        }
        count > 0
    }
}

impl LogHosts {
    fn channels(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.servers
            .iter_mut()
            .filter_map(|(_, channel)| channel.as_mut())
    }
}

fn server(host: &Host) -> (Host, Option<Channel>) {
    let channel = match host.transport {
        Transport::Tcp => Some(Channel::new((host.address, host.port))),
        Transport::Udp => None,
    };
    (host.clone(), channel)
}

/// Our address on the way to `host` and the largest packet there, if the way leads through its
/// interface.
fn way(dataplane: &DataPlane, host: &Host) -> Option<(Ipv4Addr, u16)> {
    let (port, address) = dataplane.source_for(host.address)?;
    let interfaces = &dataplane.policy().interfaces;
    let interface = interfaces.iter().find(|interface| interface.port == port)?;
    (interface.name == host.interface).then_some((address, interface.mtu))
}

/// Where a new connection to `host` begins.
fn origin(dataplane: &DataPlane, entropy: &mut dyn Entropy, host: &Host) -> Option<Origin> {
    let (address, mtu) = way(dataplane, host)?;
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let [seed @ .., a, b] = random;
    let count = LOCAL_TCP_PORTS.end() - LOCAL_TCP_PORTS.start();
    Some(Origin {
        address,
        port: LOCAL_TCP_PORTS.start() + u16::from_le_bytes([a, b]) % count,
        mtu,
        seed: u64::from_le_bytes(seed),
    })
}

fn write_datagram(
    dataplane: &DataPlane,
    pool: &mut PacketPool,
    host: &Host,
    identification: u16,
    line: &[u8],
) -> Option<PacketBuf> {
    let (source, mtu) = way(dataplane, host)?;
    let mut packet = pool.take()?;
    let to = (host.address, host.port);
    if datagram::write(&mut packet, source, to, identification, line, mtu) {
        return Some(packet);
    }
    pool.free(packet);
    None
}
