//! Tests schedules, rules and queues together, with tokio's clock paused, so that hours pass at
//! once.

mod queues;
mod rules;
mod schedules;
mod support;
