//! Interfaces as configured, and the routes that leave by them.

use super::{EnginePort, FragmentSettings, Port6, Subnet};
use alloc::string::String;
use core::net::Ipv4Addr;

/// Default size of the largest IP packet sent, in bytes (Ethernet).
pub const DEFAULT_MTU: u16 = 1500;

/// One `interface GigabitEthernet0/N` block. The factory setting of a port is shut down and unnamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `vlan ID` of a subinterface, which passes no traffic without.
    pub vlan: Option<u16>,
    /// Of a subinterface.
    pub engine_port: EnginePort,
    /// `nameif NAME`; everything else of the configuration refers to the port by this name.
    pub nameif: Option<String>,
    /// `security-level 0-100`; always present once there is a name.
    pub security_level: Option<u8>,
    /// `ip address IP MASK`.
    pub address: Option<Subnet>,
    /// `ipv6 …`.
    pub ipv6: Port6,
    /// `description TEXT`.
    pub description: Option<String>,
    /// Whether the port is administratively down.
    pub shutdown: bool,
    /// `speed`; kept and printed, virtual ports have no say in it.
    pub speed: Speed,
    /// `duplex`; as `speed`.
    pub duplex: Duplex,
    /// `mac-address HHHH.HHHH.HHHH`; `None` keeps the burned-in address.
    pub mac_address: Option<[u8; 6]>,
    /// `mtu NAMEIF BYTES`; meaningful only while the port is named.
    pub mtu: u16,
    /// `fragment … NAMEIF`; meaningful only while the port is named.
    pub fragment: FragmentSettings,
    /// `ip verify reverse-path interface NAMEIF`; as `fragment`.
    pub verifies_reverse_path: bool,
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            vlan: None,
            engine_port: EnginePort::default(),
            nameif: None,
            security_level: None,
            address: None,
            ipv6: Port6::default(),
            description: None,
            shutdown: true,
            speed: Speed::Auto,
            duplex: Duplex::Auto,
            mac_address: None,
            mtu: DEFAULT_MTU,
            fragment: FragmentSettings::DEFAULT,
            verifies_reverse_path: false,
        }
    }
}

/// `speed {auto|10|100|1000}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// Negotiated.
    #[default]
    Auto,
    /// 10 Mbit/s.
    Mbps10,
    /// 100 Mbit/s.
    Mbps100,
    /// 1000 Mbit/s.
    Mbps1000,
}

/// `duplex {auto|full|half}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplex {
    /// Negotiated.
    #[default]
    Auto,
    /// Both ways at once.
    Full,
    /// One way at a time.
    Half,
}

/// `route NAMEIF DESTINATION MASK GATEWAY [METRIC]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Egress interface.
    pub interface: String,
    /// Where the route leads; has no host bits.
    pub destination: Subnet,
    /// Next hop.
    pub gateway: Ipv4Addr,
    /// Administrative distance, 1 to 255; the lowest wins.
    pub metric: u8,
}
