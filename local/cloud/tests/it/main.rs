//! Tests the local cloud from outside: over HTTP, from the command line, and when it is killed.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod authorization;
mod availability;
mod client;
mod consumers;
mod day;
mod events;
mod expiry;
mod kill;
mod local_api;
mod mail;
mod process;
mod queues;
mod start_up;
mod tokens;
mod tour;
