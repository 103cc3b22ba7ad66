//! Calls: what was seen of each of them put together, and what happened in which order.

use std::collections::HashMap;

use callsteer::{Blame, Failure, SetId, Time};

use super::fleet::Fleet;
use super::odd::Odd;
use super::record::{Recording, Seen, Selected};
use crate::script::Script;

/// What is known beside a recording.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The set of calls that do not say theirs.
    pub set: Option<SetId>,
    /// Kamailio's number for calls that do not say it.
    pub algorithm: Option<u16>,
    /// The kamailio.cfg.
    pub script: Option<Script>,
    /// What `ds_mark_dst` says of a destination that fails, where nobody wrote down that it did.
    pub mark: Option<String>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was asked, and what came out.
    pub selected: Selected,
    /// The line or packet where it was selected.
    pub number: usize,
    /// When it was selected.
    pub at: Time,
    /// Its set.
    pub set: SetId,
    /// Kamailio's number, where it is known.
    pub algorithm: Option<u16>,
    /// Where it was sent, by the place in the set: the first one was selected, the others by failing over.
    pub attempts: Vec<usize>,
    /// Whether its end was seen.
    pub ended: bool,
    /// The call in progress that has the same Call-ID: an INVITE that came again and was placed again.
    pub repeats: Option<usize>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Time,
    /// What.
    pub what: Happened,
}

/// What can happen; a call is its place in [`Course::calls`].
#[derive(Clone, Debug)]
pub enum Happened {
    /// A call was selected a destination, or none.
    Selected(usize),
    /// It was sent on to this place of its set.
    Next(usize, usize),
    /// The place where it is did not take it.
    Failed(usize, Failure),
    /// It was answered.
    Answered(usize),
    /// It ended: hung up, or nobody took it.
    Ended(usize, bool),
    /// A URI was probed, and answered or not.
    Probed(String, bool),
    /// A URI, in a set or in all, is in this state.
    State(Option<SetId>, String, String),
    /// A URI of a set was marked.
    Marked(Option<SetId>, String, String),
    /// The list was loaded anew.
    Reloaded,
}

/// The calls of a recording, and what happened.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// In the order in which they were selected.
    pub calls: Vec<Call>,
    /// In order of time.
    pub steps: Vec<Step>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The first and the last moment.
    pub span: (Time, Time),
}

impl Course {
    /// Puts a recording together.
    #[must_use]
    pub fn new(recording: Recording, fleet: &Fleet, known: &Known) -> Self {
        let mut builder =
            Builder { fleet, known, course: Self::default(), open: HashMap::new(), odd: Odd::default() };
        builder.course.notes = recording.notes;
        let first = recording.records.first().map_or(Time::ZERO, |record| record.at);
        let last = recording.records.last().map_or(Time::ZERO, |record| record.at);
        builder.course.span = (first, last);
        for record in recording.records {
            builder.take(record.at, record.number, record.what);
        }
        builder.finish()
    }

    /// The calls of a set, with their places.
    pub fn calls_of(&self, set: SetId) -> impl Iterator<Item = (usize, &Call)> {
        self.calls.iter().enumerate().filter(move |(_, call)| call.set == set)
    }
}

struct Builder<'a> {
    fleet: &'a Fleet,
    known: &'a Known,
    course: Course,
    /// Calls in progress by Call-ID.
    open: HashMap<Vec<u8>, Open>,
    odd: Odd,
}

struct Open {
    call: usize,
    /// Where the last step that says that the call failed stands.
    failed: Option<usize>,
}

