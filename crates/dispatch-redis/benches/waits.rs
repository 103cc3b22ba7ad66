//! What a call waits for where dispatchers share a fleet, and when the others know of it: `cargo xtask bench redis`.
//!
//! Calls come at random times, 2,000 a second on average, to two replicas in turn, and last for a second. A wait is
//! counted from the moment at which the call was due, so that one that is late makes those after it late, too.

use std::error::Error;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use callsteer::{Call, Config, Destination, Dispatcher, Limits, ReplicasConfig, SharedDispatcher, Time};
use callsteer_redis::{Begun, Replica};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::sleep;

const PER_SECOND: u32 = 2_000;
const BRIDGES: u32 = 16;
/// The goal for the p99 of calls whose place is leased.
const GOAL: Duration = Duration::from_millis(5);

#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let is_quick = arguments.iter().any(|word| word == "--quick");
    let (seconds, calls) = if is_quick { (2, 20) } else { (20, 100) };
    println!("{PER_SECOND} calls/s for {seconds} s over {BRIDGES} bridges; times in ms\n");
    println!("{:46} {:>8} {:>8} {:>8} {:>8}", "", "p50", "p99", "p99.9", "most");

    let engine = Engine::start().await?;
    let connection = engine.connection.clone();
    let ping = arrive(seconds, |_| {
        let mut connection = connection.clone();
        async move { redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok() }
    });
    let mut rows = vec![Row::new("PING, for comparison", ping.await?)];
    let alone = Arc::new(Pair::alone()?);
    rows.push(Row::new("begin, one dispatcher", arrive(seconds, |call| alone.clone().begin(call)).await?));
    let shares = Pair::join(&engine, "shares", Limits::Shares).await?;
    rows.push(Row::new("begin, shares", arrive(seconds, |call| shares.clone().begin(call)).await?));
    let leases = Pair::join(&engine, "leases", Limits::Leases).await?;
    let waits = Row::new("begin, leases", arrive(seconds, |call| leases.clone().begin(call)).await?);
    let p99 = waits.at(0.99);
    rows.push(waits);
    rows.push(Row::new("from begin until the other replica knows", leases.told(calls).await));
    engine.signal("STOP")?;
    let waits = arrive(seconds, |call| shares.clone().begin(call)).await;
    engine.signal("CONT")?;
    rows.push(Row::new("begin, shares, while the engine hangs", waits?));

    let met = if p99 < GOAL { "met" } else { "missed" };
    println!("\nbegin, leases, p99: below {} ms: {met}", GOAL.as_millis());
    if let Some(file) = arguments.iter().skip_while(|word| *word != "--json").nth(1) {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        std::fs::write(file, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}

/// Lets calls come, and says how long each waited. One that has no place is an error.
async fn arrive<F>(seconds: u32, begin: impl Fn(u32) -> F) -> Result<Vec<Duration>, Box<dyn Error>>
where
    F: Future<Output = bool> + Send + 'static,
{
    let (mut random, mut due) = (fastrand::Rng::with_seed(1), Instant::now());
    // Not by the runtime's timers, which are coarser than what is measured.
    let begun: Vec<_> = tokio::task::block_in_place(|| {
        let calls = (0..seconds * PER_SECOND).map(|call| {
            due += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / f64::from(PER_SECOND));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (begun, due) = (begin(call), due);
            Handle::current().spawn(async move { begun.await.then(|| due.elapsed()) })
        });
        calls.collect()
    });
    let mut waits = Vec::new();
    for wait in begun {
        waits.push(wait.await?.ok_or("a call has no place")?);
    }
    Ok(waits)
}

/// Two replicas that share nothing with other pairs; or two dispatchers that share nothing at all.
struct Pair {
    dispatchers: [Arc<SharedDispatcher>; 2],
    replicas: Vec<Replica>,
    began: Instant,
}

impl Pair {
    fn alone() -> Result<Self, Box<dyn Error>> {
        let dispatchers = [dispatcher(None)?, dispatcher(None)?];
        Ok(Self { dispatchers, replicas: Vec::new(), began: Instant::now() })
    }

