//! The alternative that figures are read against: a Debian kernel with nftables in the same QEMU,
//! between the same hosts, with the same translation and policy.
//!
//! The kernel comes from the package index of the host, the initial RAM disk is made here of busybox,
//! the kernel's modules and the host's own `nft` with its libraries. All of it is kept under `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::forwarding::{Rates, rates};
use crate::demo::cast::Cast;
use crate::qemu::{Config, Qemu};
use crate::{host, workspace};

/// Names the newest kernel of Debian's cloud flavour.
const KERNEL: &str = "linux-image-cloud-amd64";

/// A shell, `modprobe`, `depmod` and `cpio` in one file without libraries.
const BUSYBOX: &str = "busybox-static";

/// Folders of modules that the guest takes along.
const MODULES: &[&str] = &[
    "arch/x86/crypto",
    "crypto",
    "drivers/net",
    "drivers/virtio",
    "lib",
    "net/core",
    "net/ipv4",
    "net/ipv6",
    "net/netfilter",
];

/// Printed by the guest when it forwards.
const READY: &str = "the guest forwards";

/// A machine without hardware acceleration takes its time to start Linux.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first process: names come in the order of the PCI bus, outside first, as the box has them.
const INIT: &str = "\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for module in virtio_pci virtio_net nft_chain_nat nft_ct nft_nat nft_masq; do
    /bin/busybox modprobe $module
done
/bin/busybox ip addr add 203.0.113.2/28 dev eth0
/bin/busybox ip addr add 203.0.113.10/32 dev eth0
/bin/busybox ip addr add 10.20.0.1/24 dev eth1
/bin/busybox ip link set eth0 up
/bin/busybox ip link set eth1 up
/bin/busybox ip route add default via 203.0.113.1
echo 1 > /proc/sys/net/ipv4/ip_forward
/usr/sbin/nft -f /rules.nft && echo the guest forwards
while true; do /bin/busybox sleep 1000; done
";

/// The demonstration's translation and policy: published services, everybody else by port behind
/// the public address, nobody in but to what is published.
const RULES: &str = "\
table ip box {
    chain published {
        type nat hook prerouting priority dstnat;
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 5061 dnat to 10.20.0.11:5062
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 5080 dnat to 10.20.0.11:5080
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 5060 dnat to 10.20.0.11:5060
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 45062 dnat to 10.20.0.12:5062
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 5269 dnat to 10.20.0.11:5269
        iifname \"eth0\" ip daddr 203.0.113.10 tcp dport 15269 dnat to 10.20.0.12:5269
    }
    chain shared {
        type nat hook postrouting priority srcnat;
        oifname \"eth0\" ip saddr 10.20.0.0/24 snat to 203.0.113.10
    }
    chain through {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname \"eth1\" oifname \"eth0\" accept
        iifname \"eth0\" ip saddr 198.51.100.20 ip daddr 10.20.0.11 tcp dport 5062 accept
        iifname \"eth0\" ip daddr { 10.20.0.11, 10.20.0.12 } tcp dport 5269 accept
    }
}
";

/// What crosses the guest between the hosts of a cast of its own.
///
/// # Errors
/// When the guest cannot be had or does not start; the message says why.
pub(super) async fn measure() -> Result<Rates> {
    let folder = workspace::root().join("target/linux-guest");
    let (kernel, archive) = prepare(&folder).context("no Linux guest")?;
    let mut config = Config::new(kernel);
    config.command_line = "console=ttyS0 quiet panic=-1".to_owned();
    config.extra = vec!["-initrd".into(), archive.into()];
    let cast = Cast::new()?;
    let segments = [cast.outside.clone(), cast.inside.clone()];
    let (qemu, mut console, _uplinks) = Qemu::start_joined(&config, &segments).await?;
    console.set_patience(PATIENCE);
    let started = console.expect(READY).await;
    started.with_context(|| format!("the guest printed:\n{}", console.tail(10)))?;
    let rates = rates(&cast).await;
    qemu.kill().await?;
    Ok(rates)
}

