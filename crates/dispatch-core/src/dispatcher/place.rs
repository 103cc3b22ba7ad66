//! Commands on calls: place one, move it on.

use core::num::NonZeroU64;
use core::time::Duration;

use super::Dispatcher;
use crate::call::{Call, Lease, Placed};
use crate::calls::Start;
use crate::config::{SetId, TenantLimits};
use crate::destination::DestinationId;
use crate::error::{BeginError, NextError};
use crate::fleet::{Fleet, Lead, Spot};
use crate::rng::Rng;
use crate::select::Ask;
use crate::standing::Standing;
use crate::tenants::Admission;
use crate::time::Time;

impl Dispatcher {
    /// Chooses a destination for a call and counts it there, in one step. A Call-ID that is in
    /// progress already (a retransmitted INVITE) gets the same answer again and counts once.
    ///
    /// # Errors
    /// Why no destination takes the call, and what to answer its caller.
    pub fn begin(&mut self, call: &Call<'_>, now: Time) -> Result<Placed, BeginError> {
        let now = self.advance(now);
        let lead = self.fleet.prepare(call.set, &self.config);
        self.fleet.settle(lead, call, self.unheard, now);
        let mut rng = self.rng;
        let choice = match self.choose(&self.fleet, lead, call, &mut rng) {
            Ok(Choice::Known(placed)) => {
                self.counts.repeated += 1;
                return Ok(placed);
            }
            Ok(Choice::Seat(choice)) => choice,
            Err(error) => {
                self.counts.refuse(&error);
                return Err(error);
            }
        };
        let SeatChoice { spot, id, key, tenant } = choice;
        let Spot { leg, destination, panic, .. } = spot;
        let (set, route) = (call.set, leg.route);
        let cost = u16::try_from(call.cost).unwrap_or(u16::MAX);
        let class = self.fleet.number_class(call.class);
        let start = Start { id, key, tenant, destination, set, cost, class, route, panic };
        let lease = self.calls.begin(start, now).ok_or_else(|| self.full())?;
        self.rng = rng;
        self.fleet.chosen(&spot, false);
        self.fleet.came(leg, now);
        self.fleet.take(destination, class, call.cost, &self.config, now);
        self.counts.begun += 1;
        self.counts.panics += u64::from(panic);
        Ok(Placed { lease, destination: DestinationId(destination), panic })
    }

    /// Moves a call to a destination where it has not been, in the algorithm's own order; set-up
    /// begins anew there.
    ///
    /// # Errors
    /// The call has ended; every destination that could take it has been tried. The call then
    /// stays where it is until it is ended.
    pub fn next(&mut self, lease: Lease, now: Time) -> Result<Placed, NextError> {
        let now = self.advance(now);
        let record = *self.calls.find(lease).ok_or(NextError::NoSuchCall)?;
        self.fleet.prepare(record.set, &self.config);
        let mut tried = core::mem::take(&mut self.tried);
        let mut rng = self.rng;
        let mut found = None;
        for leg in self.fleet.legs(record.set).iter().filter(|leg| leg.route >= record.route) {
            let been = self.calls.tried(&record).chain(core::iter::once(record.destination));
            tried.clear();
            tried.extend(been.filter_map(|key| self.fleet.seat_of(key, *leg)));
            let ask = self.ask(&self.fleet, record.key, record.class, u32::from(record.cost), &tried);
            found = self.fleet.choose(*leg, &ask, &mut rng);
            if found.is_some() {
                break;
            }
        }
        self.tried = tried;
        let spot = found.ok_or(NextError::Exhausted)?;
        let Spot { leg, destination, panic, .. } = spot;
        self.rng = rng;
        self.fleet.chosen(&spot, true);
        self.calls.moved(lease, destination, leg.route, panic, now);
        self.fleet.take(destination, record.class, u32::from(record.cost), &self.config, now);
        self.release(record.destination, record.class, record.cost);
        self.counts.moved += 1;
        self.counts.panics += u64::from(panic);
        Ok(Placed { lease, destination: DestinationId(destination), panic })
    }

    /// [`next`](Self::next), by Call-ID.
    ///
    /// # Errors
    /// As `next`.
    pub fn next_call(&mut self, call_id: &[u8], now: Time) -> Result<Placed, NextError> {
        self.advance(now);
        let lease = self.call_of(call_id).ok_or(NextError::NoSuchCall)?;
        self.next(lease, now)
    }

    /// What `begin` would do with a call in a fleet that is prepared for it. Changes nothing but `rng`. In line, as
    /// a seat that is handed back would be written, and read before it is there.
    #[inline(always)]
    pub(super) fn choose(
        &self,
        fleet: &Fleet,
        lead: Option<Lead>,
        call: &Call<'_>,
        rng: &mut Rng,
    ) -> Result<Choice, BeginError> {
        check_text(call.call_id)?;
        check_cost(call)?;
        let id = fleet.hash(call.call_id);
        if let Some(placed) = self.placed(id) {
            return Ok(Choice::Known(placed));
        }
        let tenant = call.tenant.map(|tenant| (self.tenant(tenant), self.limits(tenant)));
        self.admit(tenant)?;
        let key = call.key.map_or(id, |key| fleet.hash(key));
        let spot = self.spot(fleet, lead, call, key, rng)?;
        Ok(Choice::Seat(SeatChoice { spot, id, key, tenant }))
    }

