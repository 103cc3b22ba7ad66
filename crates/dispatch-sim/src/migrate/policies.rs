//! Selections: what becomes of `ds_select_dst` and its like is a policy for a set.

use callsteer::kamailio::numbers;
use callsteer::{Algorithm, Route, SetId};

use super::{Fate, Migration, Options};
use crate::script::{Script, Selection};

pub(super) fn carry(script: &Script, options: Options, migration: &mut Migration) {
    let selections = script.selections();
    let use_default = script.number("use_default").unwrap_or(0) != 0;
    let mut chains: Vec<Chain> = Vec::new();
    for selection in &selections {
        limit(selection, migration);
        let Some(route) = route(selection, use_default, options, migration) else { continue };
        // A selection that runs where another one failed goes behind that one.
        let fallback = selection.call.fallback_of;
        let chain = chains.iter_mut().find(|chain| {
            chain.calls.contains(&selection.number) || fallback.is_some_and(|of| chain.calls.contains(&of))
        });
        match chain {
            Some(chain) => {
                chain.calls.push(selection.number);
                chain.routes.push(route);
            }
            None => chains.push(Chain {
                set: route.set,
                place: selection.call.place.to_string(),
                calls: vec![selection.number],
                routes: vec![route],
            }),
        }
    }
    for chain in chains {
        policy(chain, migration);
    }
}

/// Selections that are tried one after another.
struct Chain {
    set: SetId,
    place: String,
    calls: Vec<usize>,
    routes: Vec<Route>,
}

fn policy(chain: Chain, migration: &mut Migration) {
    let Chain { set, place, routes, .. } = chain;
    let in_words: Vec<String> =
        routes.iter().map(|route| format!("set {} by {}", route.set, name(route.algorithm))).collect();
    let in_words = in_words.join(", then ");
    match migration.config.policies.get(&set) {
        None => {
            migration.config.policies.insert(set, routes);
            migration.say(&place, Fate::Carried, format!("policies.{set}: {in_words}"));
        }
        Some(known) if *known == routes => {
            migration.say(&place, Fate::Carried, format!("policies.{set}, as before: {in_words}"));
        }
        Some(_) => {
            let what = format!(
                "{in_words}: set {set} has another policy already; give these calls a set of their own"
            );
            migration.say(&place, Fate::Lost, what);
        }
    }
}

fn route(
    selection: &Selection<'_>,
    use_default: bool,
    options: Options,
    migration: &mut Migration,
) -> Option<Route> {
    let place = &selection.call.place;
    let (set, number) = match (&selection.set, &selection.algorithm) {
        (Ok(set), Ok(number)) => (*set, *number),
        (Err(unknown), _) | (_, Err(unknown)) => {
            migration.say(place, Fate::Lost, format!("{}: {unknown}", selection.call));
            return None;
        }
    };
    let exact = Algorithm::Kamailio { alg: number, use_default, unsigned_bytes: false };
    let known = numbers::number(number);
    let algorithm = match Algorithm::from_kamailio(number) {
        _ if options.as_kamailio && matches!(number, 0..=11 | 14 | 15) => exact,
        Ok(algorithm) => algorithm,
        Err(error) => {
            migration.say(place, Fate::Lost, format!("{}: {error}", selection.call));
            return None;
        }
    };
    let known = known?;
    if matches!(number, 1..=3 | 5 | 7) {
        let what = format!("algorithm {number}, {}: {}", known.kamailio, known.note);
        migration.say(place, Fate::Outside, what);
    } else if !options.as_kamailio && !known.note.is_empty() {
        let what = format!("algorithm {number}, {}: {}", known.kamailio, known.note);
        migration.say(place, Fate::Differs, what);
    }
    if let Some(mistaken) = known.mistaken {
        migration.say(place, Fate::Differs, format!("is {number} what is meant? {mistaken}"));
    }
    Some(Route { set, algorithm })
}

/// The third argument: how many destinations a call fails over to.
fn limit(selection: &Selection<'_>, migration: &mut Migration) {
    if let Some(limit) = selection.call.args.get(2) {
        let limit = limit.number().map_or_else(|| limit.to_string(), |limit| limit.to_string());
        let what = format!(
            "{}: a call goes to {limit} destinations at most: count what `next` gives",
            selection.call
        );
        migration.say(&selection.call.place, Fate::Outside, what);
    }
}

fn name(algorithm: Algorithm) -> String {
    match (algorithm, serde_json::to_value(algorithm)) {
        (Algorithm::Kamailio { alg, .. }, _) => format!("kamailio's {alg}"),
        (_, Ok(serde_json::Value::Object(written))) => written.keys().cloned().collect(),
        (_, written) => written.ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default(),
    }
}
