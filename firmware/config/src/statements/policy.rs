//! Class maps, policy maps, inspection maps and where they are applied.

use super::connection;
use super::family::Family;
use super::object::{current, description_text, port_match};
use super::{Change, refusing, row, usage, word};
use crate::mode::{
    CLASS_MAP, GLOBAL, INSPECT_MAP, INSPECT_PARAMETERS, Mode, POLICY_CLASS, POLICY_MAP,
};
use crate::model::{
    CLASS_DEFAULT, ClassMap, ClassMatch, Config, InspectEngine, InspectMap, InspectMapKind,
    Inspection, PolicyClass, PolicyMap, PolicyPlace, SipSettings, Transport,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::collections::BTreeMap;
use alloc::string::String;
use cli::grammar::{Captures, No, Value};

pub(super) const CLASS_MAPS: Family = Family {
    keyword: "class-map",
    help: "Class maps",
    narrow: "[<name>]",
    rows: &[
        row(
            GLOBAL,
            "class-map [{ match-any | match-all }] <name:word(40)>",
            No::Same,
            &[
                ("class-map", "Configure a class of traffic"),
                ("match-any", "One condition suffices"),
                ("match-all", "Every condition must hold"),
                ("name", "Name of the map"),
            ],
            class_map,
        )
        .example("class-map FEDERATED"),
        refusing(
            GLOBAL,
            "class-map type <rest:text>",
            &[
                ("type", "A class for an inspection (not supported)"),
                ("rest", "Kind and name"),
            ],
            typed_class_map,
        )
        .example("class-map type inspect http match-all WEB"),
        row(
            CLASS_MAP,
            "description <description:text>",
            No::Syntax("description [<description:text>]"),
            &[("description", "Description of up to 200 characters")],
            description,
        )
        .example("description calls from partners"),
        row(
            CLASS_MAP,
            "match { access-list <access-list> \
         | port { tcp | udp } { eq <port:port> | range <first:port> <last:port> } \
         | default-inspection-traffic | any }",
            No::Same,
            &[
                ("match", "Configure a condition"),
                ("access-list", "Packets that an access list permits"),
                ("port", "Packets to a port"),
                ("tcp", "TCP"),
                ("udp", "UDP"),
                ("eq", "One port"),
                ("range", "A range of ports"),
                ("first", "First port"),
                ("last", "Last port"),
                (
                    "default-inspection-traffic",
                    "The default ports of the inspections",
                ),
                ("any", "Every packet"),
            ],
            match_line,
        )
        .example("match port tcp eq 5061"),
    ],
    print: print::policy::class_maps,
    clear: Some(clear_class_maps),
    ..Family::EMPTY
};

pub(super) const POLICY_MAPS: Family = Family {
    keyword: "policy-map",
    help: "Policy maps",
    narrow: "[<name>]",
    rows: &[
        row(
            GLOBAL,
            "policy-map type inspect { sip | dns } <name:word(40)>",
            No::Same,
            &[
                ("policy-map", "Configure a policy"),
                ("type", "A policy of a special kind"),
                ("inspect", "Settings of an inspection"),
                ("sip", "SIP"),
                ("dns", "DNS"),
            ],
            inspect_map,
        )
        .example("policy-map type inspect sip SIP-MAP"),
        row(
            GLOBAL,
            "policy-map <name:word(40)>",
            No::Same,
            &[("name", "Name of the policy")],
            policy_map,
        )
        .example("policy-map GLOBAL"),
        row(
            POLICY_MAP | INSPECT_MAP,
            "description <description:text>",
            No::Syntax("description [<description:text>]"),
            &[("description", "Description of up to 200 characters")],
            description,
        )
        .example("description what is inspected"),
        row(
            POLICY_MAP,
            "class <class>",
            No::Same,
            &[("class", "The class of traffic the next lines are about")],
            class,
        )
        .example("class FEDERATED"),
        row(
            POLICY_CLASS,
            "inspect { dns [<map>] | ftp | h323 { h225 | ras } | http | icmp [error] | ip-options \
         | mgcp | netbios | pptp | rsh | rtsp | skinny | esmtp | snmp | sqlnet | sunrpc | tftp \
         | sip [<map>] [tls-proxy <proxy>] | xdmcp }",
            No::Same,
            &[
                ("inspect", "Inspect the traffic"),
                ("dns", "DNS"),
                ("map", "Settings of the inspection"),
                ("ftp", "FTP"),
                ("h323", "H.323"),
                ("h225", "H.225 signalling"),
                ("ras", "RAS"),
                ("http", "HTTP"),
                ("icmp", "ICMP"),
                ("error", "ICMP errors"),
                ("ip-options", "IP options"),
                ("mgcp", "MGCP"),
                ("netbios", "NetBIOS"),
                ("pptp", "PPTP"),
                ("rsh", "Remote shell"),
                ("rtsp", "RTSP"),
                ("skinny", "Skinny"),
                ("esmtp", "ESMTP"),
                ("snmp", "SNMP"),
                ("sqlnet", "SQL*Net"),
                ("sunrpc", "Sun RPC"),
                ("tftp", "TFTP"),
                ("sip", "SIP"),
                ("tls-proxy", "Decrypt and encrypt again by a TLS proxy"),
                ("proxy", "Name of the proxy"),
                ("xdmcp", "XDMCP"),
            ],
            inspect,
        )
        .example("inspect sip SIP-MAP tls-proxy INBOUND"),
        connection::LIMITS,
        connection::TIMEOUTS,
        connection::DECREMENT_TTL,
        connection::ADVANCED_OPTIONS,
        row(
            INSPECT_MAP,
            "parameters",
            No::Same,
            &[("parameters", "Enter the parameters")],
            parameters,
        )
        .example("parameters"),
        row(
            INSPECT_PARAMETERS,
            "{ im | traffic-non-sip }",
            No::Same,
            &[
                ("im", "Let instant messages pass"),
                ("traffic-non-sip", "Let other traffic pass on the SIP port"),
            ],
            sip_setting,
        )
        .example("no im"),
        row(
            INSPECT_PARAMETERS,
            "{ ip-address-privacy | rtp-conformance [enforce-payloadtype] \
         | { max-forwards-validation | state-checking | strict-header-validation } action \
         { drop | drop-connection | reset | log } [log]@too \
         | { software-version | uri-non-sip } action { mask | log } [log]@too }",
            No::Syntax(
                "{ ip-address-privacy | rtp-conformance [enforce-payloadtype] \
             | { max-forwards-validation | state-checking | strict-header-validation \
             | software-version | uri-non-sip } [<rest:text>] }",
            ),
            &[
                ("ip-address-privacy", "Hide addresses"),
                ("rtp-conformance", "Check RTP packets"),
                ("enforce-payloadtype", "Check the payload type as well"),
                ("max-forwards-validation", "Check Max-Forwards"),
                ("state-checking", "Check the sequence of messages"),
                ("strict-header-validation", "Check the headers strictly"),
                ("software-version", "Names of software in headers"),
                ("uri-non-sip", "URIs that are not SIP"),
                ("action", "What to do"),
                ("drop", "Drop the packet"),
                ("drop-connection", "Drop the connection"),
                ("reset", "Reset the connection"),
                ("log", "Log it"),
                ("mask", "Mask it"),
                ("rest", "The setting to remove"),
            ],
            sip_parameter,
        )
        .example("max-forwards-validation action drop log"),
        row(
            INSPECT_PARAMETERS,
            "{ message-length maximum { client auto | server auto | <length:512-65535> } \
         | protocol-enforcement | dns-guard | nat-rewrite | tcp-inspection | id-randomization }",
            No::Same,
            &[
                ("message-length", "Length of DNS messages"),
                ("maximum", "Longest message"),
                ("client", "By what the client announces"),
                ("server", "By what the server announces"),
                ("auto", "Automatically"),
                ("length", "Bytes"),
                ("protocol-enforcement", "Check the format of messages"),
                ("dns-guard", "One answer per question"),
                ("nat-rewrite", "Rewrite addresses in answers"),
                ("tcp-inspection", "Inspect DNS over TCP"),
                ("id-randomization", "Randomise identifiers"),
            ],
            dns_parameter,
        )
        .example("message-length maximum 512"),
    ],
    print: print::policy::policy_maps,
    clear: Some(clear_policy_maps),
    ..Family::EMPTY
};

pub(super) const SERVICE_POLICY: Family = Family {
    keyword: "service-policy",
    help: "Applied policies",
    rows: &[row(
        GLOBAL,
        "service-policy <name> { global | interface <interface> }",
        No::Same,
        &[
            ("service-policy", "Apply a policy"),
            ("name", "Name of the policy"),
            ("global", "To every interface"),
            ("interface", "To one interface"),
        ],
        service_policy,
    )
    .example("service-policy GLOBAL global")],
    print: print::policy::service_policies,
    clear: Some(clear_service_policies),
    ..Family::EMPTY
};

fn class_map(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        if !change.config.class_maps.contains_key(name) {
            return Err(Refusal::Missing(Thing::ClassMap, name.into()));
        }
        if usage::class_in_policy(change.config, name) {
            let (thing, by) = (Thing::ClassMap, "policy-map");
            return Err(Refusal::InUse {
                thing,
                name: name.into(),
                by,
            });
        }
        return change
            .outcome
            .removed(change.config.class_maps.remove(name));
    }
    if [CLASS_DEFAULT, "match-any", "match-all", "type"].contains(&name) {
        return Err(Refusal::BadName(name.into()));
    }
    let mode = captures
        .one_of(&["match-any", "match-all"])
        .map(|word| word == "match-any");
    change.outcome.changed = change.config.class_maps.make(name, || ClassMap {
        match_any: mode == Some(true),
        ..ClassMap::default()
    });
    if let (Some(match_any), Some(class)) = (mode, change.config.class_maps.get_mut(name)) {
        if match_any != class.match_any && !class.matches.is_empty() {
            return Err(Refusal::MatchModeFixed(name.into()));
        }
        change.outcome.set(&mut class.match_any, match_any);
    }
    change.enter(Mode::ClassMap(name.into()));
    Ok(())
}

