//! The same decisions by the façade: `Algorithm::Kamailio` over our own members, health and calls.

use std::collections::BTreeMap;

use callsteer::kamailio::uri_key;
use callsteer::{Algorithm, Call, Config, DestinationId, Dispatcher, Placed, Route, SetId, Time};

use crate::recording::{Event, Recording, bytes, same};

/// How many decisions are ours too, or the first one that is not.
pub(crate) fn check(recording: &Recording) -> Result<usize, String> {
    let mut compat = Compat::new(recording);
    for (number, event) in recording.events.iter().enumerate() {
        // A load that a reload forgets is what nobody wants back.
        if matches!(event, Event::Reload { .. }) && recording.modparams.counts_calls() {
            break;
        }
        compat.event(event).map_err(|failure| format!("event {number}: {failure}"))?;
    }
    Ok(compat.checked)
}

struct Compat<'a> {
    recording: &'a Recording,
    dispatcher: Dispatcher,
    ids: BTreeMap<(SetId, String), DestinationId>,
    calls: u64,
    checked: usize,
}

impl<'a> Compat<'a> {
    fn new(recording: &'a Recording) -> Self {
        let use_default = recording.params().use_default;
        let route = |set, alg| Route {
            set,
            algorithm: Algorithm::Kamailio { alg, use_default, unsigned_bytes: false },
        };
        let policies =
            [1, 2].into_iter().flat_map(|set| ALGS.map(|alg| (entrance(set, alg), vec![route(set, alg)])));
        let config = Config { policies: policies.collect(), ..Config::default() };
        let mut dispatcher = Dispatcher::new(config).unwrap();
        let mut ids = BTreeMap::new();
        for (set, destination) in recording.destinations() {
            let uri = destination.uri.clone();
            ids.insert((set, uri), dispatcher.add(set, destination, Time::ZERO).unwrap());
        }
        Self { recording, dispatcher, ids, calls: 0, checked: 0 }
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Select { alg, .. } if !ALGS.contains(alg) => Ok(()),
            Event::Select { alg, set, callid, frm, to, ruri, dst, failover, .. } => {
                let uri = [frm, to, ruri].into_iter().find(|uri| !uri.is_empty());
                let key = uri.map_or_else(|| bytes(callid), |uri| uri_key(&bytes(uri), false).unwrap());
                let call_id = if *alg == 10 { bytes(callid) } else { self.unique() };
                let call = Call { set: entrance(*set, *alg), key: Some(&key), ..Call::new(&call_id) };
                let placed = self.dispatcher.begin(&call, Time::ZERO).ok();
                let list = placed.map(|placed| self.walk(placed)).unwrap_or_default();
                if let Some(placed) = placed.filter(|_| *alg != 10) {
                    self.dispatcher.end(placed.lease, Time::ZERO);
                }
                self.checked += 1;
                same("destination", list.first(), dst.as_ref())?;
                same("failover", &list, failover)
            }
            Event::Bye { callid, .. } => {
                self.dispatcher.end_call(&bytes(callid), Time::ZERO);
                Ok(())
            }
            // Ours ends with its own deadlines.
            Event::Loads { t: Some(_), .. } => Ok(()),
            Event::Loads { loads, t: None } => {
                let calls = |id: &DestinationId| self.dispatcher.status(*id).unwrap().calls;
                same(
                    "loads",
                    self.ids.iter().map(|((_, uri), id)| (uri.clone(), calls(id))).collect(),
                    loads.clone(),
                )
            }
            Event::SetState { set, uri, state, .. } => {
                let id = set.zip(uri.clone()).and_then(|place| self.ids.get(&place));
                if let (Some(id), true) = (id, state != "z") {
                    self.dispatcher.set_enabled(*id, !state.starts_with(['i', 'd']), Time::ZERO).unwrap();
                }
                Ok(())
            }
            Event::Reload { .. } => {
                *self = Self { checked: self.checked, ..Self::new(self.recording) };
                Ok(())
            }
            Event::Window { alg, counts } => {
                let mut ours = BTreeMap::new();
                for _ in 0..100 {
                    let call_id = self.unique();
                    let call = Call { set: entrance(1, *alg), ..Call::new(&call_id) };
                    let placed = self.dispatcher.begin(&call, Time::ZERO).unwrap();
                    *ours.entry(self.uri(placed)).or_default() += 1;
                    self.dispatcher.end(placed.lease, Time::ZERO);
                }
                self.checked += 100;
                same("counts", ours, counts.clone())
            }
            _ => Ok(()),
        }
    }

    /// Where a call goes if it fails everywhere.
    fn walk(&self, placed: Placed) -> Vec<String> {
        let mut dispatcher = self.dispatcher.clone();
        let mut list = vec![self.uri(placed)];
        while let Ok(next) = dispatcher.next(placed.lease, Time::ZERO) {
            list.push(self.uri(next));
        }
        list
    }

    fn uri(&self, placed: Placed) -> String {
        self.dispatcher.destination(placed.destination).unwrap().uri.clone()
    }

    fn unique(&mut self) -> Vec<u8> {
        self.calls += 1;
        self.calls.to_string().into_bytes()
    }
}

/// The set that calls ask for, to go to `set` by an algorithm.
fn entrance(set: SetId, alg: u16) -> SetId {
    1_000 * u32::from(alg + 1) + set
}

/// Those that place one call on their own.
const ALGS: [u16; 9] = [0, 1, 2, 3, 4, 8, 9, 10, 11];
