//! The page of `callsteer simulate`.

use maud::{Markup, html};
use rayon::prelude::*;

use super::answer::{answer, ranked, summary};
use super::assumed::assumed;
use super::plot::{self, Caption};
use super::{cell, count, courses, document, interval, lines, spread};
use crate::course::Course;
use crate::scenario::Scenario;
use crate::simulation::compare::{Comparison, Row};
use crate::simulation::needed::Needed;
use crate::simulation::policy::{self, BASELINE, FAVOURITE, ROUND_ROBIN};
use crate::simulation::record;
use crate::simulation::summary::Scenarios;
use crate::simulation::table::{reason, target};

/// The comparisons of these scenarios, in the same order, as a page. Load over time is that of the first seed, which is simulated
/// once more.
#[must_use]
pub fn simulate(scenarios: &[Scenario], came_out: &Scenarios) -> String {
    let comparisons = &came_out.scenarios;
    let sections: Vec<Markup> = scenarios
        .iter()
        .zip(comparisons)
        .map(|(scenario, comparison)| {
            let needed = came_out.bridges_needed.iter().find(|needed| needed.scenario == scenario.name);
            section(scenario, comparison, needed, comparisons.len() > 1)
        })
        .collect();
    let (heading, result) = match &**comparisons {
        [only] => (format!("{}: {}", only.scenario, only.about), answer(only)),
        _ => (format!("{} scenarios", comparisons.len()), summary(came_out)),
    };
    let body = html! {
        @if comparisons.len() > 1 {
            section {
                h2 { "All scenarios" }
                (overview(came_out, |name| html! { a href={ "#" (name) } { (name) } }))
            }
        }
        @for section in sections { (section) }
    };
    document(&heading, &result, &body)
}

/// What all scenarios show together, and each of them in a sentence after its name, which `link` makes.
pub(super) fn overview(came_out: &Scenarios, link: fn(&str) -> Markup) -> Markup {
    let ratio = |comparison: &Comparison| comparison.row(FAVOURITE)?.excess_ratio.clone();
    let ratios: Vec<_> =
        came_out.scenarios.iter().filter_map(|of| Some((&*of.scenario, ratio(of)?))).collect();
    let rows: Vec<_> = ratios.iter().map(|(name, ratio)| interval(name, ratio, 1.0)).collect();
    let caption = Caption {
        id: "all-scenarios",
        title: "All scenarios",
        text: "Excess of load_score over that of call_load, per scenario.",
    };
    html! {
        p.quiet {
            "Excess left by " (FAVOURITE) " / excess left by " (BASELINE) ", with 95 % intervals; 1 is no difference."
        }
        figure.single { (plot::intervals(&caption, &rows, 0.0, "of call_load's excess")) }
        @if !came_out.summary.excess_ratio.is_empty() {
            p {
                "Over all of them (geometric mean), of " (BASELINE) "'s excess: "
                @for (number, together) in came_out.summary.excess_ratio.iter().filter(|of| of.policy != BASELINE).enumerate() {
                    @if number > 0 { ", " }
                    (together.policy) " " data.figure value=(together.mean) { (format!("{:.2}", together.mean)) }
                } "."
            }
        }
        @if !came_out.summary.not_ahead.is_empty() {
            h3 { "Where " (FAVOURITE) " does not win" }
            ul {
                @for entry in &came_out.summary.not_ahead { li { b { (entry.scenario) } ": " (reason(entry)) "." } }
            }
        }
        h3 { "One by one" }
        nav aria-label="Scenarios" {
            ul {
                @for comparison in &came_out.scenarios {
                    li { (link(&comparison.scenario)) ": " (answer(comparison)) }
                }
            }
        }
    }
}

