//! Clients of the serial console, unmodified, one after the other on the same box.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::clients::bridge;
use hw_tests::clients::desk::{Desk, HOST_NAME, PASSWORD, PINGS, REFUSALS};
use hw_tests::clients::python::{ANSIBLE, DESK};
use hw_tests::namespace::Namespace;
use hw_tests::topology::{CLIENT, INSIDE, NODE_1, OUTSIDE, ROUTER};
use serde_json::{Value, json};
use tools::workspace;

/// The workspace has one version, so this is the firmware's too.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the Ansible play may take.
const PLAY: Duration = Duration::from_secs(170);

/// Sections of the running configuration that the box prints on their own.
const SECTIONS: &[&str] = &[
    "interface",
    "object",
    "object-group",
    "access-list",
    "access-group",
    "nat",
    "route",
    "policy-map",
    "timeout",
    "logging",
];

/// Runs a script whose client logs out at its end, and sees that the box has noticed.
async fn careful(desk: &mut Desk, script: &str, more: Value) -> Result<()> {
    desk.script(DESK, script, more).await?;
    let prompt = desk.prompt().await?;
    ensure!(
        prompt == format!("{HOST_NAME}>"),
        "after the client has left, the box shows `{prompt}`"
    );
    Ok(())
}

pub(crate) async fn netmiko_configures_and_saves(desk: &mut Desk) -> Result<()> {
    careful(desk, "netmiko_asa.py", json!({})).await
}

pub(crate) async fn scrapli_finds_its_levels_and_our_errors(desk: &mut Desk) -> Result<()> {
    desk.script(DESK, "scrapli_asa.py", json!({})).await?;
    // It types `logout` and ends its ssh in the same breath, so the box may never hear of it.
    desk.log_out().await
}

pub(crate) async fn rancid_style_collects_version_and_configuration(desk: &mut Desk) -> Result<()> {
    careful(desk, "rancid_style.py", json!({})).await
}

pub(crate) async fn pexpect_uses_keys_and_pager_on_the_bare_line(desk: &mut Desk) -> Result<()> {
    careful(desk, "raw_line.py", json!({})).await
}

pub(crate) async fn lrzsz_sends_a_file_whose_hash_is_told(desk: &mut Desk) -> Result<()> {
    careful(desk, "upload.py", json!({})).await
}

pub(crate) async fn ciscoconfparse_reads_the_tree_we_hold(desk: &mut Desk) -> Result<()> {
    // As `desk.cfg` has them.
    let typed = json!({
        "object-group network servers": [
            "description every server",
            "network-object host 10.20.0.12",
            "network-object 10.20.1.0 255.255.255.0",
            "network-object object web",
        ],
        "object network pool": ["range 203.0.113.11 203.0.113.12"],
    });
    careful(
        desk,
        "tree.py",
        json!({"sections": SECTIONS, "typed": typed, "least": 30}),
    )
    .await
}

/// Reads one area of what the box shows with ntc-templates.
async fn templates(desk: &mut Desk, area: &str, mut more: Value) -> Result<()> {
    if let Some(more) = more.as_object_mut() {
        more.insert("area".to_owned(), json!(area));
        more.insert("version".to_owned(), json!(VERSION));
        more.insert("pings".to_owned(), json!(PINGS));
        more.insert("refusals".to_owned(), json!(REFUSALS));
        more.insert("ports".to_owned(), ports());
    }
    careful(desk, "templates.py", more).await
}

/// The two ports as `desk.cfg` has them; the burned-in addresses are QEMU's.
fn ports() -> Value {
    json!([
        {
            "interface": "GigabitEthernet0/0",
            "name": "outside",
            "description": "to the world",
            "address": OUTSIDE,
            "mask": "255.255.255.240",
            "network": "203.0.113.0",
            "mac": "5254.005a.1100",
        },
        {
            "interface": "GigabitEthernet0/1",
            "name": "inside",
            "description": "",
            "address": INSIDE,
            "mask": "255.255.255.0",
            "network": "10.20.0.0",
            "mac": "5254.005a.1101",
        },
    ])
}

