//! The parameters and functions of Kamailio's dispatcher, and what stands for each of them here.

/// A module parameter of Kamailio 5.6.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is set to.
    pub kind: Kind,
    /// What stands for it here.
    pub here: Here,
}

/// A function of Kamailio 5.6.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What stands for it here.
    pub here: &'static str,
}

/// What a parameter is set to: Kamailio does not start with the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number, without quotes.
    Number,
    /// A string.
    Text,
}

/// What stands for a parameter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// A field of the configuration, or the list itself.
    Carried(&'static str),
    /// Nothing is needed, and why.
    Needless(&'static str),
    /// The program around the library does it: what it has to do.
    Outside(&'static str),
}

use Here::{Carried, Needless, Outside};
use Kind::{Number, Text};

/// The parameter of this name.
#[must_use]
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|known| known.name == name)
}

/// The function of this name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|known| known.name == name)
}

/// Whether a function chooses a destination.
#[must_use]
pub fn selects(function: &str) -> bool {
    matches!(function, "ds_select" | "ds_select_dst" | "ds_select_domain" | "ds_select_routes")
}

/// Whether calls of a function are kept.
pub(super) fn is_followed(function: &str) -> bool {
    function.starts_with("ds_") || RETRANSMISSIONS.contains(&function)
}

/// Functions that tell an INVITE that came before.
pub const RETRANSMISSIONS: [&str; 3] = ["t_precheck_trans", "t_check_trans", "t_newtran"];

const fn row(name: &'static str, kind: Kind, here: Here) -> Parameter {
    Parameter { name, kind, here }
}

/// Every parameter of Kamailio 5.6, in the order of its manual.
pub const PARAMETERS: &[Parameter] = &[
    row("list_file", Text, Carried("the list")),
    row("db_url", Text, Carried("the list, by --database")),
    row("table_name", Text, Carried("the list, by --database")),
    row("setid_col", Text, Carried("the list, by --database")),
    row("destination_col", Text, Carried("the list, by --database")),
    row("flags_col", Text, Carried("the list, by --database")),
    row("priority_col", Text, Carried("the list, by --database")),
    row("attrs_col", Text, Carried("the list, by --database")),
    row("ds_db_extra_attrs", Text, Carried("the list, by --database")),
    row("ds_load_mode", Number, Carried("1: parse the list strictly, 0: leniently")),
    row("force_dst", Number, Outside("the proxy decides whether it writes over a destination")),
    row("flags", Number, Carried("1: what is given as the call's key; 2: `next` always fails over")),
    row(
        "use_default",
        Number,
        Carried("the algorithm `kamailio` has it; otherwise a spare set as the last route"),
    ),
    row("xavp_dst", Text, Needless("`next` knows where a call has been")),
    row("xavp_dst_mode", Number, Needless("`next` knows where a call has been")),
    row("xavp_ctx", Text, Needless("`next` knows where a call has been")),
    row("xavp_ctx_mode", Number, Needless("`next` knows where a call has been")),
    row("hash_pvar", Text, Outside("give its value as the call's key")),
    row("setid_pvname", Text, Outside("find the destination by its address in the list")),
    row("attrs_pvname", Text, Outside("attributes stand in `Destination::attrs`")),
    row("ds_attrs_none", Number, Needless("a destination without attributes has an empty `attrs`")),
    row("ds_ping_method", Text, Outside("the prober sends what it likes when `poll_probe` says so")),
    row("ds_ping_from", Text, Outside("the prober writes From")),
    row("ds_ping_interval", Number, Carried("probing.interval; 0: probing.mode off")),
    row("ds_ping_latency_stats", Number, Needless("no algorithm here goes by the latency of OPTIONS")),
    row("ds_latency_estimator_alpha", Number, Needless("no algorithm here goes by the latency of OPTIONS")),
    row("ds_probing_threshold", Number, Carried("health.probing_threshold")),
    row("ds_inactive_threshold", Number, Carried("health.inactive_threshold")),
    row("ds_ping_reply_codes", Text, Carried("probing.accepted")),
    row("ds_probing_mode", Number, Carried("probing.mode")),
    row("ds_hash_size", Number, Needless("calls are always counted; max_calls_total bounds them")),
    row("ds_hash_expire", Number, Carried("max_duration")),
    row("ds_hash_initexpire", Number, Carried("setup_timeout")),
    row("ds_hash_check_interval", Number, Needless("a call ends at its deadline, to the microsecond")),
    row("outbound_proxy", Text, Outside("the prober sends by it")),
    row("ds_default_socket", Text, Outside("the proxy and the prober choose the socket")),
    row("ds_default_sockname", Text, Outside("the proxy and the prober choose the socket")),
    row("ds_timer_mode", Number, Needless("there are no timers: `next_deadline` says when to poll")),
    row("event_callback", Text, Outside("take events by `poll_event`")),
    row("reload_delta", Number, Needless("`apply` may be called as often as one likes")),
    row("ds_dns_mode", Number, Outside("the proxy resolves names")),
    row("ds_dns_interval", Number, Outside("the proxy resolves names")),
    row("ds_dns_ttl", Number, Outside("the proxy resolves names")),
];

const fn function_row(name: &'static str, here: &'static str) -> Function {
    Function { name, here }
}

/// Every function of Kamailio 5.6.
pub const FUNCTIONS: &[Function] = &[
    function_row("ds_select_dst", "`begin` with the set; the proxy sends the call there"),
    function_row("ds_select_domain", "`begin` with the set; the proxy writes the Request-URI"),
    function_row("ds_select", "`begin` with the set"),
    function_row("ds_select_routes", "`begin` with a set that has a policy of routes"),
    function_row("ds_next_dst", "`next`"),
    function_row("ds_next_domain", "`next`"),
    function_row("ds_set_dst", "`destination_of`"),
    function_row("ds_set_domain", "`destination_of`"),
    function_row("ds_mark_dst", "`fail` for a call that failed, `set_enabled` for the operator's will"),
    function_row("ds_list_exists", "`sets`"),
    function_row("ds_list_exist", "`sets`"),
    function_row("ds_is_from_list", "compare the source address with `iter`"),
    function_row("ds_is_active", "`status` of every destination of the set"),
    function_row("ds_load_update", "`confirm` for a 2xx, `end` for BYE and CANCEL"),
    function_row("ds_load_unset", "`end`"),
    function_row("ds_reload", "`plan` and `apply`, which keep loads, states and calls"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        let mut names: Vec<_> = PARAMETERS.iter().map(|row| row.name).collect();
        names.extend(FUNCTIONS.iter().map(|row| row.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
