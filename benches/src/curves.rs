//! How costs grow: curves over the number of members and of calls in progress, as SVG.

use std::path::Path;

use anyhow::anyhow;
use callsteer::{Algorithm, Call, Time};
use plotters::prelude::*;

use crate::floors::{CALL_IDS, call_ids};
use crate::measure::{Case, Effort, Timing, compare};
use crate::report::{Measured, Report};
use crate::suites::{CLASSES, Crowd, calls, config, dispatcher, loads};

/// Measures and draws both curves into this folder.
pub(crate) fn draw(folder: &Path, effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let members: &[usize] = effort
        .pick(&[4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_000_000], &[4, 64, 1_024, 16_384]);
    for n in members {
        report.add("members", *n, &over_members(*n, effort)?);
    }
    let calls: &[usize] = effort.pick(&[1_000, 10_000, 100_000, 1_000_000, 10_000_000], &[1_000, 100_000]);
    for n in calls {
        report.add("calls in progress", *n, &over_calls(*n, effort)?);
    }
    let axis = "nanoseconds, the least of all turns (logarithmic)";
    plot(
        &folder.join("members.svg"),
        "Cost of a decision by the number of members",
        axis,
        report,
        "members",
    )?;
    plot(&folder.join("calls.svg"), "Cost of a call by calls in progress", axis, report, "calls in progress")
}

fn over_members(members: usize, effort: Effort) -> anyhow::Result<Vec<Timing>> {
    let mut cases = Vec::new();
    for (name, algorithm, weights) in [
        ("round_robin: pick", Algorithm::RoundRobin, &[1][..]),
        ("weighted: pick", Algorithm::Weighted, &CLASSES),
        ("call_id_hash: pick", Algorithm::CallIdHash { bound: None }, &[1]),
    ] {
        let mut whole = dispatcher(config(algorithm), members, weights)?;
        let (ids, mut next) = (call_ids(CALL_IDS), 0);
        cases.push(Case::new(name, move || {
            next = (next + 1) % CALL_IDS;
            whole.pick(&Call::new(&ids[next]), Time::ZERO)
        }));
    }
    cases.push(loads::ours("call_load: pick, count in and out", Algorithm::CallLoad, members, &[1]));
    cases.push(loads::score("load_score: pick, count in and out", members));
    cases.push(loads::scan(members));
    Ok(compare(cases, effort))
}

fn over_calls(calls: usize, effort: Effort) -> anyhow::Result<Vec<Timing>> {
    let mut cases = Vec::new();
    for (name, by) in [("by Call-ID", calls::By::CallId), ("by lease", calls::By::Lease)] {
        let mut crowd = Crowd::new(calls::MEMBERS, calls)?;
        cases.push(Case::new(format!("begin + confirm + end {name}"), move || crowd.replace_one(by)));
    }
    Ok(compare(cases, effort))
}

fn plot(file: &Path, title: &str, axis: &str, report: &Report, suite: &str) -> anyhow::Result<()> {
    let points: Vec<&Measured> = report.measured.iter().filter(|measured| measured.suite == suite).collect();
    let mut names: Vec<&str> = Vec::new();
    for point in &points {
        if !names.contains(&point.case.as_str()) {
            names.push(&point.case);
        }
    }
    let most = points.iter().map(|point| point.least).fold(10.0, f64::max);
    let range =
        |n: fn(usize, usize) -> usize, start| points.iter().map(|point| point.n).fold(start, n) as f64;
    let (from, to) = (range(usize::min, usize::MAX), range(usize::max, 0));
    let root = SVGBackend::new(file, (900, 520)).into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", file.display());
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .margin_right(36)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((from..to).log_scale(), (1.0..most * 2.0).log_scale())
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .x_desc(suite)
        .y_desc(axis)
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .light_line_style(WHITE)
        .draw()
        .map_err(|error| failed(&error))?;
    for (index, name) in names.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        let line =
            points.iter().filter(|point| point.case == *name).map(|point| (point.n as f64, point.least));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)).point_size(3))
            .map_err(|error| failed(&error))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .draw()
        .map_err(|error| failed(&error))?;
    root.present().map_err(|error| failed(&error))
}

fn short(number: &f64) -> String {
    match *number {
        number if number >= 1e6 => format!("{:.0}M", number / 1e6),
        number if number >= 1e3 => format!("{:.0}k", number / 1e3),
        number => format!("{number:.0}"),
    }
}

/// Told apart without red against green (Okabe, Ito: Color Universal Design, 2008).
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(110, 110, 110),
];