/// The kernel and the initial RAM disk, fetched and made unless they are there.
fn prepare(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (kernel, archive) = (folder.join("vmlinuz"), folder.join("initrd"));
    if kernel.is_file() && archive.is_file() {
        return Ok((kernel, archive));
    }
    let nft = host::find("nft").context("nft is missing; its package is nftables")?;
    let system = folder.join("packages");
    if system.exists() {
        fs::remove_dir_all(&system)?;
    }
    fs::create_dir_all(&system)?;
    // The package of this name has nothing in it but the name of the newest one.
    let named = output(Command::new("apt-cache").args(["depends", KERNEL]))?;
    let image = named.lines().find_map(|line| {
        let name = line.trim().strip_prefix("Depends: ")?;
        name.starts_with("linux-image-").then_some(name)
    });
    let image = image.with_context(|| format!("the package index does not know {KERNEL}"))?;
    let fetched = output(
        Command::new("apt-get")
            .args(["download", "--quiet", image, BUSYBOX])
            .current_dir(&system),
    );
    fetched.context("the packages cannot be fetched")?;
    for entry in fs::read_dir(&system)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "deb") {
            output(
                Command::new("dpkg-deb")
                    .arg("-x")
                    .arg(&path)
                    .arg(system.join("files")),
            )?;
        }
    }
    let files = system.join("files");
    let version = image.trim_start_matches("linux-image-");
    let busybox = files.join("bin/busybox");

    let root = system.join("root");
    for place in ["bin", "dev", "usr/sbin"] {
        fs::create_dir_all(root.join(place))?;
    }
    for kind in MODULES {
        let place = format!("lib/modules/{version}/kernel/{kind}");
        let from = files.join(&place);
        if from.is_dir() {
            let to = root.join(&place);
            fs::create_dir_all(&to)?;
            output(Command::new("cp").arg("-rT").arg(from).arg(to))?;
        }
    }
    output(
        Command::new(&busybox)
            .args(["depmod", "-b"])
            .arg(&root)
            .arg(version),
    )?;
    fs::copy(&busybox, root.join("bin/busybox"))?;
    copy_program(&nft, &root)?;
    fs::write(root.join("init"), INIT)?;
    fs::write(root.join("rules.nft"), RULES)?;
    output(Command::new("chmod").arg("755").arg(root.join("init")))?;
    let pack = format!(
        "find . | {} cpio -o -H newc > ../initrd",
        busybox.to_string_lossy()
    );
    output(Command::new("sh").args(["-ec", &pack]).current_dir(&root))?;
    fs::rename(files.join(format!("boot/vmlinuz-{version}")), &kernel)?;
    fs::rename(system.join("initrd"), &archive)?;
    fs::remove_dir_all(&system)?;
    Ok((kernel, archive))
}

/// Copies a program to `usr/sbin`, and its libraries to where it looks for them.
fn copy_program(program: &Path, root: &Path) -> Result<()> {
    let name = program.file_name().context("a program has a name")?;
    fs::copy(program, root.join("usr/sbin").join(name))?;
    let libraries = output(Command::new("ldd").arg(program))?;
    for library in paths_of_libraries(&libraries) {
        let inside = root.join(library.trim_start_matches('/'));
        if let Some(folder) = inside.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(library, inside)?;
    }
    Ok(())
}

/// The files that `ldd` names.
fn paths_of_libraries(printed: &str) -> impl Iterator<Item = &str> {
    printed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
}

/// What a command prints; it must succeed.
fn output(command: &mut Command) -> Result<String> {
    let shown = workspace::display(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        bail!("`{shown}` failed: {}", last.unwrap_or("without a word"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_with_a_path() {
        let printed = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibmnl.so.0 => /lib/libmnl.so.0 (0x1)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x2)\n";
        let paths: Vec<&str> = paths_of_libraries(printed).collect();
        assert_eq!(paths, ["/lib/libmnl.so.0", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
