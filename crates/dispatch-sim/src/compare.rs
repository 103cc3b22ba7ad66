//! Every policy, every seed: the same calls for each, in parallel.

use callsteer::AddError;
use rayon::prelude::*;

use crate::estimate::Estimate;
use crate::figures::Figures;
use crate::policy::Policy;
use crate::replay::replay;
use crate::report::{Report, Row, Totals, WorkloadSummary};
use crate::workload::Workload;

/// Replays the workload once per policy and seed; `done` is called after each replay.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// A bridge that the dispatcher does not take.
pub fn compare(
    workload: &Workload,
    policies: &[Policy],
    seeds: &[u64],
    done: &(dyn Fn() + Sync),
) -> Result<Report, AddError> {
    let runs: Vec<_> =
        policies.iter().flat_map(|policy| seeds.iter().map(move |seed| (policy, *seed))).collect();
    let figures: Vec<Figures> = runs
        .into_par_iter()
        .map(|(policy, seed)| {
            let figures = replay(workload, policy, seed);
            done();
            figures
        })
        .collect::<Result<_, _>>()?;
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
