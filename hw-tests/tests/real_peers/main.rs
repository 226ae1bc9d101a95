//! The image between real peers. `cargo test -p hw-tests --test real_peers -- --filter WORD`.
//!
//! | Module | Tests |
//! | --- | --- |
//! | `peers` | the peers against each other, without a box |
//! | `netfilter` | the packet engine beside nftables |
//! | `hostile` | packets that no honest stack sends |
//! | `network` | ping, ARP, curl, iperf3, nmap |
//! | `ipv6` | advertisements, ping, TCP over IPv6 |
//! | `vlan` | VLANs of one cable: ping, curl, bulk TCP |
//! | `tls` | openssl: certificates good, missing, wrong, expired; garbage |
//! | `silence` | frames sent all through the start |
//! | `sip` | two Kamailio servers |
//! | `stun` | what coturn finds out about the translations |
//! | `xmpp` | Prosody on each side |
//! | `console` | a long paste |
//! | `clients` | netmiko, scrapli, pexpect and others on the serial console |
//! | `storage` | power cuts and damaged slots |
//! | `disks` | every kind of disk: reload and power cuts, printed |
//! | `crash` | faults on purpose |
//! | `factory` | first questions, lost passwords |
//! | `speed` | iperf3 and small packets over TAP devices, printed |
//! | `boot_paths` | the disk image by BIOS and UEFI, from every kind of medium |
//! | `machine` | restart, power off, little memory, both machine models |

mod boot_paths;
mod clients;
mod console;
mod crash;
mod disks;
mod factory;
mod hostile;
mod ipv6;
mod machine;
mod netfilter;
mod network;
mod peers;
mod silence;
mod sip;
mod speed;
mod storage;
mod stun;
mod tls;
mod vlan;
mod xmpp;

use std::process::ExitCode;
use std::time::Duration;

use hw_tests::clients::python::{ANSIBLE, DESK};
use hw_tests::runner::{Alone, Runner, Shared};
use hw_tests::sandbox;
use tools::{host, suite, workspace};

/// How long any test may take.
const LIMIT: Duration = Duration::from_secs(180);

/// A row of [`Shared`] or [`Alone`].
macro_rules! tests {
    ($kind:ident: $($name:ident in $module:ident;)*) => {
        [$($kind { name: stringify!($name), run: |argument| Box::pin($module::$name(argument)) }),*]
    };
}

