//! What was assumed, as the page of a scenario says it.

use callsteer::Time;
use maud::{Markup, html};

use crate::scenario::{Fault, FaultKind, Scenario, SetUp};
use crate::simulation::compare::Comparison;

/// What a scenario is made of.
pub(super) fn assumed(scenario: &Scenario, comparison: &Comparison) -> Markup {
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
                "; " (scenario.dispatchers) @if scenario.dispatchers == 1 { " dispatcher." } @else { " dispatchers, each of which sees its own calls"
                    @if let Some(every) = scenario.shared_every { ", and those of the others up to " (every.as_secs_f64()) " s later" } "." }
            }
            li {
                (format!("{:.0}", scenario.concurrent)) " calls in progress on average"
                @if !scenario.rate.is_empty() { ", where the rate is the usual one; it changes over time" }
                "; load of the fleet " (format!("{:.1}", comparison.load.mean * 100.0)) " % of its capacity; excess if shared "
                "perfectly " (format!("{:.2}", comparison.bound.mean * 100.0)) " %."
            }
            li {
                "Reports of load every " (every) " s, " @if reports.aligned { "of all bridges at once, " } "up to "
                (reports.delay_max.as_secs_f64()) " s late, measured to " (format!("{:.0}", reports.noise * 100.0)) " %"
                @if reports.lost > 0.0 { ", of which " (format!("{:.0}", reports.lost * 100.0)) " % get lost" } "."
            }
            @if scenario.set_up != SetUp::default() {
                li {
                    "Bridges answer " (scenario.set_up.lag.as_secs_f64()) " s after a call comes; for "
                    (scenario.set_up.burst.as_secs_f64()) " s after that it costs " (scenario.set_up.extra) " more."
                }
            }
            @for fault in faults(&scenario.faults) { li { (fault) } }
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

/// A sentence for each fault; faults of one kind that follow each other from bridge to bridge share one.
fn faults(faults: &[Fault]) -> Vec<String> {
    let same = |a: &Fault, b: &Fault| a.kind == b.kind;
    faults.chunk_by(same).map(describe).collect()
}

fn describe(faults: &[Fault]) -> String {
    let [first, .., last] = faults else { return faults.first().map_or(String::new(), one) };
    let bridges: Vec<String> = faults.iter().map(|fault| (fault.bridge + 1).to_string()).collect();
    let bridges = format!("Bridges {}: each", bridges.join(", "));
    let what = what(first.kind);
    if first.from == last.from {
        return format!("{bridges} {what}, {}.", minutes(first.from, first.until));
    }
    format!(
        "{bridges} {what} for {:.1} min, one after the other, {}.",
        first.until.since(first.from).as_secs_f64() / 60.0,
        minutes(first.from, last.until)
    )
}

fn one(Fault { bridge, from, until, kind }: &Fault) -> String {
    format!("Bridge {} {}, {}.", bridge + 1, what(*kind), minutes(*from, *until))
}

fn minutes(from: Time, until: Time) -> String {
    let minute = |at: Time| at.as_micros() as f64 / 60e6;
    if until == Time::MAX {
        return format!("from minute {:.0} on", minute(from));
    }
    format!("minute {:.1} to {:.1}", minute(from), minute(until))
}

fn what(kind: FaultKind) -> String {
    match kind {
        FaultKind::Absent => "is not there yet".into(),
        FaultKind::Dead => "is dead: its calls are lost, new ones fail".into(),
        FaultKind::Drained => "gets no new calls, as the operator drains it".into(),
        FaultKind::Capacity(share) => format!("has {:.0} % of its capacity", share * 100.0),
        FaultKind::Fails(share) => format!("answers 503 to {:.0} % of the calls", share * 100.0),
        FaultKind::Silent => "sends no reports".into(),
        FaultKind::Frozen(score) => format!("reports a load of {:.0} %, whatever it is", score * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::embedded;

    #[test]
    fn faults_are_told_in_as_few_sentences_as_there_are_kinds() {
        let told = |name| faults(&embedded::named(name).unwrap().faults);
        assert_eq!(told("grey-failure"), ["Bridge 1 answers 503 to 30 % of the calls, minute 20.0 to 80.0."]);
        assert_eq!(
            told("cold-join"),
            [
                "Bridge 1 is not there yet, minute 0.0 to 40.0.",
                "Bridge 1 has 30 % of its capacity, minute 40.0 to 42.0."
            ]
        );
        assert_eq!(told("silent-reports"), ["Bridges 1, 2, 3, 4: each sends no reports, from minute 0 on."]);
        let restart = told("rolling-restart");
        assert_eq!(restart.len(), 2);
        let (first, all) = (&restart[0], "for 3.0 min, one after the other, minute 20.0 to 68.0.");
        assert!(first.starts_with("Bridges 1, 2, 3") && first.ends_with(all), "{first}");
    }
}
