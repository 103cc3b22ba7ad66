//! Asks what a recording asks, and writes down what is answered.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::process::{Kamailio, Program};
use super::recording::{Event, Recording, Select, States};
use super::sip::{Reply, Request};

/// Fills in every answer, by a Kamailio started for it.
pub(super) fn record(recording: &mut Recording, program: &Program) -> anyhow::Result<()> {
    for key in recording.more.keys() {
        ensure!(REPEATED.contains(&key.as_str()), "{}: cannot record anew what has {key:?}", recording.name);
    }
    recording.oracle = program.version()?;
    recording.flavour = if program.is_5()? { "deb" } else { "head" }.to_owned();
    recording.children = 1;
    let mut recorder = Recorder {
        kamailio: Kamailio::start(program, &recording.list, &recording.modparams)?,
        alg: 0,
        sequence: Vec::new(),
        began: None,
    };
    recording.order = recorder.uris(1)?;
    for (number, event) in recording.events.iter_mut().enumerate() {
        recorder.event(event).with_context(|| format!("{}: event {number}: {event:?}", recording.name))?;
    }
    Ok(())
}

struct Recorder {
    kamailio: Kamailio,
    /// The algorithm of the last window, and the first 100 of the last sequence.
    alg: u16,
    sequence: Vec<String>,
    /// When the first call began.
    began: Option<Instant>,
}

impl Recorder {
    fn event(&mut self, event: &mut Event) -> anyhow::Result<()> {
        match event {
            Event::Select(select) => self.select("OPTIONS", select),
            Event::Invite(select) => self.select("INVITE", select),
            Event::Bye(call) => self.end("BYE", &call.callid),
            Event::Cancel(call) => self.end("CANCEL", &call.callid),
            Event::Loads { t, loads } => {
                let began = self.began.unwrap_or_else(Instant::now);
                let due = began + Duration::from_secs_f64(t.unwrap_or(0.0));
                thread::sleep(due.saturating_duration_since(Instant::now()));
                *loads = self.loads()?;
                Ok(())
            }
            Event::SetState { set, uri, state, states, flags, probing_count, reply } => {
                let (of, uri) = (set.unwrap_or(1), uri.clone().map_or_else(|| self.first(), Ok)?);
                let answer = self.kamailio.rpc("dispatcher.set_state", json!([state, of, uri]))?;
                *reply = answer.get("error").map(|error| json!({ "error": error }));
                if flags.is_some() {
                    (*flags, *probing_count) = self.flags()?;
                } else if reply.is_none() {
                    *states = Some(self.states(of)?);
                }
                Ok(())
            }
            Event::Reload { list, states } => {
                self.kamailio.reload(list.as_deref())?;
                *states = Some(self.states(1)?);
                Ok(())
            }
            Event::Add { set, uri, flags, priority, attrs, states } => {
                self.command("dispatcher.add", json!([*set, uri, *flags, *priority, attrs]))?;
                *states = self.states(*set)?;
                Ok(())
            }
            Event::Remove { set, uri, states } => {
                self.command("dispatcher.remove", json!([*set, uri]))?;
                *states = self.states(*set)?;
                Ok(())
            }
            Event::Window { alg, counts, failover } => {
                self.alg = *alg;
                (*counts, *failover) = (BTreeMap::new(), BTreeMap::new());
                for _ in 0..100 {
                    let Some((to, list)) = self.one()? else { continue };
                    *counts.entry(to.clone()).or_default() += 1;
                    let before = failover.entry(to).or_insert_with(|| list.clone());
                    ensure!(*before == list, "one destination, two orders of failover: {before:?}, {list:?}");
                }
                failover.retain(|_, list| !list.is_empty());
                Ok(())
            }
            Event::Sequence { n, periodic_100, first100 } => {
                let all = self.many(*n)?;
                *periodic_100 = all.iter().zip(all.iter().skip(100)).all(|(one, later)| one == later);
                self.sequence = all.into_iter().take(100).collect();
                first100.clone_from(&self.sequence);
                Ok(())
            }
            Event::SequenceAfterReload { equal } => {
                *equal = self.many(100)? == self.sequence;
                Ok(())
            }
            Event::Mark { alg, state, selected, states, flags, probing_count } => {
                let reply = self.marked(alg.unwrap_or(8), std::slice::from_ref(state))?;
                *selected = reply.all("X-Destination").next().cloned();
                if flags.is_some() {
                    (*flags, *probing_count) = self.flags()?;
                } else {
                    *states = Some(self.states(1)?);
                }
                Ok(())
            }
            Event::Marks { seq, flags, probing_count } => {
                self.kamailio.reload(None)?;
                self.marked(8, seq)?;
                let (now, count) = self.flags()?;
                (*flags, *probing_count) = (now.unwrap_or_default(), count);
                Ok(())
            }
            Event::Overload { set, uri, rate, ms, sequence, accepted } => {
                let headers = format!(
                    "X-Set: {set}\r\nX-Uri: {uri}\r\nX-Rate: {rate}\r\nX-Span: {ms}\r\nX-Sequence: {sequence}\r\n"
                );
                let request = Request { method: "NOTIFY", headers: &headers, ..Request::default() };
                *accepted = match self.kamailio.ask(&request)?.code {
                    200 => true,
                    480 => false,
                    code => bail!("ds_oc_set_attrs: {code}"),
                };
                Ok(())
            }
        }
    }

