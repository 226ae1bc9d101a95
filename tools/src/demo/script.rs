//! The federation configuration, in the order in which an administrator types it.
//!
//! The parts between certificates are plain lines; the dialogues with certificates in them are in
//! [`super::lab`].

/// Names, interfaces, routes.
pub const BASICS: &str = "\
configure terminal
hostname asa1
domain-name example.com
clock timezone UTC 0
interface GigabitEthernet0/0
 nameif outside
 security-level 0
 ip address 203.0.113.2 255.255.255.240
 no shutdown
interface GigabitEthernet0/1
 nameif inside
 security-level 100
 ip address 10.20.0.1 255.255.255.0
 no shutdown
exit
route outside 0.0.0.0 0.0.0.0 203.0.113.1
";

/// The self-signed identity shown to the inside nodes.
pub const INSIDE_TRUSTPOINT: &str = "\
crypto key generate rsa label imp_proxy_key modulus 2048
crypto ca trustpoint imp_proxy
 enrollment self
 fqdn none
 subject-name cn=10.20.0.1
 keypair imp_proxy_key
exit
";

/// Where the inside node's certificate is kept.
pub const NODE_TRUSTPOINT: &str = "\
crypto ca trustpoint cert_from_imp
 enrollment terminal
exit
";

/// The CA-signed identity shown to the world.
pub const OUTSIDE_TRUSTPOINT: &str = "\
crypto key generate rsa label public_key_for_ca modulus 2048
crypto ca trustpoint outside_tp
 fqdn imp-public.example.com
 subject-name cn=imp-public.example.com,O=Example,C=NL
 client-types ssl
 keypair public_key_for_ca
 enrollment terminal
exit
";

/// The outside company's authority.
pub const FOREIGN_TRUSTPOINT: &str = "\
crypto ca trustpoint example_net_ca
 enrollment terminal
exit
";

/// Address translation: dynamic for requests from inside, static for published ports.
pub const TRANSLATION: &str = "\
object network obj_host_203.0.113.10
 host 203.0.113.10
object network obj_host_10.20.0.11
 host 10.20.0.11
object network obj_host_10.20.0.12
 host 10.20.0.12
object service obj_tcp_source_eq_5060
 service tcp source eq 5060
object service obj_tcp_source_eq_5061
 service tcp source eq 5061
object service obj_tcp_source_eq_5062
 service tcp source eq 5062
object service obj_tcp_source_eq_5080
 service tcp source eq 5080
object service obj_tcp_source_eq_45062
 service tcp source eq 45062
object service obj_tcp_source_eq_5269
 service tcp source eq 5269
object service obj_tcp_source_eq_15269
 service tcp source eq 15269
exit
nat (inside,outside) source static obj_host_10.20.0.11 obj_host_203.0.113.10 service obj_tcp_source_eq_5062 obj_tcp_source_eq_5061
nat (inside,outside) source static obj_host_10.20.0.11 obj_host_203.0.113.10 service obj_tcp_source_eq_5080 obj_tcp_source_eq_5080
nat (inside,outside) source static obj_host_10.20.0.11 obj_host_203.0.113.10 service obj_tcp_source_eq_5060 obj_tcp_source_eq_5060
nat (inside,outside) source static obj_host_10.20.0.12 obj_host_203.0.113.10 service obj_tcp_source_eq_5062 obj_tcp_source_eq_45062
nat (inside,outside) source static obj_host_10.20.0.11 obj_host_203.0.113.10 service obj_tcp_source_eq_5269 obj_tcp_source_eq_5269
nat (inside,outside) source static obj_host_10.20.0.12 obj_host_203.0.113.10 service obj_tcp_source_eq_5269 obj_tcp_source_eq_15269
object network obj_10.20.0.0_24
 subnet 10.20.0.0 255.255.255.0
 nat (inside,outside) dynamic 203.0.113.10
exit
";

/// Who may call whom: real addresses and real ports.
pub const ACCESS: &str = "\
access-list ent_imp_to_ext extended permit tcp host 10.20.0.11 host 198.51.100.20 eq 5061
access-list ent_ext_to_imp extended permit tcp host 198.51.100.20 host 10.20.0.11 eq 5062
access-list outside_in extended permit tcp host 198.51.100.20 host 10.20.0.11 eq 5062
access-list outside_in extended permit tcp any host 10.20.0.11 eq 5269
access-list outside_in extended permit tcp any host 10.20.0.12 eq 5269
access-group outside_in in interface outside
";

/// TLS proxies of both directions, and the policy that sends SIP through them.
pub const INSPECTION: &str = "\
tls-proxy ent_imp_to_external
 server trust-point imp_proxy
 client trust-point outside_tp
tls-proxy ent_external_to_imp
 server trust-point outside_tp
 client trust-point imp_proxy
class-map ent_imp_to_ext
 match access-list ent_imp_to_ext
class-map ent_ext_to_imp
 match access-list ent_ext_to_imp
policy-map type inspect sip sip_inspect
 parameters
policy-map global_policy
 class ent_imp_to_ext
  inspect sip sip_inspect tls-proxy ent_imp_to_external
 class ent_ext_to_imp
  inspect sip sip_inspect tls-proxy ent_external_to_imp
exit
exit
service-policy global_policy global
end
";
