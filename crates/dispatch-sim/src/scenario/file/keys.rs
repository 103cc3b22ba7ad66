//! The keys of a scenario's file, their defaults, which are those of `base16`, and their ranges.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) about: String,
    #[serde(default = "unsaid_default")]
    pub(super) fleet: Spanned<Fleet>,
    #[serde(default = "unsaid_default")]
    pub(super) calls: Spanned<Calls>,
    #[serde(default)]
    pub(super) set_up: FileSetUp,
    #[serde(default = "classes")]
    pub(super) class: Spanned<Vec<FileClass>>,
    #[serde(default)]
    pub(super) rate: Vec<Spanned<FileStep>>,
    #[serde(default = "unsaid_default")]
    pub(super) reports: Spanned<Reports>,
    #[serde(default)]
    pub(super) fault: Vec<FileFault>,
    pub(super) watch: Option<FileWatch>,
    #[serde(default = "unsaid_default")]
    pub(super) measure: Spanned<Measure>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fleet {
    pub(super) bridges: Option<u32>,
    pub(super) weights: Option<Vec<u32>>,
    #[serde(deserialize_with = "positive")]
    pub(super) load: f64,
    pub(super) dispatchers: u32,
    #[serde(deserialize_with = "seconds_or_never")]
    pub(super) shared_every: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of seconds, or \"never\"")]
enum Every {
    Seconds(f64),
    Never(Never),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Never {
    Never,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Calls {
    #[serde(deserialize_with = "maybe_positive")]
    pub(super) concurrent: Option<f64>,
    pub(super) starts: Option<Recorded>,
    pub(super) costs: Option<Recorded>,
    pub(super) lengths: Spanned<FileLengths>,
    #[serde(deserialize_with = "not_negative")]
    pub(super) factor_cv: f64,
    pub(super) wrong_labels: bool,
}

/// What recorded calls say.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Recorded {
    Trace,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileLengths {
    Lognormal(f64),
    Pareto(f64),
    Bimodal(f64),
    Quantiles(Vec<(f64, f64)>),
    Trace,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileSetUp {
    #[serde(deserialize_with = "not_negative")]
    pub(super) lag: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) burst: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) extra: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileClass {
    pub(super) name: String,
    #[serde(deserialize_with = "share")]
    pub(super) share: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) cost: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) extra: f64,
    #[serde(deserialize_with = "positive")]
    pub(super) off: f64,
    #[serde(deserialize_with = "positive")]
    pub(super) on: f64,
    #[serde(deserialize_with = "positive")]
    pub(super) length: f64,
    pub(super) lengths: Option<Spanned<FileLengths>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileStep {
    #[serde(deserialize_with = "not_negative")]
    pub(super) from: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) factor: f64,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reports {
    #[serde(deserialize_with = "positive")]
    pub(super) interval: f64,
    pub(super) aligned: bool,
    #[serde(deserialize_with = "not_negative")]
    pub(super) noise: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) delay_min: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(super) delay_max: f64,
    #[serde(deserialize_with = "share")]
    pub(super) lost: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileFault {
    pub(super) bridges: Vec<Spanned<usize>>,
    pub(super) what: Spanned<What>,
    #[serde(default, deserialize_with = "not_negative")]
    pub(super) from: f64,
    pub(super) until: Option<Spanned<f64>>,
    #[serde(default, deserialize_with = "not_negative")]
    pub(super) stagger: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Absent,
    Dead,
    Drained,
    Capacity(f64),
    Fails(f64),
    Silent,
    Frozen(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileWatch {
    pub(super) bridge: Spanned<usize>,
    #[serde(deserialize_with = "not_negative")]
    pub(super) from: f64,
    pub(super) until: Spanned<f64>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Measure {
    #[serde(deserialize_with = "not_negative")]
    pub(super) from: f64,
    #[serde(deserialize_with = "positive")]
    pub(super) until: f64,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { bridges: None, weights: None, load: 0.8, dispatchers: 1, shared_every: None }
    }
}

impl Default for Calls {
    fn default() -> Self {
        let lengths = unsaid(FileLengths::Lognormal(1.5));
        Self { concurrent: None, starts: None, costs: None, lengths, factor_cv: 0.4, wrong_labels: false }
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self { interval: 5.0, aligned: false, noise: 0.05, delay_min: 0.2, delay_max: 1.0, lost: 0.0 }
    }
}

impl Default for Measure {
    fn default() -> Self {
        Self { from: 1_200.0, until: 4_800.0 }
    }
}

fn classes() -> Spanned<Vec<FileClass>> {
    let class = |name: &str, share, cost, extra, off, on, length| FileClass {
        name: name.into(),
        share,
        cost,
        extra,
        off,
        on,
        length,
        lengths: None,
    };
    unsaid(vec![
        class("agent", 0.25, 1.0, 3.0, 20.0, 6.0, 240.0),
        class("questions", 0.25, 0.6, 0.8, 45.0, 2.0, 110.0),
        class("orders", 0.2, 0.8, 1.5, 30.0, 4.0, 180.0),
        class("routing", 0.15, 0.7, 1.0, 60.0, 3.0, 120.0),
        class("support", 0.15, 0.9, 2.0, 15.0, 5.0, 257.0),
    ])
}

/// What the file does not say stands at its beginning.
fn unsaid<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn unsaid_default<T: Default>() -> Spanned<T> {
    unsaid(T::default())
}

fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "above 0", MOST, |number| number > 0.0)
}

fn maybe_positive<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    positive(from).map(Some)
}

/// `"never"` is what a grid says where it is one value of several.
fn seconds_or_never<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Every::deserialize(from)? {
        Every::Seconds(seconds) => in_range(seconds, "above 0", MOST, |number| number > 0.0).map(Some),
        Every::Never(Never::Never) => Ok(None),
    }
}

fn not_negative<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "at least 0", MOST, |number| number >= 0.0)
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "at least 0", 1.0, |number| number >= 0.0)
}

fn number<'de, D: Deserializer<'de>>(
    from: D,
    least: &str,
    most: f64,
    holds: fn(f64) -> bool,
) -> Result<f64, D::Error> {
    in_range(f64::deserialize(from)?, least, most, holds)
}

fn in_range<E: Error>(number: f64, least: &str, most: f64, holds: fn(f64) -> bool) -> Result<f64, E> {
    if holds(number) && number <= most {
        return Ok(number);
    }
    Err(E::custom(format!("a number {least} and at most {most} stands here, not {number}")))
}

/// The highest number that makes sense anywhere.
pub(super) const MOST: f64 = 1e6;
pub(super) const BRIDGES: u32 = 16;
pub(super) const CONCURRENT: f64 = 200.0;
