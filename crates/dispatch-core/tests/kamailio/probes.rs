//! Probes: who was asked, what the answers made of the states, and which event routes ran.
//!
//! States were recorded as they changed, some milliseconds after the answer that changed them, and
//! an answer that did not come is missed 0.7 s after the probe: what is compared is, per
//! destination, the states one after the other.

use std::collections::{BTreeMap, BTreeSet};

use callsteer::kamailio::{Change, Dispatcher};

use crate::recording::{Event, Recording, same, uris};

pub(crate) fn check(recording: &Recording) -> Result<usize, String> {
    let mut kamailio = recording.dispatcher();
    let mut checked = 0;
    let mut ours: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut routes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let counts = recording.flavour != "deb";
    for (index, uri) in uris(&kamailio, 1).into_iter().enumerate() {
        ours.entry(uri).or_insert_with(|| vec![shown(&kamailio, index, counts)]);
    }
    let mut moments = moments(recording);
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, moment) in moments {
        match moment {
            Moment::Round(asked) => {
                let due = (0..kamailio.len(1)).filter(|index| kamailio.is_probed(1, *index));
                let due: BTreeSet<String> =
                    due.map(|index| kamailio.uri(1, index).unwrap().to_owned()).collect();
                let heard = due.into_iter().filter(|uri| hears(recording, uri)).collect();
                checked += 1;
                same(&format!("asked at {at}"), heard, asked)?;
            }
            Moment::Answer(uri, answered) => {
                let change = kamailio.probe_result(1, &uri, answered).map_err(|error| error.to_string())?;
                if let Some(change) = change {
                    let route = if change == Change::Up { "dst-up" } else { "dst-down" };
                    routes.entry(uri.clone()).or_default().push(route);
                }
                note(&kamailio, &uri, &mut ours, counts);
            }
            Moment::SetState(uri, state) => {
                let state = state.parse().unwrap();
                kamailio.set_state(1, &uri, state).map_err(|error| error.to_string())?;
                note(&kamailio, &uri, &mut ours, counts);
            }
            Moment::States(recorded) => {
                let states = (0..kamailio.len(1)).map(|index| kamailio.state(1, index).unwrap().to_string());
                checked += 1;
                same(&format!("states at {at}"), states.collect(), recorded)?;
            }
        }
    }
    for (uri, recorded) in recorded_states(recording, &kamailio, counts)? {
        let states = &ours[&uri];
        // What the very last answer made of it was not looked at any more.
        checked += recorded.len();
        if states.len() > recorded.len() + 1 || !states.starts_with(&recorded) {
            return Err(format!("{uri}: {states:?} here, {recorded:?} recorded"));
        }
    }
    if let Some(events) = &recording.event_routes {
        let mut recorded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (route, uri) in events {
            recorded.entry(uri.clone()).or_default().push(route);
        }
        checked += events.len();
        same("event routes", routes, recorded)?;
    }
    Ok(checked)
}

enum Moment {
    /// A round of probes, and the URIs where one arrived.
    Round(BTreeSet<String>),
    Answer(String, bool),
    SetState(String, String),
    States(Vec<String>),
}

fn moments(recording: &Recording) -> Vec<(f64, Moment)> {
    let mut moments = Vec::new();
    let mut rounds: BTreeMap<u32, (f64, BTreeSet<String>)> = BTreeMap::new();
    for event in &recording.events {
        match event {
            Event::Ping { t, port, retransmission: false, answer } => {
                let at = if *answer == 0 { t + LOST } else { *t };
                // A round comes before its first answer.
                let round = rounds.entry(*t as u32).or_insert((t - 1e-6, BTreeSet::new()));
                round.1.insert(uri(*port));
                moments.push((at, Moment::Answer(uri(*port), *answer == 200)));
            }
            Event::SetState { t, port, state, .. } => {
                moments.push((t.unwrap(), Moment::SetState(uri(port.unwrap()), state.clone())));
            }
            Event::States { t, states } => {
                moments.push((*t, Moment::States(states.iter().map(|(flags, _)| flags.clone()).collect())));
            }
            _ => {}
        }
    }
    let last = rounds.keys().next_back().copied().unwrap_or_default();
    for second in 1..=last {
        let (at, asked) = rounds.remove(&second).unwrap_or((f64::from(second) + QUIET, BTreeSet::new()));
        // Nobody listens there, so that the probe was seen by nobody.
        for (port, _) in recording.plans.iter().filter(|(_, plan)| plan.is_none()) {
            moments.push((at + LOST, Moment::Answer(format!("sip:127.0.0.1:{port}"), false)));
        }
        moments.push((at, Moment::Round(asked)));
    }
    moments
}

fn hears(recording: &Recording, uri: &str) -> bool {
    let port = uri.rsplit(':').next().unwrap();
    recording.plans.get(port).is_none_or(Option::is_some)
}

fn note(kamailio: &Dispatcher, uri: &str, states: &mut BTreeMap<String, Vec<String>>, counts: bool) {
    let index = uris(kamailio, 1).iter().position(|other| other == uri).unwrap();
    let (now, states) = (shown(kamailio, index, counts), states.get_mut(uri).unwrap());
    if states.last() != Some(&now) {
        states.push(now);
    }
}

/// What was recorded of each URI, one state after the other.
fn recorded_states(
    recording: &Recording,
    kamailio: &Dispatcher,
    counts: bool,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &recording.events {
        if let Event::State { t, port, idx, flags, probing_count } = event {
            let uri = uri(*port);
            same(&format!("place at {t}"), kamailio.uri(1, *idx), Some(uri.as_str()))?;
            if counts != probing_count.is_some() {
                return Err(format!("probing count at {t}: {probing_count:?}"));
            }
            let count = probing_count.map(|count| count.to_string()).unwrap_or_default();
            states.entry(uri).or_default().push(format!("{flags}{count}"));
        }
    }
    Ok(states)
}

/// The state, with its count where that was recorded.
fn shown(kamailio: &Dispatcher, index: usize, counts: bool) -> String {
    let state = kamailio.state(1, index).unwrap();
    if counts { format!("{state}{}", state.count()) } else { state.to_string() }
}

fn uri(port: u16) -> String {
    format!("sip:127.0.0.1:{port}")
}

/// When an answer that does not come is missed: `fr_timer` is 700 ms, looked at every so often.
const LOST: f64 = 0.74;
/// When in its second a round is, where no probe arrived.
const QUIET: f64 = 0.018;
