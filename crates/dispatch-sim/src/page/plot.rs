//! Plots as SVG: intervals in rows, and load over time.
//!
//! Colours are those of a light page; `colours.css` replaces them on a dark one.

use std::borrow::Cow;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::course::{BINS, Course};

/// A row of a plot of intervals.
pub(super) struct Interval<'a> {
    pub(super) name: &'a str,
    /// From where to where a thin line goes.
    pub(super) line: (f64, f64),
    /// And a thick one.
    pub(super) bar: Option<(f64, f64)>,
    /// Where the dot is.
    pub(super) dot: f64,
}

/// What a plot is called, and what it shows for those who do not see it.
pub(super) struct Caption<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
}

/// Intervals in a row each, on one scale that begins at `from`. Where one leads beyond it, its dot or end stands beside it.
pub(super) fn intervals(caption: &Caption, rows: &[Interval], from: f64, unit: &str) -> Markup {
    let to = from + end_of_scale(rows.iter().map(|row| row.line.1 - from).collect());
    let margin = if rows.iter().any(|row| row.line.1 > to) { 48 } else { 12 };
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let labels = 12 + longest as u32 * 7;
    let size = (WIDTH, 40 + ROW * rows.len() as u32);
    svg(caption, size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(margin * FINE)
            .margin_top(4 * FINE)
            .set_label_area_size(LabelAreaPosition::Left, labels * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, 34 * FINE)
            .build_cartesian_2d(from..to, 0.0..rows.len() as f64)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .axis_style(GRID.stroke_width(FINE))
            .bold_line_style(GRID.stroke_width(FINE))
            .light_line_style(TRANSPARENT)
            .x_labels(5)
            .x_label_formatter(&|x| short(*x))
            .label_style(text(QUIET))
            .x_desc(unit)
            .draw()?;
        for (number, row) in rows.iter().enumerate() {
            let y = (rows.len() - number) as f64 - 0.5;
            let line =
                |(a, b): (f64, f64), style| PathElement::new(vec![(a.min(to), y), (b.min(to), y)], style);
            let (_, height) = chart.backend_coord(&(from, y));
            let end = ((labels - 8) as i32 * FINE as i32, height);
            area.draw(&Text::new(
                row.name.to_owned(),
                end,
                text(INK).pos(Pos::new(HPos::Right, VPos::Center)),
            ))?;
            chart.draw_series([line(row.line, BLUE.stroke_width(2 * FINE))])?;
            if let Some(bar) = row.bar {
                chart.draw_series([line(bar, BLUE.stroke_width(7 * FINE))])?;
            }
            let dot = if row.bar.is_some() { INK } else { BLUE };
            if row.dot <= to {
                chart.draw_series([Circle::new((row.dot, y), 4 * FINE, dot.filled())])?;
            }
            if row.line.1 > to {
                let beside = ((WIDTH - margin + 4) as i32 * FINE as i32, height);
                let left = text(QUIET).pos(Pos::new(HPos::Left, VPos::Center));
                let end = if row.dot > to { row.dot } else { row.line.1 };
                area.draw(&Text::new(format!("→ {end:.1}"), beside, left))?;
            }
        }
        Ok(())
    })
}

/// The load of each bridge over time, up to `most`: a line each, those in `marked` (from 0) in another colour, and a
/// line for the capacity, where there is one for all.
pub(super) fn course(
    caption: &Caption,
    course: &Course,
    most: f64,
    capacity: Option<f64>,
    marked: &[usize],
    unit: &str,
) -> Markup {
    let (from, until) = (course.seconds.0 / 60.0, course.seconds.1 / 60.0);
    let until = until.max(from + 1e-3);
    svg(caption, (WIDTH, HEIGHT), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(14 * FINE)
            .margin_top(8 * FINE)
            .set_label_area_size(LabelAreaPosition::Left, 52 * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, 34 * FINE)
            .build_cartesian_2d(from..until, 0.0..most)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .axis_style(GRID.stroke_width(FINE))
            .bold_line_style(GRID.stroke_width(FINE))
            .light_line_style(TRANSPARENT)
            .x_labels(5)
            .y_labels(4)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .label_style(text(QUIET))
            .x_desc("minutes")
            .y_desc(unit)
            .draw()?;
        if let Some(full) = capacity.filter(|full| *full < most) {
            let line = PathElement::new(vec![(from, full), (until, full)], QUIET.stroke_width(FINE));
            chart.draw_series([line])?;
        }
        let lines = lines(&course.loads);
        let special = marked.iter().filter_map(|bridge| course.loads.get(*bridge));
        let thin = BLUE.mix(0.45).stroke_width(FINE);
        let plain = lines.iter().map(|loads| (loads, thin));
        for (loads, style) in plain.chain(special.map(|loads| (loads, ORANGE.stroke_width(2 * FINE)))) {
            let width = (until - from) / loads.len() as f64;
            let point = |(bin, load): (usize, &f64)| (from + (bin as f64 + 0.5) * width, load.min(most));
            chart.draw_series(LineSeries::new(loads.iter().enumerate().map(point), style))?;
        }
        Ok(())
    })
}

/// Where a scale from 0 ends that shows these: at the highest, unless that would leave the usual ones no room.
pub(super) fn end_of_scale(mut highest: Vec<f64>) -> f64 {
    highest.sort_by(f64::total_cmp);
    let usual = highest.get(highest.len() / 2).copied().unwrap_or_default();
    let most = highest.last().copied().unwrap_or_default();
    1.04 * if most > CUT * usual { 1.5 * usual } else { most }.max(1e-3)
}

