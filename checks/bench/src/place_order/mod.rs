//! What it takes to place an order: requests, units and time, for orders of few items and of many, with
//! an idempotency key and without.

mod order;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use storefront_core::MAX_ORDER_ITEMS;
use storefront_template::Template;

use self::order::{Kind, Orders};
use self::report::Report;
use crate::Error;
use crate::environment::Environment;
use crate::measure::milliseconds;
use crate::process::Program;
use crate::report::output::Output;
use crate::services::{Relay, Services};
use crate::subject::{chosen, program};

const FUNCTION: &str = "orders";

/// Orders of each process before any is measured.
const WARMING_UP: u32 = 5;

/// How large the orders, and how many.
#[derive(Debug, Parser)]
pub(crate) struct PlaceOrderArgs {
    /// Items of an order, each of another product; each number is two lines of the table.
    #[arg(long, value_delimiter = ',', default_value = "1,10,48",
        value_parser = clap::value_parser!(u32).range(1..=MAX_ITEMS))]
    pub(crate) items: Vec<u32>,

    /// Orders that each process places and that are measured.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) orders: u32,

    /// How often the function is started for each.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Where the function is built already; without it it is built.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bin_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[allow(clippy::cast_possible_wrap, reason = "48 is not that large")]
const MAX_ITEMS: i64 = MAX_ORDER_ITEMS as i64;

/// One process that places orders of one kind. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Of each order.
    pub(crate) durations: Vec<f64>,
    /// Processor time of an order, on average.
    pub(crate) processor: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

/// What all processes are started with.
struct Setting<'a> {
    program: Program,
    variables: BTreeMap<String, String>,
    services: &'a Services,
    orders: Orders,
}

pub(crate) async fn run(args: &PlaceOrderArgs, root: &Path) -> Result<(), Error> {
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    let program = program(root, FUNCTION, args.bin_dir.as_deref())?;
    let function = chosen(&template, &[FUNCTION.to_owned()])?;
    let variables = services.variables(function.first())?;
    let orders = Orders::of(&services.table(), root).await?;
    let mut setting = Setting { program, variables, services: &services, orders };

    let kinds = args.items.iter().flat_map(|&items| [false, true].map(|key| Kind { items, key }));
    let kinds: Vec<_> = kinds.collect();
    let relay = services.relay(Duration::ZERO).await?;
    for &kind in &kinds {
        check_cost(&mut setting, &relay, kind, args.orders).await?;
    }

    let mut samples: Vec<Vec<Sample>> = kinds.iter().map(|_| Vec::new()).collect();
    let since = Instant::now();
    for round in 1..=args.rounds {
        for (&kind, samples) in kinds.iter().zip(&mut samples) {
            samples.push(sample(&mut setting, kind, args.orders).await?);
        }
        eprint!("\rround {round} of {}, {} s", args.rounds, since.elapsed().as_secs());
    }
    eprintln!();
    let report = Report::new(args, &kinds, &samples);
    print!("{}", report.text());
    args.output.write(&report, &report.page())
}

/// Fails unless each order of a kind takes of DynamoDB what it should, counted as it comes from the
/// function's process; by itself, because counting takes time.
async fn check_cost(
    setting: &mut Setting<'_>,
    relay: &Relay,
    kind: Kind,
    orders: u32,
) -> Result<(), Error> {
    let mut variables = setting.variables.clone();
    variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), relay.endpoint_url.clone());
    let mut environment = setting.start(kind, &variables).await?;
    // What was asked during init.
    relay.take();
    for _ in 0..orders {
        setting.place(&mut environment, kind).await?;
        kind.check(relay.take())?;
    }
    environment.end().await
}

async fn sample(setting: &mut Setting<'_>, kind: Kind, orders: u32) -> Result<Sample, Error> {
    let variables = setting.variables.clone();
    let mut environment = setting.start(kind, &variables).await?;
    for _ in 0..WARMING_UP {
        setting.place(&mut environment, kind).await?;
    }
    let before = environment.processor_time()?;
    let mut durations = Vec::new();
    for _ in 0..orders {
        durations.push(milliseconds(setting.place(&mut environment, kind).await?));
    }
    let processor = environment.processor_time()?.saturating_sub(before);
    let sample = Sample {
        durations,
        processor: milliseconds(processor) / f64::from(orders),
        peak_memory: environment.peak_memory()?,
    };
    environment.end().await?;
    Ok(sample)
}

impl Setting<'_> {
    async fn start(
        &self,
        kind: Kind,
        variables: &BTreeMap<String, String>,
    ) -> Result<Environment, Error> {
        let name = format!("{FUNCTION}: {kind}");
        Environment::start(name, &self.program, variables, self.services.folder()).await
    }

    /// Says how long it took to the answer.
    async fn place(
        &mut self,
        environment: &mut Environment,
        kind: Kind,
    ) -> Result<Duration, Error> {
        let answer = environment.invoke(self.orders.event(kind), Orders::PLACED).await?;
        environment.ready().await?;
        environment.checked(self.orders.verify(kind, &answer))?;
        Ok(answer.duration)
    }
}
