//! Events as text: those of events/ to begin with, and what becomes of them. Every function gets
//! each of them.

#![no_main]

use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use storefront_authorizer::Authorizer;
use storefront_credentials::SigningKeys;
use storefront_fuzz::functions::{Api, Function, runtime};

thread_local! {
    static API: Api = Api::default();
    static AUTHORIZER: Authorizer =
        Authorizer::new(SigningKeys::fixed("of fuzz targets, 32 bytes or more").unwrap());
}

fuzz_target!(|event: &str| {
    for function in Function::ALL {
        // Those two would hash passwords, which is slow on purpose.
        let hashes =
            matches!(function, Function::Auth | Function::Users) && event.contains("assword");
        if !hashes {
            API.with(|api| api.send(function, event.to_owned()));
        }
    }
    if let Ok(event) = serde_json::from_str(event) {
        let event = LambdaEvent::new(event, Context::default());
        AUTHORIZER.with(|authorizer| runtime().block_on(authorizer.authorize(event)));
    }
});