    fn select(&mut self, method: &str, select: &mut Select) -> anyhow::Result<()> {
        self.began.get_or_insert_with(Instant::now);
        let mut headers = format!("X-Set: {}\r\nX-Alg: {}\r\n", select.set, select.alg);
        if let Some(name) = &select.username {
            let rest = r#"realm="r", nonce="n", uri="sip:r", response="00000000000000000000000000000000""#;
            headers += &format!("Authorization: Digest username=\"{name}\", {rest}\r\n");
        }
        if let Some(key) = &select.key {
            headers += &format!("X-Key: {key}\r\n");
        }
        if !select.next.is_empty() {
            headers += &format!("X-Next: {}\r\n", select.next.len());
        }
        let other = Request::default();
        let reply = self.kamailio.ask(&Request {
            method,
            call_id: select.callid.as_deref().unwrap_or(other.call_id),
            from: select.frm.as_deref().unwrap_or(other.from),
            to: select.to.as_deref().unwrap_or(other.to),
            uri: select.ruri.as_deref().unwrap_or(other.uri),
            headers: &headers,
            body: "",
        })?;
        ensure!(matches!(reply.code, 200 | 480), "answered {}", reply.code);
        select.code = reply.code;
        select.dst = reply.all("X-Destination").next().cloned();
        select.failover = reply.list("X-Failover");
        select.branches = (select.alg == PARALLEL && reply.code == 200).then(|| reply.list("X-Branch"));
        let next = reply.all("X-Next").map(|uri| (uri != "nobody").then(|| uri.clone()));
        select.next = next.collect();
        Ok(())
    }

    fn end(&mut self, method: &str, call_id: &str) -> anyhow::Result<()> {
        self.kamailio.ask(&Request { method, call_id, ..Request::default() })?;
        Ok(())
    }

    /// Where so many calls go by the algorithm of the last window.
    fn many(&mut self, calls: usize) -> anyhow::Result<Vec<String>> {
        (0..calls).map(|_| Ok(self.one()?.context("nobody selected")?.0)).collect()
    }

    fn one(&mut self) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let mut select = Select { alg: self.alg, set: 1, ..Select::default() };
        self.select("OPTIONS", &mut select)?;
        Ok(select.dst.map(|to| (to, select.failover)))
    }

    /// A selection that is marked, by one state after the other.
    fn marked(&mut self, alg: u16, marks: &[String]) -> anyhow::Result<Reply> {
        let marks: String = marks.iter().map(|mark| format!("X-Mark: {mark}\r\n")).collect();
        let headers = format!("X-Set: 1\r\nX-Alg: {alg}\r\n{marks}");
        let reply = self.kamailio.ask(&Request { headers: &headers, ..Request::default() })?;
        ensure!(matches!(reply.code, 200 | 480), "answered {}", reply.code);
        Ok(reply)
    }

    fn command(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let mut answer = self.kamailio.rpc(method, params)?;
        ensure!(answer.get("error").is_none(), "{method}: {answer}");
        Ok(answer["result"].take())
    }

    /// The destinations of a set in index order, as `dispatcher.list` has them.
    fn targets(&mut self, set: u32) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.kamailio.rpc("dispatcher.list", json!(["full"]))?;
        if answer.get("error").is_some() {
            return Ok(Vec::new());
        }
        let sets = answer["result"]["RECORDS"].as_array_mut().context("dispatcher.list without RECORDS")?;
        let found = sets.iter_mut().find(|of| of["SET"]["ID"] == set);
        let Some(Value::Array(targets)) = found.map(|found| found["SET"]["TARGETS"].take()) else {
            return Ok(Vec::new());
        };
        Ok(targets.into_iter().map(|mut target| target["DEST"].take()).collect())
    }

    fn uris(&mut self, set: u32) -> anyhow::Result<Vec<String>> {
        self.targets(set)?.iter().map(|target| text(target, "URI")).collect()
    }

    fn first(&mut self) -> anyhow::Result<String> {
        self.uris(1)?.into_iter().next().context("set 1 has no destination")
    }

    fn states(&mut self, set: u32) -> anyhow::Result<States> {
        let state = |target: &Value| Ok((text(target, "URI")?, text(target, "FLAGS")?));
        self.targets(set)?.iter().map(state).collect()
    }

    /// The state of the first destination, and its count where that is shown.
    fn flags(&mut self) -> anyhow::Result<(Option<String>, Option<u32>)> {
        let targets = self.targets(1)?;
        let first = targets.first().context("set 1 has no destination")?;
        let count = first["ATTRS"]["PROBING_COUNT"].as_u64().and_then(|count| u32::try_from(count).ok());
        Ok((Some(text(first, "FLAGS")?), count))
    }

    fn loads(&mut self) -> anyhow::Result<BTreeMap<String, u32>> {
        let load = |target: &Value| {
            let load = target["RUNTIME"]["DLGLOAD"].as_u64().context("no load in dispatcher.list")?;
            Ok((text(target, "URI")?, u32::try_from(load)?))
        };
        self.targets(1)?.iter().map(load).collect()
    }
}

fn text(target: &Value, key: &str) -> anyhow::Result<String> {
    let text = target[key].as_str().with_context(|| format!("no {key} in dispatcher.list: {target}"))?;
    Ok(text.to_owned())
}

/// The algorithm that calls everybody at once.
const PARALLEL: u16 = 12;
/// What older recordings say twice.
const REPEATED: [&str; 3] = ["maxload", "weights", "rweights"];
