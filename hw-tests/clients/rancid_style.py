"""A collector of the old school: logs in, turns the pager off, keeps two outputs, leaves."""

import re
import sys

import pexpect

from common import check, equal, facts

known = facts()
name = re.escape(known["hostname"])
box = pexpect.spawn(
    "ssh",
    ["-tt", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    + ["-p", str(known["port"]), "-i", known["key"], f"{known['user']}@{known['host']}"],
    timeout=20,
    encoding="utf-8",
)
box.expect(f"{name}> ?")
box.send("enable\r")
box.expect("[Pp]assword: ?")
box.send(known["secret"] + "\r")
box.expect(f"{name}# ?")


def collect(command):
    """The output of a command, without echo and prompt."""
    box.send(command + "\r")
    box.expect(f"(?s)(.*)\r\n{name}# ?$")
    return box.match.group(1).replace("\r\n", "\n").split("\n", 1)[-1]


collect("terminal pager 0")
version = collect("show version")
check(re.search(r"Version \S+", version), version)
check(re.search(rf"(?m)^{name} up ", version), version)
written = collect("write term")
check("More" not in written, "the pager is on")
check(re.search(r"(?m)^: end$", written), "cut short:", written[-200:])
check(re.search(r"(?m)^Cryptochecksum:[0-9a-f]{32}$", written), "no checksum:", written[-200:])
# The same configuration by its other name.
equal(collect("show running-config"), written, "the running configuration")
box.send("exit\r")
box.expect(f"{name}> ?")
box.close()
sys.exit(0)
