//! The peers, each as its documentation says to use it.

use std::collections::BTreeSet;
use std::future::Ready;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use hashring::HashRing;
use loadwise::strategy::{ConsistentHash, LeastLoad, RoundRobin, WeightedRoundRobin};
use loadwise::{LoadMetric, Node, SelectionContext, Strategy, Weighted};
use maglev::{ConsistentHasher, Maglev};
use pingora_load_balancing::discovery::Static;
use pingora_load_balancing::selection::{BackendSelection, Consistent, RoundRobin as PingoraTurns};
use pingora_load_balancing::{Backend, Backends, LoadBalancer};
use rsbalancer::Balancer;
use tower::Service;
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};

use crate::floors::{CALL_IDS, call_ids};
use crate::measure::{Case, Numbers};
use crate::suites::live;

pub(crate) const PINGORA: &str = "pingora RoundRobin";
pub(crate) const PINGORA_WEIGHTED: &str = "pingora RoundRobin, weighted";
pub(crate) const KETAMA: &str = "pingora Ketama";

/// Round robin; `weights` in turn.
pub(crate) fn turns<'a>(members: usize, weights: &[u32]) -> Vec<Case<'a>> {
    let weighted = weights.len() > 1;
    let pingora = pingora::<PingoraTurns>(members, weights);
    let name = if weighted { PINGORA_WEIGHTED } else { PINGORA };
    let mut cases = vec![Case::new(name, move || pingora.select(b"", 256))];
    let nodes = bridges(members, weights);
    let context = SelectionContext::default();
    if weighted {
        let strategy = WeightedRoundRobin::new();
        cases.push(Case::new("loadwise WeightedRoundRobin", move || strategy.select(&nodes, &context)));
        let mut balancer = rsbalancer::weighted_round_robin(nodes_of_rsbalancer(members, weights));
        cases.push(Case::new("rsbalancer WeightedRoundRobin", move || balancer.next_id().map(String::len)));
    } else {
        let strategy = RoundRobin::new();
        cases.push(Case::new("loadwise RoundRobin", move || strategy.select(&nodes, &context)));
        let mut balancer = rsbalancer::round_robin(nodes_of_rsbalancer(members, weights));
        cases.push(Case::new("rsbalancer RoundRobin", move || balancer.next_id().map(String::len)));
    }
    cases
}

/// The same key to the same member.
pub(crate) fn hashes<'a>(members: usize) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    let pingora = pingora::<Consistent>(members, &[1]);
    let mut ids = keys();
    cases.push(Case::new(KETAMA, move || pingora.select(&ids(), 256)));
    let mut ring = HashRing::new();
    ring.batch_add((0..members).map(uri).collect());
    let mut ids = keys();
    cases.push(Case::new("hashring", move || ring.get(&ids()).map(String::len)));
    let maglev: Maglev<_, BuildHasherDefault<DefaultHasher>> = Maglev::new((0..members).map(uri));
    let mut ids = keys();
    cases.push(Case::new("maglev", move || maglev.get(&ids()).map(String::len)));
    let ring = rsbalancer::consistent_hashing(nodes_of_rsbalancer(members, &[1]), 100);
    let texts: Vec<String> = call_ids(CALL_IDS).iter().map(|id| String::from_utf8_lossy(id).into()).collect();
    let mut next = 0;
    cases.push(Case::new("rsbalancer consistent_hashing", move || {
        next = (next + 1) % CALL_IDS;
        ring.get_matching_node_id(&texts[next]).map(String::len)
    }));
    let (strategy, nodes, mut numbers) = (ConsistentHash::default(), bridges(members, &[1]), Numbers::new(3));
    cases.push(Case::new("loadwise ConsistentHash (key hashed already)", move || {
        let context = SelectionContext { hash_key: Some(numbers.next()), ..SelectionContext::default() };
        strategy.select(&nodes, &context)
    }));
    cases
}

/// The least loaded, as far as each peer goes: pick, count in, count another one out.
pub(crate) fn loads<'a>(members: usize) -> Vec<Case<'a>> {
    let (nodes, context) = (bridges(members, &[1]), SelectionContext::default());
    let (mut live, mut numbers) = (live(members), Numbers::new(2));
    for member in &live {
        nodes[*member as usize].calls.fetch_add(1, Ordering::Relaxed);
    }
    let strategy = LeastLoad::new();
    let least = Case::new("loadwise LeastLoad", move || {
        let member = strategy.select(&nodes, &context).unwrap_or(0);
        nodes[member].calls.fetch_add(1, Ordering::Relaxed);
        let call = numbers.below(live.len());
        let ended = std::mem::replace(&mut live[call], member as u64);
        nodes[ended as usize].calls.fetch_sub(1, Ordering::Relaxed);
    });
    let pending = |_| PendingRequests::new(Answers, CompleteOnResponse::default());
    let mut balance = Balance::new(ServiceList::new::<()>((0..members).map(pending)));
    let two = Case::new("tower p2c", move || {
        let mut context = Context::from_waker(Waker::noop());
        let _ready = balance.poll_ready(&mut context).is_ready();
        Pin::new(&mut balance.call(())).poll(&mut context).is_ready()
    });
    vec![least, two]
}

fn keys() -> impl FnMut() -> [u8; 48] {
    let ids = call_ids(CALL_IDS);
    let mut next = 0;
    move || {
        next = (next + 1) % CALL_IDS;
        ids[next]
    }
}

fn pingora<S: BackendSelection + 'static>(members: usize, weights: &[u32]) -> LoadBalancer<S>
where
    S::Iter: pingora_load_balancing::selection::BackendIter,
{
    let backend = |index: usize| {
        let address = format!("10.{}.{}.{}:5060", index >> 16, index >> 8 & 255, index & 255);
        Backend::new_with_weight(&address, weights[index % weights.len()] as usize).ok()
    };
    let backends: BTreeSet<Backend> = (0..members).filter_map(backend).collect();
    let balancer = LoadBalancer::from_backends(Backends::new(Static::new(backends)));
    let updated = balancer.update().now_or_never();
    assert!(updated.is_some_and(|result| result.is_ok()), "a static list is there at once");
    balancer
}

fn nodes_of_rsbalancer(members: usize, weights: &[u32]) -> Vec<rsbalancer::Node<String>> {
    (0..members)
        .map(|index| rsbalancer::Node::new(uri(index), weights[index % weights.len()] as usize))
        .collect()
}

fn bridges(members: usize, weights: &[u32]) -> Vec<Bridge> {
    let bridge = |index: usize| Bridge {
        id: uri(index),
        weight: weights[index % weights.len()],
        calls: AtomicU64::new(0),
    };
    (0..members).map(bridge).collect()
}

fn uri(index: usize) -> String {
    format!("sip:bridge-{index}.bank.test")
}

struct Bridge {
    id: String,
    weight: u32,
    calls: AtomicU64,
}

impl Node for Bridge {
    type Id = String;

    fn id(&self) -> &String {
        &self.id
    }
}

impl Weighted for Bridge {
    fn weight(&self) -> u32 {
        self.weight
    }
}

impl LoadMetric for Bridge {
    fn load_score(&self) -> f64 {
        self.calls.load(Ordering::Relaxed) as f64
    }
}

/// A service that answers at once.
struct Answers;

impl Service<()> for Answers {
    type Response = ();
    type Error = std::convert::Infallible;
    type Future = Ready<Result<(), std::convert::Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        std::future::ready(Ok(()))
    }
}
