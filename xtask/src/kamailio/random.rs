//! Random scripts: lists, states, calls and requests that nobody has seen before.

use std::iter;

use fastrand::Rng;
use serde_json::json;

use super::recording::{CallId, Event, ModParams, Recording, Select};
use super::requests::{call_id, uri, word};

/// Scripts that ask for at least so many decisions by every algorithm; Kamailio 5 takes 14, 15 and 64 for 8.
pub(super) fn scripts(seed: u64, decisions: usize, is_5: bool) -> Vec<Recording> {
    let mut rng = Rng::with_seed(seed);
    let mut scripts = Vec::new();
    for use_default in [0, 1] {
        for user_only in [0, 1] {
            let params = [("flags", 2 + user_only), ("use_default", use_default)];
            let name = format!("random_hash_{use_default}{user_only}");
            scripts.push(Script::new(rng.fork(), &name, &params, Kind::Hash).write(decisions.div_ceil(4)));
        }
        let mut of = |name: &str, params: &[(&str, u32)], kind| {
            let params = [params, &[("flags", 2), ("use_default", use_default)]].concat();
            let name = format!("random_{name}_{use_default}");
            scripts.push(Script::new(rng.fork(), &name, &params, kind).write(decisions.div_ceil(2)));
        };
        of("turns", &[("ds_probing_threshold", 2), ("ds_inactive_threshold", 3)], Kind::Turns);
        of("shared_turn", &[("ds_ping_latency_stats", 1)], Kind::Latency);
        of("weights", &[], Kind::Weights);
        of("rweights", &[], Kind::RelativeWeights);
        of("loads", &[("ds_hash_size", 4)], Kind::Loads);
        if is_5 {
            of("unknown", &[], Kind::Unknown);
        } else {
            of("srv", &[], Kind::Srv);
            of("overload", &[], Kind::Overload);
        }
    }
    scripts
}

/// What a list is for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// 0 to 3, 5 and 7.
    Hash,
    /// 4, 6, 8, 12, and 77, which is unknown; marks.
    Turns,
    /// What Kamailio 5 does not know.
    Unknown,
    /// 13, and who shares its turn.
    Latency,
    Weights,
    RelativeWeights,
    /// 10.
    Loads,
    /// 15.
    Srv,
    /// 64, to whom nobody told a rate: which visits those pass by is random there.
    Overload,
}

impl Kind {
    const fn algorithms(self) -> &'static [u16] {
        match self {
            Self::Hash => &[0, 1, 2, 3, 5, 7],
            Self::Turns => &[4, 6, 8, 12, 14, 77],
            Self::Unknown => &[15, 64],
            Self::Latency => &[13],
            Self::Weights => &[9],
            Self::RelativeWeights => &[11],
            Self::Loads => &[10],
            Self::Srv => &[15],
            Self::Overload => &[64],
        }
    }
}

/// A script under way.
struct Script {
    rng: Rng,
    kind: Kind,
    recording: Recording,
    /// Who is in the list, by set.
    members: Vec<(u32, String)>,
    /// Calls that are counted.
    calls: Vec<String>,
    decisions: usize,
    added: u32,
}

impl Script {
    fn new(rng: Rng, name: &str, params: &[(&str, u32)], kind: Kind) -> Self {
        let modparams: ModParams =
            params.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let recording = Recording { name: name.to_owned(), modparams, ..Recording::default() };
        Self { rng, kind, recording, members: Vec::new(), calls: Vec::new(), decisions: 0, added: 0 }
    }

    /// Lists one after the other, each with a part of the decisions.
    fn write(mut self, decisions: usize) -> Recording {
        self.recording.list = self.list();
        let (lists, each) = match self.kind {
            Kind::Weights | Kind::RelativeWeights | Kind::Srv => (decisions.div_ceil(100), 200),
            _ => (LISTS, decisions.div_ceil(LISTS)),
        };
        for list in 0..lists {
            if list > 0 {
                let list = self.list();
                self.calls.clear();
                self.event(Event::Reload { list: Some(list), states: None });
            }
            self.decisions = 0;
            while self.decisions < each {
                match self.kind {
                    Kind::Weights | Kind::RelativeWeights | Kind::Srv => self.window(),
                    Kind::Loads => self.call(),
                    _ => self.round(),
                }
                self.change(self.decisions > each / 2);
            }
        }
        self.recording
    }

    /// Every algorithm once, in any order.
    fn round(&mut self) {
        let mut algorithms = self.kind.algorithms().to_vec();
        self.rng.shuffle(&mut algorithms);
        for alg in algorithms {
            let select = self.select(alg);
            self.event(Event::Select(select));
        }
        if self.kind == Kind::Latency && self.rng.u8(..5) == 0 {
            // Round robin, and 5 without a username, go on where 13 was.
            for alg in [4, 5] {
                self.event(Event::Select(Select { alg, set: 1, ..Select::default() }));
            }
        }
        self.decisions += 1;
    }

    fn select(&mut self, alg: u16) -> Select {
        let mut select = Select { alg, set: self.rng.u32(1..=2), ..Select::default() };
        match alg {
            0 => select.callid = Some(call_id(&mut self.rng)),
            1 => select.frm = Some(uri(&mut self.rng)),
            2 => select.to = Some(uri(&mut self.rng)),
            3 => select.ruri = Some(uri(&mut self.rng)),
            5 => select.username = (self.rng.u8(..8) > 0).then(|| word(&mut self.rng)),
            7 => select.key = (self.rng.u8(..8) > 0).then(|| word(&mut self.rng)),
            _ => {}
        }
        if alg != 12 && self.rng.u8(..4) == 0 {
            select.next = vec![None; self.rng.usize(1..6)];
        }
        select
    }