/// The Ethernet address of a host as the host tells it, in ASA's notation.
async fn ethernet_address(host: &Namespace) -> Result<String> {
    let words = ["ip", "-o", "link", "show", "eth0"];
    let shown = host.run(&words, Duration::from_secs(5)).await?.success()?;
    let address = shown.split("link/ether ").nth(1).context("no address")?;
    let digits: Vec<char> = address
        .chars()
        .take_while(|letter| *letter != ' ')
        .filter(|letter| *letter != ':')
        .collect();
    let groups: Vec<String> = digits.chunks(4).map(|four| four.iter().collect()).collect();
    Ok(groups.join("."))
}

/// Declares tests that need no more than their area's name.
macro_rules! areas {
    ($($name:ident = $area:literal;)*) => {
        $(pub(crate) async fn $name(desk: &mut Desk) -> Result<()> {
            templates(desk, $area, json!({})).await
        })*
    };
}

areas! {
    templates_read_show_version = "version";
    templates_read_show_interface = "interfaces";
    templates_read_show_route = "routes";
    templates_read_show_xlate_and_nat = "translations";
    templates_read_show_asp_drop = "drops";
    templates_read_show_failover = "failover";
    templates_read_show_logging = "messages";
    templates_read_show_inventory = "inventory";
    templates_read_objects = "objects";
    templates_read_object_groups = "groups";
    templates_read_access_groups = "bindings";
    templates_read_ping = "echoes";
}

pub(crate) async fn templates_read_show_arp(desk: &mut Desk) -> Result<()> {
    let mut neighbours = Vec::new();
    for (port, address, host) in [
        ("outside", ROUTER, &desk.topology.router),
        ("inside", CLIENT, &desk.topology.client),
        ("inside", NODE_1, &desk.topology.node1),
    ] {
        let mac = ethernet_address(host).await?;
        neighbours.push(json!({"port": port, "address": address, "mac": mac}));
    }
    templates(desk, "neighbours", json!({"neighbours": neighbours})).await
}

pub(crate) async fn templates_read_show_access_list(desk: &mut Desk) -> Result<()> {
    let answers = desk
        .ask(&["show running-config access-list outside_in"])
        .await?;
    let lines: Vec<&str> = answers
        .iter()
        .flat_map(|answer| answer.lines())
        .map(str::trim)
        .filter(|line| line.starts_with("access-list "))
        .collect();
    ensure!(lines.len() > 3, "a short list: {lines:?}");
    templates(desk, "lists", json!({"outside_in": lines})).await
}

pub(crate) async fn templates_read_dir(desk: &mut Desk) -> Result<()> {
    desk.ask(&["copy /noconfirm running-config disk0:/kept.cfg"])
        .await?;
    templates(desk, "files", json!({})).await?;
    desk.ask(&["delete /noconfirm disk0:/kept.cfg"]).await?;
    Ok(())
}

/// Not in every run: its packages are half a gigabyte.
pub(crate) async fn ansible_plays_every_module_of_cisco_asa(desk: &mut Desk) -> Result<()> {
    let folder = desk.folder().to_owned();
    let inventory = folder.join("inventory.json");
    let key = desk.key().to_owned();
    let hosts = json!({"all": {"hosts": {"box": {
        "ansible_host": "127.0.0.1",
        "ansible_port": bridge::PORT,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": key,
        "ansible_connection": "ansible.netcommon.network_cli",
        "ansible_network_os": "cisco.asa.asa",
        "ansible_become": true,
        "ansible_become_method": "ansible.netcommon.enable",
        "ansible_become_password": PASSWORD,
        "ansible_host_key_checking": false,
        "known": {"hostname": HOST_NAME, "version": VERSION, "node": NODE_1},
    }}}});
    fs::write(&inventory, hosts.to_string())?;
    let play = workspace::root().join("hw-tests/clients/ansible_asa.yml");
    let play = fs::copy(&play, folder.join("play.yml")).map(|_| folder.join("play.yml"))?;
    let mut command = desk.command(&ANSIBLE, "ansible-playbook")?;
    command.arg("-i").arg(inventory).arg(play);
    desk.lend_to(command, PLAY).await?;
    // It closes its connection without a word; the line is left for the next one to log out.
    desk.log_out().await
}
