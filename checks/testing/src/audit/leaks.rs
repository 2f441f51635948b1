//! Searches the logs for the secrets that the tests used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use aho_corasick::AhoCorasick;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::activity::for_each_line;
use super::error::Error;
use crate::evidence::files::{Evidence, Kind, Secret};

/// In characters. Anything shorter would match by chance.
const SHORTEST: usize = 6;

/// Secrets whatever the tests use: the prefixes of password hashes.
const ALWAYS: [(Kind, &str); 4] = [
    (Kind::PasswordHash, "$argon2"),
    (Kind::PasswordHash, "$2a$"),
    (Kind::PasswordHash, "$2b$"),
    (Kind::PasswordHash, "$2y$"),
];

/// The target of the lines with which the local cloud shows developers the links of their mails. Nothing that
/// is deployed writes them.
const MAILBOX: &str = "storefront_cloud::mail";

/// The characters of an email that a query escapes.
const IN_A_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
const IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'%');

/// A line of a log that contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The log.
    pub log: PathBuf,
    /// The line number, from 1.
    pub line: usize,
    /// The kind of secret.
    pub kind: Kind,
}

/// A secret that is too short to search for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TooShort {
    /// The kind of secret.
    pub kind: Kind,
    /// In characters.
    pub length: usize,
    /// A process that used it.
    pub process: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, line, kind } = self;
        write!(f, "{}:{line}: the log contains a secret of the tests: {kind}", log.display())
    }
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, length, process } = self;
        write!(
            f,
            "{process}: a test uses a secret ({kind}) of {length} characters, too short to search \
             for; use {SHORTEST} or more, in a text that logs do not contain for other reasons"
        )
    }
}

/// Returns the secrets that are too short to search for.
#[must_use]
pub fn too_short(evidence: &Evidence) -> BTreeSet<TooShort> {
    let processes = evidence.processes.iter();
    let secrets = processes.flat_map(|process| process.secrets.iter().map(move |s| (process, s)));
    secrets
        .map(|(process, secret)| TooShort {
            kind: secret.kind,
            length: secret.value.chars().count(),
            process: process.name.clone(),
        })
        .filter(|secret| secret.length < SHORTEST)
        .collect()
}

/// Returns the lines that contain a secret of any process, ignoring case. The secret may be encoded
/// as JSON, as Rust's debug output or in a URL.
pub fn search(evidence: &Evidence) -> Result<BTreeSet<Leak>, Error> {
    let mut wanted: BTreeMap<String, Kind> = BTreeMap::new();
    for Secret { kind, value } in evidence.secrets() {
        if value.chars().count() >= SHORTEST {
            wanted.extend(forms(value).into_iter().map(|form| (form, *kind)));
        }
    }
    wanted.extend(ALWAYS.map(|(kind, beginning)| (beginning.to_owned(), kind)));
    let (forms, kinds): (Vec<String>, Vec<Kind>) = wanted.into_iter().unzip();
    let search = AhoCorasick::builder().ascii_case_insensitive(true).build(&forms)?;

    let mut leaks = BTreeSet::new();
    for process in &evidence.processes {
        for_each_line(process, |line, text| {
            let is_mailbox = text.contains(MAILBOX);
            for found in search.find_overlapping_iter(text) {
                let kind = kinds[found.pattern().as_usize()];
                if is_mailbox && kind == Kind::MailToken {
                    continue;
                }
                leaks.insert(Leak { log: process.log.clone(), line, kind });
            }
        })?;
    }
    Ok(leaks)
}

/// The encodings in which a log may contain a secret. A field may hold JSON within JSON.
fn forms(value: &str) -> BTreeSet<String> {
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = format!("{value:?}");
    let debug = debug[1..debug.len() - 1].to_owned();
    let form_encoded = utf8_percent_encode(value, IN_A_QUERY).to_string();
    [
        value.to_owned(),
        json(value),
        json(&json(value)),
        json(&debug),
        form_encoded.replace("%20", "+"),
        form_encoded,
        utf8_percent_encode(value, IN_A_PATH).to_string(),
    ]
    .into()
}
