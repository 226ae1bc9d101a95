//! `show version`, `show memory`, `show blocks`, and small words about the box.

use alloc::string::String;
use core::time::Duration;

use dataplane::AccessUsage;
use hal::packet::{BUFFER_LEN, PacketPool};

use super::{put, put_line};
use crate::board::HeapUse;
use crate::budget::{Budget, Claim};

/// The version of this firmware.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `show version` tells.
pub(crate) struct Version<'a> {
    pub(crate) hostname: &'a str,
    pub(crate) uptime: Duration,
    pub(crate) memory_bytes: u64,
    pub(crate) cpu: &'a str,
    /// Image file and loader.
    pub(crate) origin: (&'a str, &'a str),
    pub(crate) startup: &'a str,
    /// Model and burned-in address of each port.
    pub(crate) ports: &'a [(&'static str, [u8; 6])],
    /// Whether there was a saved configuration.
    pub(crate) has_startup: bool,
    pub(crate) serial: &'a str,
    /// Who changed the configuration last.
    pub(crate) modified_by: &'a str,
    /// When the configuration was last changed, in words.
    pub(crate) modified: Option<&'a str>,
}

/// `show version`.
pub(crate) fn version(out: &mut String, about: &Version<'_>) {
    put_line!(
        out,
        "Sallyport Adaptive Security Firmware Software Version {VERSION}"
    );
    put_line!(out);
    let (image, loader) = about.origin;
    put_line!(
        out,
        "System image file is \"{image}\" (started by {loader})"
    );
    let file = match about.has_startup {
        true => "startup-config",
        false => "factory default",
    };
    put_line!(
        out,
        "Config file at boot was \"{file}\" ({})",
        about.startup
    );
    put_line!(out);
    put_line!(out, "{} up {}", about.hostname, Uptime(about.uptime));
    put_line!(out);
    put_line!(
        out,
        "Hardware:   x86-64, {} MB RAM, CPU {}",
        about.memory_bytes >> 20,
        about.cpu
    );
    put_line!(out);
    for (number, (model, mac)) in about.ports.iter().enumerate() {
        put_line!(
            out,
            "{number:>2}: Ext: GigabitEthernet0/{number}  : address is {}, {model}",
            super::DottedMac(*mac)
        );
    }
    put_line!(out);
    put_line!(out, "Serial Number: {}", about.serial);
    put_line!(out);
    match about.modified {
        Some(when) => put_line!(
            out,
            "Configuration last modified by {} at {when}",
            about.modified_by
        ),
        None => {
            put_line!(
                out,
                "Configuration has not been modified since last system restart."
            );
        }
    }
}

