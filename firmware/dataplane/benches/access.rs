//! What a look-up in an access list costs, compiled and element by element, and what compiling costs.
//!
//! `cargo bench -p dataplane --bench access`. Two kinds of list: rules of a partner network (hosts,
//! networks, ranges of addresses that are no prefixes, services), and one host with as many
//! services as there are elements. The packets match nothing, or an element anywhere in the list.

use core::hint::black_box;
use core::net::Ipv4Addr;
use std::time::Instant as Wall;

use dataplane::bench::{AccessLookup, AccessLookup6, Probe};
use dataplane::{AccessList, Ace, AceLog, Action, AddressRange, PortMatch, Service, Transport};

const PROBES: usize = 4096;

fn main() {
    for (name, element) in [
        ("partners", partner as fn(u32) -> Ace),
        ("services of one host", service),
    ] {
        println!("{name}:");
        for count in [10u32, 1_000, 10_000] {
            let list = AccessList {
                name: "outside_in".into(),
                elements: (0..count).map(element).collect(),
            };
            measure(&list);
        }
    }
}

fn measure(list: &AccessList) {
    let start = Wall::now();
    let mut lookup = AccessLookup::new(list.clone());
    let mut fastest = start.elapsed();
    for _ in 0..9 {
        let start = Wall::now();
        lookup = AccessLookup::new(list.clone());
        fastest = fastest.min(start.elapsed());
    }
    println!(
        "  {:>6} elements: compiled in {:.2} ms, {} bytes beside {} of elements",
        list.elements.len(),
        fastest.as_secs_f64() * 1e3,
        lookup.bytes(),
        list.elements.len() * size_of::<Ace>(),
    );
    let misses: Vec<Probe> = probes(list, |number, element| Probe {
        // In the networks of the list, to a port that no element has.
        source: element.source.first,
        destination: element.destination.last,
        protocol: 6,
        source_port: 40_000 + (number % 1_000) as u16,
        destination_port: 65_001,
    });
    let hits: Vec<Probe> = probes(list, |number, element| {
        let (protocol, destination_port) = match element.service {
            Service::Ports {
                transport,
                destination,
                ..
            } => (transport.protocol(), destination.first),
            Service::Protocol(protocol) => (protocol, 0),
            Service::Any | Service::Icmp { .. } => (47, 0),
        };
        Probe {
            source: element.source.last,
            destination: element.destination.first,
            protocol,
            source_port: 40_000 + (number % 1_000) as u16,
            destination_port,
        }
    });
    let lookup6 = AccessLookup6::new(list.clone());
    for (name, probes) in [("miss", misses), ("hit", hits)] {
        let found = probes.iter().filter(|probe| {
            let found = lookup.compiled(probe);
            assert_eq!(found, lookup.linear(probe));
            found.is_some()
        });
        let found = found.count();
        let compiled = nanos(&probes, 20, |probe| lookup.compiled(probe));
        // Enough of them to tell the mean of a linear search.
        let linear = nanos(&probes[..256], 1, |probe| lookup.linear(probe));
        println!(
            "         {name:<4} ({found:>4} of {PROBES} match): compiled {compiled:>6.1} ns, \
             element by element {linear:>8.1} ns"
        );
        // Lists of a few elements are searched element by element.
        if list.elements.len() < 100 {
            continue;
        }
        for probe in &probes {
            assert_eq!(lookup6.compiled(probe), lookup6.linear(probe));
        }
        let compiled = nanos(&probes, 20, |probe| lookup6.compiled(probe));
        let linear = nanos(&probes[..256], 1, |probe| lookup6.linear(probe));
        println!(
            "              of IPv6           : compiled {compiled:>6.1} ns, \
             element by element {linear:>8.1} ns"
        );
    }
}

fn probes(list: &AccessList, probe: impl Fn(u32, &Ace) -> Probe) -> Vec<Probe> {
    let mut state = 1u32;
    (0..PROBES)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = (u64::from(state) * list.elements.len() as u64) >> 32;
            probe(state, &list.elements[place as usize])
        })
        .collect()
}

/// The fastest of some rounds over all probes, for one.
fn nanos(probes: &[Probe], rounds: usize, run: impl Fn(&Probe) -> Option<usize>) -> f64 {
    let round = || {
        let start = Wall::now();
        for probe in probes {
            black_box(run(black_box(probe)));
        }
        start.elapsed().as_nanos() as f64 / probes.len() as f64
    };
    (0..rounds.max(3)).map(|_| round()).fold(f64::MAX, f64::min)
}

fn partner(number: u32) -> Ace {
    let inner = |number: u32| Ipv4Addr::from_bits(0x0a14_0000 + number);
    let destination = match number % 10 {
        0 => AddressRange {
            first: inner(number % 4_000),
            last: inner(number % 4_000 + 9),
        },
        1 | 2 => AddressRange::network(inner(number % 8_192), 27),
        _ => AddressRange::host(inner(number % 6_151)),
    };
    let source = match number % 7 {
        0 => AddressRange::ANY,
        1 => AddressRange::network(Ipv4Addr::from_bits(0xc633_0000 + number * 16), 28),
        _ => AddressRange::host(Ipv4Addr::from_bits(0xc633_0000 + number % 9_001)),
    };
    element(number, source, destination)
}

fn service(number: u32) -> Ace {
    let host = AddressRange::host(Ipv4Addr::new(10, 20, 0, 11));
    element(number, AddressRange::ANY, host)
}

fn element(number: u32, source: AddressRange, destination: AddressRange) -> Ace {
    let transport = if number.is_multiple_of(3) {
        Transport::Udp
    } else {
        Transport::Tcp
    };
    let first = (1_000 + number * 3 % 50_000) as u16;
    Ace {
        action: if number.is_multiple_of(5) {
            Action::Deny
        } else {
            Action::Permit
        },
        source,
        destination,
        service: Service::Ports {
            transport,
            source: PortMatch::ANY,
            destination: if number.is_multiple_of(4) {
                PortMatch::range(first, first + 40)
            } else {
                PortMatch::eq(first)
            },
        },
        log: AceLog::Default,
        is_active: true,
    }
}
