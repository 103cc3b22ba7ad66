//! A scenario as a file: TOML, whose keys, units and defaults `docs/scenarios.md` describes.

mod keys;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use callsteer::Time;
use toml::Spanned;

use super::{Class, Fault, FaultKind, FromTrace, Lengths, Reporting, Scenario, SetUp, Step, Watch};
use crate::lengths::Quantiles;
use crate::workload::Window;
use keys::{
    BRIDGES, CONCURRENT, File, FileClass, FileFault, FileLengths, FileStep, FileWatch, Fleet, MOST, Reports,
    What,
};

/// Reads a scenario. What the text leaves out is as in `base16`.
///
/// # Errors
/// Where it is not TOML, a key is unknown or missing, or a value is out of its range.
///
/// ```
/// use callsteer_sim::scenario::file;
///
/// let small = file::parse("name = 'small'\nabout = 'five bridges'\nfleet.bridges = 5\n")?;
/// assert_eq!(small.weights, [1; 5]);
/// let error = file::parse("name = 'small'\nabout = ''\nfleet.bridgs = 5\n").unwrap_err();
/// assert_eq!((error.line, error.column), (3, 7));
/// assert!(error.message.ends_with("did you mean `bridges`?"));
/// # Ok::<(), file::FileError>(())
/// ```
pub fn parse(text: &str) -> Result<Scenario, FileError> {
    let file: File = toml::from_str(text).map_err(|error| {
        FileError::at(text, error.span().unwrap_or_default().start, with_hint(error.message()))
    })?;
    file.scenario().map_err(|Refused(span, message)| FileError::at(text, span.start, message))
}

