//! What Kamailio does that must not happen here: each trap in the model of Kamailio, and ours beside it.

use std::collections::BTreeMap;

use callsteer::kamailio::{self, Params, Request, hash, numbers, slots_by_rweight, slots_by_weight};
use callsteer::list::{Mode, lint, parse};
use callsteer::{Algorithm, Call, Config, Destination, Dispatcher, Failure, Placed, SetId, Time};

#[test]
fn twenty_five_calls_at_once_do_not_pass_twenty_places() {
    let list = "1 sip:a 0 0 duid=a;maxload=10\n1 sip:b 0 0 duid=b;maxload=10\n";
    let mut theirs = Theirs::new(list);
    // 25 processes look before any of them has counted.
    let ids: Vec<String> = (0..25).map(|call| call.to_string()).collect();
    let looked = ids.iter().map(|id| theirs.kamailio.look(1, 10, &request(id), NOW).unwrap());
    for (id, selection) in ids.iter().zip(looked.collect::<Vec<_>>()) {
        theirs.kamailio.take(1, &selection, id.as_bytes(), NOW);
    }
    assert_eq!(theirs.loads(), [("sip:b".into(), 25), ("sip:a".into(), 0)]);

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    let placed = ids.iter().filter(|id| ours.begin(id).is_some()).count();
    assert_eq!((placed, ours.calls()), (20, vec![("sip:a".into(), 10), ("sip:b".into(), 10)]));
}

#[test]
fn a_tie_is_not_always_won_by_the_first() {
    let list = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n1 sip:c 0 0 duid=c\n";
    let (mut theirs, mut ours) = (Theirs::new(list), Ours::new(list, Algorithm::CallLoad));
    // Calls that come one after the other: everybody is idle at each of them.
    for call in 0..30 {
        let id = call.to_string();
        theirs.select(10, &id);
        theirs.kamailio.end(id.as_bytes());
        let placed = ours.begin(&id).unwrap();
        ours.dispatcher.end(placed.lease, NOW);
    }
    assert_eq!(theirs.counts, [("sip:c".into(), 30)].into());
    assert_eq!(ours.counts, ["sip:a", "sip:b", "sip:c"].map(|uri| (uri.into(), 10)).into());
}

/// A capture shows what a Kamailio did; its model goes on from there.
#[test]
fn a_selection_that_followed_another_one_counts_there_and_takes_the_turn_behind_it() {
    let list = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n1 sip:c 0 0 duid=c\n";
    let mut theirs = Theirs::new(list);
    let members = theirs.kamailio.len(1);
    let mut selection = theirs.kamailio.look(1, 4, &request("x"), NOW).unwrap();
    assert_eq!(theirs.kamailio.uri(1, selection.index), Some("sip:c"));
    selection.follow(1, members);
    theirs.kamailio.take(1, &selection, b"x", NOW);
    assert_eq!(theirs.select(4, "y").as_deref(), theirs.kamailio.uri(1, 2));

    let mut counted = theirs.kamailio.look(1, 10, &request("z"), NOW).unwrap();
    assert!(!counted.is_refused());
    counted.follow(1, members);
    theirs.kamailio.take(1, &counted, b"z", NOW);
    let loads = theirs.loads();
    let there = theirs.kamailio.uri(1, 1).unwrap();
    assert_eq!(loads.iter().filter(|(_, load)| *load > 0).collect::<Vec<_>>(), [&(there.into(), 1)]);
}

#[test]
fn a_state_is_set_by_its_letters_and_anything_else_is_refused() {
    let mut theirs = Theirs::new("1 sip:a 0 0 duid=a\n");
    let mut mark = |letters: &str, uri: &str| {
        let mark = letters.parse().map_err(|error: kamailio::StateError| error.to_string())?;
        theirs.kamailio.set_state(1, uri, mark).map_err(|error| error.to_string())?;
        Ok::<_, String>(theirs.kamailio.state(1, 0).unwrap().to_string())
    };
    let expected = ["AX", "AP", "IX", "IP", "TX", "TP", "DX", "DX"];
    assert_eq!(
        ["a", "AP", "i", "ip", "T", "tp", "d", "dP"].map(|letters| mark(letters, "sip:a").unwrap()),
        expected
    );
    for letters in ["", "x", "p", "apx", "aa"] {
        assert_eq!(mark(letters, "sip:a"), Err("a state is a, i, t or d, and p after it for probing".into()));
    }
    assert_eq!(mark("a", "sip:b"), Err("no destination of the set has this URI".into()));
}

