//! The page of `callsteer simulate`.

use maud::{Markup, html};
use rayon::prelude::*;

use super::plot::{self, Caption};
use super::{cell, count, courses, document, interval, lines, spread};
use crate::course::Course;
use crate::scenario::calls::Calls;
use crate::scenario::{Fault, FaultKind, Scenario};
use crate::simulation::compare::{Comparison, Row};
use crate::simulation::policy::{self, BASELINE, Kind};
use crate::simulation::record;

/// The comparisons of these scenarios, in the same order, as a page. Load over time is that of the first seed, which is simulated
/// once more.
#[must_use]
pub fn simulate(scenarios: &[Scenario], comparisons: &[Comparison]) -> String {
    let sections: Vec<Markup> = scenarios
        .iter()
        .zip(comparisons)
        .map(|(scenario, comparison)| section(scenario, comparison, comparisons.len() > 1))
        .collect();
    let (heading, result) = match comparisons {
        [only] => (format!("{}: {}", only.scenario, only.about), answer(only)),
        _ => (format!("{} scenarios", comparisons.len()), summary(comparisons)),
    };
    let body = html! {
        @if comparisons.len() > 1 {
            nav aria-label="Scenarios" {
                ul {
                    @for comparison in comparisons {
                        li { a href={ "#" (comparison.scenario) } { (comparison.scenario) } ": " (answer(comparison)) }
                    }
                }
            }
        }
        @for section in sections { (section) }
    };
    document(&heading, &result, &body)
}

/// A scenario; `titled` unless it is the only one, whose title is that of the page.
fn section(scenario: &Scenario, comparison: &Comparison, titled: bool) -> Markup {
    let seed = comparison.seeds.first().copied().unwrap_or_default();
    let calls = Calls::draw(scenario, seed);
    let recorded: Vec<(&str, Course)> = ranked(comparison)
        .par_iter()
        .filter_map(|row| policy::named(&row.policy).map(|policy| (&*row.policy, policy)))
        .map(|(name, policy)| (name, record(scenario, &calls, &policy, seed)))
        .collect();
    let name = &*comparison.scenario;
    let mut marked: Vec<usize> = scenario.faults.iter().map(|fault| fault.bridge).collect();
    marked.dedup();
    // Where all have their turn, no one is special.
    if marked.len() * 2 > scenario.weights.len() {
        marked.clear();
    }
    let spread_caption = Caption {
        id: &format!("{name}-spread"),
        title: "Load of the bridges",
        text: "Per policy the loads that a bridge does not pass in 5, 25, 50, 75 and 99 % of its time.",
    };
    html! {
        section.scenario id=(name) data-scenario=(name) {
            @if titled { h2 { (name) ": " (comparison.about) } }
            (ranking(comparison))
            h3 { "Load over time" }
            p.quiet {
                (lines(scenario.weights.len())) ", as a share of its capacity, under seed " (seed) "; all plots have one scale. Above 1 "
                "is excess."
                @if !marked.is_empty() { " " span.marked { "This colour" } " has a bridge with a fault (see below)." }
            }
            (courses(&format!("{name}-course"), &recorded, &marked, "of capacity"))
            h3 { "How the load of the bridges is distributed" }
            p.quiet {
                "Under seed " (seed) ": a bridge is in the thick part for half of its time, the dot is the median, 5 % of "
                "the time lie left of the line and 1 % right of it."
            }
            figure.single { (spread(&spread_caption, &recorded, "share of capacity")) }
            (assumed(scenario, comparison))
        }
    }
}

fn ranking(comparison: &Comparison) -> Markup {
    let ranked = ranked(comparison);
    let rows: Vec<_> = ranked.iter().map(|row| interval(&row.policy, &row.excess, 100.0)).collect();
    let caption = Caption {
        id: &format!("{}-ranking", comparison.scenario),
        title: "Ranking of the policies",
        text: "Share of the work above the capacity of its bridge, per policy; the numbers are in the table.",
    };
    html! {
        h3 { "Who leaves the least excess" }
        p.quiet {
            "Excess is the share of the work that was above the capacity of its bridge; 0 is best. Lines are 95 % "
            "intervals over " (comparison.seeds.len()) " seeds. Every policy gets the same calls. oracle knows what every "
            "call costs; oracle, raw_least_score and report+in_flight are references and cannot be chosen."
        }
        figure.single { (plot::intervals(&caption, &rows, 0.0, "% of the work")) }
        (table(comparison, &ranked))
    }
}

