//! `show arp`.

use alloc::string::String;

use dataplane::{NeighborView, Policy};

use super::{DottedMac, nameif, put_line};

/// One neighbour; those that have not answered are left out, as on the ASA.
pub(crate) fn neighbor(out: &mut String, policy: &Policy, neighbor: &NeighborView) {
    let Some(mac) = neighbor.mac else { return };
    put_line!(
        out,
        "\t{} {} {} {}",
        nameif(policy, Some(neighbor.port)),
        neighbor.address,
        DottedMac(mac.0),
        neighbor.age.as_secs()
    );
}