#[test]
fn a_repeated_call_id_is_placed_once() {
    let list = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n";
    let mut theirs = Theirs::new(list);
    assert_eq!(
        (theirs.select(10, "x").unwrap(), theirs.select(10, "x").unwrap()),
        ("sip:b".into(), "sip:a".into())
    );
    // It is at both, and counted at one of them.
    assert_eq!(theirs.loads(), [("sip:b".into(), 1), ("sip:a".into(), 0)]);

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    assert_eq!(ours.begin("x").unwrap(), ours.begin("x").unwrap());
    assert_eq!(ours.dispatcher.stats().calls, 1);
}

#[test]
fn a_call_that_was_cancelled_does_not_count_for_ever() {
    let list = "1 sip:a 0 0 duid=a;maxload=1\n";
    // The script has `ds_load_update()` for BYE and CANCEL, as guides show, and a 486 is neither.
    let mut theirs = Theirs::new(list);
    assert!(theirs.select(10, "486").is_some());
    theirs.kamailio.expire(Time::from_secs(7_000));
    assert!(theirs.select(10, "after two hours less a bit").is_none());

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    let placed = ours.begin("486").unwrap();
    ours.dispatcher.fail(placed.lease, Failure::reply(486), NOW).unwrap();
    // Nobody says that it ended; its set-up does.
    let call = Call::new(b"after a minute");
    assert!(ours.dispatcher.begin(&call, Time::from_secs(59)).is_err());
    assert!(ours.dispatcher.begin(&call, Time::from_secs(61)).is_ok());
}

#[test]
fn a_new_list_keeps_loads_and_who_is_switched_off() {
    let list = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n";
    let mut theirs = Theirs::new(list);
    for call in ["1", "2", "3"] {
        theirs.select(10, call);
    }
    theirs.kamailio.set_state(1, "sip:a", "d".parse().unwrap()).unwrap();
    theirs.kamailio.reload(theirs_of(list));
    assert_eq!(theirs.loads(), [("sip:b".into(), 0), ("sip:a".into(), 0)]);
    assert!((0..2).all(|index| !theirs.kamailio.state(1, index).unwrap().is_skipped()));

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    for call in ["1", "2", "3"] {
        ours.begin(call);
    }
    let before = ours.calls();
    let off = ours.dispatcher.find(1, "a").unwrap();
    ours.dispatcher.set_enabled(off, false, NOW).unwrap();
    let plan = ours.dispatcher.plan(&parse(list.as_bytes(), Mode::Strict).unwrap().destinations()).unwrap();
    ours.dispatcher.apply(plan, NOW).unwrap();
    assert_eq!(ours.calls(), before);
    assert_eq!((0..9).map(|call| ours.to(&format!("new {call}"))).filter(|uri| uri == "sip:a").count(), 0);
}

#[test]
fn a_destination_that_joins_one_set_leaves_the_others_alone() {
    let list = "1 sip:a\n1 sip:b\n1 sip:c\n2 sip:d\n";
    let mut theirs = Theirs::new(list);
    assert_eq!(theirs.select(8, "").unwrap(), "sip:c");
    theirs.kamailio.add(2, kamailio::Destination { uri: "sip:e".into(), ..Default::default() });
    assert_eq!(theirs.select(8, "").unwrap(), "sip:a");

    for algorithm in [Algorithm::RoundRobin, HASH, kamailio(8), kamailio(0)] {
        let (mut with, mut without) = (Ours::new(list, algorithm), Ours::new(list, algorithm));
        with.dispatcher.add(2, Destination::new("sip:e"), NOW).unwrap();
        for call in 0..100 {
            assert_eq!(with.to(&call.to_string()), without.to(&call.to_string()), "{algorithm:?}");
        }
    }
}

