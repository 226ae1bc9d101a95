"""pexpect on the serial line itself: the keys a person uses, and the pager."""

import re
import socket

from pexpect import fdpexpect

from common import check, equal, facts

known = facts()
name = re.escape(known["hostname"])
line = socket.socket(socket.AF_UNIX)
line.connect(known["line"])
box = fdpexpect.fdspawn(line.fileno(), timeout=20, encoding="latin-1")


def user_prompt():
    box.expect(rf"{name}> $")


def prompt(mode=""):
    box.expect(rf"{name}{re.escape(mode)}# $")
    return box.before


user_prompt()
box.send("en\t")
box.expect_exact("enable")
box.send("\r")
box.expect_exact("Password: ")
box.send("wrong\r")
box.expect_exact("Invalid password")
box.expect_exact("Password: ")
box.send(known["secret"] + "\r")
check("secret" not in prompt(), "the password was echoed")

# Help within a line leaves the line as it was.
box.send("show interface ?")
box.expect_exact("commands/options:")
help_text = prompt_and_line = box.expect_exact(f"{known['hostname']}# show interface ")
box.send("\x15")
box.send("sh ver | i up\r")
check(known["hostname"] + " up" in prompt(), box.before)

# Tab completes what is unique; an ambiguous word is refused with its name.
box.send("show run\t")
box.expect_exact("show running-config")
box.send("\x15show c\r")
check("Ambiguous command" in prompt(), box.before)

# The pager: a page, a line, and away.
box.send("terminal pager 5\r")
prompt()
box.send("show running-config\r")
box.expect_exact("<--- More --->")
equal(len(box.before.strip().splitlines()), 6, "lines of a page and the echo")
box.send("\r")
box.expect_exact("<--- More --->")
box.send(" ")
box.expect_exact("<--- More --->")
box.send("q")
prompt()
box.send("no terminal pager\r")
prompt()
box.send("show running-config\r")
check(": end" in prompt(), "the pager is on")

# A ping is left with Ctrl-C, long before its last timeout.
box.send("ping 203.0.113.14 repeat 100\r")
box.expect_exact("Sending 100")
box.expect_exact(".")
box.send("\x03")
prompt()
box.send("ping " + known["router"] + "\r")
prompt()
check("Success rate is 100 percent (5/5)" in box.before, box.before)

# A line is edited in the middle, and history brings it back.
box.send("show clok")
box.send("\x02c\x05 detail\x17\r")
check("UTC" in prompt(), box.before)
box.send("\x10\r")
check("UTC" in prompt(), box.before)

# Ctrl-Z leaves every mode at once, and nothing typed on that line happens.
box.send("configure terminal\rinterface GigabitEthernet0/0\r")
prompt("(config-if)")
box.send("shutdown\x1a")
prompt()
box.send("show running-config interface GigabitEthernet0/0\r")
check("shutdown" not in prompt(), box.before)

box.send("logout\r")
user_prompt()