    /// Where a new call goes: on the first of its routes that has a seat.
    #[inline(always)]
    pub(super) fn spot(
        &self,
        fleet: &Fleet,
        lead: Option<Lead>,
        call: &Call<'_>,
        key: u64,
        rng: &mut Rng,
    ) -> Result<Spot, BeginError> {
        // No closure: it would be called.
        if let Some(lead) = lead
            && let Some(spot) = fleet.at_hand(lead, key)
        {
            return Ok(spot);
        }
        self.seek(fleet, call, key, rng)
    }

    #[inline(never)]
    fn seek(&self, fleet: &Fleet, call: &Call<'_>, key: u64, rng: &mut Rng) -> Result<Spot, BeginError> {
        let class = fleet.class_as_compared(call.class);
        let ask = Ask { text: Some(call.text()), ..self.ask(fleet, key, class, call.cost, &[]) };
        let spot = fleet.legs(call.set).iter().find_map(|leg| fleet.choose(*leg, &ask, rng));
        spot.ok_or_else(|| self.refusal(fleet, call.set))
    }

    /// The tenant's hash, under which its calls are counted.
    pub(super) fn tenant(&self, tenant: &str) -> NonZeroU64 {
        NonZeroU64::new(self.fleet.hash(tenant.as_bytes())).unwrap_or(NonZeroU64::MIN)
    }

    pub(super) fn ask<'a>(
        &self,
        fleet: &'a Fleet,
        key: u64,
        class: u16,
        cost: u32,
        tried: &'a [u32],
    ) -> Ask<'a> {
        let (costs, dispatchers) = (&fleet.costs, self.unheard);
        Ask { key, text: None, class, cost, costs, dispatchers, now: self.now, tried }
    }

    fn placed(&self, id: u64) -> Option<Placed> {
        let lease = self.calls.by_id(id)?;
        let record = self.calls.find(lease)?;
        Some(Placed { lease, destination: DestinationId(record.destination), panic: record.panic })
    }

    /// Whether there is room for one more call at all, and for one more of this tenant.
    fn admit(&self, tenant: Option<(NonZeroU64, TenantLimits)>) -> Result<(), BeginError> {
        if self.calls.len() >= self.config.max_calls_total {
            return Err(self.full());
        }
        let Some((tenant, limits)) = tenant else { return Ok(()) };
        match self.calls.tenants.admission(tenant, limits, self.now) {
            Admission::Welcome => Ok(()),
            Admission::Full => Err(BeginError::TenantFull { retry_after: self.config.retry_after }),
            Admission::TooFast { until } => Err(BeginError::TooFast { retry_after: until.since(self.now) }),
        }
    }

    pub(super) fn limits(&self, tenant: &str) -> TenantLimits {
        self.config.tenants.get(tenant).copied().unwrap_or(self.config.tenant_default)
    }

    /// Why no route of a call to this set has a candidate.
    #[cold]
    fn refusal(&self, fleet: &Fleet, set: SetId) -> BeginError {
        let sets = || fleet.legs(set).iter().filter_map(|leg| fleet.set(*leg));
        let some = |standing| sets().any(|set| set.standing(standing) > 0);
        if sets().all(|set| set.is_empty()) {
            BeginError::NoSuchSet { set }
        } else if some(Standing::TooFast) {
            BeginError::TooFast { retry_after: RATE_WINDOW }
        } else if some(Standing::Full) || some(Standing::Busy) {
            self.full()
        } else {
            BeginError::AllDown { retry_after: self.config.retry_after }
        }
    }

    pub(super) const fn full(&self) -> BeginError {
        BeginError::Full { retry_after: self.config.retry_after }
    }
}

/// What `begin` does with a call.
pub(super) enum Choice {
    /// It is in progress already.
    Known(Placed),
    /// It goes there.
    Seat(SeatChoice),
}

/// A seat for a new call, and what is kept of the call.
pub(super) struct SeatChoice {
    pub(super) spot: Spot,
    id: u64,
    key: u64,
    tenant: Option<(NonZeroU64, TenantLimits)>,
}

pub(super) fn check_text(text: &[u8]) -> Result<(), BeginError> {
    if text.is_empty() {
        return Err(BeginError::InvalidCall { field: "call_id", rule: "is not empty" });
    }
    Ok(())
}

pub(super) fn check_cost(call: &Call<'_>) -> Result<(), BeginError> {
    if !(1..=u32::from(u16::MAX)).contains(&call.cost) {
        return Err(BeginError::InvalidCall { field: "cost", rule: "is 1 to 65535" });
    }
    Ok(())
}

/// Every rate limit allows its next call within this.
const RATE_WINDOW: Duration = Duration::from_secs(1);
