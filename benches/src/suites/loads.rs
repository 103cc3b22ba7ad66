//! call_load and load_score beside a scan, trees and heaps: pick, count in, count another one out.

use std::collections::BTreeSet;
use std::sync::Mutex;

use callsteer::Algorithm;
use callsteer::internals::Counting;

use super::{CLASSES, config, destinations, live};
use crate::floors::{self, COUNTERS};
use crate::heap::{Heap, WinnerTree};
use crate::measure::{Case, Effort, Numbers, Timing, compare};
use crate::report::Report;

pub(super) fn run(effort: Effort, report: &mut Report) {
    let mut cycles = Vec::new();
    for members in [4, 16, 256, 4_096, 100_000] {
        let mut cases = vec![floors::counters(members)];
        cases.push(ours(OURS, Algorithm::CallLoad, members, &[1]));
        cases.push(ours(OURS_WEIGHTED, Algorithm::CallLoad, members, &CLASSES));
        let weights: Vec<u32> = (1..=members.min(65_535) as u32).collect();
        cases.push(ours("call_load: cycle, every weight once", Algorithm::CallLoad, members, &weights));
        cases.push(scan(members));
        cases.push(kamailio(members));
        cases.push(tree(members));
        cases.push(heap(members));
        #[cfg(feature = "peers")]
        cases.extend(crate::peers::loads(members));
        let timings = compare(cases, effort);
        report.add("loads", members, &timings);
        if members >= 256 {
            report.at_most(members, &timings, OURS, 6.0, COUNTERS);
            report.at_most(members, &timings, OURS, if members == 256 { 0.1 } else { 0.01 }, SCAN);
            report.at_most(members, &timings, OURS_WEIGHTED, 0.5, HEAP);
        }
        cycles.push((members, nanos(&timings, OURS)));
    }
    let at = |n| cycles.iter().find(|(members, _)| *members == n).map_or(f64::NAN, |(_, nanos)| *nanos);
    report.claim("call_load: cycle, N = 100,000 / N = 256".into(), at(100_000) / at(256), "x", 3.0, false);
    scores(effort, report);
}

/// load_score in a fleet that reports, beside one update of a tree of as many leaves.
fn scores(effort: Effort, report: &mut Report) {
    for members in [16, 256, 4_096] {
        let mut numbers = Numbers::new(12);
        let mut tree = WinnerTree::new((0..members).map(|_| numbers.below(1_000) as f64).collect());
        let update = Case::new(TREE_UPDATE, move || {
            tree.set(numbers.below(members), numbers.below(1_000) as f64);
            tree.winner()
        });
        let timings = compare(vec![score(SCORE, members), score_and_pick(members), update], effort);
        report.add("loads", members, &timings);
        if members == 4_096 {
            report.at_most(members, &timings, SCORE_UPDATE, 2.0, TREE_UPDATE);
        }
    }
}

/// One load changes, of one member after another by chance, and a call that is not counted is placed.
fn score_and_pick<'a>(members: usize) -> Case<'a> {
    let (mut order, live, mut numbers) = reported(members);
    let mut ended = None;
    Case::new(SCORE_UPDATE, move || {
        match ended.take() {
            Some(member) => order.count(member),
            None => {
                let member = live[numbers.below(live.len())];
                order.end(member);
                ended = Some(member);
            }
        }
        order.pick(0)
    })
}

/// A fleet where everybody has reported, its calls, and what draws from them.
fn reported(members: usize) -> (Counting, Vec<u64>, Numbers) {
    let mut order = Counting::new(config(Algorithm::LoadScore), destinations(members, &[1]));
    let mut numbers = Numbers::new(11);
    let keys: Vec<u64> = order.members().collect();
    let live: Vec<u64> = (0..8 * members).filter_map(|_| order.begin(0)).collect();
    for key in &keys {
        order.report(*key, 0.3 + 0.4 * numbers.below(1_000) as f64 / 1_000.0);
    }
    (order, live, numbers)
}

