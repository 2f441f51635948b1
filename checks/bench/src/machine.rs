//! Describes the machine of the measurements.

use std::process::Command;
use std::{fmt, fs, thread};

use serde::Serialize;

use crate::compile;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) rust: String,
    /// The version of Node.js, if it is measured.
    pub(crate) node: Option<String>,
}

impl Machine {
    pub(crate) fn this(with_node: bool) -> Self {
        let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu_info.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: thread::available_parallelism().map_or(1, std::num::NonZero::get),
            system: format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned(),
            rust: version("rustc").unwrap_or_default(),
            node: with_node.then(|| version("node")).flatten(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} cores, {}, {}", self.processor, self.cores, self.system, self.rust)?;
        self.node.iter().try_for_each(|node| write!(f, ", Node.js {node}"))
    }
}

fn version(program: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version");
    Some(compile::run(command).ok()?.trim().to_owned())
}
