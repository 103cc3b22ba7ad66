//! The same decisions by the façade: `Algorithm::Kamailio` over our own members, health and calls.
//!
//! Where a recording goes where the façade does not follow, nothing is compared until the next list.

use std::collections::BTreeMap;

use callsteer::kamailio::{uri_key, username_key};
use callsteer::{Algorithm, Call, Config, DestinationId, Dispatcher, Placed, Route, SetId, Starts, Time};

use crate::recording::{Event, Recording, Select, States, bytes, ours, same, theirs};

/// How many decisions are ours too, or the first one that is not.
pub(crate) fn check(recording: &Recording) -> Result<usize, String> {
    let mut compat = Compat::new(recording, &recording.list);
    for (number, event) in recording.events.iter().enumerate() {
        match event {
            // A load that a reload forgets is what nobody wants back.
            Event::Reload { list: None, .. } if recording.modparams.counts_calls() => break,
            Event::Reload { list, .. } => {
                let list = list.as_ref().unwrap_or(compat.list);
                compat = Compat { checked: compat.checked, ..Compat::new(recording, list) };
            }
            _ if compat.follows => {
                compat.event(event).map_err(|failure| format!("event {number}: {failure}"))?;
            }
            _ => {}
        }
    }
    Ok(compat.checked)
}

struct Compat<'a> {
    recording: &'a Recording,
    list: &'a String,
    dispatcher: Dispatcher,
    ids: BTreeMap<(SetId, String), DestinationId>,
    /// Calls that algorithm 10 counts.
    placed: BTreeMap<Vec<u8>, Placed>,
    unique: u64,
    follows: bool,
    /// Whether the turns of algorithm 4 are those of the recording.
    has_turns: bool,
    checked: usize,
}

