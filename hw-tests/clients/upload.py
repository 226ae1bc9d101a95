"""lrzsz sends a file in 1 KiB blocks over the serial line; its hash is the same on both sides."""

import hashlib
import os
import re
import socket
import subprocess

from pexpect import fdpexpect

from common import check, equal, facts

SIZE = 100_003

known = facts()
name = re.escape(known["hostname"])
line = socket.socket(socket.AF_UNIX)
line.connect(known["line"])
box = fdpexpect.fdspawn(line.fileno(), timeout=30, encoding="latin-1")

# Every byte value is in it, and its last block is not full. It ends with no padding byte (26).
content = bytes(index * index // 7 % 256 for index in range(SIZE - 1)) + b"!"
path = os.path.join(known["folder"], "upload.bin")
with open(path, "wb") as file:
    file.write(content)

box.expect(rf"{name}> $")
box.send("enable\r")
box.expect_exact("Password: ")
box.send(known["secret"] + "\r")
box.expect(rf"{name}# $")
box.send("copy /noconfirm xmodem: disk0:/upload.bin\r")
box.expect_exact("XMODEM now")
box.expect_exact("\r\n")
sender = subprocess.run(
    ["sx", "-k", path], stdin=line, stdout=line, stderr=subprocess.PIPE, timeout=60, check=False
)
equal(sender.returncode, 0, "sx: " + sender.stderr.decode("latin-1"))
box.expect(rf"(?s)(.*)\r\n{name}# $")
told = box.match.group(1)
sha256 = hashlib.sha256(content).hexdigest()
md5 = hashlib.md5(content).hexdigest()
check(sha256 in told and md5 in told, "hashes are not told:", told)
# Read back from the disk, not remembered.
box.send("verify disk0:/upload.bin\r")
box.expect(rf"(?s)(.*)\r\n{name}# $")
check(sha256 in box.match.group(1) and md5 in box.match.group(1), box.match.group(1))
box.send("dir\r")
box.expect(rf"(?s)(.*)\r\n{name}# $")
check(re.search(rf"(?m)\s{SIZE}\s.*\supload\.bin\s*$", box.match.group(1)), box.match.group(1))
box.send("delete /noconfirm disk0:/upload.bin\r")
box.expect(rf"{name}# $")
box.send("logout\r")
box.expect(rf"{name}> $")
