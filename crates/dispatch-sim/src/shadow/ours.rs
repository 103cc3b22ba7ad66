//! What Callsteer's algorithms would have done with the same calls, and how even that would have been.
//!
//! A call lasts as long as it did, wherever it is placed: what another bridge would have made of it,
//! nobody knows. It fails where it failed in Kamailio, if it is placed there, and goes on by `next`.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use callsteer::kamailio::{uri_key, username_key};
use callsteer::{
    AddError, Blame, Call as Request, Config, DestinationId, Dispatcher, Lease, ProbeResult, ProbingConfig,
    ProbingMode, SetId, Time,
};

use super::calls::{Call, Course, Happened};
use super::fleet::Fleet;
use super::load::{Carried, Load};
use crate::figures::Balance;
use crate::policy::Policy;

/// What somebody did with the calls of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For each call of the set, where it was placed first; `None` where nobody took it.
    pub choices: Vec<Option<usize>>,
    /// How even the load was.
    pub balance: Balance,
    /// What each destination carried, in the order of the list.
    pub carried: Vec<Carried>,
    /// Moves by failing over.
    pub moved: u64,
}

/// What Kamailio did.
#[must_use]
pub fn kamailio(course: &Course, fleet: &Fleet, set: SetId) -> Outcome {
    let mut load = Load::new(course, fleet, set);
    let mut at: HashMap<usize, usize> = HashMap::new();
    let (mut choices, mut moved) = (Vec::new(), 0);
    for step in &course.steps {
        match &step.what {
            Happened::Selected(call) if course.calls[*call].set == set => {
                let place = course.calls[*call].attempts.first().copied();
                choices.push(place);
                // One that came again stays where it was.
                if let Some(place) = place.filter(|_| course.calls[*call].repeats.is_none()) {
                    load.begin(place, step.at);
                    at.insert(*call, place);
                }
            }
            Happened::Next(call, place) => {
                if let Some(before) = at.insert(*call, *place) {
                    load.end(before, step.at);
                    load.begin(*place, step.at);
                    moved += 1;
                }
            }
            Happened::Ended(call, _) => {
                if let Some(place) = at.remove(call) {
                    load.end(place, step.at);
                }
            }
            _ => {}
        }
    }
    let (balance, carried) = load.finish();
    Outcome { choices, balance, carried, moved }
}

/// What a policy of Callsteer would have done. `base` says everything but the algorithm.
///
/// # Errors
/// A destination that the dispatcher does not take.
pub fn policy(
    course: &Course,
    fleet: &Fleet,
    set: SetId,
    policy: &Policy,
    base: &Config,
) -> Result<Outcome, AddError> {
    let mut dispatcher = Dispatcher::new(config(policy, base)).expect("the configuration below is in range");
    let mut places = HashMap::new();
    for (place, member) in fleet.sets[&set].iter().enumerate() {
        places.insert(dispatcher.add(set, member.destination.clone(), Time::ZERO)?, place);
    }
    let load = Load::new(course, fleet, set);
    let run = Run { dispatcher, places, load, set, open: HashMap::new(), choices: Vec::new(), moved: 0 };
    Ok(run.all(course))
}

struct Run {
    dispatcher: Dispatcher,
    places: HashMap<DestinationId, usize>,
    load: Load,
    set: SetId,
    open: HashMap<usize, Open>,
    choices: Vec<Option<usize>>,
    moved: u64,
}

/// A call in progress: where it is, and where it is known to fail.
struct Open {
    lease: Lease,
    place: usize,
    /// Where it is in Kamailio.
    there: usize,
    fails_at: BTreeSet<usize>,
}

impl Run {
    fn all(mut self, course: &Course) -> Outcome {
        for step in &course.steps {
            let now = step.at;
            match &step.what {
                Happened::Selected(number) if course.calls[*number].set == self.set => {
                    self.begin(*number, &course.calls[*number], now);
                }
                Happened::Next(number, place) => {
                    if let Some(open) = self.open.get_mut(number) {
                        open.there = *place;
                    }
                }
                Happened::Failed(number, failure) => {
                    if let Some(open) = self.open.get_mut(number) {
                        open.fails_at.insert(open.there);
                        self.fail(*number, *failure, now);
                    }
                }
                Happened::Answered(number) => {
                    if let Some(open) = self.open.get(number) {
                        self.dispatcher.confirm(open.lease, now).expect("the call is in progress");
                    }
                }
                Happened::Ended(number, _) => self.end(*number, now),
                Happened::Probed(uri, answered) => self.probed(uri, *answered, now),
                Happened::State(set, uri, state) if set.is_none_or(|set| set == self.set) => {
                    self.state(uri, state, now);
                }
                // Failed calls say the same.
                Happened::Marked(..) => {}
                Happened::Selected(_) | Happened::State(..) | Happened::Reloaded => {}
            }
        }
        let (balance, carried) = self.load.finish();
        Outcome { choices: self.choices, balance, carried, moved: self.moved }
    }

