//! Reads from the logs which functions ran and what they requested from AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead as _;

use serde::Deserialize;

use super::error::Error;
use crate::evidence::files::{Evidence, Process};

/// The `tracing` target of the lines that record requests to AWS.
const ACCESS: &str = "storefront_core::access";
/// The span around an invocation, whose field `function` names the function.
const INVOCATION: &str = "request";
/// Only our own lines are parsed; most lines are from libraries.
const OWN: &str = "\"target\":\"storefront_";

/// A kind of request that a function sent to AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Access {
    /// As in a policy.
    pub action: String,
    /// `table` or the name of an index; `None` for other services.
    pub resource: Option<String>,
    /// The prefix of the partition key.
    pub leading_key: Option<String>,
}

/// What the functions did, over all processes.
#[derive(Debug, Default)]
pub struct Activity {
    /// By function: the packages whose tests invoked it.
    pub invoked_by: BTreeMap<String, BTreeSet<String>>,
    /// By function: what it used, how often, and which process did so first.
    pub used: BTreeMap<String, BTreeMap<Access, Use>>,
}

/// How often something was used, and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The number of uses.
    pub times: usize,
    /// The first process that did it.
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
            // Programs also print lines that are not JSON.
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

/// Calls `each` with every line of a log and its number, from 1.
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
