//! What the lines of a log say of the functions and what they asked of AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead as _;

use serde::Deserialize;

use super::Error;
use crate::evidence::files::{Evidence, Process};

/// The `tracing` target of the lines that say what was asked of AWS.
const ACCESS: &str = "storefront_core::access";
/// The span around an invocation, whose field `function` names the function.
const INVOCATION: &str = "request";
/// Only our own lines are worth reading: they are few among the libraries'.
const OWN: &str = "\"target\":\"storefront_";

/// What a function asked of AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Access {
    /// As a policy names it.
    pub action: String,
    /// `table` or an index's name; `None` for other services.
    pub resource: Option<String>,
    /// What the partition key begins with.
    pub leading_key: Option<String>,
}

/// What the functions did in all processes.
#[derive(Debug, Default)]
pub struct Activity {
    /// The packages in whose tests each function was invoked.
    pub invoked_by: BTreeMap<String, BTreeSet<String>>,
    /// By function: what it used, how often, and in which process first.
    pub used: BTreeMap<String, BTreeMap<Access, Use>>,
}

/// How something was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// How often.
    pub times: usize,
    /// The process that did it first.
    pub process: String,
}

#[derive(Deserialize)]
struct Line {
    target: String,
    #[serde(default)]
    fields: serde_json::Value,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    name: String,
    function: Option<String>,
}

impl Activity {
    /// Reads all logs.
    pub fn read(evidence: &Evidence) -> Result<Self, Error> {
        let mut activity = Self::default();
        for process in &evidence.processes {
            activity.add(process)?;
        }
        Ok(activity)
    }

    fn add(&mut self, process: &Process) -> Result<(), Error> {
        for_each_line(process, |_, line| {
            if !line.contains(OWN) {
                return;
            }
            // What a program prints beside its log is no JSON.
            let Ok(line) = serde_json::from_str::<Line>(line) else {
                return;
            };
            let Some(function) = line.function() else {
                return;
            };
            self.invoked_by
                .entry(function.to_owned())
                .or_default()
                .insert(process.package().to_owned());
            if let Some(access) = line.access() {
                let used = self.used.entry(function.to_owned()).or_default();
                let first = Use { times: 0, process: process.name.clone() };
                used.entry(access).or_insert(first).times += 1;
            }
        })
    }
}

impl Line {
    fn function(&self) -> Option<&str> {
        let invocation = self.spans.iter().find(|span| span.name == INVOCATION);
        invocation?.function.as_deref()
    }

    fn access(&self) -> Option<Access> {
        (self.target.starts_with(ACCESS))
            .then(|| serde_json::from_value(self.fields.clone()).ok())
            .flatten()
    }
}

/// Calls with each line of a log and its number, from 1.
pub(crate) fn for_each_line(
    process: &Process,
    mut each: impl FnMut(usize, &str),
) -> Result<(), Error> {
    let unreadable = Error::unreadable;
    let file = fs::File::open(&process.log).map_err(unreadable(&process.log))?;
    let mut reader = std::io::BufReader::new(file);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes).map_err(unreadable(&process.log))?;
        if read == 0 {
            break;
        }
        each(number, &String::from_utf8_lossy(&bytes));
    }
    Ok(())
}
