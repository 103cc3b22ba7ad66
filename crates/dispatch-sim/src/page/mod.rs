//! What came out, as one page for a browser: nothing is fetched, nothing is run.

mod answer;
mod assumed;
mod bench;
mod picture;
mod plot;
mod simulate;

pub use bench::bench;
pub use picture::picture;
pub use simulate::simulate;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::course::Course;
use crate::estimate::Estimate;

/// A whole page. `heading` says what was compared, `answer` what came out.
fn document(heading: &str, answer: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(NOTHING_FROM_OUTSIDE);
                meta name="generator" content={ "callsteer " (env!("CARGO_PKG_VERSION")) };
                title { (heading) " - Callsteer" }
                style { (PreEscaped(COLOURS)) (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header { h1 { (heading) } p.answer { (answer) } }
                main { (body) }
            }
        }
    };
    page.into_string() + "\n"
}

/// A figure and its interval, multiplied by `times`. What is not rounded stands in the attributes.
fn cell(key: &str, estimate: &Estimate, times: f64, decimals: usize) -> Markup {
    html! {
        td data-figure=(key) {
            data value=(estimate.mean) { (format!("{:.decimals$}", estimate.mean * times)) }
            @if let Some(ci95) = estimate.ci95 {
                small { " ± " data value=(ci95) { (format!("{:.decimals$}", ci95 * times)) } }
            }
        }
    }
}

/// A count.
fn count(key: &str, number: u64) -> Markup {
    html! { td data-figure=(key) { data value=(number) { (crate::table::thousands(number)) } } }
}

/// A row of a plot: the estimate and its interval.
fn interval<'a>(name: &'a str, estimate: &Estimate, times: f64) -> plot::Interval<'a> {
    let half = estimate.ci95.unwrap_or(0.0);
    let line = ((estimate.mean - half).max(0.0) * times, (estimate.mean + half) * times);
    plot::Interval { name, line, bar: None, dot: estimate.mean * times }
}

/// The spread of the load in one replay of each policy.
fn spread(caption: &plot::Caption, courses: &[(&str, Course)], unit: &str) -> Markup {
    let rows: Vec<_> = courses
        .iter()
        .map(|(name, Course { spread: [p5, p25, p50, p75, p99], .. })| plot::Interval {
            name,
            line: (*p5, *p99),
            bar: Some((*p25, *p75)),
            dot: *p50,
        })
        .collect();
    plot::intervals(caption, &rows, 0.0, unit)
}

/// What the lines of [`courses`] are.
fn lines(bridges: usize) -> &'static str {
    if bridges <= plot::MOST_LINES {
        "One line per bridge"
    } else {
        "Lines of the least loaded bridge, of the one at an eighth of the fleet and so on up to the busiest one"
    }
}

/// Load over time, a plot per policy on one scale. A policy that is far worse than most is cut off.
fn courses(
    id: &str,
    courses: &[(&str, Course)],
    capacity: Option<f64>,
    marked: &[usize],
    unit: &str,
) -> Markup {
    let most = plot::end_of_scale(courses.iter().map(|(_, course)| course.peak()).collect());
    html! {
        div.grid {
            @for (number, (name, course)) in courses.iter().enumerate() {
                @let highest = course.peak();
                @let text = format!("Load of each bridge over time under {name}; the highest point is {highest:.2} {unit}.");
                @let caption = plot::Caption { id: &format!("{id}-{number}"), title: name, text: &text };
                figure {
                    figcaption {
                        b { (name) }
                        @if highest > most { ", cut off: up to " (format!("{highest:.1}")) }
                    }
                    (plot::course(&caption, course, most, capacity, marked, unit))
                }
            }
        }
    }
}

/// Of pages and of plots, on a light and on a dark screen.
const COLOURS: &str = include_str!("colours.css");

/// The browser refuses whatever a page asks for that is not in it.
const NOTHING_FROM_OUTSIDE: &str = "default-src 'none'; style-src 'unsafe-inline'";
