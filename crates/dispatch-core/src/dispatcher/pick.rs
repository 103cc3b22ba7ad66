//! Commands on what is no call: choose, and count nothing.

use super::Dispatcher;
use super::place::{check_cost, check_text};
use crate::call::{Call, Picked};
use crate::config::SetId;
use crate::destination::DestinationId;
use crate::error::BeginError;
use crate::time::Time;

impl Dispatcher {
    /// Chooses as `begin` does, and counts nothing: for what is no call (a REGISTER, a request that is
    /// answered at once), or for calls that somebody else counts. Algorithms that take turns move on;
    /// those that follow load choose the same until a load changes. What counts only calls, the rates
    /// and the limits of tenants, is not asked. The Call-ID may be empty where no algorithm hashes it.
    ///
    /// # Errors
    /// As `begin`.
    #[inline]
    pub fn pick(&mut self, call: &Call<'_>, now: Time) -> Result<Picked, BeginError> {
        match self.pick_at_hand(call, now) {
            Some(picked) => Ok(picked),
            None => self.pick_anyone(call, now),
        }
    }

    /// `pick` where nothing is due and who takes the call is at hand; else it changes nothing. A function of its
    /// own keeps what the rest needs out of it.
    #[inline(always)]
    fn pick_at_hand(&mut self, call: &Call<'_>, now: Time) -> Option<Picked> {
        let now = self.time_of(now);
        if self.is_due(now) || check_cost(call).is_err() {
            return None;
        }
        let lead = self.fleet.lead_at_hand(call.set)?;
        let key = self.key(call, lead.hashes).ok()?;
        let (destination, panic) = self.fleet.take_at_hand(lead, key)?;
        self.now = now;
        Some(Picked { destination: DestinationId(destination), panic })
    }

    #[inline(never)]
    fn pick_anyone(&mut self, call: &Call<'_>, now: Time) -> Result<Picked, BeginError> {
        let now = self.advance(now);
        check_cost(call)?;
        let lead = self.fleet.prepare(call.set, &self.config);
        self.fleet.settle(lead, call, self.unheard, now);
        let key = self.key(call, lead.is_some_and(|lead| lead.hashes))?;
        let mut rng = self.rng;
        let spot = self.spot(&self.fleet, lead, call, key, &mut rng)?;
        self.rng = rng;
        self.fleet.chosen(&spot, false);
        Ok(Picked { destination: DestinationId(spot.destination), panic: spot.panic })
    }

    /// The hash by which it is picked, where any algorithm on its way hashes.
    #[inline(always)]
    fn key(&self, call: &Call<'_>, hashes: bool) -> Result<u64, BeginError> {
        if !hashes {
            return Ok(0);
        }
        check_text(call.text())?;
        Ok(self.fleet.hash(call.text()))
    }

    /// Whether `pick` looks at the Call-ID, or the key, of a call to this set: an algorithm on its routes
    /// hashes it. Who would have to copy or encode it can leave it empty otherwise.
    #[must_use]
    pub fn hashes(&self, set: SetId) -> bool {
        match self.config.policies.get(&set) {
            Some(routes) => routes.iter().any(|route| route.algorithm.hashes()),
            None => self.config.algorithm.hashes(),
        }
    }
}
