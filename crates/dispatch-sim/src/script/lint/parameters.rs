//! Names and types: what keeps Kamailio from starting.

use super::{Lints, PARAMETER_TYPE, UNKNOWN_FUNCTION, UNKNOWN_PARAMETER};
use crate::script::names::{self, FUNCTIONS, Kind, PARAMETERS};
use crate::script::{Script, Value};

pub(super) fn lint(script: &Script, lints: &mut Lints) {
    for param in script.params.iter().filter(|param| param.is_of("dispatcher")) {
        let name = &*param.name;
        let Some(known) = names::parameter(name) else {
            let message = format!("Kamailio 5.6 has no parameter {name:?}, and does not start");
            lints.add(&param.place, UNKNOWN_PARAMETER, message, instead(name));
            continue;
        };
        let (fits, wanted) = match (known.kind, &param.value) {
            (Kind::Number, Value::Text(text)) => (false, format!("without quotes: {text}")),
            (Kind::Text, Value::Number(number)) => (false, format!("a string: \"{number}\"")),
            _ => (true, String::new()),
        };
        if !fits {
            let message = format!("{name} is set to {}, and Kamailio does not start", param.value);
            lints.add(&param.place, PARAMETER_TYPE, message, format!("write it {wanted}"));
        }
    }
    for call in script.calls.iter().filter(|call| call.name.starts_with("ds_")) {
        if names::function(&call.name).is_none() {
            let message = format!("Kamailio 5.6 has no function {}, and does not start", call.name);
            let fix = close(&call.name, FUNCTIONS.iter().map(|known| known.name));
            lints.add(&call.place, UNKNOWN_FUNCTION, message, fix);
        }
    }
}

fn instead(name: &str) -> String {
    match name {
        "dst_avp" | "grp_avp" | "cnt_avp" | "dstid_avp" | "attrs_avp" | "sock_avp" => {
            "Kamailio 5 keeps all of these in one XAVP: xavp_dst".into()
        }
        _ => close(name, PARAMETERS.iter().map(|known| known.name)),
    }
}

fn close(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let closest = known
        .max_by(|one, other| strsim::jaro_winkler(name, one).total_cmp(&strsim::jaro_winkler(name, other)));
    format!("did you mean {}?", closest.unwrap_or_default())
}