fn table(comparison: &Comparison, ranked: &[&Row]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="The figures of each policy" {
            table {
                thead { tr {
                    th scope="col" { "policy" }
                    th scope="col" { "excess, %" }
                    th scope="col" { "/ " (BASELINE) }
                    th scope="col" { "bridge load," br; "p99" }
                    @if let Some(bridge) = comparison.watched_bridge {
                        th scope="col" { "peak of" br; "bridge " (bridge) }
                    }
                    th scope="col" { "failed" br; "first, %" }
                    th scope="col" { "calls" br; "refused" }
                } }
                tbody {
                    @for row in ranked {
                        tr data-policy=(row.policy) {
                            th scope="row" { (row.policy) }
                            (cell("excess", &row.excess, 100.0, 2))
                            @match &row.excess_ratio {
                                Some(ratio) => (cell("excess_ratio", ratio, 1.0, 3)),
                                None => td { "-" },
                            }
                            (cell("p99_load", &row.p99_load, 1.0, 2))
                            @if let Some(peak) = &row.peak { (cell("peak", peak, 1.0, 2)) }
                            (cell("failed_first", &row.failed_first, 100.0, 2))
                            (count("refused", row.refused))
                        }
                    }
                }
            }
        }
    }
}

fn assumed(scenario: &Scenario, comparison: &Comparison) -> Markup {
    let weights = &scenario.weights;
    let equal = weights.iter().all(|weight| *weight == weights[0]);
    let reports = &scenario.reports;
    let every = reports.interval.as_secs_f64();
    html! {
        h3 { "What was assumed" }
        ul {
            li {
                (weights.len()) " bridges, "
                @if equal { "all equal" } @else {
                    "of weights " (weights.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
                }
                "; " (scenario.dispatchers) @if scenario.dispatchers == 1 { " dispatcher." } @else { " dispatchers, each of which sees its own calls." }
            }
            li {
                (format!("{:.0}", scenario.concurrent)) " calls in progress on average"
                @if !scenario.rate.is_empty() { ", where the rate is the usual one; it changes over time" }
                "; load of the fleet " (format!("{:.1}", comparison.load.mean * 100.0)) " % of its capacity; excess if shared "
                "perfectly " (format!("{:.2}", comparison.bound.mean * 100.0)) " %."
            }
            li {
                "Reports of load every " (every) " s, up to "
                (reports.delay_max.as_secs_f64()) " s late, measured to " (format!("{:.0}", reports.noise * 100.0)) " %"
                @if reports.lost > 0.0 { ", of which " (format!("{:.0}", reports.lost * 100.0)) " % get lost" } "."
            }
            @for fault in &scenario.faults { li { (describe(fault)) } }
            li {
                (format!("{:.0}", comparison.measured_seconds / 60.0)) " min measured per seed, " (comparison.seeds.len())
                " seeds."
            }
        }
        div.wide tabindex="0" role="region" aria-label="The classes of calls" {
            table {
                thead { tr {
                    th scope="col" { "class" }
                    th scope="col" { "share" }
                    th scope="col" { "mean length (s)" }
                    th scope="col" { "cost" }
                    th scope="col" { "more in bursts" }
                    th scope="col" { "time in bursts, %" }
                } }
                tbody {
                    @for class in &scenario.classes {
                        tr {
                            th scope="row" { (class.name) }
                            td { (class.share) }
                            td { (format!("{:.0}", class.length)) }
                            td { (class.cost) }
                            td { (class.extra) }
                            td { (format!("{:.0}", class.on_share() * 100.0)) }
                        }
                    }
                }
            }
        }
        p.quiet { "Made by callsteer " (comparison.callsteer) "." }
    }
}

fn describe(Fault { bridge, from, until, kind }: &Fault) -> String {
    let what = match kind {
        FaultKind::Absent => "is not there yet".into(),
        FaultKind::Drained => "gets no new calls, as the operator drains it".into(),
        FaultKind::Capacity(share) => format!("has {:.0} % of its capacity", share * 100.0),
        FaultKind::Fails(share) => format!("answers 503 to {:.0} % of the calls", share * 100.0),
        FaultKind::Silent => "sends no reports".into(),
        FaultKind::Frozen(score) => format!("reports a load of {:.0} %, whatever it is", score * 100.0),
    };
    let minute = |at: callsteer::Time| at.as_micros() as f64 / 60e6;
    format!("Bridge {} {what}, minute {:.1} to {:.1}.", bridge + 1, minute(*from), minute(*until))
}

/// The least excess first.
fn ranked(comparison: &Comparison) -> Vec<&Row> {
    let mut rows: Vec<_> = comparison.policies.iter().collect();
    rows.sort_by(|a, b| a.excess.mean.total_cmp(&b.excess.mean));
    rows
}

/// Which algorithm leaves the least excess, how it compares with `call_load`, and what an oracle would leave.
fn answer(comparison: &Comparison) -> String {
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
    if ratio.mean + ratio.ci95.unwrap_or(0.0) >= 1.0 {
        return format!("No algorithm leaves clearly less excess than {BASELINE}. {}", plain(BASELINE));
    }
    format!(
        "{} leaves the least excess: {percent:.2}\u{a0}% of the work is above the capacity of its bridge, {:.0}\u{a0}% less than \
         with {BASELINE}.{oracle}",
        best.policy,
        (1.0 - ratio.mean) * 100.0
    )
}

/// In how many scenarios the favourite leaves less than `call_load`.
fn summary(comparisons: &[Comparison]) -> String {
    let ratios: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| comparison.row(FAVOURITE)?.excess_ratio.as_ref())
        .collect();
    if ratios.is_empty() {
        return "The answer to each scenario:".into();
    }
    let clear = ratios.iter().filter(|ratio| ratio.mean + ratio.ci95.unwrap_or(0.0) < 1.0).count();
    let mean = (ratios.iter().map(|ratio| ratio.mean.ln()).sum::<f64>() / ratios.len() as f64).exp();
    format!(
        "In {clear} of {} scenarios {FAVOURITE} leaves clearly less excess than {BASELINE}; on (geometric) average {:.0}\u{a0}% \
         {} of it.",
        ratios.len(),
        (1.0 - mean).abs() * 100.0,
        if mean < 1.0 { "less" } else { "more" }
    )
}

/// What a summary compares with `call_load`.
const FAVOURITE: &str = "load_score";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::embedded;
    use crate::simulation::compare::compare;

    /// A comparison of these policies, of whose excess is said what these tests need.
    fn comparison(excess: &[(&str, &[f64])]) -> Comparison {
        let policies: Vec<_> = excess.iter().map(|(name, _)| policy::named(name).unwrap()).collect();
        let mut comparison = compare(&embedded::named("4x12").unwrap(), &policies, &[], &|| ());
        let estimate = |name| {
            let of = excess.iter().find(|(policy, _)| *policy == name);
            of.map(|(_, values)| crate::estimate::Estimate::new(values.to_vec()))
        };
        for row in &mut comparison.policies {
            row.excess = estimate(&*row.policy).unwrap();
            row.excess_ratio = estimate(BASELINE).and_then(|base| row.excess.ratio_to(&base));
        }
        comparison
    }

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
        let same = comparison(&[base, base, ("load_score", &[0.04, 0.04])]);
        let text = summary(&[quarter, same]);
        assert!(text.starts_with("In 1 of 2") && text.ends_with("50\u{a0}% less of it."), "{text}");
        assert_eq!(summary(&[]), "The answer to each scenario:");
    }
}
