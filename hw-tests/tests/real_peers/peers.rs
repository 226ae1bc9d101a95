//! The peers against each other with a Linux router in the box's place: what fails here is no
//! fault of the box.

use std::path::Path;

use anyhow::{Result, ensure};
use hw_tests::openssl::Certificates;
use hw_tests::sip::{self, Company, message};
use hw_tests::topology::{EDGE, NODE_1, NODE_2, Topology};

pub(crate) async fn kamailio_servers_exchange_messages_without_a_box(folder: &Path) -> Result<()> {
    let topology = Topology::new(folder).await?;
    topology.bypass_box()?;
    let certificates = Certificates::new(folder.join("certificates"))?;
    let authority = certificates.authority("ca", "Example Root CA")?;
    let node = certificates.issue(&authority, "node", &["imp1.example.com"], false)?;
    let edge = certificates.issue(&authority, "edge", &["edge.example.net"], false)?;
    let inside = Company {
        domain: "example.com",
        address: NODE_1,
        tls_port: 5062,
        other_domain: "example.net",
        next_hop: (EDGE, 5061),
        identity: &node,
        trusts: &authority.certificate,
    };
    let outside = Company {
        domain: "example.net",
        address: EDGE,
        tls_port: 5061,
        other_domain: "example.com",
        next_hop: (NODE_1, 5062),
        identity: &edge,
        trusts: &authority.certificate,
    };
    let _node = sip::start(&topology.node1, &inside, folder).await?;
    let _edge = sip::start(&topology.edge, &outside, folder).await?;
    for (host, address, from, to) in [
        (
            &topology.node1,
            NODE_1,
            "alice@example.com",
            "bob@example.net",
        ),
        (&topology.edge, EDGE, "bob@example.net", "alice@example.com"),
    ] {
        let text = message(from, to, &format!("UDP {address}:5070"), "plain", "hello");
        let reply = sip::send(host, address, &text).await?;
        ensure!(reply.contains("SIP/2.0 200"), "{from}: {reply}");
    }
    Ok(())
}

pub(crate) async fn prosody_servers_exchange_messages_without_a_box(folder: &Path) -> Result<()> {
    let topology = Topology::new(folder).await?;
    topology.bypass_box()?;
    let certificates = Certificates::new(folder.join("certificates"))?;
    let view = [(NODE_1, 5269), (NODE_2, 5269)];
    super::xmpp::converse(&topology, folder, &certificates, view).await
}
