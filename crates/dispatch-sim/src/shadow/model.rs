//! Kamailio's model on the same calls: does it choose what Kamailio chose?
//!
//! At each call the model is asked, and then told what Kamailio did: turns and loads are Kamailio's
//! own, so that one difference is one difference.

use callsteer::kamailio::{Dispatcher, Params, Request, Selection};
use callsteer::{SetId, Time};

use super::calls::{Call, Course, Happened};
use super::fleet::Fleet;
use crate::script::Script;

/// What a model does on the calls of a set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// For each call of the set, by which of Kamailio's numbers it was chosen, and what was chosen.
    pub choices: Vec<(u16, Choice)>,
    /// For each move by failing over that was judged, the number, and whether the model moves there too.
    pub failovers: Vec<(u16, bool)>,
}

/// What a model chose for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This place of the set, or nobody; and whether Kamailio did so too.
    Made(Option<usize>, bool),
    /// Not judged: whose turn it was is not known before the first call, or chance decides.
    Open(Option<usize>),
}

/// What Kamailio is told of a call, beside its selection.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// `ds_load_update()` is called for replies: answered calls expire later.
    pub confirms: bool,
    /// `ds_load_update()` is called for BYE and CANCEL.
    pub ends: bool,
    /// `ds_load_unset()` is called for calls that failed.
    pub unsets: bool,
}

impl Upkeep {
    /// What a script does; everything, where there is none.
    #[must_use]
    pub fn of(script: Option<&Script>) -> Self {
        let Some(script) = script else { return Self { confirms: true, ends: true, unsets: true } };
        let is_reply = |block: &str| block.starts_with("onreply_route") || block.starts_with("reply_route");
        let updates: Vec<bool> =
            script.calls_of("ds_load_update").map(|call| is_reply(&call.block)).collect();
        Self {
            confirms: updates.contains(&true),
            ends: updates.contains(&false),
            unsets: script.calls_of("ds_load_unset").next().is_some(),
        }
    }
}

/// What the failure routes of a script mark a destination as that fails, if they all say the same.
#[must_use]
pub fn mark(script: &Script) -> Option<String> {
    let in_failure_route =
        script.calls_of("ds_mark_dst").filter(|call| call.block.starts_with("failure_route"));
    let mut states =
        in_failure_route.map(|call| call.args.first().map_or(Some("i".into()), crate::script::Value::text));
    let first = states.next()??;
    states.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The parameters of the module; `number` knows what they are set to.
#[must_use]
pub fn params(number: impl Fn(&str) -> Option<i64>) -> Params {
    let default = Params::default();
    let flags = number("flags").unwrap_or(0);
    let threshold = |name, default: u32| number(name).and_then(|n| n.try_into().ok()).unwrap_or(default);
    let seconds = |name, default| {
        number(name).and_then(|n| n.try_into().ok()).map_or(default, std::time::Duration::from_secs)
    };
    Params {
        user_only: flags & 1 != 0,
        // Also where Kamailio keeps no list: what it would be is asked all the same.
        failover: true,
        use_default: number("use_default").unwrap_or(0) != 0,
        probing_threshold: threshold("ds_probing_threshold", default.probing_threshold),
        inactive_threshold: threshold("ds_inactive_threshold", default.inactive_threshold),
        probing_mode: number("ds_probing_mode")
            .and_then(|n| n.try_into().ok())
            .unwrap_or(default.probing_mode),
        counts_calls: true,
        setup_expires: seconds("ds_hash_initexpire", default.setup_expires),
        call_expires: seconds("ds_hash_expire", default.call_expires),
        expiry_interval: seconds("ds_hash_check_interval", default.expiry_interval),
        ..default
    }
}

/// The numbers whose choice follows from the call and what was before; 6, 9, 11 and 15 draw lots.
pub const CERTAIN: [u16; 9] = [0, 1, 2, 3, 4, 5, 7, 8, 10];

/// Leads the calls of a set through Kamailio's model, each by its own algorithm, or by `guess` where it
/// says none.
#[must_use]
pub fn judge(
    course: &Course,
    fleet: &Fleet,
    set: SetId,
    guess: u16,
    params: &Params,
    upkeep: Upkeep,
) -> Judged {
    let list = || {
        let line = |(set, member): (SetId, &super::fleet::Member)| (set, member.kamailio.clone());
        fleet.sets.iter().flat_map(|(set, members)| members.iter().map(|member| (*set, member))).map(line)
    };
    let kamailio = Dispatcher::new(list(), params.clone(), 0);
    let selections = vec![None; course.calls.len()];
    let mut judge =
        Judge { kamailio, fleet, set, guess, judged: Judged::default(), selections, knows_turn: false };
    for step in &course.steps {
        judge.kamailio.expire(step.at);
        match &step.what {
            Happened::Selected(call) => judge.select(*call, &course.calls[*call], step.at),
            Happened::Next(call, place) => judge.next(*call, &course.calls[*call], *place, step.at),
            Happened::Answered(call) if upkeep.confirms => {
                judge.kamailio.confirm(&course.calls[*call].selected.call_id, step.at);
            }
            Happened::Ended(call, hung_up) if if *hung_up { upkeep.ends } else { upkeep.unsets } => {
                judge.kamailio.end(&course.calls[*call].selected.call_id);
            }
            Happened::Probed(uri, answered) => {
                for set in fleet.sets_of(uri) {
                    // The set has it.
                    let _ = judge.kamailio.probe_result(set, uri, *answered);
                }
            }
            Happened::State(set, uri, state) => {
                let sets: Vec<SetId> = set.map_or_else(|| fleet.sets_of(uri).collect(), |set| vec![set]);
                for set in sets {
                    // What names no state or nobody changes nothing in Kamailio either.
                    let _ = state.parse().and_then(|state| judge.kamailio.set_state(set, uri, state));
                }
            }
            Happened::Marked(set, uri, state) => {
                let sets: Vec<SetId> = set.map_or_else(|| fleet.sets_of(uri).collect(), |set| vec![set]);
                for set in sets {
                    let _ = state.parse().and_then(|state| judge.kamailio.mark(set, uri, state));
                }
            }
            Happened::Reloaded => {
                judge.kamailio.reload(list());
                judge.knows_turn = true;
            }
            Happened::Answered(_) | Happened::Ended(..) | Happened::Failed(..) => {}
        }
    }
    judge.judged
}

struct Judge<'a> {
    kamailio: Dispatcher,
    fleet: &'a Fleet,
    set: SetId,
    guess: u16,
    judged: Judged,
    /// By call: what is left to fail over to.
    selections: Vec<Option<Selection>>,
    knows_turn: bool,
}

