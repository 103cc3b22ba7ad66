//! A model of the dispatcher module: lists, selections, marks, probes, calls and reloads.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::calls::{Call, Calls};
use super::destination::{Latency, Member};
use super::set::Set;
use super::{Change, Destination, Mark, Params, Request, Selection, State, StateError};
use crate::config::SetId;
use crate::rng::Rng;
use crate::time::Time;

/// A model of Kamailio's dispatcher: what it decides, and every mistake that it makes.
///
/// It has no effects: time and random numbers are arguments. Shadowing and migration compare with
/// it; whoever wants to place calls as Kamailio does takes `Algorithm::Kamailio` instead.
///
/// ```
/// use callsteer::kamailio::{Destination, Dispatcher, Params, Request};
/// use callsteer::Time;
///
/// let uris = ["sip:a", "sip:b", "sip:c"];
/// let list = uris.map(|uri| (1, Destination { uri: uri.into(), ..Destination::default() }));
/// let params = Params { failover: true, ..Params::default() };
/// let mut kamailio = Dispatcher::new(list, params, 7);
/// let request = Request { call_id: b"abc@host", ..Request::default() };
/// let selection = kamailio.select(1, 0, &request, Time::ZERO).unwrap();
/// let failover: Vec<_> = selection.failover.iter().map(|index| kamailio.uri(1, *index).unwrap()).collect();
/// assert_eq!(failover, ["sip:c", "sip:b", "sip:a"]);
/// ```
#[derive(Clone, Debug)]
pub struct Dispatcher {
    pub(super) params: Params,
    pub(super) sets: BTreeMap<SetId, Set>,
    calls: Calls,
    rng: Rng,
}

impl Dispatcher {
    /// A module that has loaded a list, in the order of the file. The seed shuffles the slots of
    /// algorithms 9 and 11.
    pub fn new(list: impl IntoIterator<Item = (SetId, Destination)>, params: Params, seed: u64) -> Self {
        let (sets, calls) = (BTreeMap::new(), Calls::default());
        let mut new = Self { params, sets, calls, rng: Rng::new(seed) };
        new.reload(list);
        new
    }

    // Commands

    /// `dispatcher.reload`: every state, load and turn begins anew; calls in progress stay known.
    pub fn reload(&mut self, list: impl IntoIterator<Item = (SetId, Destination)>) {
        let mut members: BTreeMap<SetId, Vec<Member>> = BTreeMap::new();
        for (set, destination) in list {
            members.entry(set).or_default().push(Member::new(destination, &self.params));
        }
        let sets = members.into_iter().map(|(id, members)| (id, Set::new(members, &mut self.rng)));
        self.sets = sets.collect();
    }

    /// `dispatcher.add`: states and loads stay, turns begin anew, and equal priorities of *every* set
    /// change their order to the opposite.
    pub fn add(&mut self, set: SetId, destination: Destination) {
        let new = Member::new(destination, &self.params);
        self.load_anew(Some((set, new)), |_, _| true);
    }

    /// `dispatcher.remove`, with the same effects as [`add`](Self::add).
    pub fn remove(&mut self, set: SetId, uri: &str) {
        self.load_anew(None, |of, member| of != set || member.destination.uri != uri);
    }

    /// `ds_select_dst(set, algorithm)`: `None` where nobody can be selected. Algorithm 10 counts the
    /// call at once.
    pub fn select(
        &mut self,
        set: SetId,
        algorithm: u16,
        request: &Request<'_>,
        now: Time,
    ) -> Option<Selection> {
        let Some(selection) = self.look(set, algorithm, request, now) else {
            if let Some(set) = self.sets.get_mut(&set) {
                set.fail(algorithm, request, &self.params);
            }
            return None;
        };
        self.take(set, &selection, request.call_id, now);
        (!selection.refused).then_some(selection)
    }

