//! Parts of the dispatcher alone, for this repository's benches; nothing of it is kept stable.

use crate::call::Call;
use crate::config::Config;
use crate::destination::Destination;
use crate::fleet::{Fleet, Lead};
use crate::load::score::Measurement;
use crate::rng::Rng;
use crate::select::Ask;
use crate::slots::Key;
use crate::time::Time;

#[cfg(feature = "std")]
pub use crate::dispatcher::ahead;

/// A fleet that counts calls which nobody keeps: choosing and counting without the table of calls.
#[derive(Debug)]
pub struct Counting {
    fleet: Fleet,
    config: Config,
    rng: Rng,
    now: Time,
}

impl Counting {
    /// These destinations in set 1.
    #[must_use]
    pub fn new(config: Config, destinations: impl IntoIterator<Item = Destination>) -> Self {
        let (mut fleet, mut rng, now) = (Fleet::new(&config), Rng::new(config.seed), Time::ZERO);
        for destination in destinations {
            fleet.join(1, destination, &config, &mut rng, now);
        }
        fleet.prepare(1, &config);
        Self { fleet, config, rng, now }
    }

    /// The members, in the order in which they joined.
    pub fn members(&self) -> impl Iterator<Item = u64> {
        self.fleet.members.iter().map(|(key, _)| key.to_u64())
    }

    /// A member reports this score.
    pub fn report(&mut self, member: u64, score: f64) {
        let members = self.fleet.members.len();
        let Some(key) = Key::from_u64(member) else { return };
        let Some((member, costs)) = self.fleet.reporting(key) else { return };
        let measurement = Measurement { at: self.now, load: Some(score), active: None };
        let own = member.own();
        member.estimate.report(measurement, own, costs, members);
        self.fleet.reconsider(key, &self.config, self.now);
    }

    /// Chooses by the hash of a key, and counts nothing.
    pub fn pick(&mut self, key: u64) -> Option<u64> {
        let lead = self.fleet.lead_at_hand(1)?;
        match self.fleet.take_at_hand(lead, key) {
            Some((destination, _)) => Some(destination.to_u64()),
            None => self.seek(lead, key),
        }
    }

    #[inline(never)]
    fn seek(&mut self, lead: Lead, key: u64) -> Option<u64> {
        self.fleet.settle(Some(lead), &Call::new(&[]), self.config.dispatchers, self.now);
        let (costs, dispatchers) = (&self.fleet.costs, self.config.dispatchers);
        let ask = Ask { key, text: None, class: 0, cost: 1, costs, dispatchers, now: self.now, tried: &[] };
        let spot = self.fleet.choose(*self.fleet.legs(1).first()?, &ask, &mut self.rng)?;
        self.fleet.chosen(&spot, false);
        Some(spot.destination.to_u64())
    }

    /// Chooses and counts.
    pub fn begin(&mut self, key: u64) -> Option<u64> {
        let destination = self.pick(key)?;
        self.count(destination);
        Some(destination)
    }

    /// Counts in.
    pub fn count(&mut self, destination: u64) {
        if let Some(key) = Key::from_u64(destination) {
            self.fleet.take(key, 0, 1, &self.config, self.now);
        }
    }

    /// Counts out.
    pub fn end(&mut self, destination: u64) {
        if let Some(key) = Key::from_u64(destination) {
            self.fleet.release(key, 0, 1, &self.config, self.now);
        }
    }
}
