//! Events as text: initially those of events/, then mutations of them. Every function gets each
//! event.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storefront_fuzz::functions::Functions;

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|event: &str| FUNCTIONS.with(|functions| functions.send_to_all(event)));