fn typed_class_map(_: &Captures<'_>) -> Refusal {
    Refusal::Unsupported("A class-map of a special type")
}

fn description(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let text = description_text(captures)?;
    let config = &mut *change.config;
    let place = match &change.state.mode {
        Mode::ClassMap(name) => config
            .class_maps
            .get_mut(name)
            .map(|map| &mut map.description),
        Mode::PolicyMap(name) => config
            .policy_maps
            .get_mut(name)
            .map(|map| &mut map.description),
        Mode::InspectMap(name) => config
            .inspect_maps
            .get_mut(name)
            .map(|map| &mut map.description),
        _ => None,
    };
    let place = place.ok_or(Refusal::Invalid { offset: 0 })?;
    change.outcome.set(place, text);
    Ok(())
}

fn match_line(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let condition = if let Some(list) = captures.values("access-list").find_map(as_word) {
        ClassMatch::AccessList(list.into())
    } else if let Some(port) = port_match(captures)? {
        let transport = if captures.has("tcp") {
            Transport::Tcp
        } else {
            Transport::Udp
        };
        ClassMatch::Port { transport, port }
    } else if captures.has("any") {
        ClassMatch::Any
    } else {
        ClassMatch::DefaultInspectionTraffic
    };
    let (name, class) = current!(change, ClassMap, class_maps);
    let at = class
        .matches
        .iter()
        .position(|present| *present == condition);
    if captures.negated() {
        class.matches.remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    if at.is_some() {
        return Ok(());
    }
    if !class.match_any && !class.matches.is_empty() {
        return Err(Refusal::SecondMatch);
    }
    match &condition {
        ClassMatch::AccessList(list) => {
            // A list of remarks alone has nothing to match by.
            let usable = change.config.access_lists.get(list);
            if usable.is_none_or(|list| list.rules().next().is_none()) {
                return Err(Refusal::UnmatchableAccessList(list.clone()));
            }
        }
        ClassMatch::Any | ClassMatch::DefaultInspectionTraffic => {
            if has_proxy(change.config, &name) {
                return Err(Refusal::ProxyOnDefaultTraffic);
            }
        }
        ClassMatch::Port { .. } => {}
    }
    let (_, class) = current!(change, ClassMap, class_maps);
    class.matches.push(condition);
    change.outcome.changed = true;
    Ok(())
}

/// Whether a policy sends the traffic of the class to a TLS proxy.
fn has_proxy(config: &Config, class: &str) -> bool {
    config
        .policy_maps
        .values()
        .flat_map(|policy| &policy.classes)
        .filter(|entry| entry.class == class)
        .flat_map(|entry| entry.inspections.values())
        .any(|inspection| inspection.tls_proxy.is_some())
}

fn inspect_map(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let kind = match captures.has("sip") {
        true => InspectMapKind::Sip(SipSettings::default()),
        false => InspectMapKind::Dns,
    };
    let present = change.config.inspect_maps.get(name);
    if present.is_some_and(|map| is_sip(map) != matches!(kind, InspectMapKind::Sip(_))) {
        return Err(Refusal::WrongInspectMap(name.into()));
    }
    if captures.negated() {
        if present.is_none() {
            return Err(Refusal::Missing(Thing::InspectMap, name.into()));
        }
        if usage::inspect_map_used(change.config, name) {
            let (thing, by) = (Thing::InspectMap, "policy-map");
            return Err(Refusal::InUse {
                thing,
                name: name.into(),
                by,
            });
        }
        return change
            .outcome
            .removed(change.config.inspect_maps.remove(name));
    }
    if change.config.policy_maps.contains_key(name) {
        return Err(Refusal::NameTaken(name.into()));
    }
    change.outcome.changed = change.config.inspect_maps.make(name, || InspectMap {
        kind,
        description: None,
        has_parameters: false,
        parameters: BTreeMap::new(),
    });
    change.enter(Mode::InspectMap(name.into()));
    Ok(())
}

const fn is_sip(map: &InspectMap) -> bool {
    matches!(map.kind, InspectMapKind::Sip(_))
}

fn policy_map(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        if !change.config.policy_maps.contains_key(name) {
            return Err(Refusal::Missing(Thing::PolicyMap, name.into()));
        }
        if change
            .config
            .service_policies
            .values()
            .any(|applied| applied == name)
        {
            let (thing, by) = (Thing::PolicyMap, "service-policy");
            return Err(Refusal::InUse {
                thing,
                name: name.into(),
                by,
            });
        }
        return change
            .outcome
            .removed(change.config.policy_maps.remove(name));
    }
    if change.config.inspect_maps.contains_key(name) {
        return Err(Refusal::NameTaken(name.into()));
    }
    if name == "type" {
        return Err(Refusal::BadName(name.into()));
    }
    change.outcome.changed = change.config.policy_maps.make(name, PolicyMap::default);
    change.enter(Mode::PolicyMap(name.into()));
    Ok(())
}

