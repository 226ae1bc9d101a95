//! What binding would give, without binding: for whoever asks what would become of a packet.

use core::net::Ipv4Addr;

use super::{ANYBODY, BindError, Bindings, Endpoint, Kind, Peer, Request, TRIES};
use crate::flow::NONE;
use crate::hash::Random;
use crate::nat::pool::{Pool, PoolState};
use crate::nat::ports::tier_of;
use crate::nat::shared::has_ports;
use crate::wire::PROTOCOL_ICMP;

impl Bindings {
    /// What [`bind`](Self::bind) would give: address and port. Nothing is changed.
    pub(crate) fn peek(
        &self,
        request: &Request,
        pool: &Pool<'_>,
        mut state: PoolState,
        mut random: Random,
    ) -> Result<(Ipv4Addr, u16), BindError> {
        let endpoint = request.endpoint;
        let host = Endpoint {
            protocol: 0,
            service: 0,
            ..endpoint
        };
        let has_ports = has_ports(endpoint.protocol);
        let peer = if pool.options.extended {
            request.destination
        } else {
            ANYBODY
        };
        let port = has_ports
            .then(|| self.find_real(Kind::Port, &endpoint, peer, |mapped| pool.shares(mapped)))
            .flatten();
        if let Some(binding) = port.and_then(|index| self.get(index)) {
            return Ok((binding.mapped, binding.mapped_service));
        }
        let whole = (!pool.whole.is_empty())
            .then(|| self.find_real(Kind::Address, &host, ANYBODY, |mapped| pool.gives(mapped)))
            .flatten();
        if let Some(binding) = whole.and_then(|index| self.get(index)) {
            return Ok((binding.mapped, endpoint.service));
        }
        let free = self.free_address(endpoint.mapped_port, pool, &mut state);
        if free.is_some() && self.free == NONE {
            return Err(BindError::Exhausted);
        }
        if let Some(mapped) = free {
            return Ok((mapped, endpoint.service));
        }
        let is_sharing = !pool.shared.is_empty() || pool.interface.is_some();
        match (has_ports, is_sharing) {
            (true, true) if self.free != NONE => {}
            (false, true) => return Err(BindError::Untranslatable),
            _ => return Err(BindError::Exhausted),
        }
        let (_, places) = self.places(pool, &host, &state);
        places
            .filter_map(|place| pool.shared_at(place))
            .find_map(|mapped| {
                let draw = (random.next() >> 32) as u32;
                let (_, service) = self.peek_port(endpoint, mapped, peer, draw)?;
                Some((mapped, service))
            })
            .ok_or(BindError::Exhausted)
    }

    /// What [`take_port`](Self::take_port) would take.
    pub(super) fn peek_port(
        &self,
        endpoint: Endpoint,
        mapped: Ipv4Addr,
        peer: Peer,
        draw: u32,
    ) -> Option<(u16, u16)> {
        let place = self.shared.place(mapped)?;
        let shared = self.shared.get(place)?;
        let is_icmp = endpoint.protocol == PROTOCOL_ICMP;
        let tier = tier_of(endpoint.service, is_icmp, shared.options);
        let ports = shared.ports(endpoint.protocol)?;
        let port = if peer == ANYBODY {
            ports.peek(endpoint.service, tier, draw)?
        } else {
            ports.find(endpoint.service, tier, draw, TRIES, |port| {
                self.find_mapped(
                    endpoint.protocol,
                    endpoint.mapped_port,
                    (mapped, port),
                    peer,
                )
                .is_none()
            })?
        };
        Some((place, port))
    }
}
