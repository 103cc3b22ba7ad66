//! A log of decisions: lines that Kamailio's xlog writes, JSON lines, or a recording of vectors.
//!
//! ```text
//! ... callsteer op=select t=1700000000.250000 call=a84b4c76 set=1 alg=10 dst=sip:10.0.0.1:5060
//! {"op": "select", "t": 1700000000.25, "callid": "a84b4c76", "set": 1, "alg": 10, "dst": "sip:10.0.0.1:5060"}
//! ```
//!
//! What stands before `callsteer op=` does not count, nor do lines without it. A value ends at white
//! space: no Call-ID and no URI has any, whatever else it has.

use std::path::Path;
use std::time::Duration;

use callsteer::{Failure, Time};
use serde_json::{Map, Value};

use super::ShadowError;
use super::record::{Record, Recording, Seen, Selected};

/// A log, and what else a recording of vectors brings.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// What was seen.
    pub recording: Recording,
    /// The list of a recording.
    pub list: Option<String>,
    /// The module parameters of a recording.
    pub params: Map<String, Value>,
}

/// Reads a log.
///
/// # Errors
/// The file cannot be read, a line of it is no decision though it says so, or there is none at all.
pub fn read(path: &Path) -> Result<Log, ShadowError> {
    let name = path.display().to_string();
    let refuse = |place: String, message: String| ShadowError { place, message };
    let bytes = std::fs::read(path).map_err(|error| refuse(name.clone(), error.to_string()))?;
    // A Call-ID is bytes, not UTF-8: one character each, as in the vectors.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let mut reader = Reader::default();
    let mut log = Log::default();
    if let Ok(Value::Object(mut whole)) = serde_json::from_str(&text)
        && let Some(Value::Array(events)) = whole.remove("events")
    {
        for (index, event) in events.into_iter().enumerate() {
            let Value::Object(event) = event else { continue };
            reader
                .fields(event, index + 1)
                .map_err(|why| refuse(format!("{name}, event {}", index + 1), why))?;
        }
        log.list = whole.remove("list").and_then(|list| list.as_str().map(str::to_owned));
        log.params =
            whole.remove("modparams").and_then(|params| params.as_object().cloned()).unwrap_or_default();
    } else {
        for (index, line) in text.lines().enumerate() {
            reader.line(line, index + 1).map_err(|why| refuse(format!("{name}:{}", index + 1), why))?;
        }
    }
    if reader.records.is_empty() {
        return Err(refuse(
            name,
            "no decision: a line has \"callsteer op=select ...\", or is {\"op\": \"select\", ...}".into(),
        ));
    }
    log.recording = reader.finish();
    Ok(log)
}

