//! What scenarios showed, in one sentence.

use crate::simulation::compare::{Comparison, Row};
use crate::simulation::policy::{self, BASELINE, FAVOURITE, Kind};
use crate::simulation::summary::{Scenarios, is_clearly_below_1};

/// The least excess first.
pub(super) fn ranked(comparison: &Comparison) -> Vec<&Row> {
    let mut rows: Vec<_> = comparison.policies.iter().collect();
    rows.sort_by(|a, b| a.excess.mean.total_cmp(&b.excess.mean));
    rows
}

/// Which algorithm leaves the least excess, how it compares with `call_load`, and what an oracle would leave.
pub(super) fn answer(comparison: &Comparison) -> String {
    let real = |row: &&Row| {
        policy::named(&row.policy).is_some_and(|policy| matches!(policy.kind, Kind::Dispatcher { .. }))
    };
    let ranked = ranked(comparison);
    let Some(best) = ranked.iter().copied().find(real).or(ranked.first().copied()) else {
        return "Nothing was simulated.".into();
    };
    let oracle = comparison.row("oracle").filter(|oracle| oracle.policy != best.policy);
    let oracle = oracle
        .map(|row| format!(" An oracle leaves {:.2}\u{a0}%.", row.excess.mean * 100.0))
        .unwrap_or_default();
    let percent = best.excess.mean * 100.0;
    let plain = |name| {
        format!("With {name}, {percent:.2}\u{a0}% of the work is above the capacity of its bridge.{oracle}")
    };
    let (Some(ratio), false) = (&best.excess_ratio, best.policy == BASELINE) else {
        return plain(&*best.policy);
    };
    if !is_clearly_below_1(ratio) {
        return format!("No algorithm leaves clearly less excess than {BASELINE}. {}", plain(BASELINE));
    }
    format!(
        "{} leaves the least excess: {percent:.2}\u{a0}% of the work is above the capacity of its bridge, {:.0}\u{a0}% less than \
         with {BASELINE}.{oracle}",
        best.policy,
        (1.0 - ratio.mean) * 100.0
    )
}

/// In how many scenarios the favourite leaves less than `call_load`, and how much on average.
pub(super) fn summary(Scenarios { summary, scenarios, .. }: &Scenarios) -> String {
    let ratio = |comparison: &Comparison| comparison.row(FAVOURITE)?.excess_ratio.clone();
    let clear = scenarios.iter().filter_map(ratio).filter(is_clearly_below_1).count();
    let Some(all) = summary.of(FAVOURITE) else { return "The answer to each scenario:".into() };
    format!(
        "In {clear} of {} scenarios {FAVOURITE} leaves clearly less excess than {BASELINE}; over all of them, on \
         geometric average, {:.0}\u{a0}% {}.",
        scenarios.len(),
        (1.0 - all.mean).abs() * 100.0,
        if all.mean < 1.0 { "less" } else { "more" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::summary::tests::comparison;

    #[test]
    fn the_answer_names_an_algorithm_that_can_be_chosen_and_only_where_it_is_clearly_ahead() {
        let check = |excess: &[(&str, &[f64])], expected: &str| {
            let answer = answer(&comparison(excess)).replace('\u{a0}', " ");
            assert!(answer.starts_with(expected), "{answer}");
        };
        let base: (&str, &[f64]) = ("call_load", &[0.04, 0.04]);
        check(
            &[base, ("load_score", &[0.03, 0.03]), ("oracle", &[0.02, 0.02])],
            "load_score leaves the least excess: 3.00 % of the work is above the capacity of its bridge, 25 % less than \
             with call_load. An oracle leaves 2.00 %.",
        );
        check(
            &[base, ("load_score", &[0.01, 0.06])],
            "No algorithm leaves clearly less excess than call_load.",
        );
        check(&[base, ("random", &[0.05, 0.05])], "With call_load, 4.00 %");
        check(&[("random", &[0.05])], "With random, 5.00 %");
        check(&[], "Nothing");
    }

    #[test]
    fn a_summary_counts_the_clear_cases_and_takes_the_geometric_mean() {
        let base: (&str, &[f64]) = ("call_load", &[0.04, 0.04]);
        let quarter = comparison(&[base, ("load_score", &[0.01, 0.01])]);
        let same = comparison(&[base, ("load_score", &[0.04, 0.04])]);
        let text = summary(&Scenarios::new(vec![quarter, same], Vec::new()));
        assert!(text.starts_with("In 1 of 2") && text.ends_with("50\u{a0}% less."), "{text}");
        assert_eq!(summary(&Scenarios::new(Vec::new(), Vec::new())), "The answer to each scenario:");
    }
}
