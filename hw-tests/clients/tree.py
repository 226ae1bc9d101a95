"""ciscoconfparse2 reads our running configuration into the tree that the box holds."""

from ciscoconfparse2 import CiscoConfParse

from common import check, equal, facts, netmiko_connection

known = facts()
box = netmiko_connection(known)
whole = box.send_command("show running-config", read_timeout=60)
tree = CiscoConfParse(whole.splitlines(), syntax="asa", ignore_blank_lines=True)


def blocks(parse):
    """Each parent of a configuration with all that is under it, deep."""

    def under(line):
        return (line.text.strip(), [under(child) for child in line.children])

    return [under(line) for line in parse.objs if line.parent is line]


everything = [block for block in blocks(tree) if not block[0].startswith(("!", ":"))]
check(len(everything) > 20, "a small tree:", everything)

# Section by section the box prints the same parents with the same children, from its own structures.
seen = 0
for section in known["sections"]:
    shown = box.send_command(f"show running-config {section}", read_timeout=60)
    part = CiscoConfParse(shown.splitlines(), syntax="asa", ignore_blank_lines=True)
    part = [block for block in blocks(part) if not block[0].startswith(("!", ":"))]
    check(part, f"section {section} is empty: {shown}")
    for block in part:
        check(block in everything, f"section {section} has {block}, which the whole has not")
        seen += 1
check(seen >= known["least"], f"only {seen} blocks compared")

# The children that were typed are the children that are found.
for parent, children in known["typed"].items():
    (found,) = [block for block in everything if block[0] == parent and block[1]][:1]
    equal(sorted(child for child, _ in found[1]), sorted(children), parent)
port = tree.find_parent_objects("^interface", "nameif outside")
equal([line.text for line in port], ["interface GigabitEthernet0/0"], "the outside port")
box.disconnect()
