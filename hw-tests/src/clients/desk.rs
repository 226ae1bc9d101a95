//! The clients' desk: a box with something in every table, and the ways to it.
//!
//! The box is configured once, over its serial line, with a line or two of everything that clients
//! read, and traffic is put through it. What is true of it is told to the clients' scripts from here:
//! from the networks around the box, from what was configured, and from what the box itself answers
//! to another command than the one under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tools::console::Console;
use tools::qemu::{Config, Qemu, ensure_disk};
use tools::workspace;

use super::bridge::{self, Bridge};
use super::python::Environment;
use crate::federation::{dumps, type_lines};
use crate::namespace::Namespace;
use crate::process::{self, Daemon};
use crate::runner::Ground;
use crate::topology::{CLIENT, EDGE, INSIDE, NODE_1, OUTSIDE, PUBLIC, ROUTER, Topology, WEB};

/// Privileged password of the box.
pub const PASSWORD: &str = "desk clients";

/// Its host name.
pub const HOST_NAME: &str = "asa1";

/// Echo requests sent from inside to outside.
pub const PINGS: u32 = 5;

/// Connections tried from outside to a port that nobody may open.
pub const REFUSALS: u32 = 3;

/// Size of its disk in MiB.
const DISK_MIB: u64 = 16;

/// How long a client may take, unless its test says otherwise.
const LIMIT: Duration = Duration::from_secs(90);

/// How long a client's connections may outlive it.
const LINGER: Duration = Duration::from_millis(300);

/// What a failure report shows.
const COMMANDS: &[&str] = &[
    "show version",
    "show interface",
    "show access-list",
    "show xlate",
];

/// Something of everything that the clients read.
const CONFIGURATION: &str = include_str!("../../clients/desk.cfg");

/// The box, its networks, and the bridge to its console.
#[derive(Debug)]
pub struct Desk {
    /// Everybody else's namespaces.
    pub topology: Topology,
    /// The serial console.
    pub console: Console,
    /// Where clients and the ssh server are.
    pub place: Namespace,
    bridge: Bridge,
    folder: PathBuf,
    servers: Vec<Daemon>,
    _qemu: Qemu,
}

impl Ground for Desk {
    async fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let topology = Topology::new(folder).await?;
        let place = Namespace::new("desk", folder)?;
        let bridge = Bridge::new(&place, folder).await?;
        let mut config = Config::new(workspace::image());
        config.ports = topology.links();
        config.wrapper = topology.bridges.wrapper();
        config.developer_log = Some(folder.join("defmt.bin"));
        config.output = Some(folder.join("qemu.log"));
        let disk = folder.join("disk.img");
        ensure_disk(&disk, DISK_MIB)?;
        config.disk = Some(disk);
        let (qemu, console) = Qemu::start(&config).await?;
        let mut desk = Self {
            topology,
            console,
            place,
            bridge,
            folder: folder.to_owned(),
            servers: Vec::new(),
            _qemu: qemu,
        };
        let outcome = desk.set_up().await;
        outcome.with_context(|| format!("console:\n{}", desk.console.tail(25)))?;
        Ok(desk)
    }

    fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    async fn dumps(&mut self) -> String {
        let mut text = dumps(&mut self.console, COMMANDS).await;
        // The next test finds the line as a careful client leaves it.
        if let Err(error) = self.log_out().await {
            text.push_str(&format!("{error:#}"));
        }
        text
    }
}

impl Desk {
    async fn set_up(&mut self) -> Result<()> {
        self.console.wait_ready().await?;
        self.console.enable(PASSWORD).await?;
        type_lines(&mut self.console, CONFIGURATION).await?;
        self.console.command("write memory").await?;
        self.send_traffic().await?;
        self.log_out().await
    }

    /// Gives every counter that clients read something to count.
    async fn send_traffic(&mut self) -> Result<()> {
        let listen = |port: u16| format!("TCP4-LISTEN:{port},reuseaddr,fork");
        let Self {
            topology, servers, ..
        } = self;
        servers.push(
            topology
                .router
                .daemon("web", &["socat", &listen(80), "PIPE"])?,
        );
        servers.push(
            topology
                .node1
                .daemon("node-web", &["socat", &listen(80), "PIPE"])?,
        );
        crate::sip::wait_listening(&topology.router, WEB, 80).await?;
        crate::sip::wait_listening(&topology.node1, NODE_1, 80).await?;
        let edge = EDGE.to_string();
        let count = PINGS.to_string();
        let words = ["ping", "-c", &count, "-i", "0.2", "-W", "2", &edge];
        let limit = Duration::from_secs(30);
        topology.client.run(&words, limit).await?.success()?;
        // Both connections stay open, so that their translations are there to be shown.
        let to = |address| format!("TCP4:{address}:80");
        let words = ["socat", "-u", &to(WEB), "STDOUT"].map(str::to_owned);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        servers.push(topology.client.daemon("inside-out", &words)?);
        let words = ["socat", "-u", &to(PUBLIC), "STDOUT"].map(str::to_owned);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        servers.push(topology.router.daemon("outside-in", &words)?);
        for _ in 0..REFUSALS {
            let refused = format!("TCP4:{PUBLIC}:22,connect-timeout=0.5");
            let words = ["socat", "-u", "OPEN:/dev/null", &refused];
            let finished = topology.router.run(&words, limit).await?;
            ensure!(!finished.status.success(), "port 22 is open");
        }
        Ok(())
    }

