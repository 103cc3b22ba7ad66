//! Every policy, every seed: the same calls for each, in parallel.

use std::fmt;

use callsteer::AddError;
use rayon::prelude::*;

use crate::estimate::Estimate;
use crate::figures::Figures;
use crate::policy::Policy;
use crate::progress::{Cancelled, Meter, Progress};
use crate::replay::replay_watched;
use crate::report::{Report, Row, Totals, WorkloadSummary};
use crate::workload::Workload;

/// Replays the workload once per policy and seed.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// A bridge that the dispatcher does not take; `progress` did not want to go on.
pub fn compare(
    workload: &Workload,
    policies: &[Policy],
    seeds: &[u64],
    progress: Progress<'_>,
) -> Result<Report, CompareError> {
    let runs: Vec<_> =
        policies.iter().flat_map(|policy| seeds.iter().map(move |seed| (policy, *seed))).collect();
    let meter = Meter::new(runs.len(), progress);
    let figures: Vec<Figures> = runs
        .into_par_iter()
        .map(|(policy, seed)| {
            let figures = replay_watched(workload, policy, seed, &|| meter.pulse())?;
            meter.advance()?;
            Ok(figures)
        })
        .collect::<Result<_, CompareError>>()?;
    let mut rows: Vec<_> = policies
        .iter()
        .zip(figures.chunks(seeds.len().max(1)))
        .map(|(policy, runs)| row(policy, runs))
        .collect();
    rows.sort_by(|a, b| a.max_over_mean.mean.total_cmp(&b.max_over_mean.mean));
    Ok(Report::new(WorkloadSummary::new(workload, seeds), seeds.to_vec(), rows))
}

fn row(policy: &Policy, runs: &[Figures]) -> Row {
    let estimate = |of: fn(&Figures) -> f64| Estimate::new(runs.iter().map(of).collect());
    let total = |of: fn(&Figures) -> u64| runs.iter().map(of).sum();
    Row {
        policy: policy.name.into(),
        max_over_mean: estimate(|run| run.balance.max_over_mean),
        cv: estimate(|run| run.balance.cv),
        busiest_p99: estimate(|run| run.balance.busiest_p99),
        totals: Totals {
            calls: total(|run| run.outcome.calls),
            refused: total(|run| run.outcome.refused),
            moved: total(|run| run.outcome.moved),
        },
    }
}

/// Why nothing was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareError {
    /// The dispatcher does not take a bridge: its weight is outside 1..=65,535.
    Bridge(AddError),
    /// Whoever was told of the progress did not want to go on.
    Cancelled,
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge(error) => error.fmt(f),
            Self::Cancelled => Cancelled.fmt(f),
        }
    }
}

impl std::error::Error for CompareError {}

impl From<AddError> for CompareError {
    fn from(error: AddError) -> Self {
        Self::Bridge(error)
    }
}

impl From<Cancelled> for CompareError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