    fn window(&mut self) {
        let alg = self.kind.algorithms()[0];
        self.event(Event::Window { alg, counts: [].into(), failover: [].into() });
        self.decisions += 100;
    }

    /// A call begins, or one in progress ends.
    fn call(&mut self) {
        if !self.calls.is_empty() && self.rng.u8(..5) < 2 {
            let callid = self.calls.swap_remove(self.rng.usize(..self.calls.len()));
            let call = CallId { callid, note: None };
            let end = if self.rng.bool() { Event::Bye } else { Event::Cancel };
            self.event(end(call));
        } else {
            // Some Call-IDs come twice.
            let known = (self.rng.u8(..12) == 0).then(|| self.rng.choice(&self.calls).cloned()).flatten();
            let callid = known.unwrap_or_else(|| call_id(&mut self.rng));
            self.calls.push(callid.clone());
            let select = Select { callid: Some(callid), set: 1, ..self.select(10) };
            self.event(Event::Invite(select));
            self.decisions += 1;
        }
        self.event(Event::Loads { t: None, loads: [].into() });
    }

    /// Something else happens, now and then.
    fn change(&mut self, of_list: bool) {
        let Some((set, uri)) = self.rng.choice(&self.members).cloned() else { return };
        match self.rng.u8(..40) {
            0..=5 => {
                let state = self.state();
                self.event(Event::SetState {
                    set: Some(set),
                    uri: Some(uri),
                    state,
                    states: None,
                    flags: None,
                    probing_count: None,
                    reply: None,
                });
            }
            6..=9 if self.kind == Kind::Turns => {
                let (alg, state) = (self.rng.choice([4, 8]), self.state().to_lowercase());
                let (selected, states, flags, probing_count) = (None, None, None, None);
                self.event(Event::Mark { alg, state, selected, states, flags, probing_count });
            }
            10..=11 if of_list => {
                let uri = format!("sip:127.0.0.2:{}", 5_000 + self.added);
                self.added += 1;
                let (flags, priority, attrs) = (self.flags(), self.rng.i32(0..30), self.attributes());
                self.members.push((set, uri.clone()));
                let states = Vec::new();
                self.event(Event::Add { set, uri, flags, priority, attrs, states });
            }
            12..=13 if of_list && self.members.iter().filter(|(other, _)| *other == set).count() > 1 => {
                self.members.retain(|(of, other)| *of != set || *other != uri);
                self.event(Event::Remove { set, uri, states: Vec::new() });
            }
            _ => {}
        }
    }

    fn list(&mut self) -> String {
        let hosts = match self.rng.u8(..12) {
            // More hosts than slots.
            0 if self.kind == Kind::RelativeWeights => self.rng.usize(90..=130),
            0..=2 => self.rng.usize(20..=45),
            _ => self.rng.usize(1..=9),
        };
        // Of few priorities many are equal.
        let priorities = if self.kind == Kind::Srv { self.rng.i32(0..=2) } else { self.rng.i32(0..=60) };
        self.members = iter::repeat_n(1, hosts)
            .chain(iter::repeat_n(2, self.rng.usize(1..=4)))
            .zip(6_000..)
            .map(|(set, port)| (set, format!("sip:127.0.0.1:{port}")))
            .collect();
        self.rng.shuffle(&mut self.members);
        let mut list = String::new();
        for (set, uri) in self.members.clone() {
            let (flags, priority, attributes) =
                (self.flags(), self.rng.i32(0..=priorities), self.attributes());
            list += &format!("{set} {uri} {flags} {priority} {attributes}\n");
        }
        list
    }

    fn flags(&mut self) -> u32 {
        // What 9 and 11 do where nobody is up is no window.
        if self.rng.u8(..8) > 0 { 0 } else { *[1, 2, 4, 8, 9].get(self.rng.usize(..5)).unwrap_or(&0) }
    }

    fn attributes(&mut self) -> String {
        let rng = &mut self.rng;
        match self.kind {
            Kind::Weights | Kind::Srv if rng.u8(..6) > 0 => format!("weight={}", rng.u8(1..=60)),
            Kind::RelativeWeights if rng.u8(..6) > 0 => {
                let most = if rng.bool() { 100 } else { 2 };
                format!("rweight={}", rng.u8(1..=most))
            }
            Kind::Latency if rng.bool() => format!("latency={}", rng.u8(0..=255)),
            Kind::Loads if rng.u8(..10) > 0 => {
                let duid: String = iter::repeat_with(|| rng.alphanumeric()).take(8).collect();
                format!("duid={duid};maxload={}", rng.u8(0..=6))
            }
            _ => String::new(),
        }
    }

    fn state(&mut self) -> String {
        // More often up than down.
        self.rng.choice(["a", "a", "ap", "AP", "t", "tp", "i", "ip", "d"]).unwrap_or_default().to_owned()
    }

    fn event(&mut self, event: Event) {
        self.recording.events.push(event);
    }
}

/// How many lists a script goes through.
const LISTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_a_run_and_every_algorithm_has_its_decisions() {
        let written = |seed, is_5| format!("{:?}", scripts(seed, 100, is_5));
        assert_eq!(written(7, true), written(7, true));
        assert_ne!(written(7, true), written(8, true));
        for is_5 in [true, false] {
            for alg in (0..=15).chain([64, 77]) {
                let of = |script: &Recording| script.decisions().get(&alg).copied().unwrap_or(0);
                let decisions: usize = scripts(7, 100, is_5).iter().map(of).sum();
                assert!(decisions >= 100, "{alg}: {decisions}");
            }
        }
    }
}
