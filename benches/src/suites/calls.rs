//! The whole of a call, begin + confirm + end, among very many calls in progress; and what they weigh.

use std::collections::HashMap;
use std::time::Instant;

use callsteer::{Algorithm, Call, Config, Dispatcher, Lease, TenantLimits, Time};

use super::{config, dispatcher};
use crate::floors::{self, DRAM, L2, call_id};
use crate::measure::{Case, Effort, Numbers, compare};
use crate::memory;
use crate::report::Report;

pub(super) fn run(effort: Effort, report: &mut Report) {
    let sizes: &[usize] = effort.pick(&[1_000, 30_000, 1_000_000], &[1_000, 100_000]);
    for calls in sizes {
        whole(*calls, effort, report);
    }
    growth(effort.pick(2_000_000, 300_000), report);
    if !effort.quick {
        large(report);
    }
}

fn whole(calls: usize, effort: Effort, report: &mut Report) {
    let mut cases = vec![floors::access(L2, 512 << 10), floors::access(DRAM, 256 << 20), naive(calls)];
    for (name, by) in [(BY_CALL_ID, By::CallId), (BY_LEASE, By::Lease)] {
        let before = memory::allocated();
        let Ok(mut crowd) = Crowd::new(MEMBERS, calls) else { return };
        let counted = (by == By::Lease && calls >= 100_000).then_some(before).flatten();
        if let (Some(before), Some(after)) = (counted, memory::allocated()) {
            let per_call = (after - before - crowd.own_bytes()) as f64 / calls as f64;
            report.claim(format!("{calls} calls: bytes per call"), per_call, "B", 96.0, false);
        }
        cases.push(Case::new(name, move || crowd.replace_one(by)));
    }
    let timings = compare(cases, effort);
    report.add("calls", calls, &timings);
    if calls >= 100_000 {
        report.at_most(calls, &timings, BY_CALL_ID, 0.65, NAIVE);
        report.at_most(calls, &timings, BY_LEASE, 0.15, NAIVE);
    }
}

/// The longest time that any begin takes while the table grows.
fn growth(calls: usize, report: &mut Report) {
    // What somebody else's process did to one of them it did not do to the same one in another run.
    let mut longest = vec![u64::MAX; calls];
    for _ in 0..3 {
        let Ok(mut dispatcher) = fleet(MEMBERS) else { return };
        for (index, longest) in longest.iter_mut().enumerate() {
            let id = call_id(index as u64, 1);
            let start = Instant::now();
            let placed = dispatcher.begin(&call(&id), Time::ZERO);
            *longest = start.elapsed().as_nanos().min(u128::from(*longest)) as u64;
            assert!(placed.is_ok(), "there is room for every call");
        }
    }
    let longest = longest.into_iter().max().unwrap_or(0) as f64 / 1e6;
    report.claim(format!("longest begin from 0 to {calls} calls"), longest, "ms", 1.0, false);
}

/// 10,000 members with ten million calls.
fn large(report: &mut Report) {
    let before = memory::allocated();
    let Ok(mut crowd) = Crowd::new(10_000, 10_000_000) else { return };
    if let (Some(before), Some(after)) = (before, memory::allocated()) {
        let bytes = (after - before - crowd.own_bytes()) as f64;
        report.claim("10,000 members, 10,000,000 calls: GB".into(), bytes / 1e9, "GB", 0.96, false);
    }
    let case = Case::new(BY_CALL_ID, move || crowd.replace_one(By::CallId));
    let timings = compare(vec![case], Effort::FULL);
    report.add("calls", 10_000_000, &timings);
}

/// How a call is named when it is confirmed and ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    CallId,
    Lease,
}

/// A dispatcher with so many calls in progress, and what their owner knows of them.
pub(crate) struct Crowd {
    dispatcher: Dispatcher,
    /// What each Call-ID is made of, and the lease.
    live: Vec<(u64, Lease)>,
    numbers: Numbers,
    begun: u64,
}

impl Crowd {
    pub(crate) fn new(members: usize, calls: usize) -> anyhow::Result<Self> {
        let mut dispatcher = fleet(members)?;
        let mut live = Vec::with_capacity(calls);
        for number in 0..calls as u64 {
            let id = call_id(number, 1);
            let lease = dispatcher.begin(&call(&id), Time::ZERO)?.lease;
            dispatcher.confirm(lease, Time::ZERO)?;
            live.push((number, lease));
        }
        Ok(Self { dispatcher, live, numbers: Numbers::new(9), begun: calls as u64 })
    }

    /// One call ends, another one begins and is confirmed.
    pub(crate) fn replace_one(&mut self, by: By) -> bool {
        let place = self.numbers.below(self.live.len());
        let (number, lease) = self.live[place];
        let ended = match by {
            By::CallId => self.dispatcher.end_call(&call_id(number, 1), Time::ZERO),
            By::Lease => self.dispatcher.end(lease, Time::ZERO),
        };
        let id = call_id(self.begun, 1);
        let Ok(placed) = self.dispatcher.begin(&call(&id), Time::ZERO) else { return false };
        self.live[place] = (self.begun, placed.lease);
        self.begun += 1;
        let confirmed = match by {
            By::CallId => self.dispatcher.confirm_call(&id, Time::ZERO),
            By::Lease => self.dispatcher.confirm(placed.lease, Time::ZERO),
        };
        ended && confirmed.is_ok()
    }

    /// What the bench itself keeps.
    const fn own_bytes(&self) -> usize {
        self.live.capacity() * size_of::<(u64, Lease)>()
    }
}

fn call(id: &[u8]) -> Call<'_> {
    Call { tenant: Some("sales"), ..Call::new(id) }
}

fn fleet(members: usize) -> anyhow::Result<Dispatcher> {
    let limits = TenantLimits { max_calls: u32::MAX, max_rate: 0 };
    let tenants = [(String::from("sales"), limits)].into();
    let config = Config { tenants, max_calls_total: u32::MAX, ..config(Algorithm::CallLoad) };
    dispatcher(config, members, &[1])
}

/// A map from Call-ID to member, and a scan for the least loaded.
fn naive<'a>(calls: usize) -> Case<'a> {
    let mut loads = vec![0u64; MEMBERS];
    let mut known: HashMap<String, (usize, bool)> = HashMap::new();
    let text = |number: u64| String::from_utf8_lossy(&call_id(number, 1)).into_owned();
    let mut live: Vec<u64> = (0..calls as u64).collect();
    for number in &live {
        let member = *number as usize % MEMBERS;
        loads[member] += 1;
        known.insert(text(*number), (member, true));
    }
    let (mut numbers, mut begun) = (Numbers::new(9), calls as u64);
    Case::new(NAIVE, move || {
        let place = numbers.below(live.len());
        let id = call_id(live[place], 1);
        let ended = std::str::from_utf8(&id).ok().and_then(|id| known.remove(id));
        if let Some((member, _)) = ended {
            loads[member] -= 1;
        }
        let best = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(member, _)| member);
        loads[best] += 1;
        let id = text(begun);
        known.entry(id).or_insert((best, false));
        live[place] = begun;
        let id = call_id(begun, 1);
        begun += 1;
        let found = std::str::from_utf8(&id).ok().and_then(|id| known.get_mut(id));
        found.map(|call| call.1 = true)
    })
}

pub(crate) const MEMBERS: usize = 256;
const BY_CALL_ID: &str = "begin + confirm + end by Call-ID";
const BY_LEASE: &str = "begin + confirm + end by lease";
const NAIVE: &str = "HashMap<String, _> + scan";
