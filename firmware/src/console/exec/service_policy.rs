//! Service policies in force.

use alloc::string::String;

use cli::grammar::Captures;
use config::model::PolicyPlace;

use crate::console::declare::{PRIVILEGED, Rows, show};
use crate::policy::{class_name, port_named};
use crate::print::service_policy as printer;
use crate::state::Core;

pub(super) const ROWS: Rows = &[show!(
    PRIVILEGED,
    "show service-policy [{ global | interface <nameif:word> }]",
    service_policies,
    &[
        ("service-policy", "Applied policies and what they count"),
        ("global", "Only the global one"),
        ("interface", "Only that of an interface"),
        ("nameif", "Name of the interface"),
    ]
)
.example("show service-policy")];

fn service_policies(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("nameif");
    for (place, name) in &core.config.service_policies {
        let port = match place {
            PolicyPlace::Global if wanted.is_none() => None,
            PolicyPlace::Interface(nameif)
                if !words.has("global") && wanted.is_none_or(|wanted| wanted == nameif) =>
            {
                port_named(&core.config, nameif)
            }
            _ => continue,
        };
        let Some(policy) = core.config.policy_maps.get(name) else {
            continue;
        };
        printer::place(out, place, name);
        for class in &policy.classes {
            let compiled_name = class_name(name, &class.class);
            // Not there yet if the line was entered a moment ago.
            let number = core
                .dataplane
                .policy()
                .connections
                .iter()
                .position(|other| other.name == compiled_name && other.port == port);
            let counts = number.map_or_else(Default::default, |number| {
                core.dataplane.class_counts(number)
            });
            let proxied = core.federation.class_counters(&class.class);
            printer::class(out, class, counts, proxied);
        }
    }
}