    /// Both are joined, and the engine gives them places.
    async fn join(engine: &Engine, name: &str, limits: Limits) -> Result<Arc<Self>, Box<dyn Error>> {
        let own = |id: &str| Some(ReplicasConfig { limits, ..ReplicasConfig::new(id, 1) });
        let mut pair = Self { dispatchers: [dispatcher(own("a"))?, dispatcher(own("b"))?], ..Self::alone()? };
        for dispatcher in &pair.dispatchers {
            let began = pair.began;
            let clock = move || Time::ZERO + began.elapsed();
            pair.replicas.push(Replica::join(dispatcher.clone(), clock, &engine.url, name)?);
        }
        let pair = Arc::new(pair);
        for call in 0.. {
            let known = pair.dispatchers.iter().all(|one| one.with(|one| one.replicas().count() == 1));
            if known && pair.clone().begin(call).await && pair.clone().begin(call + 1).await {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(pair)
    }

    /// Whether a call has a place; it ends a second later.
    async fn begin(self: Arc<Self>, number: u32) -> bool {
        let (side, call_id) = (number as usize % 2, format!("a84b4c76e66710-{number}@pc33"));
        let call = Call::new(call_id.as_bytes());
        let has_place = match self.replicas.get(side) {
            Some(replica) => matches!(replica.begin(&call).await, Ok(Begun::Placed(_))),
            None => self.dispatchers[side].begin(&call, Time::ZERO + self.began.elapsed()).is_ok(),
        };
        tokio::spawn(async move {
            sleep(Duration::from_secs(1)).await;
            match self.replicas.get(side) {
                Some(replica) => replica.end(call_id.as_bytes()).await,
                None => {
                    self.dispatchers[side].end_call(call_id.as_bytes(), Time::ZERO + self.began.elapsed())
                }
            }
        });
        has_place
    }

    /// How long after a call began at one the other counts it, at random times.
    async fn told(self: &Arc<Self>, calls: u32) -> Vec<Duration> {
        let (mut random, mut waits) = (fastrand::Rng::with_seed(2), Vec::new());
        let elsewhere =
            || self.dispatchers[1].with(|one| one.iter().map(|(.., of)| of.elsewhere).sum::<u32>());
        while waits.len() < calls as usize {
            while elsewhere() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
            sleep(Duration::from_millis(random.u64(..200))).await;
            let began = Instant::now();
            if self.clone().begin(0).await {
                while elsewhere() == 0 {
                    std::thread::sleep(Duration::from_micros(100));
                }
                waits.push(began.elapsed());
            }
        }
        waits
    }
}

fn dispatcher(replicas: Option<ReplicasConfig>) -> Result<Arc<SharedDispatcher>, Box<dyn Error>> {
    let mut dispatcher = Dispatcher::new(Config { dispatchers: 2, replicas, ..Config::default() })?;
    for bridge in 0..BRIDGES {
        let uri = format!("sip:10.0.0.{bridge}");
        dispatcher.add(1, Destination { max_calls: PER_SECOND, ..Destination::new(uri) }, Time::ZERO)?;
    }
    Ok(Arc::new(SharedDispatcher::from(dispatcher)))
}

/// A redis-server on a port of the loopback interface, for as long as it is measured.
struct Engine {
    process: Child,
    url: String,
    connection: MultiplexedConnection,
    _folder: tempfile::TempDir,
}

impl Engine {
    async fn start() -> Result<Self, Box<dyn Error>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let (folder, url) = (tempfile::tempdir()?, format!("redis://127.0.0.1:{port}"));
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        let process = redis.arg(folder.path()).stdout(Stdio::null()).spawn()?;
        let client = redis::Client::open(&*url)?;
        loop {
            if let Ok(connection) = client.get_multiplexed_async_connection().await {
                return Ok(Self { process, url, connection, _folder: folder });
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn signal(&self, name: &str) -> std::io::Result<()> {
        Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().map(|_| ())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// What was waited, from the shortest to the longest.
struct Row {
    name: &'static str,
    waits: Vec<Duration>,
}

impl Row {
    fn new(name: &'static str, mut waits: Vec<Duration>) -> Self {
        waits.sort();
        let row = Self { name, waits };
        let [p50, p99, p999, most] = row.quantiles();
        println!("{name:46} {p50:8.2} {p99:8.2} {p999:8.2} {most:8.2}");
        row
    }

    fn quantiles(&self) -> [f64; 4] {
        [0.5, 0.99, 0.999, 1.0].map(|share| self.at(share).as_secs_f64() * 1e3)
    }

    fn at(&self, share: f64) -> Duration {
        let index = (share * self.waits.len() as f64).ceil() as usize;
        self.waits.get(index.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn json(&self) -> Value {
        let [p50, p99, p999, most] = self.quantiles();
        json!({ "name": self.name, "p50": p50, "p99": p99, "p99.9": p999, "most": most })
    }
}
