//! From the SIP of a capture to what Kamailio did: where each INVITE was sent on to, and what became of it.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use callsteer::{Failure, ReplyCodes, Time};

use super::ShadowError;
use super::capture::{Datagram, Rest, datagrams};
use super::fleet::Fleet;
use super::record::{Record, Recording, Seen, Selected};
use super::sip::{self, Message, Start};

/// What a capture is read with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The addresses of hosts that are names in the list.
    pub names: BTreeMap<String, IpAddr>,
    /// The replies to a probe that mean "alive".
    pub accepted: ReplyCodes,
}

/// Reads a capture. An INVITE without To tag that goes to a destination of the list is where Kamailio
/// placed the call; a second one to another destination is failing over.
///
/// # Errors
/// The file is no capture, or ends within a packet.
pub fn read(path: &Path, fleet: &Fleet, options: &Options) -> Result<Recording, ShadowError> {
    let (addresses, notes) = fleet.addresses(&options.names);
    let mut traffic = Traffic { addresses, accepted: &options.accepted, ..Traffic::new() };
    let rest = datagrams(path, |datagram| {
        traffic.datagram(&datagram);
        Ok(())
    })?;
    Ok(traffic.finish(rest, notes))
}

struct Traffic<'a> {
    addresses: BTreeMap<SocketAddr, String>,
    accepted: &'a ReplyCodes,
    records: Vec<Record>,
    calls: HashMap<Vec<u8>, Call>,
    probes: HashMap<(Vec<u8>, u32), Probe>,
    /// Messages that are none, and the packet of the first.
    broken: usize,
    first_broken: Option<(usize, String)>,
    now: Time,
}

/// An INVITE, from the caller on.
struct Call {
    sequence: u32,
    /// As it came to Kamailio, if that was captured.
    asked: Option<(Time, usize, SocketAddr, Box<Selected>)>,
    /// Where it was sent on to, and by which branches.
    destinations: Vec<(SocketAddr, Vec<u8>)>,
    /// How many of them failed.
    failed: usize,
    is_over: bool,
}

struct Probe {
    destination: String,
    at: Time,
    packet: usize,
}

impl<'a> Traffic<'a> {
    fn new() -> Self {
        const NONE: &ReplyCodes = &ReplyCodes { classes: Vec::new(), codes: Vec::new() };
        Self {
            addresses: BTreeMap::new(),
            accepted: NONE,
            records: Vec::new(),
            calls: HashMap::new(),
            probes: HashMap::new(),
            broken: 0,
            first_broken: None,
            now: Time::ZERO,
        }
    }

    fn datagram(&mut self, datagram: &Datagram<'_>) {
        self.now = self.now.max(datagram.at);
        match sip::read(datagram.payload) {
            Ok(Some(message)) => match message.start {
                Start::Request { uri } => self.request(datagram, &message, uri),
                Start::Response { code } => self.response(datagram, &message, code),
            },
            Ok(None) => {}
            Err(why) => {
                self.broken += 1;
                self.first_broken.get_or_insert((datagram.packet, why));
            }
        }
    }

    fn request(&mut self, datagram: &Datagram<'_>, message: &Message<'_>, uri: &[u8]) {
        let from_destination = self.addresses.contains_key(&datagram.source);
        let to = self.addresses.get(&datagram.destination).cloned();
        match (message.method, to) {
            (b"INVITE", _) if message.has_to_tag || from_destination => {}
            (b"INVITE", to) => self.invite(datagram, message, uri, to),
            (b"BYE" | b"CANCEL", _) => self.end(datagram, message.call_id, true),
            (b"OPTIONS", Some(destination)) if !from_destination => {
                let probe = Probe { destination, at: datagram.at, packet: datagram.packet };
                self.probes.entry((message.call_id.to_vec(), message.sequence)).or_insert(probe);
            }
            _ => {}
        }
    }

    fn invite(
        &mut self,
        datagram: &Datagram<'_>,
        message: &Message<'_>,
        uri: &[u8],
        destination: Option<String>,
    ) {
        let known = self.calls.get(message.call_id);
        if known.is_some_and(|call| message.sequence < call.sequence) {
            return;
        }
        // Credentials after a 401 or 407: the same Call-ID is placed again.
        if known.is_none_or(|call| call.sequence < message.sequence) {
            self.end(datagram, message.call_id, false);
            let (sequence, destinations) = (message.sequence, Vec::new());
            let call = Call { sequence, asked: None, destinations, failed: 0, is_over: false };
            self.calls.insert(message.call_id.to_vec(), call);
        }
        let Some(call) = self.calls.get_mut(message.call_id) else { return };
        let Some(destination) = destination else {
            let selected = Box::new(selected(message, uri));
            call.asked.get_or_insert((datagram.at, datagram.packet, datagram.source, selected));
            return;
        };
        let to = (datagram.destination, message.branch.to_vec());
        if call.is_over || call.destinations.contains(&to) {
            return;
        }
        let is_first = call.destinations.is_empty();
        call.destinations.push(to);
        let what = if is_first {
            let asked = call.asked.as_ref().map(|(.., selected)| selected.clone());
            let mut selected = asked.unwrap_or_else(|| Box::new(selected(message, uri)));
            selected.destination = Some(destination);
            Seen::Selected(selected)
        } else {
            Seen::Next { call_id: message.call_id.to_vec(), destination }
        };
        self.push(datagram, what);
    }

