//! The page of `callsteer bench`.

use callsteer::AddError;
use maud::{Markup, html};
use rayon::prelude::*;

use super::answer::summary;
use super::plot::{self, Caption};
use super::simulate::{bridges_needed, overview};
use super::{cell, count, courses, document, interval, lines, spread};
use crate::course::Course;
use crate::policy;
use crate::replay::record;
use crate::report::{Report, Row, WorkloadSummary};
use crate::simulation::summary::Scenarios;
use crate::table::{fleet, headline, thousands};
use crate::workload::Workload;

/// The report as a page. Load over time is that of the first seed, for which the workload is replayed once more.
///
/// # Errors
/// A bridge that the dispatcher does not take.
pub fn bench(report: &Report, workload: &Workload) -> Result<String, AddError> {
    let seed = report.seeds.first().copied().unwrap_or_default();
    let recorded = report
        .policies
        .par_iter()
        .filter_map(|row| policy::named(&row.policy).map(|policy| (&*row.policy, policy)))
        .map(|(name, policy)| record(workload, &policy, seed).map(|course| (name, course)))
        .collect::<Result<Vec<_>, _>>()?;
    let body = html! {
        (ranking(report))
        (over_time(&report.workload, &recorded, seed))
        (busiest(&recorded, seed))
        @if let Some(scenarios) = &report.scenarios { (with_scenarios(scenarios)) }
        (assumed(report))
    };
    Ok(document(&headline(&report.workload, report.seeds.len()), &report.answer, &body))
}

fn ranking(report: &Report) -> Markup {
    let rows: Vec<_> =
        report.policies.iter().map(|row| interval(&row.policy, &row.max_over_mean, 1.0)).collect();
    let caption = Caption {
        id: "ranking",
        title: "Ranking of the policies",
        text: "Load of the busiest bridge over the mean load, per policy; the numbers are in the table.",
    };
    html! {
        section {
            h2 { "Which is the most even" }
            p.quiet {
                "Load of the busiest bridge over the mean load, averaged over time: 1 is even, and nobody can do better. "
                "Lines are 95 % intervals over " (report.seeds.len()) " replays. Every policy gets the same calls."
            }
            figure.single { (plot::intervals(&caption, &rows, 1.0, "times the mean load")) }
            (table(&report.policies))
        }
    }
}

fn with_scenarios(scenarios: &Scenarios) -> Markup {
    html! {
        section {
            h2 { "With bursts of tool calls, reports and faults" }
            p { (summary(scenarios)) }
            (overview(scenarios, |name| html! { (name) }))
            @for needed in &scenarios.bridges_needed { (bridges_needed(needed)) }
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="The figures of each policy" {
            table {
                thead { tr {
                    th scope="col" { "policy" }
                    th scope="col" { "max/mean load" }
                    th scope="col" { "CV of load" }
                    th scope="col" { "busiest bridge, p99" br; "(average calls)" }
                    th scope="col" { "calls" br; "refused" }
                    th scope="col" { "calls" br; "moved" }
                } }
                tbody {
                    @for row in rows {
                        tr data-policy=(row.policy) {
                            th scope="row" { (row.policy) }
                            (cell("max_over_mean", &row.max_over_mean, 1.0, 2))
                            (cell("cv", &row.cv, 1.0, 3))
                            (cell("busiest_p99", &row.busiest_p99, 1.0, 1))
                            (count("refused", row.totals.refused))
                            (count("moved", row.totals.moved))
                        }
                    }
                }
            }
        }
    }
}

fn over_time(workload: &WorkloadSummary, recorded: &[(&str, Course)], seed: u64) -> Markup {
    let marked: Vec<usize> = workload.outages.iter().map(|outage| outage.bridge - 1).collect();
    html! {
        section {
            h2 { "Load over time" }
            p.quiet {
                (lines(workload.bridges.len())) ", in average calls, of the replay with seed " (seed) "; all plots have one scale. The "
                "closer the lines lie together, the more even."
                @if !marked.is_empty() { " " span.marked { "This colour" } " has a bridge with an outage (see below)." }
            }
            (courses("course", recorded, None, &marked, "average calls"))
        }
    }
}

fn busiest(recorded: &[(&str, Course)], seed: u64) -> Markup {
    let caption = Caption {
        id: "busiest",
        title: "Load of the busiest bridge",
        text: "Per policy the loads that the busiest bridge does not pass in 5, 25, 50, 75 and 99 % of the time.",
    };
    html! {
        section {
            h2 { "The busiest bridge" }
            p.quiet {
                "Its load, in the replay with seed " (seed) ": half of the time in the thick part, the dot is the median, "
                "5 % of the time left of the line and 1 % right of it. A bridge must carry this, not the mean."
            }
            figure.single { (spread(&caption, recorded, "average calls")) }
        }
    }
}

fn assumed(report: &Report) -> Markup {
    let workload = &report.workload;
    let seeds = match &*report.seeds {
        [first, .., last] => format!("seeds {first} to {last}"),
        [only] => format!("seed {only}"),
        [] => "no seeds".into(),
    };
    html! {
        section {
            h2 { "What was assumed" }
            ul {
                li { (fleet(&workload.bridges)) ". An average call costs its bridge 1 as long as it lasts." }
                @for note in &workload.notes { li { (note) } }
                @for outage in &workload.outages {
                    li {
                        "Bridge " (outage.bridge) " takes no new calls from minute "
                        (format!("{:.0} to {:.0}.", outage.from_seconds / 60.0, outage.until_seconds / 60.0))
                    }
                }
                li { (format!("{:.0}", workload.measured_seconds / 60.0)) " min measured per replay; " (seeds) "." }
            }
            div.wide tabindex="0" role="region" aria-label="The classes of calls" {
                table {
                    thead { tr {
                        th scope="col" { "class" }
                        th scope="col" { "calls" }
                        th scope="col" { "mean length (s)" }
                        th scope="col" { "mean cost" }
                    } }
                    tbody {
                        @for class in &workload.classes {
                            tr {
                                th scope="row" { (class.name) }
                                td { (thousands(class.calls)) }
                                td { (format!("{:.0}", class.mean_seconds)) }
                                td { (format!("{:.2}", class.mean_cost)) }
                            }
                        }
                    }
                }
            }
            p.quiet { "Made by callsteer " (report.callsteer) "." }
        }
    }
}