#[test]
fn a_failed_destination_does_not_double_the_load_of_its_neighbour() {
    let list: String = (1..=5).map(|host| format!("1 sip:b{host}\n")).collect();
    let ids: Vec<String> = (0..2_000).map(|call| format!("{call}@10.0.0.1")).collect();

    let mut theirs = Theirs::new(&list);
    theirs.all(0, &ids);
    let before = theirs.counts.clone();
    theirs.kamailio.set_state(1, "sip:b3", "i".parse().unwrap()).unwrap();
    theirs.all(0, &ids);
    // The lines have the reverse order: who follows 3 is 2.
    let (lost, gain) = (before["sip:b3"], theirs.counts["sip:b2"] - before["sip:b2"]);
    assert_eq!((gain, theirs.counts.contains_key("sip:b3")), (lost, false));
    for other in ["sip:b1", "sip:b4", "sip:b5"] {
        assert_eq!(theirs.counts[other], before[other]);
    }

    let mut ours = Ours::new(&list, HASH);
    let before = ours.all(&ids);
    let down = ours.dispatcher.find(1, "sip:b3").unwrap();
    ours.dispatcher.set_enabled(down, false, NOW).unwrap();
    let after = ours.all(&ids);
    for other in ["sip:b1", "sip:b2", "sip:b4", "sip:b5"] {
        let gain = f64::from(after[other] - before[other]) / f64::from(before["sip:b3"]);
        assert!((0.15..0.35).contains(&gain), "{other}: {gain}");
    }
}

#[test]
fn weights_are_not_hundredths() {
    assert_eq!(slots_by_weight(&[10, 8, 10, 10]), [10, 8, 10, 72]);
    let check = |weights: &[u32], calls: u32, expected: &[u32]| {
        let lines = weights.iter().enumerate();
        let list: String =
            lines.map(|(host, weight)| format!("1 sip:b{host} 0 0 weight={weight}\n")).collect();
        let ids: Vec<String> = (0..calls).map(|call| call.to_string()).collect();
        let counts = Ours::new(&list, Algorithm::Weighted).all(&ids);
        let counts: Vec<u32> = (0..weights.len()).map(|host| counts[&format!("sip:b{host}")]).collect();
        assert_eq!(counts, expected);
    };
    check(&[10, 10, 8, 10], 38, &[10, 10, 8, 10]);
    check(&[60, 60, 30], 150, &[60, 60, 30]);

    // More hosts than Kamailio's rweight can share among.
    assert_eq!(slots_by_rweight(&[1; 26])[25], 25);
    check(&[1; 26], 260, &[10; 26]);
    assert_eq!(slots_by_rweight(&[1; 101])[100], 100);
    check(&[1; 101], 202, &[2; 101]);
}

#[test]
fn a_weight_in_the_uri_is_said() {
    let list = "1 sip:10.0.0.1;weight=10\n1 sip:10.0.0.2;weight=90\n";
    let mut theirs = Theirs::new(list);
    theirs.all(9, &(0..100).map(|call| call.to_string()).collect::<Vec<_>>());
    assert_eq!(theirs.counts, [("sip:10.0.0.2;weight=90".into(), 100)].into());

    let parsed = parse(list.as_bytes(), Mode::Strict).unwrap();
    let lints = lint(&parsed);
    assert_eq!(lints.iter().filter(|lint| lint.code == "weight_in_uri").count(), 2, "{lints:?}");
}

#[test]
fn a_count_neither_leaks_nor_belongs_to_another_call() {
    let list = "1 sip:a 0 0 duid=a\n";
    // Calls from before a reload are taken off those that came after it.
    let mut theirs = Theirs::new(list);
    theirs.select(10, "old");
    theirs.kamailio.reload(theirs_of(list));
    theirs.select(10, "new");
    theirs.kamailio.end(b"old");
    assert_eq!(theirs.loads(), [("sip:a".into(), 0)]);
    theirs.kamailio.end(b"new");
    assert_eq!(theirs.loads(), [("sip:a".into(), 0)]);

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    let old = ours.begin("old").unwrap();
    let plan = ours.dispatcher.plan(&parse(list.as_bytes(), Mode::Strict).unwrap().destinations()).unwrap();
    ours.dispatcher.apply(plan, NOW).unwrap();
    let new = ours.begin("new").unwrap();
    for (lease, left) in [(old.lease, 1), (old.lease, 1), (new.lease, 0), (new.lease, 0)] {
        ours.dispatcher.end(lease, NOW);
        assert_eq!(ours.calls(), [("sip:a".into(), left)]);
    }
}

