//! What a replica does by itself: signs of life, deltas, and places of the engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use callsteer::replica::Delta;
use callsteer::{Call, DestinationId, Dispatcher, Placed, SharedDispatcher, Time};
use futures_util::StreamExt;
use redis::RedisResult;
use serde_json::json;

use crate::engine::{Engine, LONGEST_WAIT};
use crate::places::{Name, Places};

/// What the two tasks and the calls of a replica share.
pub(crate) struct State {
    pub(crate) dispatcher: Arc<SharedDispatcher>,
    pub(crate) clock: Box<dyn Fn() -> Time + Send + Sync>,
    pub(crate) engine: Engine,
    pub(crate) id: String,
    pub(crate) field: String,
    pub(crate) epoch: u64,
    pub(crate) leases: bool,
    pub(crate) lost_after: Duration,
    pub(crate) stays: Duration,
    pub(crate) retry_after: Duration,
    /// How many replicas there are at most.
    pub(crate) replicas: u32,
    pub(crate) places: Mutex<Places>,
    pub(crate) is_connected: AtomicBool,
    /// When the engine was lost.
    pub(crate) alone: Mutex<Option<Instant>>,
    pub(crate) counts: [AtomicU64; COUNTS.len()],
}

/// What the engine made of a call.
pub(crate) enum Taken {
    Place,
    Nothing,
    Known(String),
}

impl State {
    /// Signs of life, with what there is to say.
    pub(crate) async fn beats(self: Arc<Self>) {
        let (mut number, mut failures) = (0u32, 0u32);
        loop {
            match self.beat(number.is_multiple_of(FULL_EVERY)).await {
                Ok(()) => (number, failures) = (number.wrapping_add(1), 0),
                // The next one has everything: who knows what came through.
                Err(_) => {
                    (number, failures) = (0, failures + 1);
                    self.lose();
                }
            }
            tokio::time::sleep((INTERVAL * 2u32.pow(failures.min(10))).min(LONGEST_WAIT)).await;
        }
    }

    async fn beat(&self, full: bool) -> RedisResult<()> {
        let now = (self.clock)();
        let delta = self.dispatcher.with(|dispatcher| dispatcher.delta(full, now));
        let Some(delta) = delta.map(|delta| delta.to_json()) else { return Ok(()) };
        let engine = &self.engine;
        let mut beat = engine.beat.prepare_invoke();
        beat.key(engine.key("opened")).key(engine.key("seen")).key(engine.key(&format!("alive:{}", self.id)));
        beat.key(engine.key(&format!("missed:{}", self.field))).arg(&self.field).arg(self.epoch);
        beat.arg(self.lost_after.as_millis() as u64).arg(engine.key("deltas")).arg(delta);
        let (opened, _): (String, Vec<Vec<u8>>) = beat.invoke_async(&mut engine.connection()).await?;
        self.count("deltas_sent");
        self.is_connected.store(true, Ordering::Relaxed);
        *lock(&self.alone) = None;
        if self.leases { self.settle(opened).await } else { Ok(()) }
    }

    /// Gives back what is held and not used; says all that is held to an engine that forgot it.
    async fn settle(&self, opened: String) -> RedisResult<()> {
        let held = {
            let mut places = self.places();
            places.full.clear();
            let knows = places.opened.as_ref() == Some(&opened);
            if !knows {
                places.opened = None;
                if !places.is_settled() {
                    // Who asks from now on goes alone, so that it soon is.
                    return Ok(());
                }
            }
            (!knows).then(|| places.held.clone())
        };
        let mut pipeline = redis::pipe();
        for (name, held) in held.iter().flatten() {
            pipeline.atomic().hset(self.places_key(name), &self.field, held).ignore();
        }
        if held.is_some() {
            pipeline.atomic().sadd(self.engine.key("told"), &self.id).ignore();
            let () = pipeline.query_async(&mut self.engine.connection()).await?;
            self.places().opened = Some(opened);
        }
        let spares = self.dispatcher.with(|dispatcher| self.places().give_back(dispatcher));
        if spares.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (name, spare) in &spares {
            pipeline.atomic().hincr(self.places_key(name), &self.field, -spare).ignore();
        }
        pipeline.query_async(&mut self.engine.connection()).await
    }

