//! `cargo xtask`: the project's own commands.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use tools::demo::lab::Shape;
use tools::progress::Steps;
use tools::qemu::Machine;
use tools::{bench, build, check, demo, disk, logs, run, suite, symbolise, workspace};

/// Sallyport: build it, run it, see it work, test it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Command {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the firmware and lay out target/image/sallyport.elf.
    Build,
    /// Build and write target/image/sallyport.img, a disk that boots by BIOS and UEFI, and its other forms.
    Image(Image),
    /// Boot the box in QEMU with this terminal as its serial console.
    Run(Box_),
    /// Show a federation end to end: two simulated companies, the box between them.
    Demo(Demo),
    /// Check, test, and test the image between real peers.
    Test {
        /// Run also what is too heavy for every run.
        #[arg(long)]
        all: bool,
    },
    /// Format, lints, documentation, import directions, house rules.
    Check,
    /// Decode the developer log of the second serial port.
    Logs(Logs),
    /// Measure the project's figures and write docs/performance.md.
    Bench {
        /// Measure in this build of the program instead of an optimised one.
        #[arg(long)]
        here: bool,
        /// Print what is forwarded, by the box and by a Linux guest, and write nothing.
        #[arg(long)]
        forwarding: bool,
    },
    /// Put names to the addresses in a crash report.
    Symbolise {
        /// The report; standard input if absent.
        report: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Box_ {
    /// QEMU machine: q35 or pc.
    #[arg(long, default_value = "q35")]
    machine: Machine,
    /// Memory in MiB.
    #[arg(long, default_value_t = 256)]
    memory: u32,
}

#[derive(Debug, Args)]
struct Demo {
    #[command(flatten)]
    machine: Box_,
    /// Power the box off at the end instead of handing its console over.
    #[arg(long)]
    exit: bool,
    /// Paste whole blocks of configuration instead of waiting for each prompt.
    #[arg(long)]
    paste: bool,
}

#[derive(Debug, Args)]
struct Image {
    /// Sign with this private key (PEM, PKCS #8, Ed25519); the loaders then trust no other. Without it,
    /// with the development key.
    #[arg(long, value_name = "FILE")]
    release_key: Option<PathBuf>,
    /// Words for the firmware's command line, such as console=9600.
    #[arg(long, value_name = "WORDS", default_value = "")]
    command_line: String,
}

#[derive(Debug, Args)]
struct Logs {
    /// The log; target/run/defmt.bin if absent.
    log: Option<PathBuf>,
    /// Go on as it grows.
    #[arg(long, short)]
    follow: bool,
}

fn main() -> ExitCode {
    match perform(Command::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Build => {
            let mut steps = Steps::new(3);
            build::build(&mut steps)?;
            steps.finish("build");
            Ok(())
        }
        Task::Image(options) => {
            let signer = disk::Signer::read(options.release_key.as_deref())?;
            let mut steps = Steps::new(5);
            let firmware = build::build(&mut steps)?;
            disk::write(&mut steps, &firmware.elf, &signer, &options.command_line)?;
            steps.finish("image");
            Ok(())
        }
        Task::Run(shape) => run::run(shape.machine, shape.memory),
        Task::Demo(options) => {
            let shape = Shape {
                machine: options.machine.machine,
                memory_mib: options.machine.memory,
                disk: None,
                pastes: options.paste,
                is_shown: true,
            };
            runtime()?.block_on(demo::demo(&demo::Options {
                shape,
                exits: options.exit,
            }))
        }
        Task::Test { all } => suite::test(all),
        Task::Check => check::check(),
        Task::Bench {
            here: true,
            forwarding: false,
        } => runtime()?.block_on(bench::measure()),
        Task::Bench {
            here: true,
            forwarding: true,
        } => runtime()?.block_on(bench::measure_forwarding()),
        Task::Bench {
            here: false,
            forwarding,
        } => bench::bench(forwarding),
        Task::Logs(options) => {
            let log = options
                .log
                .unwrap_or_else(|| workspace::run_directory().join("defmt.bin"));
            logs::logs(&log, &workspace::debug_file(), options.follow)
        }
        Task::Symbolise { report } => {
            let text = match report {
                Some(path) => std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
                None => std::io::read_to_string(std::io::stdin())
                    .context("cannot read standard input")?,
            };
            let path = workspace::debug_file();
            let bytes =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            print!("{}", symbolise::Symbols::parse(&bytes)?.annotate(&text));
            Ok(())
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("cannot start the runtime")
}