    /// The first half of a selection, which changes nothing. Kamailio's processes do both halves
    /// without a lock around them.
    #[must_use]
    pub fn look(&self, set: SetId, algorithm: u16, request: &Request<'_>, now: Time) -> Option<Selection> {
        let is_new = !self.calls.knows(request.call_id);
        self.sets.get(&set)?.look(algorithm, request, is_new, &self.params, now)
    }

    /// The second half of a selection: it takes its turn, and algorithm 10 counts the call.
    pub fn take(&mut self, set: SetId, selection: &Selection, call_id: &[u8], now: Time) {
        if let Some(set) = self.sets.get_mut(&set) {
            set.take(selection, &self.params);
        }
        if let Some(counted) = selection.counted {
            self.count(set, counted, call_id, now);
        }
    }

    /// `ds_next_dst()`: the next of the failover list, whatever its state is by now. A call that is
    /// counted is counted there.
    pub fn next(
        &mut self,
        set: SetId,
        selection: &mut Selection,
        call_id: &[u8],
        now: Time,
    ) -> Option<usize> {
        let next = selection.next()?;
        if let Some(call) = selection.counted.and_then(|_| self.calls.end(call_id)) {
            self.discount(&call);
            self.count(set, next, call_id, now);
        }
        Some(next)
    }

    /// `ds_mark_dst(state)` for a URI: of two destinations with the same one, the first.
    ///
    /// # Errors
    /// The set has no such URI.
    pub fn mark(&mut self, set: SetId, uri: &str, to: Mark) -> Result<Option<Change>, StateError> {
        let (down, up) = match self.params.release {
            super::Release::V5 => (self.params.probing_threshold, self.params.inactive_threshold),
            super::Release::V6 => (1, 1),
        };
        self.change(set, uri, |state| state.mark(to, down, up))
    }

    /// `dispatcher.set_state`.
    ///
    /// # Errors
    /// The set has no such URI.
    pub fn set_state(&mut self, set: SetId, uri: &str, to: Mark) -> Result<(), StateError> {
        self.change(set, uri, |state| {
            state.set(to);
            None
        })?;
        Ok(())
    }

    /// `ds_oc_set_attrs`: of 100 selections by algorithm 64, `rate` pass it by, for `span`; a
    /// sequence number that is no news is refused.
    ///
    /// # Errors
    /// The set has no such URI.
    pub fn set_overload(
        &mut self,
        set: SetId,
        uri: &str,
        rate: u32,
        span: Duration,
        sequence: u32,
        now: Time,
    ) -> Result<bool, StateError> {
        let mut rng = self.rng;
        let member = self.member(set, uri)?;
        let rate = rate.max(member.destination.overload_min);
        let until = now + if span.is_zero() { OVERLOAD_SPAN } else { span };
        let is_news = member.overload.set(rate, until, sequence, &mut rng);
        self.rng = rng;
        Ok(is_news)
    }

    // Reports from outside

    /// A probe of this URI was answered by an accepted code, or not.
    ///
    /// # Errors
    /// The set has no such URI.
    pub fn probe_result(
        &mut self,
        set: SetId,
        uri: &str,
        answered: bool,
    ) -> Result<Option<Change>, StateError> {
        let keeps_probing = matches!(self.params.probing_mode, 1 | 3);
        let (down, up) = (self.params.probing_threshold, self.params.inactive_threshold);
        self.change(set, uri, |state| state.mark(Mark::of_probe(answered, keeps_probing), down, up))
    }

    /// What probes of this URI measured.
    ///
    /// # Errors
    /// The set has no such URI.
    pub fn set_latency(&mut self, set: SetId, uri: &str, latency: Latency) -> Result<(), StateError> {
        self.member(set, uri)?.latency = latency;
        Ok(())
    }

    /// `ds_load_update()` for a 2xx to the INVITE.
    pub fn confirm(&mut self, call_id: &[u8], now: Time) {
        self.calls.confirm(call_id, &self.params, now);
    }

