//! Decisions, marks, calls and reloads, event by event.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::kamailio::{Dispatcher, Request, StateError};
use callsteer::{SetId, Time};

use crate::recording::{Event, Recording, Select, States, bytes, same, states, theirs, uris};

/// How many facts are ours too, or the first one that is not.
pub(crate) fn check(recording: &Recording) -> Result<usize, String> {
    let mut replay = Replay {
        list: &recording.list,
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
    /// The last one that was read.
    list: &'a String,
    kamailio: Dispatcher,
    now: Time,
    /// The first 100 decisions of the last sequence, and its algorithm.
    sequence: Vec<String>,
    alg: u16,
    checked: usize,
}

impl<'a> Replay<'a> {
    fn event(&mut self, event: &'a Event) -> Result<(), String> {
        match event {
            Event::Select(select) => self.select(select),
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
            Event::Reload { list, states } => {
                self.list = list.as_ref().unwrap_or(self.list);
                self.kamailio.reload(theirs(self.list));
                self.states(1, states.as_ref())
            }
            Event::Add { set, uri, flags, priority, attrs, states } => {
                let line = format!("{set} {uri} {flags} {priority} {attrs}\n");
                let (_, destination) = theirs(&line).remove(0);
                self.kamailio.add(*set, destination);
                self.states(*set, Some(states))
            }
            Event::Remove { set, uri, states } => {
                self.kamailio.remove(*set, uri);
                self.states(*set, Some(states))
            }
            Event::Window { alg, counts, failover } => {
                self.alg = *alg;
                let ours = self.decide(100);
                self.same("counts", counted(ours.iter().map(|list| &list[0])), counts.clone())?;
                for list in ours {
                    let recorded = failover.get(&list[0]).unwrap_or(&list);
                    self.same("failover", &list, recorded)?;
                }
                Ok(())
            }
            Event::Sequence { n, periodic_100, first100 } => {
                let ours = self.decide(*n);
                let periodic = ours.iter().zip(&ours[100..]).all(|(one, later)| one == later);
                self.same("period", periodic, *periodic_100)?;
                self.sequence = ours.into_iter().take(100).map(|mut list| list.remove(0)).collect();
                self.same("counts of the sequence", counted(&self.sequence), counted(first100))
            }
            Event::SequenceAfterReload { equal } => {
                let before = self.sequence.clone();
                let ours = self.decide(100).into_iter().map(|mut list| list.remove(0));
                let ours = ours.eq(before);
                self.same("equal", ours, *equal)
            }
            Event::Mark { alg, state, selected, flags, states, probing_count } => {
                let selection = self.kamailio.select(1, *alg, &Request::default(), self.now);
                let uri = selection.map(|selection| self.uri(1, selection.index));
                if let Some(uri) = &uri {
                    self.mark(uri, state)?;
                }
                self.same("selected", uri, selected.clone())?;
                self.states(1, states.as_ref())?;
                self.flags(flags.as_ref(), *probing_count)
            }
            Event::Marks { seq, flags, probing_count } => {
                // Each sequence was recorded from the state of the list.
                self.kamailio.reload(theirs(self.list));
                for state in seq {
                    self.mark(&self.first(), state)?;
                }
                self.flags(Some(flags), *probing_count)
            }
            Event::Overload { set, uri, rate, ms, sequence, accepted } => {
                let span = Duration::from_millis(*ms);
                let ours = self.kamailio.set_overload(*set, uri, *rate, span, *sequence, self.now);
                self.same("accepted", ours == Ok(true), *accepted)
            }
            Event::State { .. } | Event::States { .. } | Event::Ping { .. } => {
                Err("a probe among decisions".into())
            }
        }
    }

    fn select(&mut self, recorded: &Select) -> Result<(), String> {
        let Select { alg, set, .. } = *recorded;
        let [call_id, from, to, request_uri] =
            [&recorded.callid, &recorded.frm, &recorded.to, &recorded.ruri].map(|text| bytes(text));
        let [username, key] = [&recorded.username, &recorded.key].map(|text| text.as_deref().map(bytes));
        // What was drawn there is not known: where it went is.
        let drawn = recorded.dst.as_ref().and_then(|dst| self.place(set, dst));
        let request = Request {
            call_id: &call_id,
            from: &from,
            to: &to,
            request_uri: &request_uri,
            username: username.as_deref(),
            // What no request has is written so.
            hash_pvar: Some(key.as_deref().unwrap_or(b"<null>")),
            random: drawn.unwrap_or_default() as u32,
        };
        let mut selection = self.kamailio.select(set, alg, &request, self.now);
        let all = |of: &[usize]| -> Vec<String> { of.iter().map(|index| self.uri(set, *index)).collect() };
        let ours = selection.as_ref().map(|selection| self.uri(set, selection.index));
        let failover = all(selection.as_ref().map_or(&[], |selection| &selection.failover));
        let branches = all(selection.as_ref().and_then(|of| of.parallel.get(1..)).unwrap_or_default());
        self.same("code", if ours.is_some() { 200 } else { 480 }, recorded.code)?;
        self.same("destination", ours, recorded.dst.clone())?;
        self.same("failover", failover, recorded.failover.clone())?;
        if let Some(recorded) = &recorded.branches {
            self.same("branches", &branches, recorded)?;
        }
        for next in &recorded.next {
            let selection = selection.as_mut().ok_or("a next of nobody")?;
            let ours = self.kamailio.next(set, selection, &call_id, self.now);
            self.same("next", ours.map(|index| self.uri(set, index)), next.clone())?;
        }
        Ok(())
    }

    /// So many calls of the algorithm of the last window: where each goes, and would go on to.
    fn decide(&mut self, calls: usize) -> Vec<Vec<String>> {
        let mut decided = Vec::new();
        for _ in 0..calls {
            let selection = self.kamailio.select(1, self.alg, &Request::default(), self.now);
            let Some(selection) = selection else { continue };
            let rest = selection.failover.iter().skip(1);
            let walk = std::iter::once(&selection.index).chain(rest);
            decided.push(walk.map(|index| self.uri(1, *index)).collect());
        }
        decided
    }

    fn uri(&self, set: SetId, index: usize) -> String {
        self.kamailio.uri(set, index).unwrap().to_owned()
    }

    fn place(&self, set: SetId, uri: &str) -> Option<usize> {
        (0..self.kamailio.len(set)).find(|index| self.kamailio.uri(set, *index) == Some(uri))
    }

    fn mark(&mut self, uri: &str, state: &str) -> Result<(), String> {
        let mark = state.parse().map_err(|error: StateError| error.to_string())?;
        self.kamailio.mark(1, uri, mark).map(|_| ()).map_err(|error| error.to_string())
    }

    fn first(&self) -> String {
        self.kamailio.uri(1, 0).unwrap().to_owned()
    }

    fn states(&mut self, set: SetId, recorded: Option<&States>) -> Result<(), String> {
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

fn counted<'a>(decided: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for uri in decided {
        *counts.entry(uri.clone()).or_default() += 1;
    }
    counts
}
