//! Reports of bridges about themselves.

use core::time::Duration;

use super::Dispatcher;
use crate::destination::DestinationId;
use crate::error::ReportError;
use crate::event::EventKind;
use crate::load::Report;
use crate::load::score::Measurement;
use crate::member::Said;
use crate::time::Time;

impl Dispatcher {
    /// Takes what a bridge says about itself. `load_score` decides by it, and so does the capacity
    /// signal; `capacity` and `draining` count under every algorithm.
    ///
    /// # Errors
    /// A value that no bridge can have, a report from the future, one that comes late or twice, a
    /// destination that left: nothing of the report counts, what was known stays.
    pub fn report(&mut self, id: DestinationId, report: Report, now: Time) -> Result<(), ReportError> {
        let now = self.advance(now);
        let taken = self.take_report(id, report, now);
        match taken {
            Ok(()) => self.counts.reports += 1,
            Err(_) => self.counts.reports_refused += 1,
        }
        taken
    }

    fn take_report(&mut self, id: DestinationId, report: Report, now: Time) -> Result<(), ReportError> {
        report.check()?;
        let members = self.fleet.members.len();
        let (member, costs) = self.fleet.reporting(id.0).ok_or(ReportError::NoSuchDestination)?;
        let at = report.measured_at.map_or(now, |at| self.epoch.kept(at));
        check_order(&member.said, &report, at, now)?;
        let weight = f64::from(member.destination.weight);
        let load = report.score.map(|score| score * weight);
        let (own, measurement) = (member.own(), Measurement { at, load, active: report.active_calls });
        let trust = member.estimate.report(measurement, own, costs, members);
        member.said = Said {
            at: Some(at),
            sequence: report.sequence.or(member.said.sequence),
            capacity: report.capacity.or(member.said.capacity),
            draining: report.draining.unwrap_or(member.said.draining),
            score: report.sustained.or(report.score).or(member.said.score),
        };
        if let Some(trusted) = trust {
            self.events.push(now, EventKind::Trust { destination: id, trusted });
        }
        self.fleet.reconsider(id.0, &self.config, now);
        Ok(())
    }
}

/// Whether a report is newer than the last one.
fn check_order(last: &Said, report: &Report, at: Time, now: Time) -> Result<(), ReportError> {
    if at > now {
        return Err(ReportError::Future);
    }
    let Some(last_at) = last.at else { return Ok(()) };
    // A bridge that was restarted counts from the beginning.
    let counts = now.since(last_at) < SEQUENCES_COUNT;
    let sequences = report.sequence.zip(last.sequence).filter(|_| counts);
    match sequences.map(|(sequence, last)| sequence.cmp(&last)) {
        Some(core::cmp::Ordering::Less) => return Err(ReportError::Late),
        Some(core::cmp::Ordering::Equal) => return Err(ReportError::Duplicate),
        // The sequence says that it is newer: several may come within one tick of the clock.
        Some(core::cmp::Ordering::Greater) if at == last_at => return Ok(()),
        _ => {}
    }
    match at.cmp(&last_at) {
        core::cmp::Ordering::Less => Err(ReportError::Late),
        core::cmp::Ordering::Equal => Err(ReportError::Duplicate),
        core::cmp::Ordering::Greater => Ok(()),
    }
}

/// For so long after a report its sequence counts.
const SEQUENCES_COUNT: Duration = Duration::from_secs(60);