    /// `ds_load_update()` for BYE or CANCEL, or `ds_load_unset()`: the call is not counted any more.
    /// Without either it is counted until it expires, however it ended. After a reload it is taken
    /// off whatever was counted since; where its destination is gone, it stays known until it expires.
    pub fn end(&mut self, call_id: &[u8]) {
        let set = self.calls.get(call_id).and_then(|call| Some((call, self.sets.get_mut(&call.set)?)));
        let member = set.and_then(|(call, set)| set.find(|destination| destination.duid == call.duid));
        if let Some(member) = member {
            member.load = member.load.saturating_sub(1);
            self.calls.end(call_id);
        }
    }

    /// The timer: calls that expired are not counted any more.
    pub fn expire(&mut self, now: Time) {
        for call in self.calls.expire(&self.params, now) {
            self.discount(&call);
        }
    }

    /// Puts the index order in as if it were the order of a file.
    fn load_anew(&mut self, new: Option<(SetId, Member)>, stays: impl Fn(SetId, &Member) -> bool) {
        let mut lines: BTreeMap<SetId, Vec<Member>> = BTreeMap::new();
        for (id, set) in core::mem::take(&mut self.sets) {
            let ignored = self.params.ignored_flag();
            let again = |member: Member| Member { state: member.state.anew_without(ignored), ..member };
            let members: Vec<Member> =
                set.into_members().filter(|member| stays(id, member)).map(again).collect();
            if !members.is_empty() {
                lines.insert(id, members);
            }
        }
        if let Some((id, new)) = new {
            lines.entry(id).or_default().push(new);
        }
        let sets = lines.into_iter().map(|(id, lines)| (id, Set::new(lines, &mut self.rng)));
        self.sets = sets.collect();
    }

    fn member(&mut self, set: SetId, uri: &str) -> Result<&mut Member, StateError> {
        let set = self.sets.get_mut(&set).ok_or(StateError::NoSuchDestination)?;
        set.find(|destination| destination.uri == uri).ok_or(StateError::NoSuchDestination)
    }

    fn change(
        &mut self,
        id: SetId,
        uri: &str,
        change: impl FnOnce(&mut State) -> Option<Change>,
    ) -> Result<Option<Change>, StateError> {
        let change = change(&mut self.member(id, uri)?.state);
        if let Some(set) = self.sets.get_mut(&id) {
            set.share_anew(&mut self.rng);
        }
        Ok(change)
    }

    fn count(&mut self, set: SetId, index: usize, call_id: &[u8], now: Time) {
        // The same Call-ID again is placed anew, and stays counted where it was first.
        let known = self.calls.knows(call_id);
        let member = self.sets.get_mut(&set).and_then(|set| set.at_mut(index));
        if let Some(member) = member.filter(|member| !known && !member.destination.duid.is_empty()) {
            member.load += 1;
            let duid: String = member.destination.duid.clone();
            self.calls.begin(call_id, set, duid, &self.params, now);
        }
    }

    fn discount(&mut self, call: &Call) {
        let set = self.sets.get_mut(&call.set);
        if let Some(member) = set.and_then(|set| set.find(|destination| destination.duid == call.duid)) {
            member.load = member.load.saturating_sub(1);
        }
    }
}

