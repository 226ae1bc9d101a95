//! The federation configuration, pasted in the guide's order, and what the box prints for it.

use super::{Session, reread, snapshot};
use crate::model::{ClassMatch, InspectEngine, ObjectAddress};
use crate::refusal::Notice;

const PASTED: &str = include_str!("federation.txt");

#[test]
fn the_federation_configuration_is_taken_line_by_line_and_prints_in_order() {
    let mut session = Session::new();
    session.paste(PASTED);
    snapshot("federation_printed.txt", &(session.printed() + "\n"));
    assert_eq!(reread(&session.grammar, &session.config), session.config);
}

#[test]
fn pasting_it_twice_changes_nothing() {
    let mut session = Session::new();
    session.paste(PASTED);
    let once = session.config.clone();
    session.paste(PASTED);
    assert_eq!(session.config, once);
}

#[test]
fn its_names_resolve() {
    let mut session = Session::new();
    session.paste(PASTED);
    let config = &session.config;
    let order: Vec<_> = config
        .auto_nat()
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(
        order,
        [
            "obj-10.20.0.11-01",
            "obj-10.20.0.11-02",
            "obj_10.20.0.0_24",
            "my_inside",
            "obj_any"
        ]
    );
    let any = config.network_objects["obj_any"]
        .address
        .and_then(ObjectAddress::range);
    assert_eq!(any, Some(crate::model::AddressRange::EVERYTHING));
    let class = &config.policy_maps["global_policy"].classes[1];
    let inspection = &class.inspections[&InspectEngine::Sip];
    assert_eq!(inspection.tls_proxy.as_deref(), Some("ent_external_to_imp"));
    assert_eq!(
        config.class_maps[&class.class].matches,
        [ClassMatch::AccessList("ent_ext_to_imp".into())]
    );
}

#[test]
fn what_the_operator_should_know_is_said() {
    let mut session = Session::new();
    assert_eq!(
        session.notices("ntp server 10.20.0.5 source inside prefer"),
        [
            Notice::InterfaceNotYetNamed("inside".into()),
            Notice::NtpInactive
        ]
    );
    session.line("interface gi0/0");
    assert_eq!(
        session.notices("nameif outside")[0].to_string(),
        "INFO: Security level for \"outside\" set to 0 by default."
    );
    session.paste("interface gi0/1\n");
    assert_eq!(
        session.notices("nameif inside"),
        [Notice::DefaultSecurityLevel {
            nameif: "inside".into(),
            level: 100
        }]
    );
    session.paste("crypto ca trustpoint t\ntls-proxy p\n");
    assert_eq!(
        session.notices("server trust-point t"),
        [Notice::NotEnrolled("t".into())]
    );
    assert_eq!(
        session.notices("client cipher-suite null-sha1 ecdhe-rsa-aes128-gcm-sha256"),
        [Notice::LegacyCipher("null-sha1")]
    );
}
