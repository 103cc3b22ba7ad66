//! Commands on destinations: join, leave, change, switch, drain.

use core::time::Duration;

use super::Dispatcher;
use crate::config::SetId;
use crate::destination::{Destination, DestinationId};
use crate::error::{AddError, NoSuchDestination, UpdateError};
use crate::event::EventKind;
use crate::member::{Drain, Member, Will};
use crate::time::Time;

impl Dispatcher {
    /// Adds a destination to a set. One that was removed and still has calls comes back with them.
    ///
    /// # Errors
    /// A destination that cannot work; an id that the set has already.
    pub fn add(
        &mut self,
        set: SetId,
        destination: Destination,
        now: Time,
    ) -> Result<DestinationId, AddError> {
        destination.check().map_err(AddError::Invalid)?;
        let now = self.advance(now);
        let id = destination.id.clone();
        let known = self.fleet.find(set, &id);
        let key = match known {
            Some(key) if self.fleet.seated(key).is_some() => return Err(AddError::Duplicate { set, id }),
            Some(key) => {
                self.fleet.rejoin(key, destination, &self.config, now);
                key
            }
            None => self
                .fleet
                .join(set, destination, &self.config, &mut self.rng, now)
                .ok_or(AddError::TooMany)?,
        };
        self.events.push(now, EventKind::Added { destination: DestinationId(key), set, id });
        Ok(DestinationId(key))
    }

    /// Takes a destination out of its set at once. Its calls go on; when the last one has ended, an
    /// event says so, and the handle means nothing any more.
    ///
    /// # Errors
    /// The destination left, or never was.
    pub fn remove(&mut self, id: DestinationId, now: Time) -> Result<(), NoSuchDestination> {
        let now = self.advance(now);
        self.seated(id)?;
        self.fleet.leave(id.0);
        // Without it the share of healthy ones is another one.
        self.fleet.reconsider(id.0, &self.config, now);
        self.settle(id.0);
        Ok(())
    }

    /// Replaces the description of a destination. Its id stays, and with it load, health, the
    /// operator's will and its calls; calls above a new limit are left alone.
    ///
    /// # Errors
    /// The destination left, or never was; the description cannot work or has another id.
    pub fn update(
        &mut self,
        id: DestinationId,
        destination: Destination,
        now: Time,
    ) -> Result<(), UpdateError> {
        destination.check().map_err(UpdateError::Invalid)?;
        let now = self.advance(now);
        let from = &self.seated(id)?.destination.id;
        if *from != destination.id {
            return Err(UpdateError::IdChanged { from: from.clone(), to: destination.id });
        }
        self.fleet.describe(id.0, destination, &self.config, now);
        Ok(())
    }

    /// Switches a destination on, which also ends a drain, or off: it gets no new calls.
    ///
    /// # Errors
    /// The destination left, or never was.
    pub fn set_enabled(
        &mut self,
        id: DestinationId,
        enabled: bool,
        now: Time,
    ) -> Result<(), NoSuchDestination> {
        let now = self.advance(now);
        let member = self.seated(id)?;
        member.will = if enabled { Will::Enabled } else { Will::Disabled };
        member.drain = None;
        self.fleet.reconsider(id.0, &self.config, now);
        Ok(())
    }

    /// Gives a destination no new calls, and says once, by an event, when its calls have ended or
    /// `deadline` has passed. A new deadline replaces the one of a drain that is not over.
    ///
    /// # Errors
    /// The destination left, or never was.
    pub fn drain(
        &mut self,
        id: DestinationId,
        deadline: Option<Duration>,
        now: Time,
    ) -> Result<(), NoSuchDestination> {
        let now = self.advance(now);
        let member = self.seated(id)?;
        if member.will != Will::Draining || member.drain.is_some() {
            member.drain = Some(Drain { until: deadline.map(|span| now + span) });
        }
        member.will = Will::Draining;
        self.fleet.reconsider(id.0, &self.config, now);
        self.settle(id.0);
        Ok(())
    }

    /// A destination that has not left.
    fn seated(&mut self, id: DestinationId) -> Result<&mut Member, NoSuchDestination> {
        self.fleet.seated(id.0).ok_or(NoSuchDestination)
    }
}
