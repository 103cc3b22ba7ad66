//! Whether members can take calls, and the timers that change it.

use core::cmp::Reverse;

use super::Fleet;
use crate::config::Config;
use crate::member::Member;
use crate::select::Change;
use crate::set::Set;
use crate::slots::Key;
use crate::standing::Standing;
use crate::time::Time;

impl Fleet {
    /// Tells the set of a member what changed there, and arms its timer.
    pub(crate) fn reconsider(&mut self, key: Key, config: &Config, now: Time) {
        self.stand(key, config, now);
        if config.health.panic_threshold > 0.0 {
            self.consider_panic(key, config, now);
        }
    }

    fn stand(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        let Some(set) = self.sets.get_mut(member.place as usize) else { return };
        member.watch();
        let after = member.standing_at(set.panics(), now);
        let before = core::mem::replace(&mut member.standing, after);
        let warmer = member.warm_up.advance(config.warm_up, now);
        let comes_back = before.is_out()
            && before != Standing::Removed
            && !after.is_out()
            && set.takes_calls()
            && !set.panics();
        if comes_back {
            member.warm_up.begin(config.warm_up, now);
        }
        if warmer || comes_back {
            set.reorder();
            self.ready = None;
        }
        if warmer || comes_back || before != after {
            self.turnover += 1;
        }
        let wakes = member.wakes;
        if let Some(at) = member.wake(config, now).filter(|at| wakes.is_none_or(|armed| *at < armed)) {
            member.wakes = Some(at);
            self.timers.push(Reverse((at, key)));
            self.no_timer_before = self.no_timer_before.min(at);
        }
        let news = News::of(member, self.changes);
        self.tell(news, before, now);
    }

    /// Changes the count of calls of a member, as the change of the number that is given; whether it is out, and
    /// without a call.
    #[inline]
    pub(super) fn change(
        &mut self,
        key: Key,
        config: &Config,
        now: Time,
        count: impl FnOnce(&mut Member, u64),
    ) -> bool {
        self.changes += 1;
        let Some(member) = self.members.find_mut(key) else { return false };
        count(member, self.changes);
        let is_left = member.calls == 0 && member.standing.is_out();
        if member.is_limited() {
            self.recount(key, config, now);
        } else {
            let (news, standing) = (News::of(member, self.changes), member.standing);
            self.tell(news, standing, now);
        }
        is_left
    }

    /// Only the count of calls changed: where the standing did not, no timer did either.
    fn recount(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find(key) else { return };
        let panic = || self.sets.get(member.place as usize).is_some_and(Set::panics);
        if member.standing_at(panic(), now) == member.standing {
            self.tell(News::of(member, self.changes), member.standing, now);
        } else {
            self.stand(key, config, now);
        }
    }

    /// Tells the set of a member what there is to tell of it.
    #[inline]
    fn tell(&mut self, news: News, before: Standing, now: Time) {
        self.moves += 1;
        if let (Some(set), Some(change)) = (self.sets.get_mut(news.place as usize), news.change) {
            set.moved(change, (before, news.standing), &self.members, &self.costs, now);
        }
    }

    /// Where too few of a set are healthy, health is ignored there, until enough are again.
    fn consider_panic(&mut self, key: Key, config: &Config, now: Time) {
        let Some(place) = self.members.find(key).map(|member| member.place as usize) else { return };
        let Some(set) = self.sets.get_mut(place) else { return };
        let members = || set.seated().filter_map(|(_, member)| self.members.find(member));
        let in_service = members().filter(|member| member.is_in_service()).count();
        let healthy = members().filter(|member| member.is_healthy()).count();
        let panics = (healthy as f64) < config.health.panic_threshold * in_service as f64;
        if set.panics() == panics {
            return;
        }
        set.set_panics(panics);
        self.turnover += 1;
        for seat in 0..set.seats() {
            if let Some(key) = self.sets.get(place).and_then(|set| set.at(seat)) {
                self.stand(key, config, now);
            }
        }
    }

    // Timers

    /// When the next member wakes; it may be that nothing is left to do then.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// As `next_timer`, at hand; never where there is none.
    pub(crate) const fn no_timer_before(&self) -> Time {
        self.no_timer_before
    }

    /// The member that wakes next, if its time has come.
    pub(crate) fn wake(&mut self) -> Option<Key> {
        let Reverse((at, key)) = self.timers.pop()?;
        self.no_timer_before = self.next_timer().unwrap_or(Time::MAX);
        let member = self.members.find_mut(key).filter(|member| member.wakes == Some(at))?;
        member.wakes = None;
        Some(key)
    }

    /// A probe of this member is due: it waits for the prober.
    pub(crate) fn queue_probe(&mut self, key: Key) {
        if let Some(member) = self.members.find_mut(key).filter(|member| !member.probe_queued) {
            member.probe_queued = true;
            self.probes.push_back(key);
        }
    }

    pub(crate) fn has_probe(&self) -> bool {
        !self.probes.is_empty()
    }

    /// The next member to probe. It may have left since.
    pub(crate) fn pop_probe(&mut self) -> Option<Key> {
        let key = self.probes.pop_front()?;
        if let Some(member) = self.members.find_mut(key) {
            member.probe_queued = false;
        }
        Some(key)
    }
}

/// What a set is told of a member.
struct News {
    place: u32,
    standing: Standing,
    /// Nothing where it has no seat.
    change: Option<Change>,
}

impl News {
    /// Of a member of a fleet with so many changes of loads.
    #[inline]
    fn of(member: &Member, changes: u64) -> Self {
        let Member { place, standing, load, touched, .. } = *member;
        let (usable, newest) = (standing == Standing::Candidate, touched == changes);
        Self { place, standing, change: member.seat().map(|seat| Change { seat, usable, load, newest }) }
    }
}
