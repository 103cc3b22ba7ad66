//! What came out of a shadow, for machines. Its keys are described in `docs/kamailio.md`.

use std::collections::BTreeMap;

use callsteer::kamailio::{Params, slots_by_rweight, slots_by_weight};
use callsteer::{AddError, Config, SetId};
use serde::Serialize;

use super::calls::Course;
use super::fleet::Fleet;
use super::model::{self, CERTAIN, Choice, Judged, Upkeep};
use super::ours::{self, Outcome};
use crate::policy::Policy;

/// What Kamailio did, whether its model agrees, and what Callsteer would have done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The log or the capture.
    pub source: String,
    /// From the first to the last thing seen.
    pub seconds: f64,
    /// What to know about it.
    pub notes: Vec<String>,
    /// The sets that calls went to.
    pub sets: Vec<SetReport>,
}

/// The calls of one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetReport {
    /// The set.
    pub set: SetId,
    /// Kamailio's number: as it was said, or the one that agrees most often.
    pub algorithm: Option<u16>,
    /// Whether the number was said.
    pub algorithm_said: bool,
    /// How often Kamailio's model agrees, by number.
    pub agreement: Vec<Agreement>,
    /// How even the load was: Kamailio's first, then each policy's.
    pub balance: Vec<BalanceRow>,
    /// The calls.
    pub calls: Vec<CallRow>,
}

/// How often a model agrees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Kamailio's number.
    pub algorithm: u16,
    /// Calls that were judged.
    pub calls: usize,
    /// Calls that the model places where Kamailio did.
    pub agree: usize,
    /// Moves by failing over that were judged.
    pub failovers: usize,
    /// Moves to where the model moves too.
    pub failovers_agree: usize,
    /// Where chance decides (6, 9, 11): the share of calls that are not where they should be, by count.
    pub misplaced: Option<f64>,
}

/// How even the load was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BalanceRow {
    /// `kamailio`, or the name of a policy.
    pub policy: String,
    /// Load of the busiest destination over the mean load, >= 1; 1 is even.
    pub max_over_mean: f64,
    /// Coefficient of variation of the load over the destinations; 0 is even.
    pub cv: f64,
    /// Calls that the busiest destination does not pass in 99 % of the time.
    pub busiest_p99: f64,
    /// Calls that nobody took.
    pub refused: usize,
    /// Moves by failing over.
    pub moved: u64,
    /// Share of calls that are placed where Kamailio placed them.
    pub same: f64,
    /// What each destination carried.
    pub destinations: Vec<DestinationRow>,
}

/// What a destination carried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DestinationRow {
    /// Its id.
    pub id: String,
    /// Its URI.
    pub uri: String,
    /// Calls that were placed there.
    pub calls: u64,
    /// Calls in progress on average.
    pub mean: f64,
    /// Calls in progress at most.
    pub peak: u32,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRow {
    /// The line or packet.
    pub number: usize,
    /// Seconds since the first thing seen.
    pub at: f64,
    /// The Call-ID.
    pub call_id: String,
    /// Where Kamailio sent it, one after another: ids.
    pub kamailio: Vec<String>,
    /// Where Kamailio's model sends it first.
    pub model: Option<String>,
    /// Whether the model agrees; `None` where that cannot be said.
    pub agrees: Option<bool>,
    /// Where each policy sends it first.
    pub ours: BTreeMap<String, Option<String>>,
}

/// What a shadow is made with.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Kamailio's parameters.
    pub params: Params,
    /// What keeps Kamailio's counts.
    pub upkeep: Upkeep,
    /// Callsteer's configuration, but the algorithm.
    pub base: Config,
    /// What is compared.
    pub policies: &'a [Policy],
}

