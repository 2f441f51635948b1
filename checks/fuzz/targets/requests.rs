//! Whatever a client sends, in parts that look like a request's: it is answered, and the fault is
//! not the server's.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use storefront_fuzz::functions::{Api, Function};
use storefront_fuzz::request::Request;

#[derive(Arbitrary, Debug)]
struct Input {
    function: Function,
    request: Request,
}

thread_local!(static API: Api = Api::default());

fuzz_target!(|input: Input| {
    let event = input.request.event().to_string();
    let answer = API.with(|api| api.send(input.function, event));
    assert!(answer.is_some(), "a client can have the function fail");
});