    fn response(&mut self, datagram: &Datagram<'_>, message: &Message<'_>, code: u16) {
        if code < 200 {
            return;
        }
        let call_id = message.call_id.to_vec();
        let from = self.addresses.get(&datagram.source).cloned();
        if message.method == b"OPTIONS" {
            if let Some(probe) = from.and_then(|_| self.probes.remove(&(call_id, message.sequence))) {
                let answered = self.accepted.contains(code);
                self.push(datagram, Seen::Probed { destination: probe.destination, answered });
            }
            return;
        }
        if message.method != b"INVITE" {
            return;
        }
        let Some(call) = self.calls.get_mut(message.call_id).filter(|call| !call.is_over) else { return };
        if call.sequence != message.sequence {
            return;
        }
        if from.is_some() {
            let place = call.destinations.iter().position(|(address, _)| *address == datagram.source);
            match (place, code) {
                (None, _) => {}
                (Some(_), 200..=299) => self.push(datagram, Seen::Answered { call_id }),
                // One that failed before, or one that answers when the call is elsewhere.
                (Some(place), _) if place < call.failed || place + 1 < call.destinations.len() => {}
                (Some(place), _) => {
                    call.failed = place + 1;
                    let failure = Failure::Reply { code, retry_after: message.retry_after };
                    self.push(datagram, Seen::Failed { call_id, failure });
                }
            }
            return;
        }
        // A final reply to the caller.
        let Some((at, packet, caller, selected)) = &call.asked else { return };
        if datagram.destination != *caller || code < 300 {
            return;
        }
        if !call.destinations.is_empty() {
            self.end(datagram, message.call_id, false);
        } else if !matches!(code, 401 | 407) {
            call.is_over = true;
            let record = Record { at: *at, number: *packet, what: Seen::Selected(selected.clone()) };
            self.records.push(record);
        }
    }

    fn end(&mut self, datagram: &Datagram<'_>, call_id: &[u8], hung_up: bool) {
        let placed = |call: &&mut Call| !call.is_over && !call.destinations.is_empty();
        if let Some(call) = self.calls.get_mut(call_id).filter(placed) {
            call.is_over = true;
            self.push(datagram, Seen::Ended { call_id: call_id.to_vec(), hung_up });
        }
    }

    fn push(&mut self, datagram: &Datagram<'_>, what: Seen) {
        self.records.push(Record { at: datagram.at, number: datagram.packet, what });
    }

    fn finish(mut self, rest: Rest, mut notes: Vec<String>) -> Recording {
        for probe in self.probes.into_values() {
            let at = probe.at + PROBE_TIMEOUT;
            if at <= self.now {
                let what = Seen::Probed { destination: probe.destination, answered: false };
                self.records.push(Record { at, number: probe.packet, what });
            }
        }
        self.records.sort_by_key(|record| (record.at, record.number));
        if let Some((packet, why)) = self.first_broken {
            notes.push(format!("{} messages are left out; the first is packet {packet}: {why}", self.broken));
        }
        if let Some(packet) = rest.first_unreadable {
            let count = rest.unreadable;
            notes.push(format!(
                "{count} of {} packets are cut or of an unknown kind; the first is packet {packet}",
                rest.packets
            ));
        }
        if rest.tcp > 0 {
            notes.push(format!("{} packets of SIP over TCP or TLS are not read: UDP is", rest.tcp));
        }
        Recording { records: self.records, notes }
    }
}

fn selected(message: &Message<'_>, uri: &[u8]) -> Selected {
    Selected {
        call_id: message.call_id.to_vec(),
        from: message.from.to_vec(),
        to: message.to.to_vec(),
        request_uri: uri.to_vec(),
        username: message.username.map(<[u8]>::to_vec),
        ..Selected::default()
    }
}

/// How long Kamailio's tm waits for the answer to a probe (`fr_timer`, where it is not set).
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