/// `show inventory`: the box, its ports, its disk.
pub(crate) fn inventory(
    out: &mut String,
    serial: &str,
    ports: &[(&'static str, [u8; 6])],
    disk_bytes: Option<u64>,
) {
    let mut part = |name: &str, about: &str, product: &str, serial: &str| {
        put_line!(out, "Name: \"{name}\", DESCR: \"{about}\"");
        put_line!(out, "PID: {product:<18}, VID: {VERSION}, SN: {serial}");
        put_line!(out);
    };
    let ports_word = alloc::format!("x86-64 edge box, {} network port(s)", ports.len());
    part("Chassis", &ports_word, "SALLYPORT-X86", serial);
    for (number, (model, mac)) in ports.iter().enumerate() {
        let name = alloc::format!("GigabitEthernet0/{number}");
        let hardware = super::hex_capitals(mac);
        part(
            &name,
            &alloc::format!("{model} network port"),
            model,
            &hardware,
        );
    }
    if let Some(bytes) = disk_bytes {
        let about = alloc::format!("disk of {} MB", bytes >> 20);
        part("disk0", &about, "DISK", "N/A");
    }
}

/// A duration as `show version` words it: the two largest units.
pub(crate) struct Uptime(pub(crate) Duration);

impl core::fmt::Display for Uptime {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let secs = self.0.as_secs();
        let (minutes, hours, days) = (secs / 60 % 60, secs / 3600 % 24, secs / 86_400 % 365);
        let years = secs / 86_400 / 365;
        let mut units = [
            (years, "year"),
            (days, "day"),
            (hours, "hour"),
            (minutes, "min"),
            (secs % 60, "sec"),
        ]
        .into_iter()
        .skip_while(|(count, unit)| *count == 0 && *unit != "sec")
        .take(2)
        .filter(|(count, unit)| *count > 0 || *unit == "sec");
        let mut separator = "";
        for (count, unit) in &mut units {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{separator}{count} {unit}{plural}")?;
            separator = " ";
        }
        Ok(())
    }
}

/// `show memory`: ASA's three lines.
pub(crate) fn memory(out: &mut String, memory_bytes: u64, heap: HeapUse) {
    let total = memory_bytes.max(1);
    let used = (heap.used as u64).min(total);
    let percent = |part: u64| part * 100 / total;
    let free = total - used;
    put_line!(
        out,
        "Free memory:  {free:>16} bytes ({:>2}%)",
        percent(free)
    );
    put_line!(
        out,
        "Used memory:  {used:>16} bytes ({:>2}%)",
        100 - percent(free)
    );
    put_line!(out, "-------------     ------------------");
    put_line!(out, "Total memory: {total:>16} bytes (100%)");
}

/// What `show memory detail` adds: the tables claimed at boot, which never grow, with how much of each
/// is taken, and what is left for control work; compiled access lists are part of that.
pub(crate) fn budget(
    out: &mut String,
    budget: &Budget,
    claims: &[Claim; 3],
    in_use: [u64; 3],
    access: AccessUsage,
    heap: HeapUse,
) {
    put_line!(out);
    put_line!(
        out,
        "Claimed at boot               Limit       In use            Bytes"
    );
    let mut claimed = 0;
    for (Claim { name, count, bytes }, in_use) in claims.iter().zip(in_use) {
        claimed += bytes;
        put_line!(out, "{name:<25} {count:>9} {in_use:>12} {bytes:>16}");
    }
    put_line!(out, "{:<25} {:>9}", "Neighbours", budget.neighbors);
    // Bytes against a limit of bytes: a list has no fixed size.
    let AccessUsage {
        bytes,
        bytes_max,
        compiled,
        too_large,
    } = access;
    put_line!(
        out,
        "{:<25} {bytes_max:>9} {compiled:>12} {bytes:>16}",
        "Access lists, compiled"
    );
    if too_large > 0 {
        put_line!(
            out,
            "{:<25} {:>9} {too_large:>12}",
            "Access lists, too large",
            ""
        );
    }
    let used = heap.used as u64;
    let control = used.saturating_sub(claimed);
    let free = (heap.total as u64).saturating_sub(used);
    put_line!(
        out,
        "{:<25} {:>9} {:>12} {control:>16}",
        "Control heap, in use",
        "",
        ""
    );
    put_line!(
        out,
        "{:<25} {:>9} {:>12} {free:>16}",
        "Control heap, free",
        "",
        ""
    );
}

/// `show blocks`: the packet buffers.
pub(crate) fn blocks(out: &mut String, pool: &PacketPool) {
    put_line!(out, "  SIZE    MAX    LOW    CNT  FAILED");
    put!(
        out,
        "{BUFFER_LEN:>6} {:>6} {:>6}",
        pool.total(),
        pool.lowest()
    );
    put_line!(out, " {:>6} {:>7}", pool.available(), pool.refused());
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn uptime_names_its_two_largest_units() {
        let text = |secs| Uptime(Duration::from_secs(secs)).to_string();
        assert_eq!(text(0), "0 secs");
        assert_eq!(text(148), "2 mins 28 secs");
        assert_eq!(text(3 * 86_400 + 22 * 3600 + 59), "3 days 22 hours");
        assert_eq!(text(462 * 86_400), "1 year 97 days");
        assert_eq!(text(86_400), "1 day");
    }
}