impl Judge<'_> {
    fn select(&mut self, number: usize, call: &Call, now: Time) {
        if call.set != self.set {
            return;
        }
        let request = Request {
            call_id: &call.selected.call_id,
            from: &call.selected.from,
            to: &call.selected.to,
            request_uri: &call.selected.request_uri,
            username: call.selected.username.as_deref(),
            hash_pvar: call.selected.hash_pvar.as_deref(),
            random: 0,
        };
        let algorithm = call.algorithm.unwrap_or(self.guess);
        let selection = self.kamailio.look(self.set, algorithm, &request, now);
        let selected = selection.as_ref().filter(|selection| !selection.is_refused());
        let place = selected.and_then(|selection| self.place(selection.index));
        let did = call.attempts.first().copied();
        let in_turn = matches!(algorithm, 4 | 13 | 64) || (algorithm == 5 && request.username.is_none());
        let is_open = (in_turn && !self.knows_turn) || !is_certain(algorithm);
        let choice = if is_open { Choice::Open(place) } else { Choice::Made(place, place == did) };
        self.judged.choices.push((algorithm, choice));

        let followed = did.and_then(|place| self.index(place));
        let (Some(mut selection), Some(index)) = (selection, followed) else {
            if followed.is_none() {
                // Nobody got the call: what that changes in Kamailio changes here.
                self.kamailio.select(self.set, algorithm, &request, now);
            }
            return;
        };
        self.knows_turn |= in_turn;
        if is_certain(algorithm) {
            selection.follow(index, self.kamailio.len(self.set));
        }
        self.kamailio.take(self.set, &selection, &call.selected.call_id, now);
        self.selections[number] = Some(selection);
    }

    fn next(&mut self, number: usize, call: &Call, place: usize, now: Time) {
        let Some(index) = self.index(place).filter(|_| call.set == self.set) else { return };
        let Some(mut selection) = self.selections[number].take() else { return };
        let algorithm = call.algorithm.unwrap_or(self.guess);
        if is_certain(algorithm) && selection.failover.len() > 1 {
            self.judged.failovers.push((algorithm, selection.failover.get(1) == Some(&index)));
        }
        // The model moves the call to the next of the list: make it the one where the call went.
        let rest = selection.failover.iter().skip(1).copied().filter(|other| *other != index);
        selection.failover = [selection.index, index].into_iter().chain(rest).collect();
        self.kamailio.next(self.set, &mut selection, &call.selected.call_id, now);
        self.selections[number] = Some(selection);
    }

    /// The place in the list of an index of Kamailio's order.
    fn place(&self, index: usize) -> Option<usize> {
        self.fleet.place(self.set, self.kamailio.uri(self.set, index)?)
    }

    /// The index in Kamailio's order of a place in the list.
    fn index(&self, place: usize) -> Option<usize> {
        let uri = &self.fleet.sets.get(&self.set)?.get(place)?.destination.uri;
        (0..self.kamailio.len(self.set)).find(|index| self.kamailio.uri(self.set, *index) == Some(uri))
    }
}

fn is_certain(algorithm: u16) -> bool {
    !matches!(algorithm, 6 | 9 | 11 | 15)
}
