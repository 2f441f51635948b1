//! What it brings to serve several invocations at once, as on Lambda Managed Instances: each function in
//! one process, beside the same function with one invocation at a time.

mod answers;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use storefront_template::{Function, Template};

use self::answers::{identified, verify};
use self::report::Report;
use crate::Error;
use crate::environment::Environment;
use crate::event::{self, Operation};
use crate::measure::milliseconds;
use crate::options;
use crate::process::Program;
use crate::report::output::Output;
use crate::services::{Relay, Services};
use crate::subject::{chosen, program};

/// What is asked; of the consumer's work there is a benchmark of its own.
const OPERATIONS: [&str; 6] =
    ["get user", "list 25 orders", "place order", "get product", "authorize", "log in"];

/// Invocations that are measured, for each that the benchmark of single invocations makes: that has
/// fewer where each hashes a password.
const TIMES: u32 = 8;

/// Invocations for each that is served at once, before any is measured: each of those that work at once
/// has a connection to open.
const WARMING_UP: usize = 4;

/// How many at once, and how often.
#[derive(Debug, Parser)]
pub(crate) struct ConcurrencyArgs {
    /// How many invocations an environment serves at once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=64))]
    pub(crate) at_once: u32,

    /// How long DynamoDB takes to answer, at least.
    #[arg(long, default_value = "5ms", value_parser = options::milliseconds)]
    pub(crate) latency: Duration,

    /// How often each is started.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Only this function; may be given again.
    #[arg(long = "function", value_name = "NAME")]
    pub(crate) functions: Vec<String>,

    /// Where the functions are built already; without it they are built.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bin_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// A function that is asked one thing, in both ways.
struct Case {
    operation: Operation,
    program: Program,
    /// One at a time, and several at once.
    ways: [Way; 2],
}

struct Way {
    at_once: u32,
    variables: BTreeMap<String, String>,
}

/// One process, from its first warm invocation on. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    /// Of each invocation, from handing it out to its answer.
    pub(crate) durations: Vec<f64>,
    /// Processor time of an invocation, on average.
    pub(crate) processor: f64,
    /// To DynamoDB, for each invocation.
    pub(crate) requests: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

pub(crate) async fn run(args: &ConcurrencyArgs, root: &Path) -> Result<(), Error> {
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    let relay = services.relay(args.latency).await?;
    let mut cases = Vec::new();
    for function in chosen(&template, &args.functions)? {
        cases.extend(cases_of(&function, args, root, &services, &relay)?);
    }

    let mut samples: Vec<[Vec<Sample>; 2]> = cases.iter().map(|_| Default::default()).collect();
    let mut number = 0;
    let since = Instant::now();
    for round in 1..=args.rounds {
        for (case, samples) in cases.iter().zip(&mut samples) {
            // What comes first is another one each time.
            for way in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                let way_of = &case.ways[way];
                let sample = sample(case, way_of, &services, &relay, &mut number).await?;
                samples[way].push(sample);
            }
        }
        eprint!("\rround {round} of {}, {} s", args.rounds, since.elapsed().as_secs());
    }
    eprintln!();
    let report = Report::new(args, &cases, &samples);
    print!("{}", report.text());
    args.output.write(&report, &report.page())
}

/// What a function is asked, if that is measured here.
fn cases_of(
    function: &Function,
    args: &ConcurrencyArgs,
    root: &Path,
    services: &Services,
    dynamodb: &Relay,
) -> Result<Vec<Case>, Error> {
    let operations = event::operations(root)?.into_iter().filter(|operation| {
        operation.function == function.binary && OPERATIONS.contains(&operation.name)
    });
    let mut cases = Vec::new();
    for operation in operations {
        let mut variables = services.variables(Some(function))?;
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb.endpoint_url.clone());
        let mut concurrent = variables.clone();
        let limit = args.at_once.to_string();
        concurrent.insert("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), limit);
        let program = program(root, &function.binary, args.bin_dir.as_deref())?;
        let ways =
            [Way { at_once: 1, variables }, Way { at_once: args.at_once, variables: concurrent }];
        cases.push(Case { operation, program, ways });
    }
    Ok(cases)
}

async fn sample(
    case: &Case,
    way: &Way,
    services: &Services,
    dynamodb: &Relay,
    number: &mut u64,
) -> Result<Sample, Error> {
    let operation = &case.operation;
    let name = format!("{}: {}, {} at once", operation.function, operation.name, way.at_once);
    let mut environment =
        Environment::start(name, &case.program, &way.variables, services.folder()).await?;
    let at_once = way.at_once as usize;
    let mut events = |count: usize| {
        let events = (0..count).map(|_| {
            *number += 1;
            identified(&operation.event(*number), *number)
        });
        events.collect::<Vec<_>>()
    };
    environment.serve(events(WARMING_UP * at_once), at_once).await?;

    let invocations = operation.warm * TIMES;
    let asked = events(invocations as usize);
    dynamodb.take();
    let before = environment.processor_time()?;
    let since = Instant::now();
    let answers = environment.serve(asked.clone(), at_once).await?;
    let took = since.elapsed();
    let processor = environment.processor_time()?.saturating_sub(before);
    let requests = dynamodb.take().requests;
    environment.checked(verify(operation, &asked, &answers))?;
    let sample = Sample {
        per_second: f64::from(invocations) / took.as_secs_f64(),
        durations: answers.iter().map(|answer| milliseconds(answer.duration)).collect(),
        processor: milliseconds(processor) / f64::from(invocations),
        requests: f64::from(requests) / f64::from(invocations),
        peak_memory: environment.peak_memory()?,
    };
    environment.end().await?;
    Ok(sample)
}