    /// Takes what others say, for as long as there is an engine, and again.
    pub(crate) async fn listen(self: Arc<Self>) {
        loop {
            if let Ok(pubsub) = self.engine.hear(self.engine.key("deltas")).await {
                let mut messages = pubsub.into_on_message();
                while let Some(message) = messages.next().await {
                    let text: RedisResult<String> = message.get_payload();
                    let Some(delta) = text.ok().and_then(|text| Delta::from_json(&text).ok()) else {
                        continue;
                    };
                    let now = (self.clock)();
                    if self.dispatcher.with(|dispatcher| dispatcher.merge(&delta, now)) {
                        self.count("deltas_heard");
                    }
                }
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Whether a call may stay at its destination.
    pub(crate) async fn take(&self, placed: &Placed, call: &Call<'_>) -> Taken {
        let (name, most) = self.dispatcher.read(|dispatcher| {
            let most =
                dispatcher.destination(placed.destination).map_or(0, |destination| destination.max_calls);
            (self.name(dispatcher, placed.destination), most)
        });
        let asks = {
            let mut places = self.places();
            if places.full.contains(&name) {
                return Taken::Nothing;
            }
            places.ask(&name, 1);
            places.opened.is_some()
        };
        let answer = if asks { self.ask_for_place(placed, call, &name, most).await } else { None };
        // From here on in one go, so that nobody takes a place for spare in between.
        self.dispatcher.with(|dispatcher| {
            let mut places = self.places();
            let taken = match answer {
                Some((outcome, _)) if outcome == "taken" => {
                    places.hold(&name, i64::from(most > 0));
                    Taken::Place
                }
                Some((outcome, Some(record))) if outcome == "known" => Taken::Known(record),
                Some((outcome, _)) if outcome == "full" => {
                    self.count("places_refused");
                    places.full.insert(name.clone());
                    Taken::Nothing
                }
                // Alone, or while the engine hears again what everybody holds: on a place that is held.
                _ => {
                    self.count("places_alone");
                    let kept = lock(&self.alone).is_none_or(|since| since.elapsed() < self.stays);
                    let stays = most == 0 || (kept && places.spare(&name, dispatcher) > 0);
                    if stays { Taken::Place } else { Taken::Nothing }
                }
            };
            places.ask(&name, -1);
            taken
        })
    }

    async fn ask_for_place(
        &self,
        placed: &Placed,
        call: &Call<'_>,
        name: &Name,
        most: u32,
    ) -> Option<(String, Option<String>)> {
        let engine = &self.engine;
        let stays = self.stays.as_millis() as u64;
        let mut take = engine.take.prepare_invoke();
        take.key(engine.call(call.call_id)).key(self.places_key(name));
        take.key(engine.key("opened")).key(engine.key("seen")).key(engine.key("told"));
        take.arg(self.record(placed, call)).arg(stays).arg(&self.field).arg(most);
        take.arg(SETTLING.as_millis() as u64).arg(2 * stays).arg(0).arg(self.replicas);
        let answer: RedisResult<Vec<String>> = take.invoke_async(&mut engine.connection()).await;
        if answer.is_err() {
            self.lose();
        }
        let mut answer = answer.ok()?.into_iter();
        Some((answer.next()?, answer.next()))
    }

    /// Says whose a call is; one that another replica has is not counted here.
    pub(crate) async fn claim(&self, call_id: &[u8], record: &str) {
        let mut claim = self.engine.claim.prepare_invoke();
        claim.key(self.engine.call(call_id)).arg(record).arg(self.stays.as_millis() as u64);
        let known: RedisResult<Option<String>> = claim.invoke_async(&mut self.engine.connection()).await;
        let Ok(Some(known)) = known else { return };
        let owner = serde_json::from_str::<serde_json::Value>(&known).ok();
        if owner.is_some_and(|record| record["replica"] != self.id) {
            self.count("calls_twice");
            self.dispatcher.end_call(call_id, (self.clock)());
        }
    }

    pub(crate) fn record(&self, placed: &Placed, call: &Call<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.dispatcher.with(|dispatcher| {
            let (set, id) = self.name(dispatcher, placed.destination);
            let uri = dispatcher.destination(placed.destination).map(|destination| destination.uri.as_str());
            let mut said = json!({ "set": call.set, "cost": call.cost });
            if let Some(key) = call.key {
                said["key"] = json!(text(key));
            }
            for (name, value) in [("class", call.class), ("tenant", call.tenant)] {
                if let Some(value) = value {
                    said[name] = json!(value);
                }
            }
            let (replica, epoch, lease) = (&self.id, self.epoch, placed.lease.to_u64());
            json!({ "replica": replica, "epoch": epoch, "lease": lease, "set": set, "id": id, "uri": uri, "call": said })
                .to_string()
        })
    }

    /// Whether a place goes back with a call there; it is then not held any more.
    pub(crate) fn returns(&self, dispatcher: &Dispatcher, at: DestinationId) -> bool {
        let limited = dispatcher.destination(at).is_some_and(|destination| destination.max_calls > 0);
        let mut places = self.places();
        let returns = limited && places.opened.is_some();
        if returns {
            places.hold(&self.name(dispatcher, at), -1);
            places.returning += 1;
        }
        returns
    }

    pub(crate) fn lose(&self) {
        self.count("engine_errors");
        lock(&self.alone).get_or_insert_with(Instant::now);
        self.is_connected.store(false, Ordering::Relaxed);
        let mut places = self.places();
        places.opened = None;
        places.full.clear();
    }

    pub(crate) fn name(&self, dispatcher: &Dispatcher, at: DestinationId) -> Name {
        let set = dispatcher.status(at).map_or(0, |status| status.set);
        (set, dispatcher.destination(at).map(|destination| destination.id.clone()).unwrap_or_default())
    }

    pub(crate) fn places_key(&self, (set, id): &Name) -> Vec<u8> {
        self.engine.key(&format!("places:{set}:{id}"))
    }

    pub(crate) fn places(&self) -> MutexGuard<'_, Places> {
        lock(&self.places)
    }

    fn count(&self, what: &str) {
        let mut counts = COUNTS.iter().zip(&self.counts);
        let counts = counts.find(|((name, _), _)| *name == what);
        if let Some((_, count)) = counts {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From one delta to the next: what one replica does the others know so much later.
const INTERVAL: Duration = Duration::from_millis(200);
/// Every so many deltas one has everything: what was lost on its way is known then.
const FULL_EVERY: u32 = 5;
/// For so long an engine that forgot its places gives none, unless all replicas have said what they hold.
const SETTLING: Duration = Duration::from_secs(10);

pub(crate) const COUNTS: [(&str, &str); 6] = [
    ("engine_errors", "Times that the engine was not reached."),
    ("deltas_sent", "Deltas sent."),
    ("deltas_heard", "Deltas of others that had news."),
    ("places_refused", "Places that the engine did not have."),
    ("places_alone", "Places asked for while the engine gave none: on those held already, or refused."),
    ("calls_twice", "Calls that two replicas placed at the same time, of which one counts."),
];
