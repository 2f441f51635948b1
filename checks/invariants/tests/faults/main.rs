//! Runs the shop while `DynamoDB` throttles, conflicts, fails, stalls and loses connections, and
//! checks what must hold whatever goes wrong.
//!
//! A schedule is a number of concurrent clients that send requests of all kinds, and the faults that
//! these meet. Its seed decides all of it, except when overdue orders expire. A schedule that fails
//! prints its seed; to run it again and print its history:
//!
//! ```sh
//! STOREFRONT_FAULT_SEED=17 cargo test -p storefront-invariants --test faults schedules
//! ```
//!
//! `STOREFRONT_FAULT_SCHEDULES=10000` sets how many schedules run.
//!
//! `entities` has a file per entity, `engine` runs the schedules. See the crate's README.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod deadline;
mod engine;
mod entities;
mod sockets;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use engine::schedule::{EXPIRY_EVERY, Report, run};
use storefront_testing::faults::Fault;
use tracing::subscriber::{NoSubscriber, with_default};

const SCHEDULES: u64 = 300;

/// How many schedules are logged where evidence is kept. Each writes a megabyte, and the later ones
/// log nothing that the first do not.
const LOGGED: u64 = 10;

#[test]
fn the_shop_keeps_its_word_through_many_schedules_of_faults() {
    if let Some(seed) = variable("STOREFRONT_FAULT_SEED") {
        let report = run(seed);
        eprintln!("{}", report.history);
        assert!(report.violations.is_empty(), "{report}");
        return;
    }
    let schedules = variable("STOREFRONT_FAULT_SCHEDULES").unwrap_or(SCHEDULES);
    let reports = run_all(schedules);
    let failed: Vec<String> = reports
        .iter()
        .filter(|report| !report.violations.is_empty())
        .map(ToString::to_string)
        .collect();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} of {schedules} schedules:\n{}", failed.join("\n"));

    // A few schedules, which `cargo xtask check` runs, need not meet every fault.
    if schedules < SCHEDULES {
        return;
    }
    // A fault or a status that never occurred was not tested.
    let mut injected: BTreeMap<Fault, u32> = BTreeMap::new();
    let mut statuses: BTreeMap<i64, usize> = BTreeMap::new();
    for report in &reports {
        for (fault, count) in &report.injected {
            *injected.entry(*fault).or_default() += count;
        }
        for (status, count) in &report.statuses {
            *statuses.entry(*status).or_default() += count;
        }
    }
    println!("{injected:?}\n{statuses:?}");
    let missing: Vec<Fault> =
        Fault::ALL.into_iter().filter(|fault| !injected.contains_key(fault)).collect();
    assert!(missing.is_empty(), "{missing:?} had no effect: {injected:?}");
    for status in [200, 201, 204, 401, 403, 404, 409, 412, 422, 503] {
        assert!(statuses.contains_key(&status), "no answer was {status}: {statuses:?}");
    }
}

#[test]
fn a_seed_is_the_same_schedule_each_time() {
    for seed in (0..16).filter(|seed: &u64| !seed.is_multiple_of(EXPIRY_EVERY)) {
        let (first, second) = (run_quietly(seed), run_quietly(seed));
        assert_eq!(first.injected, second.injected, "{seed}");
        assert_eq!(first.statuses, second.statuses, "{seed}");
        assert_ne!(first.injected, run_quietly(seed + 1).injected);
    }
}

/// Runs the schedules on two threads, one at a time on each.
fn run_all(schedules: u64) -> Vec<Report> {
    let next = AtomicU64::new(0);
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= schedules {
                        break;
                    }
                    let report = if seed < LOGGED { run(seed) } else { run_quietly(seed) };
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

/// Runs a schedule without its log.
fn run_quietly(seed: u64) -> Report {
    with_default(NoSubscriber::new(), || run(seed))
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")))
}
