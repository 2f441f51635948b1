//! Creates valid and invalid access tokens, without using the code under test.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use storefront_cloud::TOKEN_SECRET;
use storefront_core::{Role, UserId};
use storefront_testing::evidence;

/// Returns the claims of a token that is valid for an hour.
pub(crate) fn claims(user_id: UserId, role: Role) -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": "storefront", "aud": "storefront", "sub": user_id, "role": role,
        "iat": now, "exp": now + 3600,
    })
}

/// Returns a JWT with this header, signed with HMAC and SHA-256, whatever algorithm the header names.
#[allow(clippy::needless_pass_by_value, reason = "json!(…) returns a value")]
pub(crate) fn signed(secret: &str, header: Value, claims: Value) -> String {
    let unsigned = format!("{}.{}", encoded(&header), encoded(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(unsigned.as_bytes());
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Returns tokens that claim to be this administrator's, each invalid in one way:
///
/// - `aged` has expired;
/// - `forged` is signed with another secret;
/// - `algno` is not signed, and says so (`alg: none`);
/// - `aud` has another audience, and `iss` another issuer;
/// - `rs256` claims to be signed with a key pair, whose public key would be our secret;
/// - `junk` is not a token.
pub(crate) fn bad_tokens(user_id: UserId) -> HashMap<&'static str, String> {
    const OTHER_SECRET: &str = "a secret of somebody else's, of 32 bytes or more";
    evidence::token_secret(OTHER_SECRET);
    let hs256 = || json!({ "alg": "HS256", "typ": "JWT" });
    let with = |name: &str, value: Value| {
        let mut claims = claims(user_id, Role::Admin);
        claims[name] = value;
        claims
    };
    let good = || claims(user_id, Role::Admin);
    let a_second_ago = Timestamp::now().as_second() - 1;
    let none = json!({ "alg": "none", "typ": "JWT" });
    HashMap::from([
        ("aged", signed(TOKEN_SECRET, hs256(), with("exp", json!(a_second_ago)))),
        ("forged", signed(OTHER_SECRET, hs256(), good())),
        ("algno", format!("{}.{}.", encoded(&none), encoded(&good()))),
        ("aud", signed(TOKEN_SECRET, hs256(), with("aud", json!("another-shop")))),
        ("iss", signed(TOKEN_SECRET, hs256(), with("iss", json!("another-shop")))),
        ("rs256", signed(TOKEN_SECRET, json!({ "alg": "RS256", "typ": "JWT" }), good())),
        ("junk", "not.a.token".to_owned()),
    ])
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
