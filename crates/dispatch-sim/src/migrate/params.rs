//! Module parameters: what each is here.

use std::time::Duration;

use callsteer::{Config, ProbingMode, ReplyCodes};

use super::{Fate, Migration, Options};
use crate::script::names::{self, Here, Kind};
use crate::script::{Param, Script, Value};

pub(super) fn carry(script: &Script, list: &str, options: Options, migration: &mut Migration) {
    for param in &script.params {
        if param.is_of("tm") && param.name == "fr_timer" {
            carry_number(param, "probing.timeout", migration, |config, milliseconds| {
                config.probing.timeout = Duration::from_millis(milliseconds);
            });
        } else if param.is_of("dispatcher") && param.name == "list_file" {
            let what = format!("list_file = {}: the list was read from {list}", param.value);
            migration.say(&param.place, Fate::Carried, what);
        } else if param.is_of("dispatcher") {
            carry_one(param, options, migration);
        }
    }
    defaults(script, migration);
}

fn carry_one(param: &Param, options: Options, migration: &mut Migration) {
    let Param { place, name, value, .. } = param;
    let Some(known) = names::parameter(name) else {
        return migration.say(
            place,
            Fate::Lost,
            format!("{name} = {value}: Kamailio 5.6 has no such parameter"),
        );
    };
    if let Value::Unknown(_) = value {
        return migration.say(place, Fate::Lost, format!("{name} = {value}: nobody knows its value here"));
    }
    if known.kind == Kind::Number && value.number().is_none() {
        return migration.say(place, Fate::Lost, format!("{name} = {value}: not a number"));
    }
    let here = match known.here {
        Here::Needless(why) => {
            return migration.say(place, Fate::Needless, format!("{name} = {value}: {why}"));
        }
        Here::Outside(how) => return migration.say(place, Fate::Outside, format!("{name} = {value}: {how}")),
        Here::Carried(here) => here,
    };
    let seconds = |number: u64| Duration::from_secs(number);
    match &**name {
        "flags" => flags(param, migration),
        "use_default" if value.number() == Some(0) => migration.say(place, Fate::Needless, "use_default = 0"),
        "use_default" if options.as_kamailio => {
            migration.say(
                place,
                Fate::Carried,
                format!("use_default = {value}: use_default of the algorithm"),
            );
        }
        "use_default" => {
            let what = "use_default = 1: move the spare destination to a set of its own, the last route of the policy";
            migration.say(place, Fate::Lost, what);
        }
        "ds_ping_interval" if value.number() == Some(0) => {
            migration.config.probing.mode = ProbingMode::Off;
            migration.say(place, Fate::Carried, "ds_ping_interval = 0: probing.mode = off");
        }
        "ds_ping_interval" => carry_number(param, "probing.interval", migration, |config, number| {
            config.probing.interval = seconds(number);
        }),
        "ds_probing_threshold" => carry_number(param, here, migration, |config, number| {
            config.health.probing_threshold = number.try_into().unwrap_or(u32::MAX);
        }),
        "ds_inactive_threshold" => carry_number(param, here, migration, |config, number| {
            config.health.inactive_threshold = number.try_into().unwrap_or(u32::MAX);
        }),
        "ds_hash_expire" => carry_number(param, here, migration, |config, number| {
            config.max_duration = seconds(number);
        }),
        "ds_hash_initexpire" => carry_number(param, here, migration, |config, number| {
            config.setup_timeout = seconds(number);
        }),
        "ds_probing_mode" => probing_mode(param, migration),
        "ds_ping_reply_codes" => reply_codes(param, migration),
        _ => migration.say(place, Fate::Carried, format!("{name} = {value}: {here}")),
    }
}

/// Carries a number over, if the configuration takes it.
fn carry_number(param: &Param, field: &str, migration: &mut Migration, set: impl Fn(&mut Config, u64)) {
    let Param { place, name, value, .. } = param;
    let mut config = migration.config.clone();
    let number = value.number().and_then(|number| u64::try_from(number).ok());
    if let Some(number) = number {
        set(&mut config, number);
    }
    match (number, config.check()) {
        (None, _) => {
            migration.say(place, Fate::Lost, format!("{name} = {value}: not a number of at least 0"))
        }
        (_, Err(error)) => migration.say(place, Fate::Lost, format!("{name} = {value}: {error}")),
        (Some(_), Ok(())) => {
            migration.config = config;
            migration.say(place, Fate::Carried, format!("{name} = {value}: {field}"));
        }
    }
}