/// The loads of the bridges; of more than [`MOST_LINES`] those of the least loaded one, of the one at an eighth and so
/// on up to the busiest one, at each moment anew.
fn lines(loads: &[Vec<f64>]) -> Cow<'_, [Vec<f64>]> {
    if loads.len() <= MOST_LINES {
        return Cow::Borrowed(loads);
    }
    let mut lines = vec![Vec::new(); EIGHTHS + 1];
    for bin in 0..BINS {
        let mut moment: Vec<f64> = loads.iter().map(|bridge| bridge[bin]).collect();
        moment.sort_by(f64::total_cmp);
        for (eighth, line) in lines.iter_mut().enumerate() {
            line.push(moment[(moment.len() - 1) * eighth / EIGHTHS]);
        }
    }
    Cow::Owned(lines)
}

/// What `draw` draws, as wide as its place on the page, with a title and a description.
fn svg(
    Caption { id, title, text }: &Caption,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area) -> Result<(), Box<dyn std::error::Error>>,
) -> Markup {
    let (width, height) = (width * FINE, height * FINE);
    let mut plot = String::new();
    {
        let area = SVGBackend::with_string(&mut plot, (width, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?)).expect("a string takes whatever is drawn");
    }
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } { (text) }
            (PreEscaped(plot))
        }
    }
}

fn text(color: RGBColor) -> TextStyle<'static> {
    // 1.24: what the backend divides sizes by.
    ("sans-serif", 12.0 * 1.24 * f64::from(FINE)).into_font().color(&color)
}

/// With as few decimals as tell 0.05 from 0.1.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What is this many times as high as usual is cut off.
const CUT: f64 = 2.5;
/// Of a plot, in CSS pixels: that of a phone.
pub(super) const WIDTH: u32 = 380;
/// Of a plot of load over time, likewise.
pub(super) const HEIGHT: u32 = 186;
/// Of a row of intervals, likewise.
const ROW: u32 = 22;
/// The backend rounds to whole units: these many of them are a CSS pixel.
const FINE: u32 = 4;

/// Of a plot of load over time.
pub(super) const MOST_LINES: usize = 64;
/// In which a larger fleet is shown.
const EIGHTHS: usize = 8;

const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const QUIET: RGBColor = RGBColor(0x57, 0x60, 0x6a);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const BLUE: RGBColor = RGBColor(0x09, 0x69, 0xda);
const ORANGE: RGBColor = RGBColor(0xbc, 0x4c, 0x00);

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption = Caption { id: "a", title: "A <title>", text: "what it shows" };

    #[test]
    fn a_plot_says_what_it_is_and_escapes_names() {
        let rows = [Interval { name: "<b> & c", line: (1.0, 2.0), bar: None, dot: 1.5 }];
        let plot = intervals(&CAPTION, &rows, 1.0, "times the mean").into_string();
        for expected in
            ["<title id=\"a-t\">A &lt;title&gt;", "<desc id=\"a-d\">", "&lt;b&gt; &amp; c", "times the mean"]
        {
            assert!(plot.contains(expected), "{expected}\n{plot}");
        }
    }

    #[test]
    fn nothing_is_drawn_where_there_is_nothing() {
        assert!(!intervals(&CAPTION, &[], 0.0, "").into_string().contains("circle"));
        let idle = Course { seconds: (5.0, 5.0), loads: Vec::new(), spread: [0.0; 5] };
        assert!(!course(&CAPTION, &idle, 1.0, None, &[], "").into_string().contains("NaN"));
    }

    #[test]
    fn every_bridge_and_the_capacity_have_a_line_and_a_marked_one_its_colour() {
        let loads = vec![vec![1.0; BINS]; 3];
        let three = Course { seconds: (0.0, 60.0), loads, spread: [1.0; 5] };
        let plot = course(&CAPTION, &three, 2.0, Some(1.5), &[1], "").into_string();
        let lines = |color| plot.matches(&format!("fill=\"none\" opacity=\"{color}")).count();
        let of = ["0.45\" stroke=\"#0969DA\"", "1\" stroke=\"#BC4C00\"", "1\" stroke=\"#57606A\""];
        assert_eq!(of.map(lines), [3, 1, 1], "{plot}");
    }

    #[test]
    fn a_scale_shows_all_unless_one_is_far_beyond_the_others() {
        let check = |highest: &[f64], expected: f64| {
            let end = end_of_scale(highest.to_vec());
            assert!((end - 1.04 * expected).abs() < 1e-12, "{highest:?}: {end}");
        };
        check(&[2.0, 1.0, 1.5], 2.0);
        check(&[1.0, 75.0, 2.0], 3.0);
        check(&[], 1e-3);
        check(&[0.0, 0.0], 1e-3);
    }

    #[test]
    fn an_interval_beyond_the_scale_says_where_it_is() {
        let row = |name, high| Interval { name, line: (0.0, high), bar: None, dot: high };
        let rows = [row("a", 1.0), row("b", 2.0), row("c", 75.0)];
        let plot = intervals(&CAPTION, &rows, 0.0, "").into_string();
        assert_eq!((plot.matches("<circle").count(), plot.contains("→ 75.0")), (2, true), "{plot}");
    }

    #[test]
    fn a_large_fleet_is_shown_by_its_eighths() {
        let loads: Vec<_> = (0..=80).rev().map(|load| vec![f64::from(load); BINS]).collect();
        let seen: Vec<_> = lines(&loads).iter().map(|line| (line.len(), line[7])).collect();
        assert_eq!(seen, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0].map(|load| (BINS, load)));
        assert_eq!(lines(&loads[..64]).len(), 64);
    }

    #[test]
    fn numbers_of_axes_are_short() {
        assert_eq!([0.0, -0.001, 1.5, 20.0, 0.123].map(short), ["0", "0", "1.5", "20", "0.12"]);
    }
}
