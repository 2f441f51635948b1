//! Runs schedules and checks their histories. Nothing here is about one entity.

pub(crate) mod checker;
pub(crate) mod client;
pub(crate) mod history;
pub(crate) mod schedule;
pub(crate) mod snapshot;
