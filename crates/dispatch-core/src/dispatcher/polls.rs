//! Polls: called until they give `None`.

use super::Dispatcher;
use crate::call::Probe;
use crate::destination::DestinationId;
use crate::event::Event;
use crate::time::Time;

impl Dispatcher {
    /// The next destination to probe, if one is due. Its time-out starts now.
    pub fn poll_probe(&mut self, now: Time) -> Option<Probe> {
        let now = self.advance(now);
        while self.fleet.has_probe() {
            let Some(key) = self.fleet.pop_probe() else { continue };
            let wanted = |due: Time| due <= now;
            let Some(member) = self.fleet.seated(key) else { continue };
            if member.probe_due(&self.config).is_some_and(wanted) {
                member.probes.sent(&self.config.probing, &mut self.rng, now);
                self.fleet.reconsider(key, &self.config, now);
                return Some(Probe { destination: DestinationId(key) });
            }
            self.fleet.reconsider(key, &self.config, now);
        }
        None
    }

    /// The oldest event that was not polled yet.
    pub fn poll_event(&mut self, now: Time) -> Option<Event> {
        self.advance(now);
        self.events.pop().map(|event| self.epoch.told_event(event))
    }

    /// When to poll again at the latest: something may be due then. `None` while nothing is.
    /// What is due already gives the last time seen.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if self.fleet.has_probe() || !self.events.is_empty() {
            return Some(self.epoch.told(self.now));
        }
        let call = self.calls.next_deadline().map(|(at, _)| at);
        [call, self.fleet.next_timer(), self.next_look()]
            .into_iter()
            .flatten()
            .min()
            .map(|at| self.epoch.told(at))
    }
}
