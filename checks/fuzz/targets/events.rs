//! Events as text: those of events/ to begin with, and what becomes of them. Every function gets
//! each of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storefront_fuzz::functions::Functions;

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|event: &str| FUNCTIONS.with(|functions| functions.send_to_all(event)));
