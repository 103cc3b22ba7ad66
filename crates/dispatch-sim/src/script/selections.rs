//! Which sets a script selects from, and by which algorithm.

use callsteer::SetId;

use super::{Call, Script, Value, names};

/// A set and an algorithm, as one call of a function asks for them.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The call; `ds_select_routes` is one call of several selections.
    pub call: &'a Call,
    /// Its place among [`Script::calls`].
    pub number: usize,
    /// The set; an error says why nobody knows it.
    pub set: Result<SetId, String>,
    /// Kamailio's number; an error says why nobody knows it.
    pub algorithm: Result<u16, String>,
}

impl Script {
    /// Everything that is selected, in the order of the script.
    #[must_use]
    pub fn selections(&self) -> Vec<Selection<'_>> {
        let selecting = self.calls.iter().enumerate().filter(|(_, call)| names::selects(&call.name));
        selecting.flat_map(|(number, call)| of_call(number, call)).collect()
    }
}

fn of_call(number: usize, call: &Call) -> Vec<Selection<'_>> {
    let nothing = Value::Unknown("nothing".into());
    let arg = |place: usize| call.args.get(place).unwrap_or(&nothing);
    if call.name != "ds_select_routes" {
        return vec![selection(number, call, arg(0), arg(1))];
    }
    let rules = match arg(0) {
        Value::Text(rules) if !rules.contains('$') => rules,
        unknown => return vec![selection(number, call, unknown, unknown)],
    };
    let rules = rules.split(';').map(str::trim).filter(|rule| !rule.is_empty());
    let rule = |rule: &str| {
        let (set, algorithm) = rule.split_once('=').unwrap_or((rule, ""));
        let [set, algorithm] = [set, algorithm].map(|text| Value::Text(text.trim().into()));
        selection(number, call, &set, &algorithm)
    };
    rules.map(rule).collect()
}

fn selection<'a>(number: usize, call: &'a Call, set: &Value, algorithm: &Value) -> Selection<'a> {
    let set = known(set, "set").and_then(|set| {
        u32::try_from(set).ok().filter(|set| *set <= i32::MAX as u32).ok_or(format!("{set} is no set"))
    });
    let algorithm = known(algorithm, "algorithm")
        .and_then(|number| u16::try_from(number).map_err(|_| format!("{number} is no algorithm")));
    Selection { call, number, set, algorithm }
}

fn known(value: &Value, what: &str) -> Result<i64, String> {
    let unknown = || match value {
        Value::Text(text) => format!("the {what} is {text:?}, which only a running Kamailio knows"),
        other => format!("the {what} is {other}, which only a running Kamailio knows"),
    };
    value.number().ok_or_else(unknown)
}