/// Why a file is no scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl FileError {
    pub(crate) fn at(text: &str, offset: usize, message: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Self { line, column: before[line_start..].chars().count() + 1, message }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for FileError {}

/// What no single value shows, and where.
struct Refused(Range<usize>, String);

impl File {
    fn scenario(self) -> Result<Scenario, Refused> {
        let weights = weights(&self.fleet)?;
        let measure = self.measure.get_ref();
        let window = Window { from: time(measure.from), until: time(measure.until) };
        check(window.from < window.until, &self.measure.span(), "measuring ends after it begins")?;
        let mut faults = Vec::new();
        for fault in &self.fault {
            fault.add_to(&mut faults, weights.len())?;
        }
        let (calls, from_trace) = (self.calls.get_ref(), self.recorded()?);
        Ok(Scenario {
            classes: self.classes()?,
            lengths: lengths(&calls.lengths)?,
            from_trace,
            trace: None,
            set_up: self.set_up(),
            factor_cv: calls.factor_cv,
            wrong_labels: calls.wrong_labels,
            concurrent: calls.concurrent.unwrap_or(CONCURRENT),
            load: self.fleet.get_ref().load,
            rate: self.rate()?,
            dispatchers: self.fleet.get_ref().dispatchers,
            shared_every: self.fleet.get_ref().shared_every.map(Duration::from_secs_f64),
            reports: self.reports()?,
            watch: self.watch.map(|watch| watch.watch(weights.len())).transpose()?,
            name: self.name,
            about: self.about,
            weights,
            faults,
            window,
        })
    }

    fn recorded(&self) -> Result<FromTrace, Refused> {
        let (calls, at) = (self.calls.get_ref(), self.calls.span());
        let lengths = matches!(calls.lengths.get_ref(), FileLengths::Trace);
        let from_trace = FromTrace { starts: calls.starts.is_some(), lengths, costs: calls.costs.is_some() };
        check(from_trace.starts || !from_trace.costs, &at, "costs of a trace need its starts too")?;
        let says_when = calls.concurrent.is_some() || !self.rate.is_empty();
        check(
            !(from_trace.starts && says_when),
            &at,
            "with the starts of a trace it says when calls come: no `concurrent`, no `rate`",
        )?;
        Ok(from_trace)
    }

    fn set_up(&self) -> SetUp {
        let [lag, burst] = [self.set_up.lag, self.set_up.burst].map(Duration::from_secs_f64);
        SetUp { lag, burst, extra: self.set_up.extra }
    }

    fn classes(&self) -> Result<Vec<Class>, Refused> {
        let (classes, at) = (self.class.get_ref(), self.class.span());
        let sum: f64 = classes.iter().map(|class| class.share).sum();
        check((sum - 1.0).abs() < 1e-6, &at, format!("the shares of the classes sum up to {sum}, not to 1"))?;
        check(
            classes.iter().any(|class| class.cost > 0.0),
            &at,
            "calls cost something: no class has a cost above 0",
        )?;
        let class = |class: &FileClass| {
            if let Some(of) = class.lengths.as_ref().filter(|of| matches!(of.get_ref(), FileLengths::Trace)) {
                return Err(Refused(
                    of.span(),
                    "lengths of a trace are those of all classes: [calls] lengths".into(),
                ));
            }
            Ok(Class {
                name: class.name.clone(),
                share: class.share,
                cost: class.cost,
                extra: class.extra,
                off: class.off,
                on: class.on,
                length: class.length,
                lengths: class.lengths.as_ref().map(lengths).transpose()?,
            })
        };
        classes.iter().map(class).collect()
    }

    fn rate(&self) -> Result<Vec<Step>, Refused> {
        for pair in self.rate.windows(2) {
            let in_order = pair[0].get_ref().from < pair[1].get_ref().from;
            check(in_order, &pair[1].span(), "steps of the rate are in order of time")?;
        }
        let step = |step: &Spanned<FileStep>| Step {
            from: time(step.get_ref().from),
            factor: step.get_ref().factor,
        };
        Ok(self.rate.iter().map(step).collect())
    }

    fn reports(&self) -> Result<Reporting, Refused> {
        let Reports { interval, aligned, noise, delay_min, delay_max, lost } = *self.reports.get_ref();
        let at = self.reports.span();
        check(interval >= 0.01, &at, "reports come every 0.01 s at most")?;
        check(delay_min <= delay_max, &at, "delay_min is at most delay_max")?;
        let [interval, delay_min, delay_max] = [interval, delay_min, delay_max].map(Duration::from_secs_f64);
        Ok(Reporting { interval, aligned, noise, delay_min, delay_max, lost })
    }
}

impl FileFault {
    fn add_to(&self, faults: &mut Vec<Fault>, fleet: usize) -> Result<(), Refused> {
        let (what, at) = (*self.what.get_ref(), self.what.span());
        let kind = match what {
            What::Absent => FaultKind::Absent,
            What::Dead => FaultKind::Dead,
            What::Drained => FaultKind::Drained,
            What::Silent => FaultKind::Silent,
            What::Capacity(share) | What::Fails(share) if !(share > 0.0 && share <= 1.0) => {
                return Err(Refused(at, format!("a share is above 0 and at most 1, not {share}")));
            }
            What::Frozen(score) if !(0.0..=MOST).contains(&score) => {
                return Err(Refused(at, format!("a score is from 0 to {MOST}, not {score}")));
            }
            What::Capacity(share) => FaultKind::Capacity(share),
            What::Fails(share) => FaultKind::Fails(share),
            What::Frozen(score) => FaultKind::Frozen(score),
        };
        let absent = kind == FaultKind::Absent;
        check(!absent || (self.from == 0.0 && self.until.is_some()), &at, ABSENT)?;
        for (number, bridge) in (0u32..).zip(&self.bridges) {
            let later = f64::from(number) * self.stagger;
            let from = if absent { Time::ZERO } else { time(self.from + later) };
            let until = match &self.until {
                Some(until) => {
                    check(
                        *until.get_ref() > self.from && *until.get_ref() <= MOST,
                        &until.span(),
                        "a fault ends after it begins",
                    )?;
                    time(until.get_ref() + later)
                }
                None => Time::MAX,
            };
            faults.push(Fault { bridge: index(bridge, fleet)?, from, until, kind });
        }
        Ok(())
    }
}

impl FileWatch {
    fn watch(&self, fleet: usize) -> Result<Watch, Refused> {
        let until = *self.until.get_ref();
        check(until > self.from && until <= MOST, &self.until.span(), "watching ends after it begins")?;
        Ok(Watch { bridge: index(&self.bridge, fleet)?, from: time(self.from), until: time(until) })
    }
}

fn weights(fleet: &Spanned<Fleet>) -> Result<Vec<u32>, Refused> {
    let (at, fleet) = (fleet.span(), fleet.get_ref());
    check((1..=MOST_DISPATCHERS).contains(&fleet.dispatchers), &at, "there are 1 to 64 dispatchers")?;
    let weights = match (&fleet.weights, fleet.bridges) {
        (Some(_), Some(_)) => return Err(Refused(at, "a fleet has weights or a number of bridges".into())),
        (Some(weights), None) => weights.clone(),
        (None, bridges) => vec![1; (bridges.unwrap_or(BRIDGES).min(MOST_BRIDGES + 1)) as usize],
    };
    check((1..=MOST_BRIDGES as usize).contains(&weights.len()), &at, "a fleet has 1 to 4096 bridges")?;
    let in_range = weights.iter().all(|weight| (1..=65_535).contains(weight));
    check(in_range, &at, "weights are from 1 to 65535")?;
    Ok(weights)
}

fn lengths(lengths: &Spanned<FileLengths>) -> Result<Lengths, Refused> {
    let at = lengths.span();
    Ok(match lengths.get_ref() {
        FileLengths::Pareto(index) => {
            check(*index > 1.0 && *index <= 100.0, &at, "the index of Pareto's law is above 1, at most 100")?;
            Lengths::Pareto(*index)
        }
        FileLengths::Lognormal(cv) | FileLengths::Bimodal(cv) if !(0.0..=100.0).contains(cv) => {
            return Err(Refused(at, format!("a coefficient of variation is from 0 to 100, not {cv}")));
        }
        FileLengths::Lognormal(cv) => Lengths::Lognormal(*cv),
        FileLengths::Bimodal(cv) => Lengths::Bimodal(*cv),
        FileLengths::Quantiles(points) => {
            let table = Quantiles::new(&**points).filter(|table| table.mean() > 0.0);
            Lengths::Quantiles(table.ok_or(Refused(at, QUANTILES.into()))?)
        }
        // Until it is there; then they are a table.
        FileLengths::Trace => Lengths::Lognormal(0.0),
    })
}

/// Bridges are counted from 1 in files and from 0 here.
fn index(bridge: &Spanned<usize>, fleet: usize) -> Result<usize, Refused> {
    let number = *bridge.get_ref();
    check(
        (1..=fleet).contains(&number),
        &bridge.span(),
        format!("there is no bridge {number}: they are 1 to {fleet}"),
    )?;
    Ok(number - 1)
}

fn check(holds: bool, at: &Range<usize>, otherwise: impl Into<String>) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused(at.clone(), otherwise.into())) }
}