/// Compares.
///
/// # Errors
/// A destination that the dispatcher does not take.
pub fn report(
    source: &str,
    course: &Course,
    fleet: &Fleet,
    options: &Options<'_>,
) -> Result<Report, AddError> {
    let sets: std::collections::BTreeSet<SetId> = course.calls.iter().map(|call| call.set).collect();
    let sets: Result<_, _> = sets.into_iter().map(|set| of_set(course, fleet, set, options)).collect();
    let seconds = course.span.1.since(course.span.0).as_secs_f64();
    Ok(Report { schema: 1, source: source.into(), seconds, notes: course.notes.clone(), sets: sets? })
}

fn of_set(course: &Course, fleet: &Fleet, set: SetId, options: &Options<'_>) -> Result<SetReport, AddError> {
    let kamailio = ours::kamailio(course, fleet, set);
    let judge = |guess: u16| model::judge(course, fleet, set, guess, &options.params, options.upkeep);
    let algorithm_said = course.calls_of(set).all(|(_, call)| call.algorithm.is_some());
    let is_possible = |guess: &u16| match guess {
        5 => course.calls_of(set).any(|(_, call)| call.selected.username.is_some()),
        7 => course.calls_of(set).any(|(_, call)| call.selected.hash_pvar.is_some()),
        _ => true,
    };
    let guesses =
        CERTAIN.into_iter().filter(is_possible).take(if algorithm_said { 1 } else { CERTAIN.len() });
    let mut judged: Vec<(Judged, Vec<Agreement>)> = guesses
        .map(judge)
        .map(|judged| {
            let agreement = agreement(&judged, &kamailio, fleet, set);
            (judged, agreement)
        })
        .collect();
    let agreement = judged.iter().flat_map(|(_, agreement)| agreement.clone()).collect::<Vec<_>>();
    // The first of equals: `max_by` takes the last.
    judged.reverse();
    let best = judged.iter().max_by(|(_, one), (_, other)| share(one).total_cmp(&share(other)));
    let (choices, certain) = best.map_or((&[][..], 0.0), |(judged, all)| (&judged.choices[..], share(all)));

    let mut outcomes = Vec::new();
    for policy in options.policies {
        outcomes.push((policy.name, ours::policy(course, fleet, set, policy, &options.base)?));
    }
    // The most even one first.
    outcomes
        .sort_by(|(_, one), (_, other)| one.balance.max_over_mean.total_cmp(&other.balance.max_over_mean));
    let row = |(name, outcome): (&str, &Outcome)| balance(name, outcome, &kamailio, fleet, set);
    let ours = outcomes.iter().map(|(name, outcome)| (*name, outcome));
    let balance = std::iter::once(("kamailio", &kamailio)).chain(ours).map(row).collect();

    let id = |place: usize| fleet.sets[&set][place].destination.id.clone();
    let calls = course.calls_of(set).enumerate().map(|(place, (_, call))| {
        let (model, agrees) = match choices.get(place) {
            Some((_, Choice::Made(place, agrees))) => (place.map(id), Some(*agrees)),
            Some((_, Choice::Open(place))) => (place.map(id), None),
            None => (None, None),
        };
        let ours =
            outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), outcome.choices[place].map(id)));
        CallRow {
            number: call.number,
            at: call.at.since(course.span.0).as_secs_f64(),
            call_id: String::from_utf8_lossy(&call.selected.call_id).into_owned(),
            kamailio: call.attempts.iter().map(|place| id(*place)).collect(),
            model,
            agrees,
            ours: ours.collect(),
        }
    });
    let calls = calls.collect();
    let mut numbers: Vec<u16> = choices.iter().map(|(number, _)| *number).collect();
    numbers.dedup();
    let algorithm = match numbers[..] {
        [number] if algorithm_said || certain > LOOKS_LIKE => Some(number),
        _ => None,
    };
    Ok(SetReport { set, algorithm, algorithm_said, agreement, balance, calls })
}

