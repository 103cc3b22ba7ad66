//! Calls of other replicas, counted where ours are.

use alloc::boxed::Box;

use super::Fleet;
use crate::config::Config;
use crate::member::Others;
use crate::slots::Key;
use crate::time::Time;

impl Fleet {
    /// Counts the calls of other replicas there, as they are now.
    pub(crate) fn set_others(&mut self, key: Key, calls: u32, others: Others, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        let before = member.others.take().map(|others| *others).unwrap_or_default();
        let moved =
            (member.elsewhere, before.load) != (calls, others.load) || before.classes != others.classes;
        if moved {
            // Other calls of the same load leave it where it stands in line.
            if others.load != before.load {
                self.changes += 1;
                member.touched = self.changes;
            }
            member.calls = member.calls - member.elsewhere + calls;
            member.load = member.load - before.load + others.load;
            member.elsewhere = calls;
            let own = member.own();
            member.estimate.shift(&before.classes, &others.classes, own, now);
        }
        member.others = (others != Others::default()).then(|| Box::new(others));
        self.reconsider(key, config, now);
    }
}