#[test]
fn a_call_that_is_refused_is_not_counted() {
    // Whom it would fail over to has no duid.
    let list = "1 sip:b\n1 sip:a 0 0 duid=a\n";
    let mut theirs = Theirs::new(list);
    assert_eq!(theirs.select(10, "x"), None);
    assert_eq!(theirs.loads(), [("sip:a".into(), 1), ("sip:b".into(), 0)]);

    let mut ours = Ours::new(list, Algorithm::CallLoad);
    let placed = ours.begin("x").unwrap();
    ours.dispatcher.next(placed.lease, NOW).unwrap();
    assert!(ours.dispatcher.next(placed.lease, NOW).is_err());
    assert_eq!(ours.dispatcher.stats().calls, 1);
}

#[test]
fn who_is_switched_off_gets_no_call() {
    let list = "1 sip:c\n1 sip:b\n1 sip:a\n";
    let mut theirs = Theirs::new(list);
    for off in ["sip:b", "sip:c"] {
        theirs.kamailio.set_state(1, off, "d".parse().unwrap()).unwrap();
    }
    // Called at once by 12; kept to fail over to by every algorithm, where it is the spare one.
    assert_eq!(theirs.kamailio.select(1, 12, &request("x"), NOW).unwrap().parallel, [0, 1, 2]);
    let params = Params { use_default: true, failover: true, ..Params::default() };
    let mut spare = kamailio::Dispatcher::new(theirs_of(list), params, 7);
    spare.set_state(1, "sip:c", "d".parse().unwrap()).unwrap();
    assert_eq!(spare.select(1, 4, &request("x"), NOW).unwrap().failover, [0, 1, 2]);

    for use_default in [false, true] {
        let algorithm = Algorithm::Kamailio { alg: 4, use_default, unsigned_bytes: false };
        let mut ours = Ours::new(list, algorithm);
        let off = ours.dispatcher.find(1, "sip:c").unwrap();
        ours.dispatcher.set_enabled(off, false, NOW).unwrap();
        let placed = ours.begin("x").unwrap();
        let next = ours.dispatcher.next(placed.lease, NOW).unwrap();
        assert_eq!([placed, next].map(|placed| ours.uri(placed)), ["sip:a", "sip:b"]);
        assert!(ours.dispatcher.next(placed.lease, NOW).is_err());
    }
}

#[test]
fn calls_whose_ids_swap_their_groups_do_not_collide() {
    let groups = ["call", "-1@1", "0.0.", "0.1;", "tag="];
    let ids: Vec<String> = (0..120).map(|nth| permutation(&groups, nth)).collect();
    let list: String = (1..=5).map(|host| format!("1 sip:b{host}\n")).collect();
    let first = hash(ids[0].as_bytes(), b"", Params::default().bytes);
    assert!(ids.iter().all(|id| hash(id.as_bytes(), b"", Params::default().bytes) == first));
    assert_eq!(Theirs::new(&list).all(0, &ids).len(), 1);
    assert!(Ours::new(&list, HASH).all(&ids).values().all(|calls| *calls < 48));
}

#[test]
fn a_number_from_a_wrong_guide_is_taken_for_what_it_is() {
    // Believing that 9 is call load, on a list without weights.
    let list = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n";
    let ids: Vec<String> = (0..50).map(|call| call.to_string()).collect();
    for number in [8, 9] {
        assert_eq!(Theirs::new(list).all(number, &ids), &[("sip:b".into(), 50)].into());
        assert!(numbers::number(number).unwrap().mistaken.unwrap().contains("guide"));
    }
    assert_eq!(
        [8, 9, 10].map(|number| Algorithm::from_kamailio(number).unwrap()),
        [Algorithm::Priority, Algorithm::Weighted, Algorithm::CallLoad]
    );
}

