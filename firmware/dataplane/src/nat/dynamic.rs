//! Where the slow path meets dynamic translation: binding a new flow, and reaching a host by the
//! whole address it holds.

use core::net::Ipv4Addr;

use super::bindings::{BindError, Bound, Endpoint, Request, Traits};
use super::pool::Pool;
use super::rules::{CompiledRule, DestinationChoice, DestinationSource, NatTable, SourceChoice};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::NONE;
use crate::policy::{NatSection, PortId};
use crate::slowpath::NewFlow;
use crate::wheel::Tick;
use crate::wire::Tuple;

/// The reason to drop a packet that got no binding.
const fn failed(error: BindError) -> DropReason {
    match error {
        BindError::Exhausted => DropReason::NatPoolExhausted,
        BindError::Untranslatable => DropReason::NatUntranslatable,
    }
}

/// A dynamic rule and its pool, seen from where the endpoint is mapped.
fn pool_for(
    nat: &NatTable,
    rule: usize,
    endpoint: Endpoint,
) -> Result<(&CompiledRule, Pool<'_>), DropReason> {
    nat.rules()
        .get(rule)
        .zip(nat.pool(rule, endpoint.mapped_port))
        .ok_or(DropReason::NatPoolExhausted)
}

fn request(
    compiled: &CompiledRule,
    endpoint: Endpoint,
    destination: (Ipv4Addr, u16),
    is_per_session: bool,
) -> Request {
    Request {
        endpoint,
        destination,
        traits: Traits {
            is_per_session,
            is_twice: compiled.rule.section != NatSection::Auto,
            is_dns: compiled.rule.dns,
        },
    }
}

impl DataPlane {
    /// Binds the source of a new flow that dynamic `rule` translates.
    ///
    /// # Errors
    /// The pool is exhausted, or cannot serve the protocol.
    pub(crate) fn bind(
        &mut self,
        endpoint: Endpoint,
        destination: (Ipv4Addr, u16),
        rule: usize,
        is_per_session: bool,
        now: Tick,
    ) -> Result<Bound, DropReason> {
        let (compiled, pool) = pool_for(&self.nat, rule, endpoint)?;
        let request = request(compiled, endpoint, destination, is_per_session);
        let mut state = compiled.pool;
        let bound = self
            .bindings
            .bind(&request, &pool, &mut state, &mut self.random, now);
        if let Some(compiled) = self.nat.rule_mut(rule) {
            compiled.pool = state;
        }
        bound.map_err(failed)
    }

    /// As [`bind`](Self::bind), but nothing is bound: the address and port that would be.
    ///
    /// # Errors
    /// The pool is exhausted, or cannot serve the protocol.
    pub(crate) fn peek_binding(
        &self,
        endpoint: Endpoint,
        destination: (Ipv4Addr, u16),
        rule: usize,
    ) -> Result<(Ipv4Addr, u16), DropReason> {
        let (compiled, pool) = pool_for(&self.nat, rule, endpoint)?;
        let request = request(compiled, endpoint, destination, false);
        self.bindings
            .peek(&request, &pool, compiled.pool, self.random.clone())
            .map_err(failed)
    }

    /// Un-NAT by a binding: a host that holds a whole address is reachable by it while it does.
    pub(crate) fn untranslate_held(
        &self,
        ingress: PortId,
        protocol: u8,
        tuple: &Tuple,
    ) -> Option<DestinationChoice> {
        if !self.nat.is_given(tuple.destination) {
            return None;
        }
        let (_, address, egress) = self.bindings.holder(ingress, tuple.destination)?;
        let port = tuple.destination_port;
        let choice = self
            .nat
            .translate_source(egress, ingress, protocol, address, port)?;
        let SourceChoice::Dynamic { rule } = choice else {
            return None;
        };
        let is_by_rule = self.nat.pool(rule, ingress)?.gives(tuple.destination);
        is_by_rule.then_some(DestinationChoice {
            rule,
            address,
            port,
            egress: Some(egress),
            source: DestinationSource::Separate,
        })
    }

    /// The binding, used by one flow more, of the address that a new flow has dialled; [`NONE`] if
    /// it is none.
    pub(crate) fn hold_destination(
        &mut self,
        ingress: PortId,
        tuple: &Tuple,
        new: &NewFlow,
    ) -> u32 {
        let held = (tuple.destination != new.destination.0)
            .then(|| self.bindings.holder(ingress, tuple.destination))
            .flatten();
        match held {
            Some((index, address, _)) if address == new.destination.0 => {
                self.bindings.hold(index);
                index
            }
            _ => NONE,
        }
    }
}
