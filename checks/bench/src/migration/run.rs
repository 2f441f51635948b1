//! Runs `storefront-migrate`, and looks at what its process takes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use storefront_cloud::TABLE_NAME;
use tokio::time::{MissedTickBehavior, interval};

use super::source::Source;
use super::{PROGRAM, Target};
use crate::Error;
use crate::growth::Server;
use crate::process::{Process, Program};
use crate::report::table::thousands;
use crate::targets::millions;

/// How often a process is looked at. What it takes after the last look is not seen.
const LOOKS: Duration = Duration::from_millis(10);

/// More than the embedded store takes.
const MAX_WCU: &str = "1000000";

/// The program, and where it is used.
pub(super) struct Loader {
    pub(super) program: PathBuf,
    pub(super) mapping: PathBuf,
    pub(super) folder: PathBuf,
}

/// A load of one shop.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sample {
    pub(super) source: &'static str,
    pub(super) target: Target,
    pub(super) orders: u32,
    /// Users, products, orders and their items.
    pub(super) rows: u64,
    /// That were written.
    pub(super) items: u64,
    pub(super) seconds: f64,
    /// Of the loading process, in seconds.
    pub(super) processor: f64,
    /// Of the loading process, in bytes.
    pub(super) peak_memory: u64,
}

/// What a process took.
#[derive(Default)]
struct Usage {
    wall: Duration,
    processor: Duration,
    peak_memory: u64,
}

impl Loader {
    /// Fills a source with a shop in which all is sound.
    pub(super) async fn generate(&self, source: &Source, orders: u32) -> Result<(), Error> {
        let orders = orders.to_string();
        let arguments = ["generate", "integer-keys", "--broken", "0", "--orders", &orders];
        self.run(arguments.map(str::to_owned).into(), source, None).await.map(drop)
    }

    /// Loads a shop, anew each time.
    pub(super) async fn load(
        &self,
        source: &Source,
        orders: u32,
        target: Target,
    ) -> Result<Sample, Error> {
        // The files are gone with it, before the next load writes as many.
        let folder = tempfile::tempdir_in(&self.folder).map_err(Error::file(&self.folder))?;
        let state = folder.path().join("state");
        let shown = |path: &Path| path.display().to_string();
        let mut arguments: Vec<_> =
            ["load".to_owned(), "--mapping".to_owned(), shown(&self.mapping)].into();
        arguments.extend(["--state".to_owned(), shown(&state)]);
        let server = match target {
            Target::Import => {
                let files = shown(&folder.path().join("files"));
                arguments.extend(["--to".to_owned(), "import".to_owned(), files]);
                None
            }
            Target::Table => {
                let more = ["--table", TABLE_NAME, "--max-wcu", MAX_WCU];
                arguments.extend(more.map(str::to_owned));
                Some(Server::start(&folder.path().join("table.sqlite")).await?)
            }
        };
        let usage = self.run(arguments, source, server.as_ref()).await?;
        let state = state.join("state.json");
        let text = fs::read(&state).map_err(Error::file(&state))?;
        let state: Value =
            serde_json::from_slice(&text).map_err(|error| Error::file(&state)(error.into()))?;
        let counts = &state["progress"]["counts"];
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let units = |kind| count(&counts["units"][kind]);
        let items = count(&counts["items"]);
        Ok(Sample {
            source: source.name,
            target,
            orders,
            // Each is an item, but for the users, who have the guards of their emails as well.
            rows: items - units("user"),
            items,
            seconds: usage.wall.as_secs_f64(),
            processor: usage.processor.as_secs_f64(),
            peak_memory: usage.peak_memory,
        })
    }

    async fn run(
        &self,
        arguments: Vec<String>,
        source: &Source,
        server: Option<&Server>,
    ) -> Result<Usage, Error> {
        let mut variables = BTreeMap::from([
            ("DATABASE_URL", source.url.as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ]);
        if let Some(server) = server {
            variables.insert("AWS_ENDPOINT_URL_DYNAMODB", &server.endpoint_url);
        }
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let command = format!("{PROGRAM} {}", arguments.join(" "));
        let program = Program { path: self.program.clone(), arguments };
        let mut process = Process::start(&program, &variables, &self.folder.join("output"))?;
        let mut usage = Usage::default();
        let mut looks = interval(LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let status = loop {
            tokio::select! {
                status = process.ended() => break status?,
                _ = looks.tick() => {
                    // Between its end and the news of it, nothing can be said of it.
                    usage.peak_memory = process.peak_memory().unwrap_or(usage.peak_memory);
                    usage.processor = process.processor_time().unwrap_or(usage.processor);
                }
            }
        };
        usage.wall = process.started.elapsed();
        if status.success() {
            return Ok(usage);
        }
        Err(Error::Command { command, cause: format!("{status} {}", process.output()) })
    }
}

impl Target {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Import => "files for an import",
            Self::Table => "the embedded table",
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate needs no more")]
impl Sample {
    pub(super) fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.seconds
    }

    pub(super) fn items_per_second(&self) -> f64 {
        self.items as f64 / self.seconds
    }

    /// In microseconds.
    pub(super) fn processor_per_row(&self) -> f64 {
        self.processor * 1e6 / self.rows as f64
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} orders from {} into {}: {} rows in {:.1} s, {:.0} a second, {:.1} MB",
            thousands(self.orders.into()),
            self.source,
            self.target.name(),
            thousands(self.rows),
            self.seconds,
            self.rows_per_second(),
            millions(self.peak_memory),
        )
    }
}
