//! Which translations end with their connection, as text.

use super::Page;
use super::statement::port_match;
use crate::model::{Config, XlateAddress};
use alloc::format;
use alloc::string::{String, ToString};

pub(crate) fn per_session(page: &mut Page<'_>, config: &Config) {
    for rule in &config.per_session {
        let transport = rule.transport;
        let mut line = format!(
            "xlate per-session {} {}",
            rule.action.keyword(),
            transport.keyword()
        );
        for (side, port) in [
            (rule.source, rule.source_port),
            (rule.destination, rule.destination_port),
        ] {
            line.push(' ');
            line.push_str(&address(side));
            if let Some(port) = port {
                line.push(' ');
                line.push_str(&port_match(transport, port));
            }
        }
        page.line(line);
    }
}

fn address(address: XlateAddress) -> String {
    match address {
        XlateAddress::Any4 => "any4".into(),
        XlateAddress::Any6 => "any6".into(),
        XlateAddress::Subnet(subnet) if subnet.prefix_len() == 32 => {
            format!("host {}", subnet.address())
        }
        XlateAddress::Subnet(subnet) => subnet.to_string(),
    }
}
