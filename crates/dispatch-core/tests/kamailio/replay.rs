//! Decisions, marks, calls and reloads, event by event.

use std::collections::BTreeMap;

use callsteer::kamailio::{Dispatcher, Request, StateError};
use callsteer::{SetId, Time};

use crate::recording::{Event, Recording, bytes, same, states, uris};

/// How many facts are ours too, or the first one that is not.
pub(crate) fn check(recording: &Recording) -> Result<usize, String> {
    let mut replay = Replay {
        recording,
        kamailio: recording.dispatcher(),
        now: Time::ZERO,
        sequence: Vec::new(),
        alg: 0,
        checked: 0,
    };
    if !recording.order.is_empty() {
        replay.same("order", uris(&replay.kamailio, 1), recording.order.clone())?;
    }
    for (number, event) in recording.events.iter().enumerate() {
        replay.event(event).map_err(|failure| format!("event {number}: {failure}"))?;
    }
    Ok(replay.checked)
}

struct Replay<'a> {
    recording: &'a Recording,
    kamailio: Dispatcher,
    now: Time,
    /// The first 100 decisions of the last sequence, and its algorithm.
    sequence: Vec<String>,
    alg: u16,
    checked: usize,
}

impl Replay<'_> {
    fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Select { alg, set, callid, frm, to, ruri, code, dst, failover, _note: _ } => {
                let [call_id, from, to, request_uri] = [callid, frm, to, ruri].map(|text| bytes(text));
                let request = Request {
                    call_id: &call_id,
                    from: &from,
                    to: &to,
                    request_uri: &request_uri,
                    ..Request::default()
                };
                let selection = self.kamailio.select(*set, *alg, &request, self.now);
                let uri = |index: usize| self.kamailio.uri(*set, index).unwrap().to_owned();
                let ours = selection.as_ref().map(|selection| uri(selection.index));
                let list: Vec<String> = selection
                    .iter()
                    .flat_map(|selection| &selection.failover)
                    .map(|index| uri(*index))
                    .collect();
                self.same("code", if ours.is_some() { 200 } else { 480 }, *code)?;
                self.same("destination", ours, dst.clone())?;
                self.same("failover", list, failover.clone())
            }
            Event::Bye { callid, .. } => {
                self.kamailio.end(&bytes(callid));
                Ok(())
            }
            Event::Loads { loads, t } => {
                self.now = t.map_or(self.now, |t| Time::from_millis((t * 1e3).round() as u64));
                self.kamailio.expire(self.now);
                let load = |index: usize| self.kamailio.load(1, index).unwrap();
                let ours = uris(&self.kamailio, 1).into_iter().enumerate();
                self.same("loads", ours.map(|(index, uri)| (uri, load(index))).collect(), loads.clone())
            }
            Event::SetState { set, uri, state, states, flags, probing_count, reply, .. } => {
                let (set, uri) = (set.unwrap_or(1), uri.clone().unwrap_or_else(|| self.first()));
                let result = state.parse().and_then(|state| self.kamailio.set_state(set, &uri, state));
                let message = result.err().map(|error| match error {
                    StateError::Unknown => "Unknown State Value",
                    StateError::NoSuchDestination => "State Update Failed",
                });
                let refused = reply.as_ref().and_then(|reply| reply["error"]["message"].as_str());
                self.same("refusal", message, refused)?;
                self.states(set, states.as_ref())?;
                self.flags(flags.as_ref(), *probing_count)
            }
            Event::Reload { states } => {
                self.kamailio.reload(self.recording.list());
                self.states(1, states.as_ref())
            }
            Event::Window { alg, counts } => {
                self.alg = *alg;
                let ours = self.decide(100);
                self.same("counts", counted(&ours), counts.clone())
            }
            Event::Sequence { n, periodic_100, first100 } => {
                let ours = self.decide(*n);
                let periodic = ours.iter().zip(&ours[100..]).all(|(one, later)| one == later);
                self.same("period", periodic, *periodic_100)?;
                self.sequence = ours[..100].to_vec();
                self.same("counts of the sequence", counted(&self.sequence), counted(first100))
            }
            Event::SequenceAfterReload { equal } => {
                let before = self.sequence.clone();
                let ours = self.decide(100);
                self.same("equal", ours == before, *equal)
            }
            Event::Mark { state, selected, flags, probing_count } => {
                let selection = self.kamailio.select(1, 8, &Request::default(), self.now);
                let uri =
                    selection.map(|selection| self.kamailio.uri(1, selection.index).unwrap().to_owned());
                if let Some(uri) = &uri {
                    self.mark(uri, state)?;
                }
                self.same("selected", uri, selected.clone())?;
                self.flags(Some(flags), *probing_count)
            }
            Event::Marks { seq, flags, probing_count } => {
                // Each sequence was recorded from the state of the list.
                self.kamailio.reload(self.recording.list());
                for state in seq {
                    self.mark(&self.first(), state)?;
                }
                self.flags(Some(flags), *probing_count)
            }
            Event::State { .. } | Event::States { .. } | Event::Ping { .. } => {
                Err("a probe among decisions".into())
            }
        }
    }

    fn decide(&mut self, calls: usize) -> Vec<String> {
        let mut decided = Vec::new();
        for _ in 0..calls {
            let selection = self.kamailio.select(1, self.alg, &Request::default(), self.now).unwrap();
            decided.push(self.kamailio.uri(1, selection.index).unwrap().to_owned());
        }
        decided
    }

    fn mark(&mut self, uri: &str, state: &str) -> Result<(), String> {
        let mark = state.parse().map_err(|error: StateError| error.to_string())?;
        self.kamailio.mark(1, uri, mark).map(|_| ()).map_err(|error| error.to_string())
    }

    fn first(&self) -> String {
        self.kamailio.uri(1, 0).unwrap().to_owned()
    }

    fn states(&mut self, set: SetId, recorded: Option<&Vec<(String, String)>>) -> Result<(), String> {
        let Some(recorded) = recorded else { return Ok(()) };
        self.same("states", states(&self.kamailio, set), recorded.clone())
    }

    fn flags(&mut self, flags: Option<&String>, count: Option<u32>) -> Result<(), String> {
        let state = self.kamailio.state(1, 0).unwrap();
        if let Some(count) = count {
            self.same("probing count", state.count(), count)?;
        }
        flags.map_or(Ok(()), |flags| self.same("flags", state.to_string(), flags.clone()))
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        ours: T,
        recorded: T,
    ) -> Result<(), String> {
        self.checked += 1;
        same(what, ours, recorded)
    }
}

fn counted(decided: &[String]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for uri in decided {
        *counts.entry(uri.clone()).or_default() += 1;
    }
    counts
}
