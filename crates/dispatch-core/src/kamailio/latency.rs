//! Algorithm 13: the highest priority after latency, in turn.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::destination::Member;
use super::{Params, Selection};

/// Whose turn it is, or who follows and is up, is selected, unless somebody has a higher priority. The
/// failover list is everybody in order of the adjusted priority, equals in turn.
///
/// With `use_default` Kamailio 5.6 has the one whose turn it is twice in the list, and the spare one
/// last, even where that is down. The spare one has turns too, and gives them to the first one, even
/// where that is down.
pub(super) fn select(members: &[Member], turn: u32, params: &Params) -> Option<Selection> {
    let is_up = |index: &usize| members.get(*index).is_some_and(Member::is_up);
    let priority = |index: usize| members.get(index).map(Member::adjusted_priority);
    let turn = turn.checked_rem(members.len() as u32)? as usize;
    let spare = (params.use_default && members.len() > 1).then(|| members.len() - 1);
    let turns = spare.unwrap_or(members.len());
    let own = turn % turns;
    let after = || (own + 1..turns).chain(0..=own);
    let selected = Some(turn).filter(is_up).or_else(|| after().find(is_up))?;
    let mut order: Vec<usize> = Some(turn).filter(|turn| *turn < turns).into_iter().chain(after()).collect();
    if spare.is_none() {
        order.pop();
    }
    order.retain(is_up);
    order.sort_by_key(|index| Reverse(priority(*index)));
    let best = order.first().copied().filter(|best| priority(*best) > priority(selected));
    order.extend(spare);
    if params.use_default && spare.is_none() {
        order.clear();
    }
    Some(Selection {
        index: best.unwrap_or(selected % turns),
        failover: if params.failover { order } else { Vec::new() },
        algorithm: 13,
        turn: (best.unwrap_or(selected) as u32 + 1) % members.len() as u32,
        ..Selection::default()
    })
}