/// The share of the judged calls in which a model agrees.
fn share(agreement: &[Agreement]) -> f64 {
    let sum = |of: fn(&Agreement) -> usize| agreement.iter().map(of).sum::<usize>() as f64;
    sum(|one| one.agree) / sum(|one| one.calls).max(1.0)
}

/// How often a model agrees, by number.
fn agreement(judged: &Judged, kamailio: &Outcome, fleet: &Fleet, set: SetId) -> Vec<Agreement> {
    let mut numbers: Vec<u16> = judged.choices.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of = |algorithm: u16| {
        let own = judged.choices.iter().filter(|(number, _)| *number == algorithm);
        let made: Vec<bool> = own
            .filter_map(|(_, choice)| match choice {
                Choice::Made(_, agrees) => Some(*agrees),
                Choice::Open(_) => None,
            })
            .collect();
        let moves = judged.failovers.iter().filter(|(number, _)| *number == algorithm);
        let moves: Vec<bool> = moves.map(|(_, agrees)| *agrees).collect();
        let agreeing = |all: &[bool]| all.iter().filter(|agrees| **agrees).count();
        Agreement {
            algorithm,
            calls: made.len(),
            agree: agreeing(&made),
            failovers: moves.len(),
            failovers_agree: agreeing(&moves),
            misplaced: misplaced(algorithm, judged, kamailio, fleet, set),
        }
    };
    numbers.into_iter().map(of).collect()
}

/// Half of Σ |share - due share|: what would have to move.
fn misplaced(algorithm: u16, judged: &Judged, kamailio: &Outcome, fleet: &Fleet, set: SetId) -> Option<f64> {
    let order = callsteer::kamailio::index_order(
        &fleet.sets[&set].iter().map(|member| member.kamailio.priority).collect::<Vec<i32>>(),
    );
    let weights = |of: fn(&callsteer::kamailio::Destination) -> u32| {
        order.iter().map(|place| of(&fleet.sets[&set][*place].kamailio)).collect::<Vec<u32>>()
    };
    let due = match algorithm {
        6 => vec![1; order.len()],
        9 => slots_by_weight(&weights(|line| line.weight)),
        11 => slots_by_rweight(&weights(|line| line.rweight)),
        _ => return None,
    };
    let own: Vec<usize> = judged
        .choices
        .iter()
        .zip(&kamailio.choices)
        .filter_map(|((number, _), choice)| choice.filter(|_| *number == algorithm))
        .collect();
    let total = own.len().max(1) as f64;
    let due_sum = f64::from(due.iter().sum::<u32>()).max(1.0);
    let off = order.iter().zip(due).map(|(place, due)| {
        let got = own.iter().filter(|choice| *choice == place).count() as f64;
        (got / total - f64::from(due) / due_sum).abs()
    });
    Some(off.sum::<f64>() / 2.0)
}

fn balance(name: &str, outcome: &Outcome, kamailio: &Outcome, fleet: &Fleet, set: SetId) -> BalanceRow {
    let pairs = outcome.choices.iter().zip(&kamailio.choices);
    let same = pairs.filter(|(ours, theirs)| ours == theirs).count();
    let row = |(member, carried): (&super::fleet::Member, &super::load::Carried)| DestinationRow {
        id: member.destination.id.clone(),
        uri: member.destination.uri.clone(),
        calls: carried.calls,
        mean: carried.mean,
        peak: carried.peak,
    };
    BalanceRow {
        policy: name.into(),
        max_over_mean: outcome.balance.max_over_mean,
        cv: outcome.balance.cv,
        busiest_p99: outcome.balance.busiest_p99,
        refused: outcome.choices.iter().filter(|choice| choice.is_none()).count(),
        moved: outcome.moved,
        same: same as f64 / outcome.choices.len().max(1) as f64,
        destinations: fleet.sets[&set].iter().zip(&outcome.carried).map(row).collect(),
    }
}

/// Agreement above which calls look like those of an algorithm.
const LOOKS_LIKE: f64 = 0.9;
