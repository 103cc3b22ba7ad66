//! What the others said: a state that grows by joining, in whatever order deltas come.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::time::Duration;

use super::{Count, Delta, Heard, Wish};
use crate::config::SetId;
use crate::health::eject::Cause;
use crate::member::Will;
use crate::time::Time;

/// A destination across replicas.
pub(crate) type Name = (SetId, String);

/// What is known of all other replicas, and what operators want.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replicas {
    others: BTreeMap<String, Other>,
    wishes: BTreeMap<Name, Wanted>,
}

/// What merging or time changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    /// Destinations of which somebody says something else than before.
    pub(crate) counts: BTreeSet<Name>,
    /// Destinations of which something else is wanted.
    pub(crate) wishes: BTreeSet<Name>,
    /// A replica came or went.
    pub(crate) members: bool,
    /// The delta had something that was not known.
    pub(crate) is_news: bool,
}

/// What the others say of one destination together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Total<'a> {
    pub(crate) calls: u32,
    pub(crate) load: u64,
    pub(crate) classes: BTreeMap<&'a str, u64>,
    /// How many find it down.
    pub(crate) down: u32,
    /// The ejection that lasts longest.
    pub(crate) ejected: Option<(Cause, Time)>,
}

/// The last wish for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) version: u64,
    pub(crate) author: String,
    pub(crate) will: Will,
    /// The end of a drain.
    pub(crate) until: Option<Time>,
}

/// Another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Other {
    epoch: u64,
    beat: u64,
    /// The beat of the last full delta: an older row that it did not have is no more.
    floor: u64,
    heard: Time,
    lost: bool,
    rows: BTreeMap<Name, Known>,
}

/// A count, with its end of an ejection by our clock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    version: u64,
    calls: u32,
    load: u64,
    classes: BTreeMap<String, u64>,
    down: bool,
    ejected: Option<(Cause, Time)>,
}

impl Replicas {
    /// Takes what another replica says.
    pub(crate) fn merge(&mut self, delta: &Delta, now: Time) -> Changed {
        let mut changed = Changed::default();
        self.merge_counts(delta, now, &mut changed);
        for wish in &delta.wishes {
            self.merge_wish(wish, now, &mut changed);
        }
        changed
    }

    fn merge_counts(&mut self, delta: &Delta, now: Time, changed: &mut Changed) {
        let other = self.others.entry(delta.replica.clone()).or_insert_with(|| {
            changed.members = true;
            Other::new(delta.epoch, now)
        });
        if delta.epoch > other.epoch {
            let before = core::mem::replace(other, Other::new(delta.epoch, now));
            changed.counts.extend(before.rows.into_keys());
            changed.members = true;
        }
        if delta.epoch < other.epoch {
            return;
        }
        if delta.beat > other.beat {
            (other.beat, other.heard) = (delta.beat, now);
            changed.is_news = true;
            if core::mem::replace(&mut other.lost, false) {
                changed.members = true;
                changed.counts.extend(other.rows.keys().cloned());
            }
        }
        let is_floor = delta.full && delta.beat > other.floor;
        if is_floor {
            other.floor = delta.beat;
            let told: BTreeSet<(SetId, &str)> =
                delta.counts.iter().map(|count| (count.set, count.id.as_str())).collect();
            other.rows.retain(|name, row| {
                let stays = row.version > delta.beat || told.contains(&(name.0, name.1.as_str()));
                if !stays {
                    changed.counts.insert(name.clone());
                }
                stays
            });
        }
        for count in &delta.counts {
            let name = (count.set, count.id.clone());
            let is_newer = match other.rows.get(&name) {
                Some(known) => count.version > known.version,
                None => is_floor || count.version > other.floor,
            };
            if is_newer {
                other.rows.insert(name.clone(), Known::new(count, now));
                changed.counts.insert(name);
                changed.is_news = true;
            }
        }
    }

    fn merge_wish(&mut self, wish: &Wish, now: Time, changed: &mut Changed) {
        let name = (wish.set, wish.id.clone());
        let known = self.wishes.get(&name);
        if known.is_some_and(|known| (known.version, &known.author) >= (wish.version, &wish.author)) {
            return;
        }
        let until = wish.left.map(|seconds| now + Duration::from_secs(seconds));
        let (version, author) = (wish.version, wish.author.clone());
        self.wishes.insert(name.clone(), Wanted { version, author, will: wish.will, until });
        changed.wishes.insert(name);
        changed.is_news = true;
    }

