//! The destinations of a list, found by URI and by address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use callsteer::list::List;
use callsteer::{Destination, SetId, kamailio};

/// The destinations of a list.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The sets, each in the order of the list.
    pub sets: BTreeMap<SetId, Vec<Member>>,
}

/// A destination, as Callsteer and as Kamailio read it.
#[derive(Clone, Debug)]
pub struct Member {
    /// As Callsteer reads it.
    pub destination: Destination,
    /// As Kamailio reads it.
    pub kamailio: kamailio::Destination,
}

impl Fleet {
    /// The destinations of a list.
    #[must_use]
    pub fn new(list: &List) -> Self {
        let mut sets: BTreeMap<SetId, Vec<Member>> = BTreeMap::new();
        for entry in list.entries() {
            let member = Member { destination: entry.destination().clone(), kamailio: entry.kamailio() };
            sets.entry(entry.set()).or_default().push(member);
        }
        Self { sets }
    }

    /// The sets that have this URI.
    pub fn sets_of<'a>(&'a self, uri: &'a str) -> impl Iterator<Item = SetId> + 'a {
        let has = |members: &[Member]| members.iter().any(|member| is_same(&member.destination.uri, uri));
        self.sets.iter().filter(move |(_, members)| has(members)).map(|(set, _)| *set)
    }

    /// The place of a URI in a set, in the order of the list.
    #[must_use]
    pub fn place(&self, set: SetId, uri: &str) -> Option<usize> {
        self.sets.get(&set)?.iter().position(|member| is_same(&member.destination.uri, uri))
    }

    /// The URI at each address. `names` has the addresses of hosts that are names; nothing is resolved.
    /// Also: whom nobody can find in a capture, and why.
    #[must_use]
    pub fn addresses(&self, names: &BTreeMap<String, IpAddr>) -> (BTreeMap<SocketAddr, String>, Vec<String>) {
        let (mut addresses, mut notes) = (BTreeMap::new(), Vec::new());
        let mut uris: Vec<&str> =
            self.sets.values().flatten().map(|member| &*member.destination.uri).collect();
        uris.sort_unstable();
        uris.dedup();
        for uri in uris {
            match address(uri, names) {
                Ok(address) => drop(addresses.insert(address, uri.to_owned())),
                Err(why) => notes.push(why),
            }
        }
        (addresses, notes)
    }
}

/// Scheme and host count in any case.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn address(uri: &str, names: &BTreeMap<String, IpAddr>) -> Result<SocketAddr, String> {
    let (scheme, rest) = uri.split_once(':').unwrap_or(("sip", uri));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let (place, parameters) = rest.split_once([';', '?']).map_or((rest, ""), |(place, rest)| (place, rest));
    let is_tls = scheme.eq_ignore_ascii_case("sips");
    let transport = parameters.split(';').find_map(|part| part.strip_prefix("transport="));
    if is_tls || transport.is_some_and(|transport| !transport.eq_ignore_ascii_case("udp")) {
        return Err(format!("{uri} is not reached by UDP: its calls are not seen"));
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(PORT)),
        _ => (place, PORT),
    };
    let host = host.trim_matches(['[', ']']);
    let ip = host.parse().ok().or_else(|| names.get(&host.to_ascii_lowercase()).copied());
    let ip = ip.ok_or_else(|| {
        format!("{uri} has a name for a host: its calls are not seen without --address {host}=IP")
    })?;
    Ok(SocketAddr::new(ip, port))
}

const PORT: u16 = 5060;

#[cfg(test)]
mod tests {
    use super::*;
    use callsteer::list::{Mode, parse};

    #[test]
    fn a_destination_is_found_by_its_address() {
        let list = "1 sip:10.0.0.1\n1 sip:u@[2001:db8::1]:5070;lr\n1 sip:Gw.example:5080\n2 sips:10.0.0.2\n2 sip:10.0.0.3;transport=tcp\n2 sip:other.example\n";
        let fleet = Fleet::new(&parse(list.as_bytes(), Mode::Strict).unwrap());
        let names = BTreeMap::from([("gw.example".into(), "10.0.0.9".parse().unwrap())]);
        let (addresses, notes) = fleet.addresses(&names);
        let found: Vec<_> = addresses.iter().map(|(address, uri)| format!("{address} {uri}")).collect();
        assert_eq!(
            found,
            [
                "10.0.0.1:5060 sip:10.0.0.1",
                "10.0.0.9:5080 sip:Gw.example:5080",
                "[2001:db8::1]:5070 sip:u@[2001:db8::1]:5070;lr"
            ]
        );
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[1].contains("--address other.example=IP"), "{notes:?}");
        assert_eq!(fleet.sets_of("SIP:10.0.0.1").collect::<Vec<_>>(), [1]);
        assert_eq!(fleet.place(2, "sip:other.example"), Some(2));
    }
}