impl<'a> Compat<'a> {
    fn new(recording: &'a Recording, list: &'a String) -> Self {
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
        for (set, mut destination) in ours(list) {
            let down = matches!(destination.starts, Starts::Inactive | Starts::Disabled);
            destination.starts = Starts::Active;
            let uri = destination.uri.clone();
            let id = dispatcher.add(set, destination, Time::ZERO).unwrap();
            dispatcher.set_enabled(id, !down, Time::ZERO).unwrap();
            ids.insert((set, uri), id);
        }
        let placed = BTreeMap::new();
        // Ours counts where a call goes, and everybody has an id.
        let has_ids = theirs(list).iter().all(|(_, destination)| !destination.duid.is_empty());
        let follows = !recording.modparams.counts_calls() || (has_ids && !use_default);
        let (has_turns, unique, checked) = (true, 0, 0);
        Self { recording, list, dispatcher, ids, placed, unique, follows, has_turns, checked }
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            // What goes round robin besides takes turns of 4 there.
            Event::Select(Select { alg: 5, username: None, .. } | Select { alg: 13, .. }) => {
                self.has_turns = false;
                Ok(())
            }
            Event::Select(Select { alg: 4, .. }) if !self.has_turns => Ok(()),
            Event::Select(Select { alg, .. }) if !ALGS.contains(alg) => Ok(()),
            // The same INVITE again has one place here.
            Event::Select(select) if select.alg == 10 && self.placed.contains_key(&bytes(&select.callid)) => {
                self.stop()
            }
            Event::Select(select) => self.select(select),
            Event::Bye { callid, .. } => {
                self.placed.remove(&bytes(callid));
                self.dispatcher.end_call(&bytes(callid), Time::ZERO);
                Ok(())
            }
            // Ours ends with its own deadlines.
            Event::Loads { t: Some(_), .. } => Ok(()),
            Event::Loads { loads, t: None } => {
                let first = self.ids.iter().filter(|((set, _), _)| *set == 1);
                let calls = |id: &DestinationId| self.dispatcher.status(*id).unwrap().calls;
                let ours = first.map(|((_, uri), id)| (uri.clone(), calls(id))).collect();
                same("loads", ours, loads.clone())
            }
            Event::SetState { states: Some(states), set, .. } => self.states(set.unwrap_or(1), states),
            Event::SetState { set, uri, state, .. } => {
                let id = set.zip(uri.clone()).and_then(|place| self.ids.get(&place));
                if let (Some(id), true) = (id, state != "z") {
                    self.dispatcher.set_enabled(*id, !state.starts_with(['i', 'd']), Time::ZERO).unwrap();
                }
                Ok(())
            }
            Event::Mark { alg, selected, states: Some(states), .. } => {
                if *alg != 4 || self.has_turns {
                    self.select(&Select { alg: *alg, set: 1, dst: selected.clone(), ..Select::default() })?;
                }
                self.states(1, states)
            }
            // They change the order of every set there.
            Event::Add { .. } | Event::Remove { .. } => self.stop(),
            Event::Window { alg, counts, .. } => {
                let list = theirs(self.list);
                let has_weight = |(_, of): &(_, callsteer::kamailio::Destination)| match alg {
                    9 => of.weight > 0,
                    _ => of.rweight > 0,
                };
                // Everybody has a weight here.
                if counts.is_empty() || !list.iter().filter(|(set, _)| *set == 1).all(has_weight) {
                    return self.stop();
                }
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

    fn select(&mut self, select: &Select) -> Result<(), String> {
        let Select { alg, set, callid, frm, to, ruri, username, key, dst, failover, .. } = select;
        let uri = |text: &String| uri_key(&bytes(text), self.recording.params().user_only).unwrap();
        let key = match alg {
            1 => uri(frm),
            2 => uri(to),
            3 => uri(ruri),
            5 => match username_key(&bytes(username.as_ref().unwrap())) {
                Some(user) => user.to_vec(),
                None => {
                    self.has_turns = false;
                    return Ok(());
                }
            },
            7 => key.as_deref().map_or_else(|| b"<null>".to_vec(), bytes),
            _ => bytes(callid),
        };
        let call_id = if *alg == 10 { bytes(callid) } else { self.unique() };
        let call = Call { set: entrance(*set, *alg), key: Some(&key), ..Call::new(&call_id) };
        let placed = self.dispatcher.begin(&call, Time::ZERO).ok();
        let list = placed.map(|placed| self.walk(placed)).unwrap_or_default();
        if let Some(mut placed) = placed {
            if *alg == 10 {
                for _ in select.next.iter().flatten() {
                    placed = self.dispatcher.next(placed.lease, Time::ZERO).unwrap();
                }
                self.placed.insert(call_id, placed);
            } else {
                self.dispatcher.end(placed.lease, Time::ZERO);
            }
        } else if *alg == 4 {
            // Who finds nobody takes a turn there.
            self.has_turns = false;
        }
        self.checked += 1;
        same("destination", list.first(), dst.as_ref())?;
        // The spare one stays in the list there, whatever its state is.
        let spare =
            failover.last().filter(|last| self.recording.params().use_default && !list.contains(last));
        let recorded = &failover[..failover.len() - usize::from(spare.is_some())];
        if self.recording.params().failover && !failover.is_empty() {
            same("failover", list.as_slice(), recorded)?;
        }
        Ok(())
    }

    fn states(&mut self, set: SetId, states: &States) -> Result<(), String> {
        for (uri, state) in states {
            if let Some(id) = self.ids.get(&(set, uri.clone())) {
                self.dispatcher.set_enabled(*id, !state.starts_with(['I', 'D']), Time::ZERO).unwrap();
            }
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.follows = false;
        Ok(())
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
        self.unique += 1;
        self.unique.to_string().into_bytes()
    }
}

/// The set that calls ask for, to go to `set` by an algorithm.
fn entrance(set: SetId, alg: u16) -> SetId {
    1_000 * u32::from(alg + 1) + set
}

/// Those that place one call on their own.
const ALGS: [u16; 11] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11];