/// To the microsecond.
fn time(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6).round() as u64)
}

/// "unknown field `lod`, expected one of `load`, ..." asks whether `load` was meant.
pub(crate) fn with_hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ").then(|| quoted.next()).flatten();
    let near = |key: &&str| strsim::damerau_levenshtein(unknown.unwrap_or_default(), key);
    let meant = unknown.and_then(|_| quoted.min_by_key(near)).filter(|key| near(key) <= 2.max(key.len() / 3));
    let message = message.replace("field", "key").replace("variant", "value");
    meant.map_or(message.clone(), |meant| format!("{message}; did you mean `{meant}`?"))
}

const QUANTILES: &str = "quantiles are pairs of a share, which rises from 0 to 1, and a length, which does not fall, \
     such as [[0, 5], [0.5, 60], [0.9, 400], [1, 3600]]";
const ABSENT: &str = "a bridge is absent from 0 on, until it joins: `until` alone";
const MOST_BRIDGES: u32 = 4_096;
const MOST_DISPATCHERS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn named(rest: &str) -> String {
        format!("name = 'mine'\nabout = 'a test'\n{rest}")
    }

    #[test]
    fn a_wrong_file_is_refused_where_it_is_wrong() {
        let check = |rest: &str, at: (usize, usize), wanted: &str| {
            let error = parse(&named(rest)).unwrap_err();
            assert_eq!((error.line, error.column), at, "{error}");
            assert!(error.message.contains(wanted), "{error}");
        };
        check("[fleet\n", (3, 7), "unclosed table");
        check("[fleet]\nlod = 0.5\n", (4, 1), "unknown key `lod`, expected one of");
        check("[fleet]\nlod = 0.5\n", (4, 1), "did you mean `load`?");
        check("[fleet]\nload = 'ä'\n", (4, 8), "expected f64");
        check("[fleet]\nload = 0\n", (4, 8), "above 0");
        check("[fleet]\nload = nan\n", (4, 8), "above 0");
        check("[fleet]\nbridges = 2\nweights = [1, 1]\n", (3, 1), "weights or a number");
        check("[fleet]\nweights = [1, 0]\n", (3, 1), "weights are from 1");
        check("[fleet]\ndispatchers = 0\n", (3, 1), "dispatchers");
        check("[fleet]\nshared_every = 0\n", (4, 16), "above 0");
        check("[fleet]\nshared_every = 'newer'\n", (4, 16), "seconds, or \"never\"");
        check("rate = [{ from = 9, factor = 1 }, { from = 9, factor = 2 }]", (3, 35), "in order of time");
        check("[calls]\nlengths = { pareto = 1 }\n", (4, 11), "Pareto");
        check("[calls]\nlengths = { quantiles = [[0, 5], [0.9, 60]] }\n", (4, 11), "rises from 0 to 1");
        check("[calls]\nlengths = { quantiles = [[0, 9], [1, 8]] }\n", (4, 11), "does not fall");
        check("[calls]\nlengths = { quantiles = [[0, 0], [1, 0]] }\n", (4, 11), "quantiles are pairs");
        check("[calls]\nlengths = 'tracks'\n", (4, 11), "did you mean `trace`?");
        check("[calls]\ncosts = 'trace'\n", (3, 1), "need its starts");
        check("[calls]\nstarts = 'trace'\nconcurrent = 9\n", (3, 1), "no `concurrent`");
        check("[set_up]\nlag = -1\n", (4, 7), "at least 0");
        check("[reports]\naligned = 1\n", (4, 11), "expected a boolean");
        check("[reports]\ninterval = 0.001\n", (3, 1), "0.01 s");
        check("[reports]\ndelay_min = 3\n", (3, 1), "delay_min");
        check("[reports]\nlost = 1.1\n", (4, 8), "at most 1");
        check("[measure]\nfrom = 4800\n", (3, 1), "measuring ends");
        check("[[fault]]\nbridges = [2, 17]\nwhat = 'silent'\n", (4, 15), "no bridge 17: they are 1 to 16");
        check("[[fault]]\nbridges = [0]\nwhat = 'silent'\n", (4, 12), "no bridge 0");
        check("[[fault]]\nbridges = [1]\nwhat = 'absnt'\n", (5, 8), "did you mean `absent`?");
        check("[[fault]]\nbridges = [1]\nwhat = 'absent'\n", (5, 8), "until");
        check("[[fault]]\nbridges = [1]\nwhat = { fails = 2 }\n", (5, 8), "above 0 and at most 1");
        check("[[fault]]\nbridges = [1]\nwhat = 'silent'\nfrom = 9\nuntil = 9\n", (7, 9), "fault ends");
        check("[watch]\nbridge = 1\nfrom = 9\nuntil = 9\n", (6, 9), "watching ends");
        let class = "[[class]]\nname = 'a'\nshare = 0.5\ncost = 1\nextra = 0\noff = 1\non = 1\nlength = 9\n";
        check(class, (3, 1), "sum up to 0.5");
        assert_eq!(parse("about = ''").unwrap_err().message, "missing key `name`");
    }

    #[test]
    fn a_hint_is_given_only_where_a_key_is_near() {
        let error = parse(&named("[fleet]\ntemperature = 20\n")).unwrap_err();
        assert!(error.message.starts_with("unknown key `temperature`"), "{error}");
        assert!(!error.message.contains("did you mean"), "{error}");
    }

    #[test]
    fn dispatchers_that_never_share_are_those_of_which_nothing_is_said() {
        let every = |value: &str| parse(&named(&format!("[fleet]\n{value}"))).unwrap().shared_every;
        assert_eq!(every("shared_every = 5"), Some(Duration::from_secs(5)));
        assert_eq!([every("shared_every = 'never'"), every("")], [None, None]);
    }

    #[test]
    fn staggered_faults_begin_and_end_one_after_the_other() {
        let text = "[[fault]]\nbridges = [3, 1]\nwhat = 'drained'\nfrom = 10\nuntil = 20\nstagger = 30\n";
        let fault = |bridge, from, until| Fault {
            bridge,
            from: Time::from_secs(from),
            until: Time::from_secs(until),
            kind: FaultKind::Drained,
        };
        assert_eq!(parse(&named(text)).unwrap().faults, [fault(2, 10, 20), fault(0, 40, 50)]);
    }
}
