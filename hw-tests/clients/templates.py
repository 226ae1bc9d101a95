"""ntc-templates read what the box shows, and find what is true of it."""

from ntc_templates.parse import parse_output

from common import check, equal, facts, netmiko_connection

known = facts()
box = netmiko_connection(known)


def read(command):
    """The records that the template finds in a command's output."""
    shown = box.send_command(command, read_timeout=60)
    try:
        return parse_output(platform="cisco_asa", command=command, data=shown)
    except Exception as error:  # The library raises many kinds; each is this box's fault.
        check(False, f"{command}: {error}\n{shown}")


def has(records, **wanted):
    """Ends the script unless one of the records has all the wanted fields; returns it."""
    for record in records:
        if all(record.get(field) == value for field, value in wanted.items()):
            return record
    check(False, f"no record with {wanted} among {records}")


def at_least(record, field, least):
    check(int(record[field]) >= least, f"{field} is {record[field]}, less than {least}:", record)


def version():
    (record,) = read("show version")
    equal(record["hostname"], known["hostname"], "the host name")
    equal(record["version"], known["version"], "the version")
    equal(record["interfaces"], [port["interface"] for port in known["ports"]], "the ports")
    check(record["uptime"], record)
    check(record["hardware"], record)


def interfaces():
    for command, name_field in [("show interface", "interface_zone"), ("show interface detail", "interface_name")]:
        records = read(command)
        equal(len(records), len(known["ports"]), "ports")
        for port in known["ports"]:
            record = has(
                records,
                interface=port["interface"],
                link_status="up",
                protocol_status="up",
                mac_address=port["mac"],
                ip_address=port["address"],
                netmask=port["mask"],
                mtu="1500",
                description=port["description"],
                **{name_field: port["name"]},
            )
            if command.endswith("detail"):
                at_least(record, "in_packets", known["pings"])
                at_least(record, "out_packets", known["pings"])
                at_least(record, "in_bytes", 64 * known["pings"])
                equal(record["control_interface_state"], "active", "the state")
    records = read("show interface ip brief")
    for port in known["ports"]:
        has(records, interface=port["interface"], ip_address=port["address"], status="up", proto="up")


def routes():
    records = read("show route")
    has(
        records,
        protocol="S",
        network="0.0.0.0",
        netmask="0.0.0.0",
        nexthopip=known["router"],
        nexthopif="outside",
        distance="1",
    )
    has(records, protocol="S", network="10.30.0.0", netmask="255.255.0.0", nexthopif="inside")
    for port in known["ports"]:
        has(records, protocol="C", network=port["network"], netmask=port["mask"], nexthopif=port["name"])
        has(records, protocol="L", network=port["address"], netmask="255.255.255.255")


def neighbours():
    records = read("show arp")
    for neighbour in known["neighbours"]:
        has(records, interface=neighbour["port"], ip_address=neighbour["address"], mac_address=neighbour["mac"])


def translations():
    records = read("show xlate")
    record = has(records, source_intf="inside", source=[known["node"]], destination_intf="outside")
    equal(record["destination"], [known["public"]], "the published address")
    outside = [record["destination"][0].split("/")[0] for record in records if not record["source"]]
    check(known["outside"] in outside, "no dynamic translation:", records)

    records = read("show nat")
    static = has(records, nat_section_number="2", source_type="static", source_real="web", source_mapped=known["public"])
    at_least(static, "untranslate_hits", 1)
    dynamic = has(records, nat_section_number="2", source_type="dynamic", source_real="lan", source_mapped="interface")
    at_least(dynamic, "translate_hits", 1)
    has(records, nat_section_number="1", source_real="branch", source_interface="inside")
    has(records, nat_section_number="3", source_real="any", destination_interface="outside")


def lists():
    records = read("show access-list")
    head = has(records, acl_name="outside_in", line_num="", action="")
    lines = known["outside_in"]
    rules = {}
    for record in records:
        if record["acl_name"] == "outside_in" and record["line_num"]:
            rules.setdefault(int(record["line_num"]), []).append(record)
    equal(sorted(rules), list(range(1, len(lines) + 1)), "line numbers")
    at_least(head, "acl_tot_elem", len(lines) - 1)
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words[2] == "remark":
            equal(rules[number][0]["remark"], " ".join(words[3:]), "the remark")
        else:
            equal(rules[number][0]["action"], words[3], line)
    web = has(records, acl_name="outside_in", protocol="tcp", dst_host=known["node"], dst_port="www")
    equal(web["hit_count"], "1", "connections to the web server")
    refused = has(records, acl_name="outside_in", action="deny", protocol="ip", src_any="any")
    at_least(refused, "hit_count", known["refusals"])
    has(records, acl_name="outside_in", entry_dst_host="10.20.0.12", entry_dst_network="", action="permit")


