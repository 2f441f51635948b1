//! A text has one form, whichever way it was typed, and stays what it is when it is read again.

#![no_main]

use std::fmt::Debug;
use std::str::FromStr;

use icu_normalizer::DecomposingNormalizerBorrowed;
use libfuzzer_sys::fuzz_target;
use storefront_core::{Category, Description, Email, Name, text};

fuzz_target!(|typed: &str| {
    let taken_apart = DecomposingNormalizerBorrowed::new_nfd().normalize(typed);
    let name = one_form(typed, &taken_apart, Name::as_str);
    one_form(typed, &taken_apart, Description::as_str);
    one_form(typed, &taken_apart, Category::as_str);
    if let Some(email) = one_form(typed, &taken_apart, Email::as_str) {
        let (_, domain) = email.as_str().rsplit_once('@').expect("an email");
        assert!(domain.is_ascii() && email.as_str().len() <= 254, "{email:?}");
    }
    if let Some(name) = &name {
        assert!(!name.as_str().chars().any(char::is_control), "{name:?}");
        assert_eq!(Name::tidied(typed).as_ref(), Ok(name));
    }
    if let Ok(tidied) = Name::tidied(typed) {
        assert_eq!(tidied.as_str().parse().as_ref(), Ok(&tidied));
    }
});

/// Reads a text as it was typed and taken apart, which must give the same. Returns it.
fn one_form<T: FromStr + PartialEq + Debug>(
    typed: &str,
    taken_apart: &str,
    as_str: impl Fn(&T) -> &str,
) -> Option<T> {
    let parsed: Option<T> = typed.parse().ok();
    assert_eq!(taken_apart.parse().ok(), parsed, "taken apart");
    if let Some(parsed) = &parsed {
        let form = as_str(parsed);
        assert_eq!(text::nfc(form), form, "is not in NFC");
        assert_eq!(form.parse().ok().as_ref(), Some(parsed), "does not parse back");
    }
    parsed
}
