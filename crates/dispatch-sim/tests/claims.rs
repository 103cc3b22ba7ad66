//! What Callsteer claims about its algorithms, on the embedded workload and on a real trace.

use callsteer_sim::compare::compare;
use callsteer_sim::policy::{self, Policy};
use callsteer_sim::progress::unwatched;
use callsteer_sim::report::{Report, Row};
use callsteer_sim::workload::Workload;
use callsteer_sim::{bank, trace};

mod shared;

fn run(workload: &Workload, names: &[&str], seeds: &[u64]) -> Report {
    let policies: Vec<Policy> = names.iter().map(|name| policy::named(name).unwrap()).collect();
    compare(workload, &policies, seeds, &unwatched).unwrap()
}

/// `better` is more even than `worse`, by more than chance, in every figure of balance.
fn assert_more_even(better: &Row, worse: &Row) {
    let figures = |row: &Row| [row.max_over_mean.clone(), row.cv.clone(), row.busiest_p99.clone()];
    for (low, high) in figures(better).into_iter().zip(figures(worse)) {
        let margin = low.ci95.unwrap_or(0.0) + high.ci95.unwrap_or(0.0);
        assert!(low.mean + margin < high.mean, "{} {low:?}, {} {high:?}", better.policy, worse.policy);
    }
}

#[test]
fn on_unequal_calls_call_load_is_more_even_than_round_robin_and_costs_told_more_even_still() {
    let report = run(
        &bank::workload(bank::bridges(16), 200.0),
        &["round_robin", "call_load", "call_load+costs"],
        &[1, 2, 3, 4, 5],
    );
    let row = |name| report.row(name).unwrap();
    assert_more_even(row("call_load"), row("round_robin"));
    assert_more_even(row("call_load+costs"), row("call_load"));
    assert_eq!(report.policies[0].policy, "call_load+costs", "the most even one comes first");
    assert!(report.answer.starts_with("call_load+costs is the most even"), "{}", report.answer);
}

#[test]
fn every_policy_gets_the_same_calls() {
    let names = policy::ALL.map(|policy| policy.name);
    let report = run(&bank::workload(bank::bridges(16), 50.0), &names, &[7]);
    let calls: u64 = report.workload.classes.iter().map(|class| class.calls).sum();
    assert_eq!(report.policies.len(), names.len());
    assert!(report.policies.iter().all(|row| row.totals.calls == calls));
}

#[test]
fn taking_turns_is_the_same_by_any_name_among_equal_bridges() {
    // A bridge that comes back from an outage warms up, which round robin does not heed.
    let workload = Workload { outages: Vec::new(), ..bank::workload(bank::bridges(8), 50.0) };
    let report = run(&workload, &["round_robin", "weighted", "priority"], &[3]);
    let values = |name| report.row(name).unwrap().cv.values.clone();
    assert_eq!(values("weighted"), values("round_robin"));
    assert_eq!(values("priority"), values("round_robin"));
}

#[test]
fn weights_are_kept_by_call_load_and_weighted_but_not_by_round_robin() {
    let mut bridges = bank::bridges(4);
    for (bridge, weight) in bridges.iter_mut().zip([1, 1, 2, 4]) {
        bridge.weight = weight;
    }
    let report = run(&bank::workload(bridges, 200.0), &["round_robin", "weighted", "call_load"], &[1, 2, 3]);
    let cv = |name| report.row(name).unwrap().cv.mean;
    assert!(cv("call_load") < cv("weighted") && cv("weighted") < 0.7 * cv("round_robin"), "{report:?}");
}

#[test]
fn call_load_is_more_even_than_round_robin_on_the_azure_trace() {
    let Some(file) = shared::file("data/azure_llm_inference_2023_conv.csv") else { return };
    let workload = trace::workload(&file, &trace::Options::default(), bank::bridges(16)).unwrap();
    let report = run(&workload, &["round_robin", "call_load", "call_load+costs"], &[1]);
    assert_eq!(report.workload.classes[0].calls, 19_366, "all of the file");
    assert!((report.workload.measured_seconds - 3_501.722).abs() < 0.001);
    assert!((report.workload.classes[0].mean_seconds - 63.338).abs() < 0.001, "0.3 s x 211.126 tokens");
    assert_more_even(report.row("call_load").unwrap(), report.row("round_robin").unwrap());
    assert_more_even(report.row("call_load+costs").unwrap(), report.row("call_load").unwrap());
}