impl Builder<'_> {
    fn take(&mut self, at: Time, number: usize, what: Seen) {
        match what {
            Seen::Selected(selected) => self.selected(at, number, *selected),
            Seen::Next { call_id, destination } => self.next(at, number, call_id, destination),
            Seen::Failed { call_id, failure } => match self.open.get_mut(&call_id) {
                Some(open) => {
                    let call = open.call;
                    open.failed = Some(self.course.steps.len());
                    self.course.steps.push(Step { at, what: Happened::Failed(call, failure) });
                    self.mark(at, call, failure);
                }
                None => self.odd.orphans += 1,
            },
            Seen::Answered { call_id } => match self.open.get_mut(&call_id) {
                Some(open) => {
                    open.failed = None;
                    let what = Happened::Answered(open.call);
                    self.course.steps.push(Step { at, what });
                }
                None => self.odd.orphans += 1,
            },
            Seen::Ended { call_id, hung_up } => match self.open.remove(&call_id) {
                Some(open) => self.end(at, open.call, hung_up),
                None => self.odd.orphans += 1,
            },
            Seen::Probed { destination, answered } => {
                self.course.steps.push(Step { at, what: Happened::Probed(destination, answered) });
            }
            Seen::State { set, destination, state } => {
                self.course.steps.push(Step { at, what: Happened::State(set, destination, state) });
            }
            Seen::Marked { destination, state } => {
                self.course.steps.push(Step { at, what: Happened::Marked(None, destination, state) });
            }
            Seen::Reloaded => self.course.steps.push(Step { at, what: Happened::Reloaded }),
        }
    }

    fn selected(&mut self, at: Time, number: usize, selected: Selected) {
        let Some((set, place)) = self.place(&selected) else {
            return self.odd.stranger(number, &selected);
        };
        let repeats = self.open.get(&selected.call_id).map(|open| open.call);
        let repeats = repeats.filter(|call| !self.course.calls[*call].attempts.is_empty());
        if let Some(before) = repeats.map(|call| &self.course.calls[call]) {
            let stays = before.set == set && before.attempts.last() == place.as_ref();
            *(if stays { &mut self.odd.repeated } else { &mut self.odd.placed_twice }) += 1;
        }
        let algorithm = selected.algorithm.or(self.known.algorithm).or_else(|| self.scripted(set));
        let call = self.course.calls.len();
        let attempts: Vec<usize> = place.into_iter().collect();
        // Also one that nobody got: Kamailio may have counted it all the same.
        if repeats.is_none() {
            self.open.insert(selected.call_id.clone(), Open { call, failed: None });
        }
        let ended = attempts.is_empty() || repeats.is_some();
        self.course.calls.push(Call { selected, number, at, set, algorithm, attempts, ended, repeats });
        self.course.steps.push(Step { at, what: Happened::Selected(call) });
    }

    fn next(&mut self, at: Time, number: usize, call_id: Vec<u8>, destination: String) {
        let Some(open) = self.open.get_mut(&call_id) else {
            self.odd.orphans += 1;
            return;
        };
        let (call, has_failed) = (open.call, open.failed.take().is_some());
        if !has_failed {
            self.course.steps.push(Step { at, what: Happened::Failed(call, Failure::Timeout) });
            self.mark(at, call, Failure::Timeout);
        }
        match self.fleet.place(self.course.calls[call].set, &destination) {
            Some(place) => {
                self.course.calls[call].attempts.push(place);
                self.course.steps.push(Step { at, what: Happened::Next(call, place) });
            }
            // A selection from another set.
            None => {
                self.open.remove(&call_id);
                self.end(at, call, false);
                let destination = Some(destination);
                let selected = Selected {
                    destination,
                    set: None,
                    algorithm: None,
                    ..self.course.calls[call].selected.clone()
                };
                self.selected(at, number, selected);
            }
        }
    }

    /// The failure route marks whom the failure counts against.
    fn mark(&mut self, at: Time, call: usize, failure: Failure) {
        let Call { set, attempts, .. } = &self.course.calls[call];
        let Some((place, state)) = attempts.last().zip(self.known.mark.clone()) else { return };
        if failure.blame() != Blame::Caller {
            let uri = self.fleet.sets[set][*place].destination.uri.clone();
            self.course.steps.push(Step { at, what: Happened::Marked(Some(*set), uri, state) });
        }
    }

    fn end(&mut self, at: Time, call: usize, hung_up: bool) {
        self.course.calls[call].ended = true;
        self.course.steps.push(Step { at, what: Happened::Ended(call, hung_up) });
    }

    /// Set and place of a selection; the place is `None` where nobody was selected.
    fn place(&self, selected: &Selected) -> Option<(SetId, Option<usize>)> {
        let Some(uri) = &selected.destination else {
            let only = || self.fleet.sets.keys().copied().next();
            let set =
                selected.set.or(self.known.set).or_else(|| self.scripted_sets().next()).or_else(only)?;
            return self.fleet.sets.contains_key(&set).then_some((set, None));
        };
        let having: Vec<SetId> = self.fleet.sets_of(uri).collect();
        let wanted = [selected.set, self.known.set].into_iter().flatten().chain(self.scripted_sets());
        let mut wanted = wanted.filter(|set| having.contains(set));
        let set = match selected.set {
            Some(set) => Some(set).filter(|set| having.contains(set)),
            None => wanted.next().or_else(|| having.first().copied()),
        }?;
        Some((set, self.fleet.place(set, uri)))
    }

    fn scripted_sets(&self) -> impl Iterator<Item = SetId> {
        let selections = self.known.script.as_ref().map(Script::selections).unwrap_or_default();
        selections.into_iter().filter_map(|selection| selection.set.ok())
    }

    fn scripted(&self, set: SetId) -> Option<u16> {
        let selections = self.known.script.as_ref()?.selections();
        selections.into_iter().find(|selection| selection.set == Ok(set))?.algorithm.ok()
    }

    fn finish(mut self) -> Course {
        // A call that failed and went nowhere else ended there.
        let mut failed: Vec<(usize, usize)> =
            self.open.values().filter_map(|open| Some((open.failed?, open.call))).collect();
        failed.sort_unstable();
        for (step, call) in failed.into_iter().rev() {
            let at = self.course.steps[step].at;
            self.course.calls[call].ended = true;
            self.course.steps.insert(step + 1, Step { at, what: Happened::Ended(call, false) });
        }
        let unfinished = self.course.calls.iter().filter(|call| !call.ended).count();
        self.course.notes.extend(self.odd.notes(unfinished));
        self.course
    }
}
