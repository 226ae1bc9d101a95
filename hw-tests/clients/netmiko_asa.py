"""netmiko's cisco_asa driver: modes, configuration, errors, saving, long outputs and a bulk."""

import os

from netmiko import exceptions

from common import check, equal, facts, netmiko_connection

BULK = 300

known = facts()
box = netmiko_connection(known)
prompt = box.find_prompt()
equal(prompt, known["hostname"] + "#", "the prompt")
check(box.check_enable_mode(), "not in privileged mode")

# Objects, a list, a translation: each sub-mode is entered and left by the next line.
output = box.send_config_set(
    [
        "object network netmiko_host",
        "host 10.20.0.60",
        "nat (inside,outside) static 203.0.113.5",
        "object-group network netmiko_group",
        "network-object object netmiko_host",
        "access-list netmiko extended permit tcp any object-group netmiko_group eq 8080",
    ],
    error_pattern=r"ERROR:",
)
check("(config-network-object)#" in output, "no sub-mode:", output)
check(not box.check_config_mode(), "still in configuration mode")
shown = box.send_command("show running-config access-list netmiko")
equal(
    shown.strip(),
    "access-list netmiko extended permit tcp any object-group netmiko_group eq 8080",
    "the list",
)

# A refused line is an error, and the session goes on.
try:
    box.send_config_set(["object network netmiko_host", "host 10.20.0.999"], error_pattern=r"ERROR:")
    check(False, "a bad address was taken")
except exceptions.ConfigInvalidException as error:
    check("host 10.20.0.999" in str(error), error)
if box.check_config_mode():
    box.exit_config_mode()
shown = box.send_command("show running-config object-group nonsense nonsense nonsense")
check("ERROR: % Invalid input detected" in shown, shown)

# A bulk from a file, then an output of many pages in one piece.
lines = [
    f"access-list netmiko_bulk extended permit tcp any host 10.21.{index // 250}.{index % 250 + 1}"
    f" eq {20000 + index}"
    for index in range(BULK)
]
path = os.path.join(known["folder"], "netmiko_bulk.cfg")
with open(path, "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
box.send_config_from_file(path, error_pattern=r"ERROR:")
shown = box.send_command("show running-config access-list netmiko_bulk")
equal(shown.strip().splitlines(), lines, "the bulk")
whole = box.send_command("show running-config")
check(whole.rstrip().endswith(": end"), "cut short:", whole[-200:])
check("More" not in whole, "the pager is on")

saved = box.save_config()
check("[OK]" in saved, saved)
stored = box.send_command("show startup-config | include netmiko_bulk")
equal(len(stored.strip().splitlines()), BULK, "lines kept")

# Cleans up, so that the next client finds the box as it was.
box.send_config_set(
    [
        "clear configure access-list netmiko_bulk",
        "clear configure access-list netmiko",
        "no object-group network netmiko_group",
        "object network netmiko_host",
        "no nat (inside,outside) static 203.0.113.5",
        "exit",
        "no object network netmiko_host",
    ],
    error_pattern=r"ERROR:",
)
check("netmiko" not in box.send_command("show running-config"), "something is left")
check("[OK]" in box.save_config(), "not saved")
box.disconnect()