def drops():
    (record,) = read("show asp drop")
    at_least(record, "acl_drop", known["refusals"])


def failover():
    (record,) = read("show failover")
    equal(record["state"], "Off", "failover")


def messages():
    # The box tells of commands that change it; this one changes nothing else.
    box.send_command("clear crashinfo")
    records = read("show logging")
    told = [record for record in records if record["mnemonic"] == "111008"]
    check(told, "no command is told", records[-5:])
    last = told[-1]
    equal(last["message"], ["User 'enable_15' executed the 'clear crashinfo' command."], "the text")
    equal((last["facility"], last["severity"]), ("ASA", "5"), "the head")


def inventory():
    records = read("show inventory")
    check(records, "empty")
    for record in records:
        check(record["name"] and record["descr"] and record["pid"], record)


def objects():
    records = read("show running-config object network")
    has(records, name="web", type="host", host=known["node"], description="the web server")
    has(records, name="lan", type="subnet", network="10.20.0.0", netmask="255.255.255.0")
    has(records, name="pool", type="range", start_ip="203.0.113.11", end_ip="203.0.113.12")
    equal(len(records), 4, "network objects")

    records = read("show running-config object service")
    has(records, name="https_source", protocol="tcp", src_operator="eq", src_port_start="https")
    has(records, name="resolver", protocol="udp", dst_operator="eq", dst_port_start="domain")
    has(records, name="high_ports", src_operator="range", src_port_end="65535", dst_port_start="8443")
    has(records, name="echo_request", protocol="icmp", icmp_type="echo")
    equal(len(records), 4, "service objects")


def groups():
    for command in ["show running-config object-group network", "show object-group network"]:
        records = read(command)
        has(records, name="servers", type="host", host="10.20.0.12", description="every server")
        has(records, name="servers", network="10.20.1.0", netmask="255.255.255.0")
        has(records, name="servers", type="object", net_object="web")
        has(records, name="everyone", type="group", grp_object="servers")
        equal(len(records), 4, f"elements in {command}")
    records = read("show running-config object-group service")
    has(records, name="web_ports", grp_protocol="tcp", port_operator="eq", port_start="www")
    has(records, name="web_ports", port_operator="range", port_start="8000", port_end="8010")
    has(records, name="mixed", svc_protocol="tcp", dst_operator="eq", dst_port_start="ssh")
    has(records, name="mixed", svc_protocol="icmp", icmp_type="echo")
    has(records, name="mixed", svc_obj_name="resolver")
    equal(len(records), 6, "elements of service groups")


def bindings():
    records = read("show running-config access-group")
    has(records, access_list="outside_in", interface="outside")
    has(records, access_list="inside_in", interface="inside")
    equal(len(records), 2, "bindings")


def echoes():
    (record,) = read_ping(known["router"])
    equal((record["sent_qty"], record["success_qty"], record["success_pct"]), ("5", "5", "100"), "echoes")
    equal(record["destination"], known["router"], "the destination")
    equal(record["response_stream"], "!!!!!", "the stream")


def read_ping(address):
    shown = box.send_command(f"ping {address}", read_timeout=30)
    return parse_output(platform="cisco_asa", command="ping", data=shown)


def files():
    records = read("dir")
    check(records, "no files")
    for record in records:
        equal(record["file_system"], "disk0:/", "the file system")
        check(int(record["total_free"]) <= int(record["total_size"]), record)


AREAS = {
    "version": version,
    "interfaces": interfaces,
    "routes": routes,
    "neighbours": neighbours,
    "translations": translations,
    "lists": lists,
    "drops": drops,
    "failover": failover,
    "messages": messages,
    "inventory": inventory,
    "objects": objects,
    "groups": groups,
    "bindings": bindings,
    "echoes": echoes,
    "files": files,
}
AREAS[known["area"]]()
box.disconnect()
