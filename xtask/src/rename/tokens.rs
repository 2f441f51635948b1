//! Renames the access tokens in `events/`. The project's name is in the local cloud's secret, which
//! signs them, and in their issuer and audience.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::name::Names;

/// The secret that signs them (the local cloud's `TOKEN_SECRET`).
const SECRET: &str = "storefront-local-token-secret-not-for-production";

/// The beginning of a token: a JSON header in base64.
const START: &str = "eyJ";

/// Issues the tokens in the text again under the new name. Forged tokens stay forged.
pub(crate) fn resign(text: &str, names: &Names) -> String {
    let mut resigned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(START) {
        let (before, from) = rest.split_at(at);
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let (token, after) = from.split_at(from.find(|c| !is_of_token(c)).unwrap_or(from.len()));
        resigned.push_str(before);
        resigned.push_str(&renamed(token, names).unwrap_or_else(|| token.to_owned()));
        rest = after;
    }
    resigned + rest
}

/// Returns the renamed token, or `None` if it is not a token or does not contain the name.
fn renamed(token: &str, names: &Names) -> Option<String> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let claims = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let renamed = names.replace(&claims);
    if renamed == claims {
        return None;
    }
    let signed_again = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(renamed));
    let is_genuine = sign(SECRET, signed)? == signature;
    let signature = if is_genuine {
        sign(&names.replace(SECRET), &signed_again)?
    } else {
        signature.to_owned()
    };
    Some(format!("{signed_again}.{signature}"))
}

fn sign(secret: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::name::Name;
    use super::super::{KEPT, NAME};
    use super::*;

    fn token(claims: &str, secret: &str) -> String {
        let [header, claims] =
            [r#"{"alg":"HS256"}"#, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let signature = sign(secret, &signed).unwrap();
        format!("{signed}.{signature}")
    }

    #[test]
    fn genuine_tokens_stay_genuine_and_forged_ones_forged() {
        let names = Names::new(Name::parse(NAME).unwrap(), Name::parse("my-shop").unwrap(), KEPT);
        let claims = format!(r#"{{"iss":"{NAME}"}}"#);
        let [genuine, forged] = [SECRET, "another"].map(|secret| token(&claims, secret));
        let others = token(r#"{"iss":"others"}"#, SECRET);
        let renamed =
            resign(&format!("[{genuine:?}, {forged:?}, {others:?}, \"eyJust text\"]"), &names);

        let claims = r#"{"iss":"my-shop"}"#;
        let [genuine, forgery] =
            [&*names.replace(SECRET), "another"].map(|secret| token(claims, secret));
        assert!(renamed.starts_with(&format!("[{genuine:?}, ")), "{renamed}");
        let (signed, _) = forgery.rsplit_once('.').unwrap();
        let (_, signature) = forged.rsplit_once('.').unwrap();
        assert!(
            renamed.ends_with(&format!("\"{signed}.{signature}\", {others:?}, \"eyJust text\"]")),
            "{renamed}"
        );
    }
}
