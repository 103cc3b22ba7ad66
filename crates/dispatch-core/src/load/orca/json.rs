//! The JSON form of the ORCA message, as protobuf maps messages to JSON.

use alloc::string::String;

use serde_json::Value;

use super::{NO_NUMBER, Orca};
use crate::error::ReadError;
use crate::load::json;

/// Reads an object of numbers and of objects of numbers, which begins after `start` bytes.
pub(super) fn read(text: &str, start: usize) -> Result<Orca, ReadError> {
    let mut orca = Orca::default();
    for (key, value) in json::object(text, start)? {
        let name = snake_case(&key);
        match &value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    insert(&mut orca, &(name.clone() + "." + key), value)?;
                }
            }
            _ => insert(&mut orca, &name, &value)?,
        }
    }
    Ok(orca)
}

fn insert(orca: &mut Orca, name: &str, value: &Value) -> Result<(), ReadError> {
    let number = json::number(value).ok_or_else(|| ReadError::field(name, NO_NUMBER))?;
    orca.insert(name, number)
}

/// `cpuUtilization`, as protobuf writes the names of fields in JSON, is `cpu_utilization`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn the_json_form_is_read_with_names_in_either_spelling() {
        let check = |text: &str, expected: &[(&str, f64)]| {
            let orca = Orca::parse(&format!("JSON {text}")).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(orca.iter().collect::<Vec<_>>(), expected, "{text}");
        };
        check("{}", &[]);
        check(r#"{"cpu_utilization": 0.3, "eps": 2}"#, &[("cpu_utilization", 0.3), ("eps", 2.0)]);
        check(r#"{"cpuUtilization": 0.3, "rps": "12"}"#, &[("cpu_utilization", 0.3), ("rps", 12.0)]);
        check(r#"{"namedMetrics": {"gpuLoad": -1}}"#, &[("named_metrics.gpuLoad", -1.0)]);
        check(r#"{"utilization": {"gpu": 0.5}, "eps": null}"#, &[("utilization.gpu", 0.5)]);
    }

    #[test]
    fn what_is_not_the_json_form_is_refused_with_its_place() {
        let check = |text: &str, expected: &str| {
            let error = Orca::parse(&format!("JSON {text}")).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        };
        check("", "column 4: EOF");
        check("[1]", "column 5: invalid type: sequence");
        check("{\"eps\": 0.1", "column 16: EOF");
        check("{\"eps\":\n oops}", "line 2, column 2: expected value");
        check(r#"{"eps": "much"}"#, "eps: is not a finite number");
        check(r#"{"eps": "NaN"}"#, "eps: is not a finite number");
        check(r#"{"eps": [1]}"#, "eps: is not a finite number");
        check(r#"{"named_metrics": {"gpu": true}}"#, "named_metrics.gpu: is not a finite number");
        check(r#"{"named_metrics": {"": 1}}"#, "named_metrics.: has no name");
        check(r#"{"cpuUtilization": 0.3, "cpu_utilization": 0.3}"#, "cpu_utilization: is there twice");
        check(r#"{"cpu_utilization": -0.3}"#, "cpu_utilization: is negative");
    }

    proptest! {
        #[test]
        fn any_object_is_read_or_refused(text in r#"\{("[a-zA-Z_]{0,3}": ?(-?[0-9.e]{1,4}|"[0-9.]*"|\{"a": 1\}|null|true),?){0,4}\}"#) {
            let _: Result<_, ReadError> = read(&text, 0);
        }
    }
}