    /// Logs, captures and what scripts leave behind.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The private key that the bridge takes.
    pub fn key(&self) -> &Path {
        self.bridge.key()
    }

    /// Brings the console to user mode from wherever a test has left it.
    ///
    /// # Errors
    /// When the box does not show a prompt.
    pub async fn log_out(&mut self) -> Result<()> {
        self.console.send(b"\x03\x1a\r").await?;
        let prompt = self.prompt().await?;
        if !prompt.ends_with('>') {
            self.console.command("logout").await?;
            let prompt = self.prompt().await?;
            ensure!(
                prompt.ends_with('>'),
                "logged out, the box shows `{prompt}`"
            );
        }
        Ok(())
    }

    /// The prompt that the box shows.
    ///
    /// # Errors
    /// When it shows none.
    pub async fn prompt(&mut self) -> Result<String> {
        self.console.wait_ready().await?;
        // A comment does nothing, and its output ends with a fresh prompt.
        self.console.command("!").await?;
        let line = self.console.tail(1);
        Ok(line.trim_end().to_owned())
    }

    /// Asks the box from privileged mode, and logs out again.
    ///
    /// # Errors
    /// When a command is refused.
    pub async fn ask(&mut self, commands: &[&str]) -> Result<Vec<String>> {
        self.console.wait_ready().await?;
        self.console.enable(PASSWORD).await?;
        let mut answers = Vec::new();
        for command in commands {
            answers.push(self.console.command(command).await?);
        }
        self.log_out().await?;
        Ok(answers)
    }

    /// How to reach the box, and what is true of it.
    fn facts(&self, more: Value) -> Value {
        let mut facts = json!({
            "host": "127.0.0.1",
            "port": bridge::PORT,
            "user": "root",
            "key": self.bridge.key(),
            "line": self.bridge.socket(),
            "secret": PASSWORD,
            "hostname": HOST_NAME,
            "inside": INSIDE,
            "outside": OUTSIDE,
            "router": ROUTER,
            "node": NODE_1,
            "client": CLIENT,
            "public": PUBLIC,
            "web": WEB,
            "folder": self.folder,
        });
        if let (Some(facts), Value::Object(more)) = (facts.as_object_mut(), more) {
            facts.extend(more);
        }
        facts
    }

    /// Runs a script of `hw-tests/clients` with Python while the console is lent to what it starts;
    /// returns what it printed.
    ///
    /// # Errors
    /// When it fails; the message is its output.
    pub async fn script(
        &mut self,
        environment: Environment,
        script: &str,
        more: Value,
    ) -> Result<String> {
        let facts = self.folder.join(format!("{script}.json"));
        fs::write(&facts, self.facts(more).to_string())?;
        let path = workspace::root().join("hw-tests/clients").join(script);
        let mut command = self.command(&environment, "python3")?;
        // The checked-in folder is no place for compiled files.
        command.arg("-B").arg(path).arg(facts);
        self.lend_to(command, LIMIT).await
    }

    /// A program of an environment, with its folder first in the search path and a home of its own.
    ///
    /// # Errors
    /// When the environment is not there.
    pub fn command(&self, environment: &Environment, program: &str) -> Result<Command> {
        let program = environment.program(program)?;
        let folder = program.parent().context("a program is in a folder")?;
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.place.command(&[&program.to_string_lossy()]);
        command
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HOME", &self.folder)
            .current_dir(&self.folder);
        Ok(command)
    }

    /// Runs a program to its end while it has the console.
    ///
    /// # Errors
    /// When it fails or still runs after `limit`.
    pub async fn lend_to(&mut self, command: Command, limit: Duration) -> Result<String> {
        let Self {
            bridge, console, ..
        } = self;
        let client = async {
            let finished = process::run(command, limit).await;
            tokio::time::sleep(LINGER).await;
            finished
        };
        let finished = tokio::select! {
            finished = client => finished?,
            served = bridge.serve(console) => {
                served?;
                bail!("the bridge stopped");
            }
        };
        finished.success()
    }
}
