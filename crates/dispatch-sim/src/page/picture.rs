//! The load of each bridge over time as a picture of its own: an SVG file with a plot per policy.

use maud::{PreEscaped, html};
use rayon::prelude::*;

use super::COLOURS;
use super::plot::{self, Caption, HEIGHT, WIDTH};
use super::simulate::marked;
use crate::course::Course;
use crate::scenario::Scenario;
use crate::simulation::policy::Policy;
use crate::simulation::record;

/// The scenario under these policies and this seed, for which it is simulated once more.
#[must_use]
pub fn picture(scenario: &Scenario, policies: &[Policy], seed: u64) -> String {
    let courses: Vec<(&str, Course)> =
        policies.par_iter().map(|policy| (policy.name, record(scenario, policy, seed))).collect();
    let most = plot::end_of_scale(courses.iter().map(|(_, course)| course.peak()).collect());
    let columns = policies.len().min(COLUMNS) as u32;
    let rows = (policies.len() as u32).div_ceil(COLUMNS as u32);
    let (width, height) = (MARGIN + columns * (WIDTH + MARGIN), MARGIN + rows * ROW);
    let place = |number: usize| {
        let (column, row) = ((number % COLUMNS) as u32, (number / COLUMNS) as u32);
        (MARGIN + column * (WIDTH + MARGIN), MARGIN + row * ROW)
    };
    let marked = marked(scenario);
    let names: Vec<_> = courses.iter().map(|(name, _)| *name).collect();
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
            role="img" aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="13" {
            title id="title" { "Load of each bridge over time under " (names.join(" and ")) }
            desc id="description" {
                (scenario.name) ", seed " (seed) ": " (scenario.about) ". One line per bridge, another colour for one with a fault; the line at 1 is its capacity."
            }
            style { (PreEscaped(COLOURS)) "text { font-family: inherit } .back { fill: var(--back) } .ink { fill: var(--ink) }" }
            rect.back width="100%" height="100%" {}
            @for (number, (name, course)) in courses.iter().enumerate() {
                @let (x, y) = place(number);
                @let peak = format!("the highest point is {:.2} of capacity", course.peak());
                @let caption = Caption { id: &format!("plot-{number}"), title: name, text: &peak };
                text.ink x=(x) y=(y + 12) { tspan font-weight="600" { (name) } ": " (peak) }
                svg x=(x) y=(y + HEADING) width=(WIDTH) height=(HEIGHT) {
                    (plot::course(&caption, course, most, Some(1.0), &marked, "of capacity"))
                }
            }
        }
    };
    picture.into_string() + "\n"
}

/// Of plots, side by side.
const COLUMNS: usize = 2;
/// All in CSS pixels: around plots; for what is written above one; for one with that.
const MARGIN: u32 = 16;
const HEADING: u32 = 20;
const ROW: u32 = HEADING + HEIGHT + MARGIN;