    /// Whom nobody heard for so long counts no more; whom nobody heard for very long is forgotten.
    pub(crate) fn age(&mut self, lost_after: Duration, now: Time) -> Changed {
        let mut changed = Changed::default();
        for other in self.others.values_mut().filter(|other| !other.lost) {
            if now.since(other.heard) >= lost_after {
                other.lost = true;
                changed.members = true;
                changed.counts.extend(other.rows.keys().cloned());
            }
        }
        let before = self.others.len();
        self.others.retain(|_, other| !other.lost || now.since(other.heard) < lost_after * FORGET);
        changed.members |= self.others.len() != before;
        changed
    }

    /// Something is wanted of a destination by our own operator.
    pub(crate) fn wish(&mut self, name: &Name, author: &str, will: Will, until: Option<Time>) -> Wanted {
        let version = self.wishes.get(name).map_or(0, |known| known.version) + 1;
        let wanted = Wanted { version, author: author.into(), will, until };
        self.wishes.insert(name.clone(), wanted.clone());
        wanted
    }

    pub(crate) fn wanted(&self, name: &Name) -> Option<&Wanted> {
        self.wishes.get(name)
    }

    pub(crate) const fn wishes(&self) -> &BTreeMap<Name, Wanted> {
        &self.wishes
    }

    /// What those who are not lost say of a destination.
    pub(crate) fn total(&self, name: &Name) -> Total<'_> {
        let mut total = Total::default();
        for row in self.live().filter_map(|other| other.rows.get(name)) {
            total.calls = total.calls.saturating_add(row.calls);
            total.load = total.load.saturating_add(row.load);
            total.down += u32::from(row.down);
            for (class, load) in &row.classes {
                *total.classes.entry(class.as_str()).or_default() += load;
            }
            let later = |(_, until): (Cause, Time)| total.ejected.is_none_or(|(_, known)| until > known);
            if row.ejected.is_some_and(later) {
                total.ejected = row.ejected;
            }
        }
        total
    }

    /// Every destination of which anybody says anything.
    pub(crate) fn names(&self) -> BTreeSet<Name> {
        let said = self.others.values().flat_map(|other| other.rows.keys());
        said.chain(self.wishes.keys()).cloned().collect()
    }

    /// How many are heard, and how many were.
    pub(crate) fn heard(&self) -> (u32, u32) {
        let live = self.live().count() as u32;
        (live, self.others.len() as u32 - live)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Heard> {
        self.others.iter().map(|(id, other)| Heard {
            id: id.clone(),
            epoch: other.epoch,
            at: other.heard,
            lost: other.lost,
            calls: other.rows.values().fold(0, |calls, row| calls.saturating_add(row.calls)),
        })
    }

    fn live(&self) -> impl Iterator<Item = &Other> {
        self.others.values().filter(|other| !other.lost)
    }
}

impl Other {
    const fn new(epoch: u64, now: Time) -> Self {
        Self { epoch, beat: 0, floor: 0, heard: now, lost: false, rows: BTreeMap::new() }
    }
}

impl Known {
    fn new(count: &Count, now: Time) -> Self {
        // A report that says more of its classes than of all would leave a negative rest.
        let classes = count.classes.iter().scan(count.load, |left, (class, load)| {
            let load = (*load).min(*left);
            *left -= load;
            Some((class.clone(), load))
        });
        Self {
            version: count.version,
            calls: count.calls,
            load: count.load,
            classes: classes.collect(),
            down: count.down,
            ejected: count.ejected.map(|ejection| (ejection.cause, now + ejection.left)),
        }
    }
}

