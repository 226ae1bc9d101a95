//! What coturn's discovery of NAT behaviour (RFC 5780) says of the translations of a box.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hw_tests::between::{Between, Hosts};
use hw_tests::process::Daemon;
use hw_tests::topology::ROUTER;

const LIMIT: Duration = Duration::from_secs(120);

/// The server's other address, which the standard asks for.
const OTHER: &str = "203.0.113.3";

/// Hosts behind the box by how they are translated.
const SHARING: &str = "10.20.0.40";
const EXTENDED: [&str; 2] = ["10.20.0.41", "10.20.0.42"];
const PUBLISHED: &str = "10.20.0.43";
const CLOSED: &str = "10.20.0.44";

/// The port that both hosts of the extended pool ask from.
const PORT: &str = "40000";

const LINES: &str = "\
object network interface_users
 host 10.20.0.40
 nat (inside,outside) dynamic interface
object network pool
 host 203.0.113.6
object network extended_users
 range 10.20.0.41 10.20.0.42
 nat (inside,outside) dynamic pat-pool pool extended
object network published
 host 10.20.0.43
 nat (inside,outside) static 203.0.113.5
object network closed
 host 10.20.0.44
 nat (inside,outside) static 203.0.113.7
object network published_outside
 host 203.0.113.5
access-list outside_in extended permit udp any host 10.20.0.43
access-group outside_in in interface outside
end
";

const HAIRPIN: &str = "\
configure terminal
same-security-traffic permit intra-interface
nat (inside,inside) source dynamic published interface destination static published_outside published
end
";

const ENDPOINT: &str = "Endpoint Independent";
const ADDRESS_AND_PORT: &str = "Address and Port Dependent";
const HAIRPINNED: &str = "Received a request (maybe a successful hairpinning)";

struct Lab {
    between: Between,
    hosts: Hosts,
    _server: Daemon,
}

impl Lab {
    async fn boot(folder: &Path) -> Result<Self> {
        let between = Between::boot(folder, LINES).await?;
        let hosts = between.hosts()?;
        hosts
            .outside
            .script(&format!("ip addr add {OTHER}/28 dev eth0"))?;
        let others = [EXTENDED[0], EXTENDED[1], PUBLISHED, CLOSED];
        let lines = others.map(|address| format!("ip addr add {address}/24 dev eth0\n"));
        hosts.inside.script(&lines.concat())?;
        let (first, pid) = (
            ROUTER.to_string(),
            folder.join("turnserver.pid").to_string_lossy().into_owned(),
        );
        let words = [
            "turnserver",
            "-n",
            "--stun-only",
            "-L",
            &first,
            "-L",
            OTHER,
            "--no-tls",
            "--no-dtls",
            "--no-tcp",
            "--no-cli",
            "--log-file",
            "stdout",
            "--simple-log",
            "--pidfile",
            &pid,
        ];
        let mut server = hosts.outside.daemon("turnserver", &words)?;
        let limit = Duration::from_secs(20);
        server.wait_for("Total General servers", limit).await?;
        Ok(Self {
            between,
            hosts,
            _server: server,
        })
    }

    /// What `turnutils_natdiscovery` prints.
    async fn ask(&self, options: &[&str], host: &str) -> Result<String> {
        let server = ROUTER.to_string();
        let mut words = vec!["turnutils_natdiscovery"];
        words.extend(options);
        words.extend(["-L", host, &server]);
        self.hosts.inside.run(&words, LIMIT).await?.success()
    }

    /// Its last verdict about `what`, mapping or filtering.
    async fn verdict(&self, what: &str, options: &[&str], host: &str) -> Result<String> {
        let output = self.ask(options, host).await?;
        let mut verdicts = output.lines().filter_map(|line| {
            let rest = line.trim().strip_prefix("NAT with ")?;
            rest.strip_suffix(&format!(" {what}!"))
        });
        let last = verdicts.next_back().map(str::to_owned);
        last.with_context(|| format!("no verdict about {what} of {host}:\n{output}"))
    }

    /// The address and port that the server has seen, of each of its answers.
    async fn seen(&self, options: &[&str], host: &str) -> Result<Vec<String>> {
        Ok(reflexive(&self.ask(options, host).await?))
    }
}

/// The addresses and ports that an output says the server has seen.
fn reflexive(output: &str) -> Vec<String> {
    let lines = output.lines();
    let seen = lines.filter_map(|line| line.split_once("UDP reflexive addr: "));
    seen.map(|(_, address)| address.trim().to_owned()).collect()
}

pub(crate) async fn coturn_finds_the_behaviour_of_each_kind_of_translation(
    folder: &Path,
) -> Result<()> {
    let mut lab = Lab::boot(folder).await?;
    for (host, outside, filtering) in [
        (SHARING, "203.0.113.2:", ADDRESS_AND_PORT),
        (PUBLISHED, "203.0.113.5:", ENDPOINT),
        (CLOSED, "203.0.113.7:", ADDRESS_AND_PORT),
    ] {
        let seen = lab.seen(&["-m"], host).await?;
        ensure!(
            !seen.is_empty() && seen.iter().all(|seen| seen.starts_with(outside)),
            "{host}: {seen:?}"
        );
        let mapping = lab.verdict("Mapping", &["-m"], host).await?;
        ensure!(mapping == ENDPOINT, "{host}: {mapping} mapping");
        let found = lab.verdict("Filtering", &["-f"], host).await?;
        ensure!(found == filtering, "{host}: {found} filtering");
    }

    // A pool that binds per destination keeps a free port, so to the first host it looks as if it did
    // not. The second one finds that port taken, but only towards where the first one has spoken.
    let [first, second] = EXTENDED;
    for (host, wanted) in [(first, ENDPOINT), (second, ADDRESS_AND_PORT)] {
        let found = lab.verdict("Mapping", &["-m", "-l", PORT], host).await?;
        ensure!(found == wanted, "{host}, extended: {found} mapping");
    }
    let found = lab.verdict("Filtering", &["-f"], second).await?;
    ensure!(found == ADDRESS_AND_PORT, "extended: {found} filtering");

    // A host calls the address under which it is known outside.
    let output = lab.ask(&["-H", "-l", "41000"], PUBLISHED).await?;
    ensure!(!output.contains(HAIRPINNED), "not configured yet: {output}");
    hw_tests::federation::type_lines(&mut lab.between.console, HAIRPIN).await?;
    let output = lab.ask(&["-H", "-l", "42000"], PUBLISHED).await?;
    ensure!(output.contains(HAIRPINNED), "{output}");
    Ok(())
}

/// The shortest `timeout udp` is a minute, so this takes its time.
pub(crate) async fn coturn_finds_bindings_gone_when_their_time_is_over(
    folder: &Path,
) -> Result<()> {
    let mut lab = Lab::boot(folder).await?;
    let lines = "configure terminal\ntimeout udp 0:01:00\nend\n";
    hw_tests::federation::type_lines(&mut lab.between.console, lines).await?;
    let begun = Instant::now();
    // The second question of each comes from another port, and asks for an answer to the first one's.
    let (young, old) = tokio::join!(
        lab.ask(&["-t", "-T", "45"], SHARING),
        lab.ask(&["-t", "-T", "75"], SHARING)
    );
    let (young, old) = (young?, old?);
    ensure!(reflexive(&young).len() == 2, "after 45 s: {young}");
    ensure!(reflexive(&old).len() == 1, "after 75 s: {old}");
    ensure!(begun.elapsed() > Duration::from_secs(75), "it did not wait");
    Ok(())
}