#[derive(Default)]
struct Reader {
    records: Vec<Record>,
    last: Time,
    /// Records without a time.
    untimed: usize,
    unknown: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        if let Some(at) = line.find(MARK) {
            let fields = line[at + MARK.len() - "op=".len()..].split_whitespace();
            let mut map = Map::new();
            for field in fields {
                let (name, value) =
                    field.split_once('=').ok_or_else(|| format!("{field:?} is not name=value"))?;
                // xlog's word for a variable that has no value.
                if value != "<null>" && !value.is_empty() {
                    map.insert(name.into(), value.into());
                }
            }
            return self.fields(map, number);
        }
        let json = line.trim_start().starts_with('{');
        match serde_json::from_str(line) {
            Ok(Value::Object(map)) if map.contains_key("op") => self.fields(map, number),
            Err(error) if json && line.contains("\"op\"") => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    fn fields(&mut self, map: Map<String, Value>, number: usize) -> Result<(), String> {
        let fields = Fields(map);
        let what = match fields.need("op")?.as_str() {
            "select" | "INVITE" => Seen::Selected(Box::new(Selected {
                call_id: fields
                    .bytes(&["call", "callid"])
                    .unwrap_or_else(|| format!("line {number}").into_bytes()),
                set: fields.number("set")?,
                algorithm: fields.number("alg")?,
                destination: fields.uri(&["dst"]),
                from: fields.bytes(&["from", "frm"]).unwrap_or_default(),
                to: fields.bytes(&["to"]).unwrap_or_default(),
                request_uri: fields.bytes(&["ruri"]).unwrap_or_default(),
                username: fields.bytes(&["user"]),
                hash_pvar: fields.bytes(&["key"]),
            })),
            "next" => Seen::Next { call_id: fields.call()?, destination: fields.destination()? },
            "fail" => {
                let retry_after = fields.number("retry_after")?.map(Duration::from_secs);
                let failure = match fields.number::<u16>("code")? {
                    None | Some(408) => Failure::Timeout,
                    Some(code @ 300..=699) => Failure::Reply { code, retry_after },
                    Some(code) => return Err(format!("code {code} is no failure: 300 to 699")),
                };
                Seen::Failed { call_id: fields.call()?, failure }
            }
            "answer" => Seen::Answered { call_id: fields.call()? },
            "end" | "BYE" => Seen::Ended { call_id: fields.call()?, hung_up: true },
            "up" | "down" | "set_state" => {
                let named = fields.text("state");
                let state = named.unwrap_or_else(|| if fields.is("up") { "a".into() } else { "ip".into() });
                let Some(destination) = fields.uri(&["dst", "uri"]) else { return Ok(()) };
                Seen::State { set: fields.number("set")?, destination, state }
            }
            "mark" => {
                let state = fields.text("state").unwrap_or_else(|| "i".into());
                Seen::Marked { destination: fields.destination()?, state }
            }
            "probe" => {
                let code = fields.number::<u16>("code")?;
                let answered = code.is_some_and(|code| (200..300).contains(&code));
                Seen::Probed { destination: fields.destination()?, answered }
            }
            "reload" => Seen::Reloaded,
            op => {
                self.unknown.push(op.to_owned());
                return Ok(());
            }
        };
        let at = match fields.time()? {
            Some(at) => at,
            None => {
                self.untimed += 1;
                self.last + Duration::from_secs(1)
            }
        };
        self.last = self.last.max(at);
        self.records.push(Record { at, number, what });
        Ok(())
    }

    fn finish(mut self) -> Recording {
        let mut notes = Vec::new();
        if self.untimed > 0 {
            notes.push(format!(
                "{} lines have no time: each is taken for a second after the one before",
                self.untimed
            ));
        }
        self.unknown.sort_unstable();
        self.unknown.dedup();
        if !self.unknown.is_empty() {
            notes.push(format!("not read, as nothing here needs them: op {}", self.unknown.join(", ")));
        }
        self.records.sort_by_key(|record| record.at);
        Recording { records: self.records, notes }
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn need(&self, name: &str) -> Result<String, String> {
        self.text(name).ok_or_else(|| format!("{name} is missing"))
    }

    fn is(&self, op: &str) -> bool {
        self.0.get("op").is_some_and(|value| value == op)
    }

    /// The bytes of a text: a character up to 255 is one byte.
    fn bytes(&self, names: &[&str]) -> Option<Vec<u8>> {
        let text = names.iter().find_map(|name| self.text(name))?;
        let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect();
        Some(bytes.unwrap_or_else(|| text.into_bytes()))
    }

    fn uri(&self, names: &[&str]) -> Option<String> {
        self.bytes(names).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn destination(&self) -> Result<String, String> {
        self.uri(&["dst"]).ok_or_else(|| "dst is missing".into())
    }

    fn call(&self) -> Result<Vec<u8>, String> {
        self.bytes(&["call", "callid"]).ok_or_else(|| "call is missing".into())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{name}={text} is not a number that it can be"))
    }

    /// `t`, in seconds since any moment.
    fn time(&self) -> Result<Option<Time>, String> {
        let seconds: Option<f64> = self.number("t")?;
        match seconds {
            Some(seconds) if !(0.0..MOST_SECONDS).contains(&seconds) => {
                Err(format!("t={seconds} is no time in seconds"))
            }
            seconds => Ok(seconds.map(|seconds| Time::from_micros((seconds * 1e6).round() as u64))),
        }
    }
}

const MARK: &str = "callsteer op=";
/// Ten thousand years.
const MOST_SECONDS: f64 = 3.2e11;