/// Kamailio, and how often it chose each since it was asked last.
struct Theirs {
    kamailio: kamailio::Dispatcher,
    counts: BTreeMap<String, u32>,
}

impl Theirs {
    fn new(list: &str) -> Self {
        let params = Params { counts_calls: true, failover: true, ..Params::default() };
        Self { kamailio: kamailio::Dispatcher::new(theirs_of(list), params, 7), counts: BTreeMap::new() }
    }

    fn select(&mut self, algorithm: u16, call_id: &str) -> Option<String> {
        let selection = self.kamailio.select(1, algorithm, &request(call_id), NOW)?;
        let uri = self.kamailio.uri(1, selection.index).unwrap().to_owned();
        *self.counts.entry(uri.clone()).or_default() += 1;
        Some(uri)
    }

    fn all(&mut self, algorithm: u16, ids: &[String]) -> &BTreeMap<String, u32> {
        self.counts.clear();
        for id in ids {
            self.select(algorithm, id);
        }
        &self.counts
    }

    fn loads(&self) -> Vec<(String, u32)> {
        let load =
            |index| (self.kamailio.uri(1, index).unwrap().into(), self.kamailio.load(1, index).unwrap());
        (0..self.kamailio.len(1)).map(load).collect()
    }
}

/// Ours, and how often it chose each since it was asked last.
struct Ours {
    dispatcher: Dispatcher,
    counts: BTreeMap<String, u32>,
}

impl Ours {
    fn new(list: &str, algorithm: Algorithm) -> Self {
        let config = Config { algorithm, ..Config::default() };
        let mut dispatcher = Dispatcher::new(config).unwrap();
        for (set, destination) in parse(list.as_bytes(), Mode::Strict).unwrap().destinations() {
            dispatcher.add(set, destination, NOW).unwrap();
        }
        Self { dispatcher, counts: BTreeMap::new() }
    }

    fn begin(&mut self, call_id: &str) -> Option<Placed> {
        let placed = self.dispatcher.begin(&Call::new(call_id.as_bytes()), NOW).ok()?;
        *self.counts.entry(self.uri(placed)).or_default() += 1;
        Some(placed)
    }

    /// Where a call goes that ends at once.
    fn to(&mut self, call_id: &str) -> String {
        let placed = self.begin(call_id).unwrap();
        self.dispatcher.end(placed.lease, NOW);
        self.uri(placed)
    }

    fn all(&mut self, ids: &[String]) -> BTreeMap<String, u32> {
        self.counts.clear();
        for id in ids {
            self.to(id);
        }
        self.counts.clone()
    }

    fn calls(&self) -> Vec<(String, u32)> {
        let calls = self.dispatcher.iter().map(|(_, of, status)| (of.uri.clone(), status.calls));
        let mut all: Vec<_> = calls.collect();
        all.sort();
        all
    }

    fn uri(&self, placed: Placed) -> String {
        self.dispatcher.destination(placed.destination).unwrap().uri.clone()
    }
}

fn theirs_of(list: &str) -> Vec<(SetId, kamailio::Destination)> {
    let list = parse(list.as_bytes(), Mode::Strict).unwrap();
    list.entries().map(|entry| (entry.set(), entry.kamailio())).collect()
}

fn request(call_id: &str) -> Request<'_> {
    Request { call_id: call_id.as_bytes(), ..Request::default() }
}

/// The n-th order of some groups, one after the other.
fn permutation(groups: &[&str], nth: usize) -> String {
    let (mut left, mut nth, mut text) = (groups.to_vec(), nth, String::new());
    while !left.is_empty() {
        let group = nth % left.len();
        nth /= left.len();
        text += left.remove(group);
    }
    text
}

const fn kamailio(alg: u16) -> Algorithm {
    Algorithm::Kamailio { alg, use_default: false, unsigned_bytes: false }
}

const HASH: Algorithm = Algorithm::CallIdHash { bound: None };
const NOW: Time = Time::ZERO;
