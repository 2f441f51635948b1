//! Measures the stream consumer: order-events with batches of changes, each of a different
//! order, and an event bus with a latency like that of the real one.

mod batch;
mod report;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use storefront_template::Template;

use self::batch::{Batch, Batches, MAX_RECORDS};
use self::report::Report;
use crate::Error;
use crate::environment::Environment;
use crate::event::Expected;
use crate::report::{Output, milliseconds};
use crate::services::{Received, Services};
use crate::subject::{chosen, program};

const FUNCTION: &str = "order-events";

/// With this many batches, the first tenth is enough to warm up the allocator.
const FEWEST_BATCHES: u32 = 50;

/// The sizes and number of batches, and the latency of the bus.
#[derive(Debug, Parser)]
pub(crate) struct ConsumerArgs {
    /// Records per batch; each size is a row of the table.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RECORDS)))]
    batch_size: Vec<u32>,

    /// Records for each process, in batches of one size, but at least fifty batches. The first
    /// tenth warms it up.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    records: u32,

    /// The minimum latency of the event bus, in milliseconds.
    #[arg(long, default_value_t = 10)]
    latency: u64,

    /// How often the function is started for each size.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// The folder of the built function; without it, the function is built.
    #[arg(long, value_name = "FOLDER")]
    bin_dir: Option<PathBuf>,

    #[command(flatten)]
    output: Output,
}

/// The measurements of one process with batches of one size. Times are in milliseconds.
#[derive(Clone, Debug)]
struct Sample {
    /// The duration of each batch.
    durations: Vec<f64>,
    /// The average processor time per record.
    processor: f64,
    /// The average number of `PutEvents` calls per batch.
    calls: f64,
    most_in_flight: u32,
    /// After the first tenth of the batches and after the last, in bytes.
    peak_memory: [u64; 2],
}

pub(crate) async fn run(args: &ConsumerArgs, root: &Path) -> Result<(), Error> {
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    services.bus.answer_after(Duration::from_millis(args.latency));
    let mut batches = Batches::read(root)?;
    for &size in &args.batch_size {
        batches.check(size)?;
    }

    let program = program(root, FUNCTION, args.bin_dir.as_deref())?;
    let function = chosen(&template, &[FUNCTION.to_owned()])?;
    let variables = services.variables(function.first())?;
    let mut samples: Vec<Vec<Sample>> = args.batch_size.iter().map(|_| Vec::new()).collect();
    let since = Instant::now();
    for round in 1..=args.rounds {
        for (&size, samples) in args.batch_size.iter().zip(&mut samples) {
            let name = format!("{FUNCTION}: batches of {size}");
            let environment =
                Environment::start(name, &program, &variables, services.folder()).await?;
            let count = (args.records / size).max(FEWEST_BATCHES);
            let next = || batches.next(size);
            samples.push(sample(environment, &services, next, size, count).await?);
        }
        eprint!("\rround {round} of {}, {} s", args.rounds, since.elapsed().as_secs());
    }
    eprintln!();
    let report = Report::new(args, &samples);
    args.output.write(&report.text(), &report)
}

async fn sample(
    mut environment: Environment,
    services: &Services,
    mut next: impl FnMut() -> Batch,
    size: u32,
    count: u32,
) -> Result<Sample, Error> {
    let first = count / 10;
    for _ in 0..first {
        deliver(&mut environment, services, &next()).await?;
    }
    let early_memory = environment.peak_memory()?;
    let before = environment.processor_time()?;
    let (mut durations, mut calls, mut most_in_flight) = (Vec::new(), 0, 0);
    for _ in first..count {
        let (duration, received) = deliver(&mut environment, services, &next()).await?;
        durations.push(milliseconds(duration));
        calls += received.calls;
        most_in_flight = most_in_flight.max(received.most_in_flight);
    }
    let processor = environment.processor_time()?.saturating_sub(before);
    let batches = f64::from(count - first);
    let sample = Sample {
        durations,
        processor: milliseconds(processor) / batches / f64::from(size),
        calls: f64::from(calls) / batches,
        most_in_flight,
        peak_memory: [early_memory, environment.peak_memory()?],
    };
    environment.end().await?;
    Ok(sample)
}

/// Delivers a batch, and checks that the bus received each of its changes once.
async fn deliver(
    environment: &mut Environment,
    services: &Services,
    batch: &Batch,
) -> Result<(Duration, Received), Error> {
    let answer = environment.invoke(batch.payload.clone(), Expected::NoFailures).await?;
    environment.ready().await?;
    let received = services.bus.take();
    batch.was_published_once(&received.events)?;
    Ok((answer.duration, received))
}