/// Who was lost is forgotten after so many times `lost_after`.
const FORGET: u32 = 60;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// A delta of one of two replicas, of one of two epochs, as some process could have said it: rows
    /// are the same wherever they have the same version.
    fn delta() -> impl Strategy<Value = Delta> {
        let rows = prop::collection::btree_map(0..4u32, 0..9u64, 0..4);
        let wishes = prop::collection::btree_map(0..4u32, (1..4u64, 0..3u8), 0..3);
        (0..2u8, 0..2u64, 1..9u64, any::<bool>(), rows, wishes).prop_map(
            |(replica, epoch, beat, full, rows, wishes)| {
                let told = rows.into_iter().map(|(number, back)| {
                    let version = beat.saturating_sub(back).max(1);
                    let calls = (version as u32 * 7 + number) % 5;
                    let id = alloc::format!("b{number}");
                    Count { set: 1, id, version, calls, load: u64::from(calls), ..Count::default() }
                });
                let wanted = wishes.into_iter().map(|(number, (version, author))| Wish {
                    set: 1,
                    id: alloc::format!("b{number}"),
                    version,
                    author: alloc::format!("r{author}"),
                    will: if (version + u64::from(author)).is_multiple_of(2) {
                        Will::Draining
                    } else {
                        Will::Disabled
                    },
                    left: None,
                });
                let replica = alloc::format!("r{replica}");
                // A full delta of a beat is one delta, whoever gets it.
                let full = full && beat.is_multiple_of(3);
                let counts: Vec<_> = if full { all_at(beat).collect() } else { told.collect() };
                Delta { replica, epoch, beat, full, counts, wishes: wanted.collect() }
            },
        )
    }

    /// What a full delta has at a beat: two destinations of four.
    fn all_at(beat: u64) -> impl Iterator<Item = Count> {
        (0..4u32).filter(move |number| (beat + u64::from(*number)).is_multiple_of(2)).map(move |number| {
            let version = beat.saturating_sub(u64::from(number)).max(1);
            let calls = (version as u32 * 7 + number) % 5;
            let id = alloc::format!("b{number}");
            Count { set: 1, id, version, calls, load: u64::from(calls), ..Count::default() }
        })
    }

    fn merged<'a>(deltas: impl Iterator<Item = &'a Delta>) -> Replicas {
        let mut replicas = Replicas::default();
        deltas.for_each(|delta| drop(replicas.merge(delta, Time::from_secs(1))));
        replicas
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_known_does_not_depend_on_order_or_on_repetition(
            deltas in prop::collection::vec(delta(), 0..8), order in any::<u64>(), again in any::<u8>()
        ) {
            let mut shuffled: Vec<&Delta> = deltas.iter().collect();
            let mut rng = crate::rng::Rng::new(order);
            for place in (1..shuffled.len()).rev() {
                shuffled.swap(place, rng.below(place as u32 + 1) as usize);
            }
            let twice = deltas.iter().enumerate().filter(|(n, _)| again >> (n % 8) & 1 == 1).map(|(_, d)| d);
            let expected = merged(deltas.iter());
            prop_assert_eq!(&merged(shuffled.iter().copied()), &expected);
            prop_assert_eq!(&merged(deltas.iter().chain(twice)), &expected);
        }
    }

    #[test]
    fn a_replica_that_is_not_heard_counts_no_more_until_it_is_heard_again() {
        let count = Count { set: 1, id: "a".into(), version: 1, calls: 3, load: 3, ..Count::default() };
        let first = Delta { replica: "r".into(), beat: 1, counts: alloc::vec![count], ..Delta::default() };
        let mut replicas = Replicas::default();
        replicas.merge(&first, Time::from_secs(0));
        let name = (1, String::from("a"));
        let lost_after = Duration::from_secs(10);
        assert!(replicas.age(lost_after, Time::from_secs(9)).counts.is_empty());
        assert_eq!(replicas.total(&name).calls, 3);
        let lost = replicas.age(lost_after, Time::from_secs(10));
        assert!(lost.members && lost.counts.contains(&name));
        assert_eq!((replicas.total(&name).calls, replicas.heard()), (0, (0, 1)));
        replicas.merge(&first, Time::from_secs(11));
        assert_eq!(replicas.total(&name).calls, 0, "the same again is no sign of life");
        replicas.merge(&Delta { beat: 2, counts: Vec::new(), ..first }, Time::from_secs(12));
        assert_eq!((replicas.total(&name).calls, replicas.heard()), (3, (1, 0)));
        replicas.age(lost_after, Time::from_secs(12 + 600));
        assert_eq!(replicas.heard(), (0, 0), "forgotten");
    }
}
