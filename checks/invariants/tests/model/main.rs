//! The shop against a model of it: random scripts of what clients do, one at a time or several at
//! once, and at every step the answers and the table must be what the model says.
//!
//! The model is plain maps and does one operation at a time, so what it does is seen to be right.
//! Operations at once are right if there is an order of them, one after the other, that gives the
//! same answers and leaves the same table.
//!
//! A failing script is shrunk and told, and kept in `tests/model/main.proptest-regressions`, from
//! where it runs first the next time. `PROPTEST_CASES` says how many scripts to try.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test has no better answer")]

mod client;
mod found;
mod generate;
mod model;
mod run;
mod script;
mod turns;
mod world;

use std::cell::Cell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::{NoSubscriber, with_default};

use script::Script;
use world::Premises;

#[test]
fn what_one_client_does_has_the_effect_that_the_model_says() {
    check(50, generate::one_at_a_time);
}

#[test]
fn what_clients_do_at_once_to_users_has_the_effect_of_some_order_of_it() {
    check(100, generate::users_at_once);
}

#[test]
fn what_clients_do_at_once_to_orders_has_the_effect_of_some_order_of_it() {
    check(150, generate::orders_at_once);
}

/// Several requests under way on one thread are deeper than a test's own stack, in a debug build.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// So many of a test's cases are evidence of what the functions log and ask for, where that is
/// kept. Megabytes for each of the others would say the same again.
const LOGGED_CASES: u32 = 5;

/// Runs so many scripts, unless `PROPTEST_CASES` says another number.
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
    deep(move || {
        let runtime = runtime();
        let premises = runtime.block_on(Premises::new());
        let cases = Cell::new(0);
        let result = TestRunner::new(config).run(&scripts(), |script| {
            let case = || runtime.block_on(run::run(&premises, &script));
            let is_logged = cases.replace(cases.get() + 1) < LOGGED_CASES;
            let result = if is_logged { case() } else { with_default(NoSubscriber::new(), case) };
            result.map_err(TestCaseError::fail)
        });
        result.map_err(|failure| failure.to_string())
    });
}

/// Runs one script.
fn check_one(script: Script) {
    deep(move || {
        let runtime = runtime();
        let premises = runtime.block_on(Premises::new());
        let result = runtime.block_on(run::run(&premises, &script));
        result.map_err(|why| format!("{why}\n{script:?}"))
    });
}

/// One thread: what is done at once is interleaved as the script says, and not by chance.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn deep(work: impl FnOnce() -> Result<(), String> + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    let result = thread.expect("a thread").join();
    if let Err(failure) = result.expect("a failure is returned") {
        panic!("{failure}");
    }
}
