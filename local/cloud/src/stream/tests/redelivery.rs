//! Tests the trigger and the real consumer with unreadable records and an EventBridge that fails in
//! every possible way. Whatever happens, no status change is lost, none overtakes another one of
//! its order, and records that can never be delivered block nothing.
//!
//! Time is simulated, so that the SDK's timeouts, the pauses between retries and the function's
//! timeout take no time. Each run is generated from a seed, and can be repeated with it. A failing
//! run is shrunk and printed with its seed. `PROPTEST_CASES` sets the number of runs.

mod bus;
mod checks;
mod scenario;
mod writes;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::config::retry::{RetryPartition, TokenBucket};
use dynoxide::DynoxideError;
use lambda_runtime::LambdaEvent;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use storefront_core::aws;
use storefront_order_status_stream::{Consumer, StreamBatch, eventbridge};
use storefront_suite::Handler;
use tokio::time::timeout;

use super::super::source::Shard;
use super::super::*;
use super::support::template_mapping;
use bus::Bus;
use checks::{GivenUp, Invocation, Played};
use scenario::Scenario;
use writes::{Meaning, Written};

/// The default number of runs.
const RUNS: u32 = 500;

/// In simulated time. Much longer than the retries of the longest run take.
const PATIENCE: Duration = Duration::from_hours(6);

#[derive(Clone, Default)]
struct Journal(Arc<Mutex<(Vec<Invocation>, Vec<GivenUp>)>>);

/// A stream whose records arrive over time.
struct Pages {
    records: Vec<Record>,
    /// The records of each page, and when they arrive.
    arrivals: Vec<(Range<usize>, Instant)>,
    unreadable: Arc<Mutex<BTreeSet<usize>>>,
}

impl Shard for Pages {
    fn stream_arn(&self) -> &'static str {
        "arn:aws:dynamodb:eu-central-1:000000000000:table/storefront/stream/2026-11-22T09:00:00.000"
    }

    fn shard_id(&self) -> &'static str {
        "shardId-00000000000000000000-00000000"
    }

    fn after(&self, position: Option<&str>) -> Result<Vec<Record>, Error> {
        let is_position = |record: &Record| Some(&*record.sequence_number) == position;
        let next = self.records.iter().position(is_position).map_or(0, |place| place + 1);
        let page =
            self.arrivals.iter().enumerate().find(|(_, (records, _))| records.contains(&next));
        let Some((number, (records, arrives_at))) = page else {
            return Ok(Vec::new());
        };
        if *arrives_at > Instant::now() {
            return Ok(Vec::new());
        }
        if self.unreadable.lock().unwrap().remove(&number) {
            return Err(DynoxideError::InternalServerError("on purpose".to_owned()).into());
        }
        Ok(self.records[next..records.end].to_vec())
    }
}

impl Journal {
    /// Returns the consumer, and records its invocations.
    fn function(
        &self,
        life: usize,
        consumer: Consumer,
        places: HashMap<String, usize>,
    ) -> Function {
        let (journal, consumer) = (self.clone(), Arc::new(consumer));
        Function::new(Handler::new(move |event: LambdaEvent<StreamBatch>| {
            let records = event.payload.records.iter();
            let records = records.map(|record| places[record.get()]).collect();
            let invocation = journal.begin(life, records);
            let (journal, consumer) = (journal.clone(), Arc::clone(&consumer));
            async move {
                let answer = consumer.handle(event).await?;
                if answer.batch_item_failures.is_empty() {
                    journal.0.lock().unwrap().0[invocation].has_delivered_all = true;
                }
                Ok::<_, lambda_runtime::Error>(answer)
            }
        }))
    }

    fn begin(&self, life: usize, records: Vec<usize>) -> usize {
        let invocations = &mut self.0.lock().unwrap().0;
        invocations.push(Invocation { life, records, has_delivered_all: false });
        invocations.len() - 1
    }

    /// Returns an on-failure destination that fails for the first documents.
    fn destination(
        &self,
        life: usize,
        failures: usize,
        places: HashMap<String, usize>,
    ) -> Destination {
        let (journal, failures) = (self.clone(), Mutex::new(failures));
        Destination::Given(Box::new(move |document| {
            let failures = &mut *failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                return Err(io::Error::other("on purpose"));
            }
            let payload: StreamBatch = serde_json::from_str(document["payload"].as_str().unwrap())?;
            let records = payload.records.iter().map(|record| places[record.get()]).collect();
            let (invocations, given_up) = &mut *journal.0.lock().unwrap();
            given_up.push(GivenUp { life, records, after: invocations.len() });
            Ok(())
        }))
    }
}

