//! How much more a fleet can carry, how large it should be, and who leaves first.

pub mod erlang;