/// The algorithm that counts calls.
pub(super) const CALL_LOAD: u16 = 10;
/// How long a rate applies where it does not say.
const OVERLOAD_SPAN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    /// Seen in Kamailio 5.6.3: what the vectors do not have.
    fn kamailio(lines: &[(SetId, &str, &str, u32)], params: Params) -> Dispatcher {
        let line = |(set, uri, duid, weight): &(SetId, &str, &str, u32)| {
            let (uri, duid) = (uri.to_string(), duid.to_string());
            let weights = Destination { maxload: 2, weight: *weight, rweight: 1, ..Destination::default() };
            (*set, Destination { uri, duid, ..weights })
        };
        Dispatcher::new(lines.iter().map(line), Params { counts_calls: true, failover: true, ..params }, 7)
    }

    fn select(kamailio: &mut Dispatcher, algorithm: u16, call_id: &str) -> Option<String> {
        let request = Request { call_id: call_id.as_bytes(), ..Request::default() };
        let selection = kamailio.select(1, algorithm, &request, Time::ZERO)?;
        kamailio.uri(1, selection.index).map(String::from)
    }

    fn uris(kamailio: &Dispatcher, set: SetId) -> Vec<&str> {
        (0..kamailio.len(set)).filter_map(|index| kamailio.uri(set, index)).collect()
    }

    const LINES: [(SetId, &str, &str, u32); 3] = [(1, "a", "x", 50), (1, "b", "y", 30), (1, "c", "z", 20)];

    #[test]
    fn the_turn_of_the_spare_one_goes_to_the_first_and_is_counted_at_the_spare_one() {
        let mut kamailio = kamailio(&LINES, Params { use_default: true, ..Params::default() });
        let placed: Vec<_> = (0..7).map(|call| select(&mut kamailio, 10, &format!("{call}"))).collect();
        let expected = [Some("c"), Some("b"), Some("c"), Some("c"), Some("b"), Some("c"), None];
        assert_eq!(placed, expected.map(|uri| uri.map(String::from)));
        assert_eq!([0, 1, 2].map(|index| kamailio.load(1, index)), [Some(2); 3]);

        for (algorithm, expected) in [(9, 70), (11, 67)] {
            let to_first = (0..100).filter(|_| select(&mut kamailio, algorithm, "").as_deref() == Some("c"));
            assert_eq!(to_first.count(), expected);
        }
    }

    #[test]
    fn who_has_no_duid_is_never_counted() {
        let mut kamailio = kamailio(&[(1, "a", "", 0), (1, "b", "", 0)], Params::default());
        for call in 0..4 {
            assert_eq!(select(&mut kamailio, 10, &format!("{call}")).as_deref(), Some("b"));
        }
        assert_eq!(kamailio.load(1, 0), Some(0));
    }

    #[test]
    fn a_destination_added_or_removed_turns_every_set_around_and_keeps_states_and_loads() {
        let mut kamailio = kamailio(&LINES, Params::default());
        for (call, uri) in [("1", "c"), ("2", "b")] {
            assert_eq!(select(&mut kamailio, 10, call).as_deref(), Some(uri));
        }
        assert_eq!(select(&mut kamailio, 4, "").as_deref(), Some("c"));
        assert_eq!(kamailio.set_state(1, "a", "i".parse().unwrap()), Ok(()));
        kamailio.add(1, Destination { uri: "d".into(), duid: "d".into(), ..Destination::default() });
        assert_eq!(uris(&kamailio, 1), ["d", "a", "b", "c"]);
        assert_eq!([0, 1, 2, 3].map(|index| kamailio.load(1, index)), [0, 0, 1, 1].map(Some));
        assert_eq!(select(&mut kamailio, 4, "").as_deref(), Some("d"));
        assert_eq!(select(&mut kamailio, 4, "").as_deref(), Some("b"));
        kamailio.end(b"1");
        kamailio.remove(1, "b");
        assert_eq!(uris(&kamailio, 1), ["c", "a", "d"]);
        assert_eq!(kamailio.state(1, 1).map(|state| state.to_string()).as_deref(), Some("IX"));
        assert_eq!(kamailio.load(1, 0), Some(0));
    }

    #[test]
    fn what_is_left_over_goes_to_the_last_one_that_is_up() {
        let lines = [(1, "a", "", 0), (1, "b", "", 0), (1, "c", "", 0), (1, "d", "", 0)];
        let mut kamailio = kamailio(&lines, Params::default());
        assert_eq!(kamailio.set_state(1, "a", "i".parse().unwrap()), Ok(()));
        let to_last = (0..100).filter(|_| select(&mut kamailio, 11, "").as_deref() == Some("b"));
        assert_eq!(to_last.count(), 34);
    }
}
