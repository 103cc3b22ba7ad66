//! One dispatcher among several.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use callsteer::{BeginError, Call, Limits, Placed, SharedDispatcher, Time};
use redis::RedisResult;
use tokio::task::JoinHandle;

use crate::engine::Engine;
use crate::state::{COUNTS, State, Taken};

/// Shares what a dispatcher knows with the others, until it is dropped.
pub struct Replica {
    state: Arc<State>,
    tasks: [JoinHandle<()>; 2],
}

/// What became of a call that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has a destination here.
    Placed(Placed),
    /// Another replica has it: the record of it, as `docs/wire-replica.md` describes it.
    Elsewhere(String),
}

/// Why nothing is shared.
#[derive(Debug)]
pub enum JoinError {
    /// The dispatcher has no `Config::replicas`.
    NoReplica,
    /// The URL is none.
    Url(redis::RedisError),
}

impl Replica {
    /// Begins to share, on the runtime of tokio that it is called in. `clock` is the one that the dispatcher is
    /// told times of.
    ///
    /// # Errors
    /// A dispatcher that is not one of several; a URL that is none. An engine that is not there is no error.
    pub fn join(
        dispatcher: Arc<SharedDispatcher>,
        clock: impl Fn() -> Time + Send + Sync + 'static,
        url: &str,
        namespace: &str,
    ) -> Result<Self, JoinError> {
        let config = dispatcher.read(|dispatcher| dispatcher.config().clone());
        let own = config.replicas.ok_or(JoinError::NoReplica)?;
        let state = Arc::new(State {
            dispatcher,
            clock: Box::new(clock),
            engine: Engine::new(url, namespace).map_err(JoinError::Url)?,
            field: format!("{}@{}", own.id, own.epoch),
            id: own.id,
            epoch: own.epoch,
            leases: own.limits == Limits::Leases,
            lost_after: own.lost_after,
            stays: config.setup_timeout + config.max_duration,
            retry_after: config.retry_after,
            replicas: config.dispatchers,
            places: Mutex::default(),
            is_connected: AtomicBool::new(false),
            alone: Mutex::default(),
            counts: Default::default(),
        });
        let tasks = [tokio::spawn(state.clone().beats()), tokio::spawn(state.clone().listen())];
        Ok(Self { state, tasks })
    }

    /// Places a call, as `Dispatcher::begin`. With `Limits::Leases` the engine is asked for a place, and the call
    /// moves on while there is none; else nobody is waited for.
    ///
    /// # Errors
    /// As `Dispatcher::begin`.
    pub async fn begin(&self, call: &Call<'_>) -> Result<Begun, BeginError> {
        let state = &self.state;
        let known = state.dispatcher.read(|dispatcher| dispatcher.call_of(call.call_id));
        let mut placed = state.dispatcher.begin(call, (state.clock)())?;
        if known == Some(placed.lease) {
            return Ok(Begun::Placed(placed));
        }
        if !state.leases {
            let (record, state, call_id) =
                (state.record(&placed, call), state.clone(), call.call_id.to_vec());
            tokio::spawn(async move { state.claim(&call_id, &record).await });
            return Ok(Begun::Placed(placed));
        }
        loop {
            match state.take(&placed, call).await {
                Taken::Place => return Ok(Begun::Placed(placed)),
                Taken::Known(record) => {
                    state.dispatcher.end(placed.lease, (state.clock)());
                    return Ok(Begun::Elsewhere(record));
                }
                Taken::Nothing => {}
            }
            placed = match state.dispatcher.next(placed.lease, (state.clock)()) {
                Ok(moved) => moved,
                Err(_) => {
                    state.dispatcher.end(placed.lease, (state.clock)());
                    return Err(BeginError::Full { retry_after: state.retry_after });
                }
            };
        }
    }

    /// Ends a call that was begun here, and gives its place back; whether it was in progress.
    pub async fn end(&self, call_id: &[u8]) -> bool {
        let state = &self.state;
        let at = state.dispatcher.with(|dispatcher| {
            let lease = dispatcher.call_of(call_id)?;
            let at = dispatcher.destination_of(lease)?;
            // Before the call ends: its place would else be found to be spare as well.
            let returns = state.leases && state.returns(dispatcher, at);
            dispatcher.end(lease, (state.clock)());
            Some((state.name(dispatcher, at), returns))
        });
        let Some((name, returns)) = at else { return false };
        let mut connection = state.engine.connection();
        let mut release = state.engine.release.prepare_invoke();
        release.key(state.engine.call(call_id)).key(state.places_key(&name));
        release.arg(&state.field).arg(u8::from(returns));
        let done: RedisResult<()> = release.invoke_async(&mut connection).await;
        if returns {
            state.places().returning -= 1;
        }
        if done.is_err() {
            state.lose();
        }
        true
    }

    /// Whether the engine was reached by the last sign of life.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.is_connected.load(Ordering::Relaxed)
    }

    /// How it is connected, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let state = &self.state;
        let heard: Vec<_> = state.dispatcher.read(|dispatcher| dispatcher.replicas().collect());
        let lost = heard.iter().filter(|other| other.lost).count();
        let mut text = String::from(
            "# HELP callsteer_replica_engine_up Whether the engine is reached.\n\
             # TYPE callsteer_replica_engine_up gauge\n",
        );
        let _ = writeln!(text, "callsteer_replica_engine_up {}", u8::from(self.is_connected()));
        text.push_str("# HELP callsteer_replicas Other replicas, by whether they are heard.\n");
        text.push_str("# TYPE callsteer_replicas gauge\n");
        let _ = writeln!(text, "callsteer_replicas{{state=\"heard\"}} {}", heard.len() - lost);
        let _ = writeln!(text, "callsteer_replicas{{state=\"lost\"}} {lost}");
        for ((name, meaning), count) in COUNTS.iter().zip(&state.counts) {
            let metric = format!("callsteer_replica_{name}_total");
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(text, "# HELP {metric} {meaning}\n# TYPE {metric} counter\n{metric} {count}");
        }
        text
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("id", &self.state.id).finish_non_exhaustive()
    }
}

impl std::fmt::Display for JoinError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoReplica => f.write_str("replicas: must be there where anything is shared"),
            Self::Url(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JoinError {}