/// load_score where everybody has reported.
pub(crate) fn score<'a>(name: &str, members: usize) -> Case<'a> {
    let (mut order, mut live, mut numbers) = reported(members);
    Case::new(name, move || {
        let call = numbers.below(live.len());
        order.end(live[call]);
        live[call] = order.begin(0).unwrap_or(0);
    })
}

pub(crate) fn ours<'a>(name: &str, algorithm: Algorithm, members: usize, weights: &[u32]) -> Case<'a> {
    let mut order = Counting::new(config(algorithm), destinations(members, weights));
    let mut live: Vec<u64> = (0..8 * members).filter_map(|_| order.begin(0)).collect();
    let mut numbers = Numbers::new(1);
    Case::new(name, move || {
        let placed = order.begin(0).unwrap_or(0);
        let call = numbers.below(live.len());
        let ended = std::mem::replace(&mut live[call], placed);
        order.end(ended);
    })
}

/// Calls that come to a member and leave another one, by a structure of ours for comparison.
fn cycle<'a>(name: &str, members: usize, mut place: impl FnMut(usize) -> usize + 'a) -> Case<'a> {
    let (mut live, mut numbers) = (live(members), Numbers::new(1));
    Case::new(name, move || {
        let call = numbers.below(live.len());
        let placed = place(live[call] as usize);
        live[call] = placed as u64;
    })
}

pub(crate) fn scan<'a>(members: usize) -> Case<'a> {
    let mut loads = vec![8u64; members];
    cycle(SCAN, members, move |ended| {
        let best = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(member, _)| member);
        loads[best] += 1;
        loads[ended] -= 1;
        best
    })
}

/// Kamailio's call load distribution: one lock, and a scan of all that are up.
fn kamailio<'a>(members: usize) -> Case<'a> {
    let set = Mutex::new(vec![(8u32, 0u32, 0u32); members]);
    cycle("Kamailio-like scan under a mutex", members, move |ended| {
        let Ok(mut set) = set.lock() else { return 0 };
        let (mut best, mut least) = (0, u32::MAX);
        for (member, (load, limit, flags)) in set.iter().enumerate() {
            if flags & 0b101 == 0 && (*limit == 0 || load < limit) && *load < least {
                (best, least) = (member, *load);
            }
        }
        set[best].0 += 1;
        set[ended].0 -= 1;
        best
    })
}

fn tree<'a>(members: usize) -> Case<'a> {
    let mut loads = vec![8u64; members];
    let mut order: BTreeSet<(u64, usize)> = (0..members).map(|member| (8, member)).collect();
    cycle("BTreeSet", members, move |ended| {
        let best = order.pop_first().map_or(0, |(_, member)| member);
        loads[best] += 1;
        order.insert((loads[best], best));
        order.remove(&(loads[ended], ended));
        loads[ended] -= 1;
        order.insert((loads[ended], ended));
        best
    })
}

/// A binary heap that knows where each member is, with weights of 8 classes.
fn heap<'a>(members: usize) -> Case<'a> {
    let weight = |member: usize| u64::from(CLASSES[member % CLASSES.len()]);
    let mut heap = Heap::new((0..members).map(|member| (8, weight(member))).collect());
    cycle(HEAP, members, move |ended| {
        let best = heap.least();
        heap.add(best, 1);
        heap.add(ended, -1);
        best
    })
}

fn nanos(timings: &[Timing], name: &str) -> f64 {
    timings.iter().find(|timing| timing.name == name).map_or(f64::NAN, Timing::nanos)
}

const OURS: &str = "call_load: cycle";
const OURS_WEIGHTED: &str = "call_load: cycle, 8 weights";
const SCAN: &str = "scan";
const HEAP: &str = "indexed heap, 8 weights";
const SCORE: &str = "load_score: cycle";
const SCORE_UPDATE: &str = "load_score: update + pick";
const TREE_UPDATE: &str = "winner tree: update";
