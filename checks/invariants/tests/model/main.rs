//! Compares the shop with a model of it. Random scripts of operations run against both; after each
//! step the answers and the whole table must be what the model says.
//!
//! The model is plain maps and performs one operation at a time, so it is easy to see that it is
//! right. Concurrent operations are right if performing them one after the other, in some order,
//! gives the same answers and the same table.
//!
//! A script that fails is shrunk, printed, and kept in `tests/model/main.proptest-regressions`,
//! from where the next run starts. `PROPTEST_CASES` sets how many scripts each test tries.
//!
//! `entities` has a file per entity, `engine` runs the scripts. See the crate's README.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test has no better answer")]

mod engine;
mod entities;
mod regressions;

use std::cell::Cell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::{NoSubscriber, with_default};

use engine::generate;
use engine::run_script;
use engine::script::Script;
use engine::setup::Setup;

#[test]
fn what_one_client_does_has_the_effect_that_the_model_says() {
    check(40, generate::sequential);
}

#[test]
fn what_clients_do_at_once_to_users_has_the_effect_of_some_order_of_it() {
    check(70, generate::concurrent_on_users);
}

#[test]
fn what_clients_do_at_once_to_orders_has_the_effect_of_some_order_of_it() {
    check(110, generate::concurrent_on_orders);
}

/// In a debug build, several requests in progress on one thread need more than a test's own stack.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// How many scripts of each test are logged where evidence is kept. Every further one would add
/// megabytes that say the same.
const LOGGED_CASES: u32 = 5;

/// Runs this many scripts, unless `PROPTEST_CASES` sets another number.
fn check<S: Strategy<Value = Script>>(cases: u32, scripts: impl Fn() -> S + Send + 'static) {
    let mut config = Config {
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    with_large_stack(move || {
        let runtime = runtime();
        let setup = runtime.block_on(Setup::new());
        let cases = Cell::new(0);
        let result = TestRunner::new(config).run(&scripts(), |script| {
            let case = || runtime.block_on(run_script(&setup, &script));
            let is_logged = cases.replace(cases.get() + 1) < LOGGED_CASES;
            let result = if is_logged { case() } else { with_default(NoSubscriber::new(), case) };
            result.map_err(TestCaseError::fail)
        });
        result.map_err(|failure| failure.to_string())
    });
}

/// Runs one script.
fn check_one(script: Script) {
    with_large_stack(move || {
        let runtime = runtime();
        let setup = runtime.block_on(Setup::new());
        let result = runtime.block_on(run_script(&setup, &script));
        result.map_err(|why| format!("{why}\n{script:?}"))
    });
}

/// A single thread: the script decides how concurrent operations interleave, not chance.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn with_large_stack(work: impl FnOnce() -> Result<(), String> + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    let result = thread.expect("a thread").join();
    if let Err(failure) = result.expect("a failure is returned") {
        panic!("{failure}");
    }
}
