//! Passive ejection: who fails most calls is out for a while, unless everybody fails.

use super::Dispatcher;
use crate::destination::DestinationId;
use crate::event::EventKind;
use crate::health::eject::Cause;
use crate::member::Member;
use crate::slots::Key;
use crate::time::Time;

impl Dispatcher {
    /// A call to a destination came to something; too many failures take it out.
    pub(super) fn attempted(&mut self, key: Key, failed: bool) {
        let (config, now) = (self.config.ejection, self.now);
        let Some(member) = self.fleet.seated(key).filter(|_| config.enabled) else { return };
        member.attempts.record(failed, &config, now);
        if !failed || member.attempts.is_ejected() {
            return;
        }
        let Some(cause) = member.attempts.cause(&config, now) else { return };
        let counts = self.count_neighbours(key);
        if counts.fail >= 2 && 2 * counts.fail > counts.tried {
            self.common_cause(key, counts);
        } else if counts.may_lose_one(config.max_share) {
            let Some(member) = self.fleet.seated(key) else { return };
            let until = member.attempts.eject(cause, &config, now);
            let destination = DestinationId(key);
            self.events.push(now, EventKind::Ejected { destination, cause, until });
        }
    }

    /// Another replica's calls failed at a destination, or no other's do any more. It is out for as long
    /// as there, if the set can be without it.
    pub(super) fn follow(&mut self, key: Key, ejected: Option<(Cause, Time)>) {
        let (config, now) = (self.config.ejection, self.now);
        let Some(attempts) = self.fleet.seated(key).map(|member| &member.attempts) else { return };
        let follows = attempts.is_ejected() && attempts.own().is_none();
        let destination = DestinationId(key);
        match ejected.filter(|(_, until)| *until > now && config.enabled) {
            Some((cause, until)) if !attempts.is_ejected() => {
                if !self.count_neighbours(key).may_lose_one(config.max_share) {
                    return;
                }
                let Some(member) = self.fleet.seated(key) else { return };
                member.attempts.follow(until, now);
                self.events.push(now, EventKind::Ejected { destination, cause, until });
            }
            None if follows => {
                let Some(member) = self.fleet.seated(key) else { return };
                member.attempts.let_back(now);
                self.events.push(now, EventKind::Returned { destination });
            }
            _ => return,
        }
        self.fleet.reconsider(key, &self.config, now);
    }

    /// Lets a destination back whose ejection is over.
    pub(super) fn let_back(&mut self, key: Key) {
        let now = self.now;
        let Some(member) = self.fleet.seated(key) else { return };
        if member.attempts.until().is_some_and(|until| until <= now) {
            member.attempts.let_back(now);
            self.events.push(now, EventKind::Returned { destination: DestinationId(key) });
        }
    }

    /// Most of a set fails: it is not the destinations. Who went out for it comes back.
    fn common_cause(&mut self, key: Key, counts: Counts) {
        let (config, now) = (self.config.ejection, self.now);
        let lately = |at: Time| now.since(at) < config.window;
        let recent = |member: &Member| member.attempts.since().is_some_and(lately);
        let out: alloc::vec::Vec<Key> =
            self.fleet.neighbours(key).filter(|(_, member)| recent(member)).map(|(key, _)| key).collect();
        for key in out {
            if let Some(member) = self.fleet.seated(key) {
                member.attempts.pardon(now);
            }
            self.events.push(now, EventKind::Returned { destination: DestinationId(key) });
            self.fleet.reconsider(key, &self.config, now);
        }
        let Some(set) = self.fleet.seated(key).map(|member| member.set) else { return };
        if self.fleet.says_common_cause(key, config.window, now) {
            self.events.push(now, EventKind::CommonCause { set, failing: counts.fail, of: counts.tried });
        }
    }

    fn count_neighbours(&self, key: Key) -> Counts {
        let (config, now) = (&self.config.ejection, self.now);
        let mut counts = Counts::default();
        for (other, member) in self.fleet.neighbours(key) {
            let out = member.attempts.is_ejected();
            let ejected_lately = member.attempts.since().is_some_and(|at| now.since(at) < config.window);
            counts.all += 1;
            counts.out += u32::from(out);
            counts.others_up += u32::from(other != key && member.is_healthy());
            counts.tried += u32::from(ejected_lately || member.attempts.is_tried(config, now));
            counts.fail += u32::from(ejected_lately || member.attempts.fails(config, now));
        }
        counts
    }
}

/// What a set looks like when one of it fails.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    all: u32,
    /// Ejected already.
    out: u32,
    /// Others in service, up and not ejected.
    others_up: u32,
    /// With calls that came to something in the window.
    tried: u32,
    /// Of these, with too many failures.
    fail: u32,
}

impl Counts {
    /// Whether one more may go: not the last one that is up, and not more than this share.
    fn may_lose_one(self, max_share: f64) -> bool {
        self.others_up > 0 && f64::from(self.out + 1) <= max_share * f64::from(self.all)
    }
}