fn as_word(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Word(word) => Some(word),
        _ => None,
    }
}

fn class(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let class = captures.values("class").find_map(as_word);
    let class = class.ok_or(Refusal::Invalid { offset: 0 })?;
    if class != CLASS_DEFAULT && !change.config.class_maps.contains_key(class) {
        return Err(Refusal::Missing(Thing::ClassMap, class.into()));
    }
    let (policy, map) = current!(change, PolicyMap, policy_maps);
    let at = map
        .classes
        .iter()
        .position(|present| present.class == class);
    if captures.negated() {
        map.classes.remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    if at.is_none() {
        map.classes.push(PolicyClass {
            class: class.into(),
            inspections: BTreeMap::new(),
            connection: crate::model::ConnectionActions::default(),
        });
        change.outcome.changed = true;
    }
    change.enter(Mode::PolicyClass {
        policy,
        class: class.into(),
    });
    Ok(())
}

fn inspect(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let engine = engine(captures).ok_or(Refusal::Invalid { offset: 0 })?;
    let inspection = Inspection {
        map: captures.word("map").map(Into::into),
        tls_proxy: captures.word("proxy").map(Into::into),
    };
    let Mode::PolicyClass { policy, class } = change.state.mode.clone() else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    if !captures.negated() {
        check_inspection(change.config, engine, &class, &inspection)?;
        // What the box performs; the rest is kept so that pasted policies stay whole.
        let performed = match engine {
            InspectEngine::Sip => inspection.tls_proxy.is_some(),
            InspectEngine::Dns | InspectEngine::Icmp | InspectEngine::IcmpError => true,
            _ => false,
        };
        if !performed {
            let words = match engine {
                InspectEngine::Sip => "sip without tls-proxy",
                other => other.keyword(),
            };
            change.notice(Notice::InspectionInactive(words));
        }
    }
    let entry = change
        .config
        .policy_maps
        .get_mut(&policy)
        .and_then(|map| map.classes.iter_mut().find(|entry| entry.class == class))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    match (entry.inspections.get(&engine), captures.negated()) {
        (None, true) => Err(Refusal::NothingToRemove),
        (Some(_), true) => change.outcome.removed(entry.inspections.remove(&engine)),
        (Some(present), false) if *present == inspection => Ok(()),
        (Some(_), false) => Err(Refusal::InspectionPresent),
        (None, false) => {
            entry.inspections.insert(engine, inspection);
            change.outcome.changed = true;
            Ok(())
        }
    }
}

fn engine(captures: &Captures<'_>) -> Option<InspectEngine> {
    InspectEngine::ALL
        .into_iter()
        .filter(|engine| engine.keyword().split(' ').all(|word| captures.has(word)))
        // `icmp error` has the words of `icmp` as well.
        .max_by_key(|engine| engine.keyword().split(' ').count())
}

fn check_inspection(
    config: &Config,
    engine: InspectEngine,
    class: &str,
    inspection: &Inspection,
) -> Result<(), Refusal> {
    if let Some(name) = &inspection.map {
        let map = config.inspect_maps.get(name);
        let map = map.ok_or_else(|| Refusal::Missing(Thing::InspectMap, name.clone()))?;
        if is_sip(map) != (engine == InspectEngine::Sip) {
            return Err(Refusal::WrongInspectMap(name.clone()));
        }
    }
    let Some(proxy) = &inspection.tls_proxy else {
        return Ok(());
    };
    if !config.tls_proxies.contains_key(proxy) {
        return Err(Refusal::Missing(Thing::TlsProxy, proxy.clone()));
    }
    let unfit = |condition: &ClassMatch| {
        matches!(
            condition,
            ClassMatch::Any | ClassMatch::DefaultInspectionTraffic
        )
    };
    let class = config.class_maps.get(class);
    if class.is_none_or(|class| class.matches.iter().any(unfit)) {
        return Err(Refusal::ProxyOnDefaultTraffic);
    }
    Ok(())
}

fn parameters(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (name, map) = current!(change, InspectMap, inspect_maps);
    let outcome = &mut change.outcome;
    outcome.set(&mut map.has_parameters, !captures.negated());
    if captures.negated() {
        outcome.set(&mut map.parameters, BTreeMap::new());
        if is_sip(map) {
            outcome.set(&mut map.kind, InspectMapKind::Sip(SipSettings::default()));
        }
    } else {
        change.enter(Mode::InspectParameters(name));
    }
    Ok(())
}

fn sip_setting(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (name, map) = current!(change, InspectParameters, inspect_maps);
    let InspectMapKind::Sip(settings) = &mut map.kind else {
        return Err(Refusal::WrongInspectMap(name));
    };
    let setting = if captures.has("im") {
        &mut settings.instant_messages
    } else {
        &mut settings.traffic_non_sip
    };
    change.outcome.set(setting, !captures.negated());
    Ok(())
}

fn sip_parameter(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    keep_parameter(change, captures, true)
}

fn dns_parameter(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    keep_parameter(change, captures, false)
}

fn keep_parameter(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
    for_sip: bool,
) -> Result<(), Refusal> {
    let (name, map) = current!(change, InspectParameters, inspect_maps);
    if is_sip(map) != for_sip {
        return Err(Refusal::WrongInspectMap(name));
    }
    let mut key = String::from(captures.first_keyword().unwrap_or_default());
    for side in ["client", "server"] {
        if captures.has(side) {
            key.push_str(side);
        }
    }
    if captures.negated() {
        change.outcome.changed = map.parameters.remove(&key).is_some();
    } else {
        // The length of DNS messages counts, unless the messages themselves are to say it.
        let is_kept_only = key != "message-length";
        let line = map.parameters.entry(key).or_default();
        change.outcome.set(line, super::kept::canonical(captures));
        if is_kept_only {
            change.notice(Notice::KeptOnly("this inspection parameter"));
        }
    }
    Ok(())
}

fn service_policy(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let place = match captures.values("interface").find_map(as_word) {
        Some(interface) => PolicyPlace::Interface(interface.into()),
        None => PolicyPlace::Global,
    };
    if captures.negated() {
        if change
            .config
            .service_policies
            .get(&place)
            .is_none_or(|applied| applied != name)
        {
            return Err(Refusal::NothingToRemove);
        }
        return change
            .outcome
            .removed(change.config.service_policies.remove(&place));
    }
    if !change.config.policy_maps.contains_key(name) {
        return Err(Refusal::Missing(Thing::PolicyMap, name.into()));
    }
    if let PolicyPlace::Interface(interface) = &place {
        change.require_interface(interface)?;
    }
    match change.config.service_policies.get(&place) {
        Some(applied) if applied == name => {}
        Some(applied) => return Err(Refusal::PolicyApplied(applied.clone())),
        None => {
            change.config.service_policies.insert(place, name.into());
            change.outcome.changed = true;
        }
    }
    Ok(())
}

fn clear_class_maps(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    let is_used = |name: &&String| usage::class_in_policy(config, name);
    let used = config.class_maps.keys().find(is_used);
    super::unused(Thing::ClassMap, used, "policy-map")?;
    change
        .outcome
        .set(&mut config.class_maps, Default::default());
    Ok(())
}

fn clear_policy_maps(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    let used = config.service_policies.values().next();
    super::unused(Thing::PolicyMap, used, "service-policy")?;
    outcome.set(&mut config.policy_maps, Default::default());
    outcome.set(&mut config.inspect_maps, Default::default());
    Ok(())
}

fn clear_service_policies(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let applied = &mut change.config.service_policies;
    change.outcome.set(applied, Default::default());
    Ok(())
}
