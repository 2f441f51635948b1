//! What the stream's consumer takes: order-status-stream with batches of changes, each change of another
//! order, and an event bus that answers as late as the real one.

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

const FUNCTION: &str = "order-status-stream";

/// A tenth of them are enough for the allocator to have what it needs.
const FEWEST_BATCHES: u32 = 50;

/// How large the batches, how many, and how late the bus answers.
#[derive(Debug, Parser)]
pub(crate) struct ConsumerArgs {
    /// Records of a batch; each size is a line of the table.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RECORDS)))]
    batch_size: Vec<u32>,

    /// Records that each process gets, in batches of a size, but fifty batches at least. The first tenth
    /// warms it up.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    records: u32,

    /// How long the event bus takes to answer, at least, in milliseconds.
    #[arg(long, default_value_t = 10)]
    latency: u64,

    /// How often the function is started with each size.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Where the function is built already; without it it is built.
    #[arg(long, value_name = "FOLDER")]
    bin_dir: Option<PathBuf>,

    #[command(flatten)]
    output: Output,
}

/// One process with batches of one size. Times are in milliseconds.
#[derive(Clone, Debug)]
struct Sample {
    /// Of each batch.
    durations: Vec<f64>,
    /// Processor time of a record, on average.
    processor: f64,
    /// Of `PutEvents`, for each batch.
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

/// Has a batch delivered, and makes sure that the bus got each of its changes once.
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
