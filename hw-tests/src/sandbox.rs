//! Mount, network and process namespaces of the test program's own.
//!
//! Whatever the tests start lives in a process namespace whose first process is the test program;
//! the kernel ends it with the program, however that ends. Interface names cannot meet those of
//! another run. A user who is not root becomes root of a user namespace.

use std::env;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tools::host;

/// Set in the environment of the program within.
const MARK: &str = "SALLYPORT_SANDBOX";

/// Tells whether this program is in its sandbox already.
pub fn is_within() -> bool {
    env::var_os(MARK).is_some()
}

/// Returns within the sandbox: at once if this process is in it, else by starting the program anew.
///
/// # Errors
/// When the host does not allow it; the message is a reason to skip the tests.
pub fn enter() -> Result<()> {
    if is_within() {
        return check();
    }
    let mut options = vec!["--mount", "--net"];
    if !host::is_root() {
        options.extend(["--user", "--map-root-user"]);
    }
    const PROCESSES: [&str; 4] = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    if is_allowed(&options, &PROCESSES) {
        options.extend(PROCESSES);
    } else if !is_allowed(&options, &[]) {
        bail!("this host lets neither root nor users make namespaces (unshare failed)");
    }
    let program = env::current_exe().context("the test program has no path")?;
    let error = Command::new("unshare")
        .args(&options)
        .arg("--")
        .arg(program)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .env("PATH", search_path())
        .exec();
    Err(error).context("cannot run unshare")
}

fn is_allowed(options: &[&str], more: &[&str]) -> bool {
    let status = Command::new("unshare")
        .args(options)
        .args(more)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Servers are in the system administration folders, which users do not search.
fn search_path() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned())
    )
}

fn check() -> Result<()> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .context("no TAP devices can be made: /dev/net/tun")?;
    Ok(())
}
