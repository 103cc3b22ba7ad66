//! Replicas through a real redis-server, which the tests start: `cargo xtask test --step replicas`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use callsteer::{
    BeginError, Call, Config, Destination, Dispatcher, Limits, ReplicasConfig, SharedDispatcher, Time,
};
use callsteer_redis::{Begun, Replica};

/// What every language does with the engine is the same, to the letter.
#[test]
fn the_scripts_of_all_languages_are_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", path.display()));
    for name in ["beat", "claim", "release", "take", "take_over"] {
        let file = format!("{name}.lua");
        let python = read(&root.join("dispatch-py/python/callsteer/redis").join(&file));
        assert_eq!(read(&root.join("dispatch-node/lua").join(&file)), python, "{name}");
        if name != "take_over" {
            assert_eq!(read(&root.join("dispatch-redis/lua").join(&file)), python, "{name}");
        }
    }
}

struct Redis {
    folder: tempfile::TempDir,
    process: Child,
}

impl Redis {
    /// Nothing where it is not installed; the step `replicas` of `cargo xtask test` needs it.
    fn start() -> Option<Self> {
        Command::new("redis-server").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        let process = start(folder.path());
        Some(Self { folder, process })
    }

    fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("redis.sock").display())
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(folder: &Path) -> Child {
    let socket = folder.join("redis.sock");
    let mut redis = Command::new("redis-server");
    redis.args(["--port", "0", "--save", "", "--appendonly", "no", "--dir"]).arg(folder);
    redis.arg("--unixsocket").arg(socket).stdout(Stdio::null()).spawn().unwrap()
}

/// A dispatcher that shares, over bridges with room for 3 calls each.
fn replica(redis: &Redis, id: &str, limits: Limits) -> (Arc<SharedDispatcher>, Replica) {
    let own = ReplicasConfig { limits, ..ReplicasConfig::new(id, 1) };
    let config = Config { dispatchers: 2, replicas: Some(own), ..Config::default() };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    for uri in ["a", "b"] {
        let bridge = Destination { max_calls: 3, ..Destination::new(uri) };
        dispatcher.add(1, bridge, Time::ZERO).unwrap();
    }
    let shared = Arc::new(SharedDispatcher::from(dispatcher));
    let began = Instant::now();
    let clock = move || Time::ZERO + began.elapsed();
    let replica = Replica::join(shared.clone(), clock, &redis.url(), "test").unwrap();
    (shared, replica)
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn calls(dispatcher: &SharedDispatcher) -> (u32, u32) {
    dispatcher.with(|dispatcher| {
        dispatcher.iter().fold((0, 0), |(own, elsewhere), (_, _, status)| {
            (own + status.calls, elsewhere + status.elsewhere)
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_exact_and_counts_come_back_to_zero() {
    let Some(mut redis) = Redis::start() else { return };
    let (one, first) = replica(&redis, "first", Limits::Leases);
    let (two, second) = replica(&redis, "second", Limits::Leases);
    until("both hear each other", || {
        [&one, &two].iter().all(|each| each.with(|dispatcher| dispatcher.replicas().any(|other| !other.lost)))
    })
    .await;
    // Both have said what they hold, so that the engine gives places, 6 in all.
    let mut placed = Vec::new();
    let began = Instant::now();
    let mut number = 0u32;
    while placed.len() < 6 {
        assert!(began.elapsed() < Duration::from_secs(60), "{} places", placed.len());
        number += 1;
        let (replica, call_id) = ([&first, &second][number as usize % 2], number.to_string().into_bytes());
        if let Ok(Begun::Placed(_)) = replica.begin(&Call::new(&call_id)).await {
            placed.push((number as usize % 2, call_id));
        } else {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    for replica in [&first, &second] {
        let refused = replica.begin(&Call::new(b"one more")).await;
        assert!(matches!(refused, Err(BeginError::Full { .. })), "{refused:?}");
    }
    until("each knows all", || [&one, &two].iter().all(|each| calls(each).0 + calls(each).1 == 6)).await;
    // One that the other has is known there, as long as it is.
    let (owner, call_id) = placed[0].clone();
    let again = [&second, &first][owner].begin(&Call::new(&call_id)).await;
    assert!(matches!(again, Ok(Begun::Elsewhere(_)) | Err(BeginError::Full { .. })), "{again:?}");
    // Without the engine each goes on, on the places that it holds.
    redis.kill();
    until("both are alone", || !first.is_connected() && !second.is_connected()).await;
    for replica in [&first, &second] {
        assert!(matches!(replica.begin(&Call::new(b"alone")).await, Err(BeginError::Full { .. })));
        assert!(replica.metrics().contains("callsteer_replica_engine_up 0"));
    }
    for (owner, call_id) in placed {
        assert!([&first, &second][owner].end(&call_id).await);
    }
    redis.process = start(redis.folder.path());
    until("nobody counts anything", || [&one, &two].iter().all(|each| calls(each) == (0, 0))).await;
    until("both are back", || first.is_connected() && second.is_connected()).await;
}

#[tokio::test]
async fn shares_ask_nobody() {
    let Some(redis) = Redis::start() else { return };
    let (one, first) = replica(&redis, "first", Limits::Shares);
    // Its share of 3 is 2, whether the engine is there or not.
    for call in 0..4u32 {
        assert!(matches!(first.begin(&Call::new(&call.to_le_bytes())).await, Ok(Begun::Placed(_))));
    }
    assert!(first.begin(&Call::new(b"one more")).await.is_err());
    let (two, _second) = replica(&redis, "second", Limits::Shares);
    until("the second knows", || calls(&two) == (0, 4)).await;
    assert_eq!(calls(&one), (4, 0));
}
