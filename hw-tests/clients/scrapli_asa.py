"""scrapli with the community's cisco_asa platform: privilege levels, configuration, failures."""

from scrapli import Scrapli

from common import check, equal, facts

known = facts()
box = Scrapli(
    platform="cisco_asa",
    host=known["host"],
    port=known["port"],
    auth_username=known["user"],
    auth_private_key=known["key"],
    auth_strict_key=False,
    auth_secondary=known["secret"],
    ssh_config_file="/dev/null",
    transport="system",
    timeout_ops=30,
)
box.open()
name = known["hostname"]
for level, prompt in [
    ("privilege_exec", f"{name}#"),
    ("configuration", f"{name}(config)#"),
    ("exec", f"{name}>"),
    ("privilege_exec", f"{name}#"),
]:
    box.acquire_priv(level)
    equal(box.get_prompt().strip(), prompt, level)

response = box.send_command("show running-config hostname")
check(not response.failed, response.result)
equal(response.result.strip(), f"hostname {name}", "the host name")

response = box.send_configs(
    ["object network scrapli_host", "host 10.20.0.61", "description made by scrapli"]
)
check(not response.failed, response.result)
shown = box.send_command("show running-config object | include scrapli").result
check("object network scrapli_host" in shown, shown)
check("description made by scrapli" in shown, shown)

# The platform's own list of error texts finds ours.
response = box.send_command("show nonsense")
check(response.failed, "no failure:", response.result)
response = box.send_config("objekt network other")
check(response.failed, "no failure:", response.result)
response = box.send_config("route")
check(response.failed, "no failure:", response.result)
response = box.send_configs(
    ["no object network scrapli_host", "nonsense", "hostname never"], stop_on_failed=True
)
check(response.failed, "no failure:", response.result)
equal(len(response), 2, "lines sent before the first failure stopped them")
shown = box.send_command("show running-config | include scrapli|hostname").result
equal(shown.strip(), f"hostname {name}", "what is left")

arps = box.send_command("show arp").textfsm_parse_output()
check(known["router"] in [arp["ip_address"] for arp in arps], arps)
box.close()
