//! Prosody on each side, found by name, through the public ports 5269 and 15269.

use anyhow::{Context, Result};
use hw_tests::federation::Federation;
use hw_tests::topology::{CLIENT, NAME_SERVER, NODE_1, NODE_2, PUBLIC, Topology, XMPP};
use hw_tests::xmpp::{self, Place, Server, User};

/// How the inside domains look from outside: address and port of each.
pub(crate) type View = [(std::net::Ipv4Addr, u16); 2];

/// Starts names and servers, and has users of the outside domain talk with both inside ones.
pub(crate) async fn converse(
    topology: &Topology,
    folder: &std::path::Path,
    certificates: &hw_tests::openssl::Certificates,
    outside_view: View,
) -> Result<()> {
    let authority = certificates.authority("xmpp_ca", "Example XMPP Root CA")?;
    let place = |domain, host, (address, port)| Place {
        domain,
        host,
        address,
        port,
    };
    let world = place("example.org", "xmpp.example.org", (XMPP, 5269));
    let [one, two] = outside_view;
    let inside = [
        place("example.com", "imp1.example.com", (NODE_1, 5269)),
        place("two.example.com", "imp2.example.com", (NODE_2, 5269)),
        world,
    ];
    let outside = [
        place("example.com", "imp1-public.example.com", one),
        place("two.example.com", "imp2-public.example.com", two),
        world,
    ];
    let _inside_names = xmpp::start_names(&topology.client, CLIENT, &inside).await?;
    let _outside_names = xmpp::start_names(&topology.router, NAME_SERVER, &outside).await?;
    let mut servers = Vec::new();
    for (host, domain, user, address, names) in [
        (&topology.node1, "example.com", "alice", NODE_1, CLIENT),
        (&topology.node2, "two.example.com", "anna", NODE_2, CLIENT),
        (&topology.xmpp, "example.org", "carol", XMPP, NAME_SERVER),
    ] {
        let identity = certificates.issue(&authority, user, &[domain], false)?;
        let server = Server {
            domain,
            user,
            address,
            names,
            identity: &identity,
            authority: &authority,
        };
        servers.push(xmpp::start(host, &server, folder).await?);
    }
    let mut carol = User::sign_in(&topology.xmpp, "carol", "example.org").await?;
    for (host, user, domain) in [
        (&topology.node1, "alice", "example.com"),
        (&topology.node2, "anna", "two.example.com"),
    ] {
        let mut user = User::sign_in(host, user, domain).await?;
        let (inward, outward) = (
            format!("inward to {domain}"),
            format!("outward from {domain}"),
        );
        carol.say(&user, &inward).await?;
        user.hear(&inward).await.with_context(|| inward.clone())?;
        user.say(&carol, &outward).await?;
        carol
            .hear(&outward)
            .await
            .with_context(|| outward.clone())?;
    }
    Ok(())
}

pub(crate) async fn prosody_federates_through_both_ports(lab: &mut Federation) -> Result<()> {
    let view = [(PUBLIC, 5269), (PUBLIC, 15269)];
    converse(&lab.topology, &lab.folder, &lab.cards.folder, view).await
}
