//! The engine: its keys, its scripts, and a connection that comes back by itself.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult, Script, ToRedisArgs};

/// How long the engine has to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait between two attempts to reach it.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(2);

pub(crate) struct Engine {
    client: Client,
    connection: ConnectionManager,
    prefix: String,
    pub(crate) beat: Script,
    pub(crate) claim: Script,
    pub(crate) release: Script,
    pub(crate) take: Script,
}

impl Engine {
    /// Nothing is connected before it is needed. Must be called within a runtime of tokio.
    pub(crate) fn new(url: &str, namespace: &str) -> RedisResult<Self> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(TIMEOUT))
            .set_connection_timeout(Some(TIMEOUT))
            .set_number_of_retries(0)
            .set_max_delay(LONGEST_WAIT);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client.clone(), config)?,
            client,
            prefix: format!("{{{namespace}}}:"),
            beat: Script::new(include_str!("../lua/beat.lua")),
            claim: Script::new(include_str!("../lua/claim.lua")),
            release: Script::new(include_str!("../lua/release.lua")),
            take: Script::new(include_str!("../lua/take.lua")),
        })
    }

    pub(crate) fn key(&self, name: &str) -> Vec<u8> {
        [self.prefix.as_bytes(), name.as_bytes()].concat()
    }

    pub(crate) fn call(&self, call_id: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), b"call:", call_id].concat()
    }

    pub(crate) fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// A connection that hears what is said on these channels.
    pub(crate) async fn hear(&self, channels: impl ToRedisArgs) -> RedisResult<redis::aio::PubSub> {
        let mut pubsub = self.client.get_async_pubsub().await?;
        pubsub.subscribe(channels).await?;
        Ok(pubsub)
    }
}