/// Runs the scenario, in one process after the other, until everything is acknowledged.
fn play(scenario: &Scenario, template: &StreamMapping) -> Played {
    let stream = writes::stream(&scenario.writes);
    let never_accepted: BTreeSet<_> = scenario
        .never_accepted
        .iter()
        .filter(|_| !stream.is_empty())
        .filter_map(|index| match &index.get(&stream).meaning {
            Meaning::Change { event_id, .. } => Some(event_id.clone()),
            _ => None,
        })
        .collect();
    let answers = scenario.answers.iter();
    let answers = answers.flat_map(|&(answer, times)| std::iter::repeat_n(answer, times));
    let bus = Bus::new(answers, never_accepted.clone());
    let pages = scenario.pages.iter().enumerate();
    let unreadable = pages.filter(|(_, page)| !page.is_readable_at_first).map(|(number, _)| number);
    let unreadable = Arc::new(Mutex::new(unreadable.collect()));
    let journal = Journal::default();

    let last = stream.last().map(|written| written.record.sequence_number.clone());
    let (mut checkpoint, mut has_ended) = (None, false);
    let ends = scenario.ends.iter().map(|&end| Duration::from_millis(end)).chain([PATIENCE]);
    for (life, end) in ends.enumerate() {
        // One runtime per process, so that whatever a killed process was doing ends with it.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        (checkpoint, has_ended) = runtime.block_on(async {
            let shard = pages_of(scenario, &stream, Arc::clone(&unreadable));
            let (_stop, stopped) = watch::channel(false);
            let mapping = scenario.mapping.of(template);
            let mut worker = worker(scenario, mapping, life, shard, &bus, &journal, stopped);
            if let Some(checkpoint) = checkpoint {
                worker.source.start_after(checkpoint);
                // The checkpoint file would contain this.
                let position = worker.source.position().unwrap().to_owned();
                worker.delivery.acknowledge(&position).await;
            }
            let all = async {
                while worker.delivery.checkpoint.sequence_number() != last.as_deref() {
                    worker.turn().await;
                }
            };
            let has_ended = timeout(end, all).await.is_ok();
            (worker.delivery.checkpoint.sequence_number().map(str::to_owned), has_ended)
        });
        if has_ended {
            break;
        }
    }
    let (invocations, given_up) = std::mem::take(&mut *journal.0.lock().unwrap());
    Played {
        stream,
        never_accepted,
        has_ended,
        invocations,
        accepted: bus.accepted(),
        largest_call: bus.largest_call(),
        given_up,
    }
}

fn pages_of(
    scenario: &Scenario,
    stream: &[Written],
    unreadable: Arc<Mutex<BTreeSet<usize>>>,
) -> Pages {
    let (mut start, mut arrives_at) = (0, Instant::now());
    let mut arrivals = Vec::new();
    for page in &scenario.pages {
        arrives_at += Duration::from_millis(page.milliseconds);
        let end = (start + page.records).min(stream.len());
        arrivals.push((start..end, arrives_at));
        start = end;
    }
    arrivals.push((start..stream.len(), arrives_at));
    let records = stream.iter().map(|written| written.record.clone()).collect();
    Pages { records, arrivals, unreadable }
}

fn worker(
    scenario: &Scenario,
    mapping: StreamMapping,
    life: usize,
    shard: Pages,
    bus: &Bus,
    journal: &Journal,
    stopped: watch::Receiver<bool>,
) -> Worker {
    let texts = shard.records.iter().map(|record| record.event.to_string());
    let places: HashMap<_, _> = texts.zip(0..).collect();
    let destination = journal.destination(life, scenario.destination_failures, places.clone());
    let failed_records = FailedRecords::new(destination, "Consumer", "arn", "shard");
    let function = journal
        .function(life, consumer(bus), places)
        .with_timeout(Duration::from_secs(scenario.mapping.timeout));
    let checkpoint = Checkpoint::open(None, "arn").unwrap();
    let pace = Pace::default();
    let source = Source::new(shard, Filter::new(&mapping.filters).unwrap());
    let delivery = Delivery { mapping, function, failed_records, checkpoint, pace, stopped };
    Worker { source, delivery }
}

/// Returns the consumer as it is deployed, with its timeouts and retries, except that runs are
/// deterministic and share nothing: the pauses have no jitter, and each run has its own retry
/// budget.
fn consumer(bus: &Bus) -> Consumer {
    let config = aws::emulator_config();
    let retries = config.retry_config().unwrap().clone().with_use_static_exponential_base(true);
    let config = config.into_builder().http_client(bus.http_client()).retry_config(retries).build();
    let client = eventbridge(&config, Some("http://events.invalid".to_owned()));
    let partition = RetryPartition::custom("run").token_bucket(TokenBucket::default()).build();
    let config = client.config().to_builder().retry_partition(partition).build();
    Consumer::new(aws_sdk_eventbridge::Client::from_conf(config), "storefront-events")
}

#[test]
fn no_status_change_is_lost_or_overtaken_whatever_fails() {
    let template = template_mapping();
    // The logs are tested elsewhere, and would be hundreds of megabytes.
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        let mut config = Config { failure_persistence: None, ..Default::default() };
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = RUNS;
        }
        let seed = match config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => any_seed(),
        };
        config.rng_seed = RngSeed::Fixed(seed);
        let outcome = TestRunner::new(config)
            .run(&Scenario::strategy(), |scenario| play(&scenario, &template).check(&scenario));
        if let Err(TestError::Fail(reason, scenario)) = outcome {
            panic!("{reason}\n{scenario:#?}\nagain: PROPTEST_RNG_SEED={seed}");
        }
        outcome.unwrap();
    });
}

fn any_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