fn flags(param: &Param, migration: &mut Migration) {
    let bits = param.value.number().unwrap_or(0);
    if bits & 2 != 0 {
        migration.say(&param.place, Fate::Needless, format!("flags = {bits}, 2: `next` always fails over"));
    }
    if bits & 1 != 0 {
        let what = format!("flags = {bits}, 1: give the user of the URI as the call's key, without the host");
        migration.say(&param.place, Fate::Outside, what);
    }
    if bits & !3 != 0 {
        migration.say(&param.place, Fate::Lost, format!("flags = {bits}: only 1 and 2 mean something"));
    }
}

fn probing_mode(param: &Param, migration: &mut Migration) {
    let (mode, name) = match param.value.number() {
        Some(0) => (ProbingMode::Suspects, "suspects"),
        Some(1) => (ProbingMode::All, "all"),
        Some(2) => (ProbingMode::Inactive, "inactive"),
        Some(3) => (ProbingMode::Flagged, "flagged"),
        _ => {
            let what = format!("ds_probing_mode = {}: a mode is 0 to 3", param.value);
            return migration.say(&param.place, Fate::Lost, what);
        }
    };
    // Without an interval nobody is probed, whatever the mode is.
    if migration.config.probing.mode != ProbingMode::Off {
        migration.config.probing.mode = mode;
    }
    migration.say(
        &param.place,
        Fate::Carried,
        format!("ds_probing_mode = {}: probing.mode = {name}", param.value),
    );
}

/// `class=2;code=403`; 2xx is always accepted.
fn reply_codes(param: &Param, migration: &mut Migration) {
    let text = param.value.text().unwrap_or_default();
    let mut accepted = ReplyCodes { classes: vec![2], codes: Vec::new() };
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, number) = part.split_once('=').unwrap_or((part, ""));
        match (name.trim(), number.trim().parse::<u16>()) {
            // 2 and 200 are the same class.
            ("class", Ok(class)) if (1..=6).contains(&class) || (100..700).contains(&class) => {
                let class = if class < 10 { class } else { class / 100 } as u8;
                if !accepted.classes.contains(&class) {
                    accepted.classes.push(class);
                }
            }
            ("code", Ok(code)) if (100..700).contains(&code) => accepted.codes.push(code),
            _ => {
                let what = format!("ds_ping_reply_codes: {part:?} is neither class=N nor code=N");
                migration.say(&param.place, Fate::Lost, what);
            }
        }
    }
    migration.config.probing.accepted = accepted;
    migration.say(&param.place, Fate::Carried, format!("ds_ping_reply_codes = {text:?}: probing.accepted"));
}

/// What Kamailio does where nothing is said, and Callsteer does otherwise.
fn defaults(script: &Script, migration: &mut Migration) {
    let Some(last) = script.params.iter().rev().find(|param| param.is_of("dispatcher")) else { return };
    let file = last.place.file.clone();
    let config = migration.config.clone();
    let unset = |name: &str| script.param("dispatcher", name).is_none();
    let mut say = |name: &str, there: &str, here: String| {
        if unset(name) {
            migration.say(
                &file,
                Fate::Differs,
                format!("{name} is not set: {there} in Kamailio, {here} here"),
            );
        }
    };
    say(
        "ds_ping_interval",
        "nobody is probed",
        format!(
            "probing.interval {} s (nobody is probed unless `poll_probe` is called)",
            config.probing.interval.as_secs()
        ),
    );
    if script.number("ds_ping_interval").unwrap_or(0) > 0 {
        say("ds_probing_mode", "those that are marked are probed", "all".into());
        say("ds_probing_threshold", "1", config.health.probing_threshold.to_string());
        say("ds_inactive_threshold", "1", config.health.inactive_threshold.to_string());
        if script.param("tm", "fr_timer").is_none() {
            let here = config.probing.timeout.as_secs();
            migration.say(
                &file,
                Fate::Differs,
                format!("fr_timer of tm is not set: a probe waits 30 s in Kamailio, {here} s here"),
            );
        }
    }
}
