"""What every client script shares: the facts it is told, and how it judges."""

import json
import sys


def facts():
    """How to reach the box and what is true of it, from the file named on the command line."""
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def check(condition, *what):
    """Ends the script unless a condition holds, showing what speaks against it."""
    if not condition:
        print("NOT SO:", *what)
        sys.exit(1)


def equal(found, wanted, what):
    """Ends the script unless two values are equal."""
    check(found == wanted, f"{what} is {found!r}, not {wanted!r}")


def netmiko_connection(known, **more):
    """netmiko's own ASA driver, logged in and in privileged mode."""
    from netmiko import ConnectHandler

    return ConnectHandler(
        device_type="cisco_asa",
        host=known["host"],
        port=known["port"],
        username=known["user"],
        use_keys=True,
        key_file=known["key"],
        secret=known["secret"],
        **more,
    )