    fn begin(&mut self, number: usize, call: &Call, now: Time) {
        let key = key(call);
        let request = Request { set: self.set, key: key.as_deref(), ..Request::new(&call.selected.call_id) };
        let Ok(placed) = self.dispatcher.begin(&request, now) else { return self.choices.push(None) };
        let place = self.places[&placed.destination];
        self.choices.push(Some(place));
        match call.attempts.first() {
            Some(_) if call.repeats.is_some() => {}
            Some(there) => {
                self.load.begin(place, now);
                let open = Open { lease: placed.lease, place, there: *there, fails_at: BTreeSet::new() };
                self.open.insert(number, open);
            }
            // Kamailio refused it: nobody knows how long it would have lasted.
            None => drop(self.dispatcher.end(placed.lease, now)),
        }
    }

    /// Moves the call on while it is where it is known to fail.
    fn fail(&mut self, number: usize, failure: callsteer::Failure, now: Time) {
        while let Some(open) = self.open.get_mut(&number).filter(|open| open.fails_at.contains(&open.place)) {
            let blame = self.dispatcher.fail(open.lease, failure, now);
            // The caller's own failure ends the call, when Kamailio ended it.
            if !matches!(blame, Ok(Blame::Destination | Blame::Busy)) {
                return;
            }
            let Ok(moved) = self.dispatcher.next(open.lease, now) else { return self.end(number, now) };
            let place = self.places[&moved.destination];
            self.load.end(open.place, now);
            self.load.begin(place, now);
            (open.lease, open.place) = (moved.lease, place);
            self.moved += 1;
        }
    }

    fn end(&mut self, number: usize, now: Time) {
        if let Some(open) = self.open.remove(&number) {
            self.dispatcher.end(open.lease, now);
            self.load.end(open.place, now);
        }
    }

    fn probed(&mut self, uri: &str, answered: bool, now: Time) {
        let result = if answered { ProbeResult::reply(200) } else { ProbeResult::Timeout };
        for id in self.having(uri) {
            self.dispatcher.probe_result(id, result, now).expect("nobody leaves, and 200 is a reply");
        }
    }

    /// The operator's word. What probes found out of it is not told here: there may be none.
    fn state(&mut self, uri: &str, state: &str, now: Time) {
        let enabled = state.starts_with(['a', 't', 'A', 'T']);
        for id in self.having(uri) {
            self.dispatcher.set_enabled(id, enabled, now).expect("nobody leaves");
        }
    }

    fn having(&self, uri: &str) -> Vec<DestinationId> {
        let destinations = self.dispatcher.iter();
        let having = destinations.filter(|(_, destination, _)| destination.uri.eq_ignore_ascii_case(uri));
        having.map(|(id, ..)| id).collect()
    }
}

/// What Kamailio's algorithm hashes, where it is not the Call-ID.
fn key(call: &Call) -> Option<Vec<u8>> {
    let selected = &call.selected;
    match call.algorithm? {
        1 => uri_key(&selected.from, false),
        2 => uri_key(&selected.to, false),
        3 => uri_key(&selected.request_uri, false),
        5 => selected.username.as_deref().and_then(username_key).map(<[u8]>::to_vec),
        7 => selected.hash_pvar.clone(),
        _ => None,
    }
}

/// Calls end by what was seen, and probes are those that were seen.
fn config(policy: &Policy, base: &Config) -> Config {
    Config {
        algorithm: policy.algorithm,
        policies: std::collections::BTreeMap::new(),
        setup_timeout: TEN_YEARS,
        max_duration: TEN_YEARS,
        probing: ProbingConfig { mode: ProbingMode::Off, ..base.probing.clone() },
        ..base.clone()
    }
}

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