/// A scenario; `titled` unless it is the only one, whose title is that of the page.
fn section(scenario: &Scenario, comparison: &Comparison, needed: Option<&Needed>, titled: bool) -> Markup {
    let seed = comparison.seeds.first().copied().unwrap_or_default();
    let recorded: Vec<(&str, Course)> = ranked(comparison)
        .par_iter()
        .filter_map(|row| policy::named(&row.policy).map(|policy| (&*row.policy, policy)))
        .map(|(name, policy)| (name, record(scenario, &policy, seed)))
        .collect();
    let name = &*comparison.scenario;
    let marked = marked(scenario);
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
            (courses(&format!("{name}-course"), &recorded, Some(1.0), &marked, "of capacity"))
            h3 { "How the load of the bridges is distributed" }
            p.quiet {
                "Under seed " (seed) ": a bridge is in the thick part for half of its time, the dot is the median, 5 % of "
                "the time lie left of the line and 1 % right of it."
            }
            figure.single { (spread(&spread_caption, &recorded, "share of capacity")) }
            @if let Some(needed) = needed { (bridges_needed(needed)) }
            (assumed(scenario, comparison))
        }
    }
}

/// The bridges with a fault, from 0.
pub(super) fn marked(scenario: &Scenario) -> Vec<usize> {
    let mut marked: Vec<usize> = scenario.faults.iter().map(|fault| fault.bridge).collect();
    marked.dedup();
    // Where all have their turn, no one is special.
    if marked.len() * 2 > scenario.weights.len() {
        marked.clear();
    }
    marked
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
    let remaps = ranked.iter().any(|row| row.remapped.is_some());
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
                    th scope="col" { "max/mean" br; "load" }
                    th scope="col" { "CV of" br; "load" }
                    th scope="col" { "overloaded" br; "call-seconds" }
                    th scope="col" { "failed" br; "first, %" }
                    th scope="col" { "calls" br; "refused" }
                    th scope="col" { "calls" br; "lost" }
                    @if remaps { th scope="col" { "remapped, %" } }
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
                            (cell("max_over_mean", &row.max_over_mean, 1.0, 2))
                            (cell("cv", &row.cv, 1.0, 3))
                            (cell("overloaded", &row.overloaded, 1.0, 0))
                            (cell("failed_first", &row.failed_first, 100.0, 2))
                            (count("refused", row.refused))
                            (count("lost", row.lost))
                            @match &row.remapped {
                                Some(remapped) => (cell("remapped", remapped, 100.0, 2)),
                                None => @if remaps { td { "-" } },
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn bridges_needed(needed: &Needed) -> Markup {
    let mut rows: Vec<_> = needed.policies.iter().collect();
    let size =
        |row: &crate::simulation::needed::NeededRow| row.bridges.as_ref().map_or(f64::INFINITY, |of| of.mean);
    rows.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let plotted: Vec<_> =
        rows.iter().filter_map(|row| Some(interval(&row.policy, row.bridges.as_ref()?, 1.0))).collect();
    let caption = Caption {
        id: &format!("{}-needed", needed.scenario),
        title: "Bridges needed",
        text: "Bridges that each policy needs; the numbers are in the table.",
    };
    html! {
        h3 { "How many bridges are needed" }
        p.quiet {
            "The same calls on fleets of other sizes: with so many bridges, " (target(needed.target)) ". The scenario has "
            (needed.bridges) ", each for " (format!("{:.1}", needed.calls_per_bridge)) " calls on average."
        }
        figure.single { (plot::intervals(&caption, &plotted, 0.0, "bridges")) }
        div.wide tabindex="0" role="region" aria-label="Bridges needed" {
            table {
                thead { tr {
                    th scope="col" { "policy" }
                    th scope="col" { "bridges" }
                    th scope="col" { "/ " (BASELINE) }
                    th scope="col" { "/ " (ROUND_ROBIN) }
                } }
                tbody {
                    @for row in rows {
                        tr data-needed=(row.policy) {
                            th scope="row" { (row.policy) }
                            @match &row.bridges {
                                Some(bridges) => (cell("bridges", bridges, 1.0, 2)),
                                None => td { "> " (needed.most) },
                            }
                            @for (key, ratio) in [("call_load_ratio", &row.call_load_ratio), ("round_robin_ratio", &row.round_robin_ratio)] {
                                @match ratio {
                                    Some(ratio) => (cell(key, ratio, 1.0, 3)),
                                    None => td { "-" },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