fn main() -> ExitCode {
    if let Some(reason) = reason_to_skip() {
        // Counted as skipped, with its reason, by whatever reads the results.
        println!("test real_peers ... ignored, {reason}");
        return ExitCode::SUCCESS;
    }
    let runner = Runner::new(std::env::args().skip(1));
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(runner)),
        Err(error) => {
            eprintln!("cannot start the runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether what is too heavy for every run is wanted.
fn runs_all() -> bool {
    std::env::var_os(suite::ALL).is_some()
}

fn reason_to_skip() -> Option<String> {
    if !workspace::image().is_file() {
        return Some("there is no image: cargo xtask build".to_owned());
    }
    for program in [
        "qemu-system-x86_64",
        "kamailio",
        "prosody",
        "dnsmasq",
        "iperf3",
        "nft",
        "nmap",
        "scapy",
        "tcpdump",
        "turnserver",
        "turnutils_natdiscovery",
        "socat",
        "sshd",
        "ssh",
        "sx",
        "openssl",
        "curl",
        "ping",
        "ip",
        "unshare",
    ] {
        if host::find(program).is_none() {
            return Some(format!(
                "{program} is missing; hw-tests/packages.txt names its package"
            ));
        }
    }
    // Within the sandbox there is no package index.
    if !sandbox::is_within() {
        DESK.prepare();
        if runs_all() {
            ANSIBLE.prepare();
        }
    }
    sandbox::enter().err().map(|error| format!("{error:#}"))
}

async fn run(mut runner: Runner) -> ExitCode {
    let peers = tests![Alone:
        kamailio_servers_exchange_messages_without_a_box in peers;
        prosody_servers_exchange_messages_without_a_box in peers;
        the_engine_and_nftables_forward_the_same_packets in netfilter;
    ];
    let shared = tests![Shared:
        ping_reaches_the_box_from_both_sides in network;
        ping_passes_from_inside_to_outside in network;
        public_address_is_answered_for_in_arp in network;
        curl_fetches_a_page_through_dynamic_translation in network;
        iperf3_passes_both_ways in network;
        nmap_finds_only_what_policy_allows in network;
        ipv6_hosts_number_themselves_and_reach_the_world in ipv6;
        vlans_of_one_cable_reach_each_other_and_the_world in vlan;
        openssl_with_a_certificate_passes_a_message in tls;
        openssl_without_a_certificate_is_refused in tls;
        openssl_with_a_strangers_certificate_is_refused in tls;
        openssl_with_an_expired_certificate_is_refused in tls;
        called_server_with_a_strangers_certificate_is_refused in tls;
        plaintext_is_closed_and_counted in tls;
        garbage_within_tls_is_closed_and_counted in tls;
        sessions_work_after_all_that in tls;
        kamailio_messages_inside_to_outside in sip;
        kamailio_messages_outside_to_inside in sip;
        prosody_federates_through_both_ports in xmpp;
        paste_of_5000_lines_arrives_whole in console;
        no_private_address_was_seen_outside in network;
    ];
    let mut desk = Vec::from(tests![Shared:
        netmiko_configures_and_saves in clients;
        scrapli_finds_its_levels_and_our_errors in clients;
        rancid_style_collects_version_and_configuration in clients;
        pexpect_uses_keys_and_pager_on_the_bare_line in clients;
        lrzsz_sends_a_file_whose_hash_is_told in clients;
        ciscoconfparse_reads_the_tree_we_hold in clients;
        templates_read_show_version in clients;
        templates_read_show_interface in clients;
        templates_read_show_route in clients;
        templates_read_show_arp in clients;
        templates_read_show_xlate_and_nat in clients;
        templates_read_show_access_list in clients;
        templates_read_show_asp_drop in clients;
        templates_read_show_failover in clients;
        templates_read_show_logging in clients;
        templates_read_show_inventory in clients;
        templates_read_objects in clients;
        templates_read_object_groups in clients;
        templates_read_access_groups in clients;
        templates_read_ping in clients;
        templates_read_dir in clients;
    ]);
    // What is too heavy for every run.
    let heavy = tests![Shared:
        ansible_plays_every_module_of_cisco_asa in clients;
    ];
    let slow = tests![Alone:
        coturn_finds_bindings_gone_when_their_time_is_over in stun;
    ];
    let mut alone = Vec::from(tests![Alone:
        power_cut_keeps_the_old_or_the_new_configuration in storage;
        commits_and_saves_survive_power_cuts_at_random_moments in storage;
        flipped_byte_falls_back_to_the_older_slot in storage;
        every_kind_of_disk_keeps_the_configuration in disks;
        faults_are_reported_and_survived in crash;
        hostile_packets_end_in_their_counters in hostile;
        nothing_is_forwarded_before_the_policy_is_in_force in silence;
        coturn_finds_the_behaviour_of_each_kind_of_translation in stun;
        bulk_tcp_crosses_in_long_units in speed;
        flows_spread_over_several_queues in speed;
        small_packets_cross in speed;
        first_questions_set_a_new_box_up in factory;
        reload_and_shutdown in machine;
        boots_with_64_mib_on_both_machines in machine;
        without_a_disk_says_that_nothing_is_kept in machine;
    ]);
    let boot_paths = tests![Alone:
        boots_by_bios_on_pc in boot_paths;
        boots_by_bios_on_q35 in boot_paths;
        boots_by_uefi_on_pc in boot_paths;
        boots_by_uefi_on_q35 in boot_paths;
        tampered_slots_are_refused_by_both_loaders in boot_paths;
        saved_by_bios_is_found_by_uefi in boot_paths;
    ];
    runner.alone(&peers, LIMIT).await;
    runner.shared("federation", &shared, LIMIT).await;
    if runs_all() {
        desk.extend(heavy);
        alone.extend(slow);
    } else {
        let names = heavy.iter().map(|test| test.name);
        for name in names.chain(slow.iter().map(|test| test.name)) {
            runner.ignore(name, "only with cargo xtask test --all");
        }
    }
    runner.shared("desk", &desk, LIMIT).await;
    runner.alone(&alone, LIMIT).await;
    match boot_paths::reason_to_skip() {
        None => runner.alone(&boot_paths, LIMIT).await,
        Some(reason) => {
            for test in &boot_paths {
                runner.ignore(test.name, &reason);
            }
        }
    }
    runner.finish()
}
