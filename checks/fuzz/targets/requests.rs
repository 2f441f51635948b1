//! Every request that a client can send, built from parts that look like a request's, gets a
//! response that is not a 5xx.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use storefront_fuzz::functions::Functions;
use storefront_fuzz::request::Request;

#[derive(Arbitrary, Debug)]
struct Input {
    /// The index of the API function.
    function: u8,
    request: Request,
}

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|input: Input| {
    let event = input.request.event().to_string();
    let answer = FUNCTIONS.with(|functions| functions.send(functions.api(input.function), &event));
    assert!(answer.is_some(), "a client can make the function fail");
});
