//! Packets for the box itself: the lists bound with `control-plane`.
//!
//! They are asked before anything of the box looks at the packet: local services, echo,
//! `icmp permit`. An element that matches decides; what no element matches goes on as if there were
//! no list. Lists of the interfaces say nothing about packets for the box.

use crate::access::Candidate;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::policy::{Action, Interface};
use crate::slowpath::{AccessPlace, Step, Trace};
use crate::wire::{Headers, Layer4};

impl DataPlane {
    /// Whether the list bound to `from` for packets to the box lets this one in.
    ///
    /// # Errors
    /// [`DropReason::AclDrop`] if an element denies it.
    pub(crate) fn check_control_plane(
        &self,
        from: &Interface,
        headers: &Headers,
        icmp_code: u8,
        trace: &mut impl Trace,
    ) -> Result<(), DropReason> {
        let Some(acl) = from.access_control else {
            return Ok(());
        };
        let tuple = headers.tuple;
        let icmp_kind = match headers.layer4 {
            Layer4::IcmpEcho { kind } | Layer4::IcmpError { kind } | Layer4::IcmpOther { kind } => {
                kind
            }
            Layer4::Tcp(_) | Layer4::Udp | Layer4::Other => 0,
        };
        let candidate = Candidate {
            source: tuple.source,
            destination: tuple.destination,
            protocol: headers.protocol,
            source_port: tuple.source_port,
            destination_port: tuple.destination_port,
            icmp_kind,
            icmp_code,
        };
        match self.access.decide(&self.policy, acl, &candidate) {
            Some((index, action)) => {
                let place = AccessPlace::ToTheBox(from.port);
                trace.record(Step::Access(acl, place, Some(index), action));
                match action {
                    Action::Permit => Ok(()),
                    Action::Deny => Err(DropReason::AclDrop),
                }
            }
            None => Ok(()),
        }
    }
}
