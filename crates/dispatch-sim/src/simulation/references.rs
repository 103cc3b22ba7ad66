//! The reference policies: see [`Reference`] for what each does.

use std::collections::VecDeque;

use callsteer::{Report, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bridge::Bridge;
use super::chooser::Chooser;
use super::policy::Reference;
use crate::scenario::Scenario;
use crate::scenario::calls::Call;
use crate::workload::COST_UNIT;

/// A reference policy, as each of the scenario's dispatchers follows it.
pub(super) struct References {
    rule: Reference,
    rng: ChaCha8Rng,
    /// What a call costs on average / the capacity, per bridge.
    call: Vec<f64>,
    usable: Vec<bool>,
    /// Per bridge.
    reports: Vec<Option<Seen>>,
    /// When each dispatcher placed its latest calls, per bridge.
    placed: Vec<Vec<VecDeque<Time>>>,
    /// The last choice.
    chosen: usize,
    /// Bridges that refused the call at hand.
    tried: Vec<usize>,
}

/// The last report of a bridge.
#[derive(Clone, Copy)]
struct Seen {
    score: f64,
    measured_at: Time,
}

impl References {
    pub(super) fn new(scenario: &Scenario, rule: Reference, seed: u64) -> Self {
        let n = scenario.weights.len();
        let mean_cost = scenario.mean_cost() * f64::from(COST_UNIT);
        Self {
            rule,
            rng: ChaCha8Rng::seed_from_u64(seed),
            call: scenario.capacities().into_iter().map(|capacity| mean_cost / capacity as f64).collect(),
            usable: vec![false; n],
            reports: vec![None; n],
            placed: vec![vec![VecDeque::new(); n]; scenario.dispatchers as usize],
            chosen: 0,
            tried: Vec::new(),
        }
    }

    fn dispatcher(&self, call: &Call) -> usize {
        (call.luck % self.placed.len() as u64) as usize
    }

    fn choose(&mut self, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
        let dispatcher = self.dispatcher(call);
        let (mut best, mut least, mut ties) = (None, f64::INFINITY, 0);
        for bridge in 0..bridges.len() {
            if !self.usable[bridge] || self.tried.contains(&bridge) {
                continue;
            }
            let price = self.price(dispatcher, bridge, call, bridges);
            ties = if price < least { 1 } else { ties + u32::from(price == least) };
            if price < least || (price == least && self.rng.random_range(0..ties) == 0) {
                (best, least) = (Some(bridge), price);
            }
        }
        self.chosen = best?;
        self.placed[dispatcher][self.chosen].push_back(now);
        best
    }

    fn price(&self, dispatcher: usize, bridge: usize, call: &Call, bridges: &[Bridge]) -> f64 {
        let score = || self.reports[bridge].map_or_else(|| self.mean_score(), |seen| seen.score);
        match self.rule {
            Reference::RawLeastScore => score(),
            Reference::ReportInFlight => {
                score() + self.placed[dispatcher][bridge].len() as f64 * self.call[bridge]
            }
            Reference::Oracle if bridges[bridge].fails > 0.0 => 1e9,
            Reference::Oracle => {
                (bridges[bridge].expected + u64::from(call.expected)) as f64 / bridges[bridge].capacity as f64
            }
        }
    }

    fn mean_score(&self) -> f64 {
        let seen = || self.reports.iter().flatten();
        seen().map(|seen| seen.score).sum::<f64>() / seen().count().max(1) as f64
    }
}

impl Chooser for References {
    fn join(&mut self, bridge: usize, _: Time) {
        self.usable[bridge] = true;
    }

    fn drain(&mut self, bridge: usize, _: Time) {
        self.usable[bridge] = false;
    }

    fn report(&mut self, bridge: usize, report: Report, _: Time) {
        let (Some(score), Some(measured_at)) = (report.score, report.measured_at) else { return };
        if self.reports[bridge].is_some_and(|seen| seen.measured_at >= measured_at) {
            return;
        }
        self.reports[bridge] = Some(Seen { score, measured_at });
        for placed in &mut self.placed {
            while placed[bridge].front().is_some_and(|at| *at <= measured_at) {
                placed[bridge].pop_front();
            }
        }
    }

    fn begin(&mut self, _: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
        self.tried.clear();
        self.choose(call, bridges, now)
    }

    fn fail(&mut self, _: usize, call: &Call, _: Time) {
        let (dispatcher, refused) = (self.dispatcher(call), self.chosen);
        self.placed[dispatcher][refused].pop_back();
        self.tried.push(refused);
    }

    fn next(&mut self, _: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
        self.choose(call, bridges, now)
    }

    fn heeds_reports(&self) -> bool {
        self.rule != Reference::Oracle
    }

    fn confirm(&mut self, _: usize, _: &Call, _: Time) {}

    fn end(&mut self, _: usize, _: &Call, _: Time) {}
}
