//! A dispatcher that can write down what it is asked and what it decides.

use std::collections::HashMap;
use std::io::{self, Write};
use std::iter::from_fn;

use callsteer::{
    AddError, BeginError, Call, Config, ConfigError, Destination, DestinationId, Dispatcher, FailError,
    Failure, Lease, NextError, NoSuchCall, Placed, ProbeError, ProbeResult, SetId, Time,
};
use serde_json::{Value, json};

use crate::steps::answers::event_object;
use crate::steps::format::{name, seconds};

/// A dispatcher, and a log of what it decides, if there is to be one.
///
/// Commands go to the dispatcher as they are, and are written down when they are done: a log changes
/// no decision.
pub(crate) struct Logged<'a> {
    dispatcher: Dispatcher,
    log: Option<Log<'a>>,
}

impl<'a> Logged<'a> {
    pub(crate) fn new(config: Config, to: Option<&'a mut dyn Write>) -> Result<Self, ConfigError> {
        let mut log = to.map(Log::new);
        if let Some(log) = &mut log {
            log.write(&json!({ "config": config }));
        }
        Ok(Self { dispatcher: Dispatcher::new(config)?, log })
    }

    pub(crate) fn add(
        &mut self,
        set: SetId,
        destination: Destination,
        now: Time,
    ) -> Result<DestinationId, AddError> {
        let described = self.log.as_ref().map(|_| destination.clone());
        let added = self.dispatcher.add(set, destination, now);
        if let (Some(log), Some(described), Ok(id)) = (&mut self.log, described, &added) {
            log.names.insert(*id, name(set, &described.id));
            log.step(now, "add", json!({ "set": set, "destination": described }));
        }
        added
    }

    pub(crate) fn begin(&mut self, call: &Call<'_>, now: Time) -> Result<Placed, BeginError> {
        let given = self.dispatcher.begin(call, now);
        if let Some(log) = &mut self.log {
            let call_id = String::from_utf8_lossy(call.call_id).into_owned();
            let mut step = json!({ "call": call_id, "cost": call.cost });
            match &given {
                Ok(placed) => {
                    step["gives"] = log.to(*placed);
                    log.calls.insert(placed.lease, call_id);
                }
                Err(error) => {
                    step["error"] = json!(error.code());
                    step["answer"] = json!(error.answer());
                }
            }
            log.step(now, "begin", step);
        }
        given
    }

    pub(crate) fn next(&mut self, lease: Lease, now: Time) -> Result<Placed, NextError> {
        let given = self.dispatcher.next(lease, now);
        if let Some(log) = &mut self.log {
            let step = match &given {
                Ok(placed) => json!({ "call": log.call(lease), "gives": log.to(*placed) }),
                Err(error) => json!({ "call": log.call(lease), "error": error.code() }),
            };
            log.step(now, "next", step);
        }
        given
    }

    pub(crate) fn confirm(&mut self, lease: Lease, now: Time) -> Result<(), NoSuchCall> {
        let given = self.dispatcher.confirm(lease, now);
        if let (Some(log), Ok(())) = (&mut self.log, &given) {
            let step = json!({ "call": log.call(lease) });
            log.step(now, "confirm", step);
        }
        given
    }

    pub(crate) fn fail(&mut self, lease: Lease, failure: Failure, now: Time) -> Result<(), FailError> {
        let blame = self.dispatcher.fail(lease, failure, now)?;
        if let Some(log) = &mut self.log {
            let mut step = json!({ "call": log.call(lease), "gives": blame });
            match failure {
                Failure::Reply { code, retry_after } => {
                    step["reply"] = json!(code);
                    if let Some(span) = retry_after {
                        step["retry_after"] = json!(span.as_secs_f64());
                    }
                }
                Failure::Timeout => step["reply"] = json!("timeout"),
                Failure::Unreachable => step["reply"] = json!("unreachable"),
            }
            log.step(now, "fail", step);
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, lease: Lease, now: Time) -> bool {
        let ended = self.dispatcher.end(lease, now);
        if let Some(log) = &mut self.log {
            let step = json!({ "call": log.call(lease), "gives": ended });
            log.step(now, "end", step);
            log.calls.remove(&lease);
        }
        ended
    }

    /// A bridge's answer to a probe: a SIP status.
    pub(crate) fn probe_result(&mut self, id: DestinationId, code: u16, now: Time) -> Result<(), ProbeError> {
        self.dispatcher.probe_result(id, ProbeResult::reply(code), now)?;
        if let Some(log) = &mut self.log {
            let step = json!({ "who": log.names.get(&id), "reply": code });
            log.step(now, "probe_result", step);
        }
        Ok(())
    }

    /// Whom to probe, all of them.
    pub(crate) fn poll_probes(&mut self, now: Time) -> Vec<DestinationId> {
        let due: Vec<_> =
            from_fn(|| self.dispatcher.poll_probe(now)).map(|probe| probe.destination).collect();
        if let Some(log) = &mut self.log {
            let mut names: Vec<_> = due.iter().map(|id| log.names.get(id)).collect();
            names.sort_unstable();
            let step = json!({ "gives": names });
            log.step(now, "poll_probes", step);
        }
        due
    }

    /// Lets go what happened.
    pub(crate) fn poll_events(&mut self, now: Time) {
        while let Some(event) = self.dispatcher.poll_event(now) {
            if let Some(log) = &mut self.log {
                let object = event_object(event, &log.calls, |id| json!(log.names.get(&id)));
                log.events.push(object);
            }
        }
        if let Some(log) = &mut self.log {
            let step = json!({ "gives": std::mem::take(&mut log.events) });
            log.step(now, "poll_events", step);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.dispatcher.next_deadline()
    }

    #[cfg(test)]
    pub(crate) fn stats(&self) -> callsteer::Stats {
        self.dispatcher.stats()
    }

    /// What became of writing the log.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.log {
            Some(log) => log.failed.map_or(Ok(()), Err).and_then(|()| log.to.flush()),
            None => Ok(()),
        }
    }
}

/// Where steps are written, and by which names.
struct Log<'a> {
    to: &'a mut dyn Write,
    names: HashMap<DestinationId, String>,
    calls: HashMap<Lease, String>,
    /// Events that no step says yet.
    events: Vec<Value>,
    /// Why nothing more is written.
    failed: Option<io::Error>,
}

impl<'a> Log<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        Self { to, names: HashMap::new(), calls: HashMap::new(), events: Vec::new(), failed: None }
    }

    fn to(&self, placed: Placed) -> Value {
        let name = json!(self.names.get(&placed.destination));
        if placed.panic { json!({ "to": name, "panic": true }) } else { name }
    }

    fn call(&self, lease: Lease) -> Value {
        json!(self.calls.get(&lease))
    }

    fn step(&mut self, now: Time, command: &str, mut step: Value) {
        step["at"] = json!(seconds(now));
        step["do"] = json!(command);
        self.write(&step);
    }

    fn write(&mut self, line: &Value) {
        if self.failed.is_none() {
            self.failed = writeln!(self.to, "{line}").err();
        }
    }
}
