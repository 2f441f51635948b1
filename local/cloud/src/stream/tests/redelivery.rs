//! Tests the trigger and the real consumer with unreadable records, and with an EventBridge and an S3
//! that fail in every possible way. Whatever happens, no event is lost, none overtakes another one of
//! its order, and records that can never be delivered are put aside once and block nothing.
//!
//! Time is simulated, so that the SDK's timeouts, the pauses between retries and the function's
//! timeout take no time. Each run is generated from a seed, and can be repeated with it. A failing
//! run is shrunk and printed with its seed. `PROPTEST_CASES` sets the number of runs; a hundredth of it for outages of a day.

mod bucket;
mod bus;
mod checks;
mod scenario;
mod writes;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::config::retry::{RetryPartition, TokenBucket};
use dynoxide::DynoxideError;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use serde_json::Value;
use storefront_core::aws;
use storefront_order_events::{Consumer, StreamBatch, eventbridge};
use storefront_suite::Handler;
use tokio::time::timeout;

use super::super::delivery::Now;
use super::super::source::Shard;
use super::super::*;
use super::support::template_mapping;
use bucket::Bucket;
use bus::Bus;
use checks::{Invocation, Played, PutAside};
use scenario::Scenario;
use writes::{Meaning, Write, Written};

/// The default number of runs.
const RUNS: u32 = 500;

/// The same for runs of many simulated hours.
const OUTAGES: u32 = 5;

/// In simulated time. Longer than any record is retried.
const PATIENCE: Duration = Duration::from_hours(48);

/// The invocations, and the places of the records that the mapping gave up.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<(Vec<Invocation>, Vec<usize>)>>);

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
    fn function(&self, consumer: Consumer, places: HashMap<String, usize>) -> Function {
        let (journal, consumer) = (self.clone(), Arc::new(consumer));
        Function::new(Handler::new(move |event: LambdaEvent<StreamBatch>| {
            let records = event.payload.records.iter();
            let records = records.map(|record| places[record.get()]).collect();
            let invocation = journal.begin(records);
            let (journal, consumer) = (journal.clone(), Arc::clone(&consumer));
            async move {
                let answer = consumer.handle(event).await;
                if answer.batch_item_failures.is_empty() {
                    journal.0.lock().unwrap().0[invocation].has_delivered_all = true;
                }
                Ok::<_, Infallible>(answer)
            }
        }))
    }

    fn begin(&self, records: Vec<usize>) -> usize {
        let invocations = &mut self.0.lock().unwrap().0;
        invocations.push(Invocation { records, has_delivered_all: false });
        invocations.len() - 1
    }

    /// Returns the on-failure destination.
    fn destination(&self, places: HashMap<String, usize>) -> Destination {
        let journal = self.clone();
        Destination::Given(Box::new(move |document| {
            journal.0.lock().unwrap().1.extend(records_of(&document, &places));
            Ok(())
        }))
    }
}

/// Returns the places of the records in a document that `redrive` reads.
fn records_of(document: &Value, places: &HashMap<String, usize>) -> Vec<usize> {
    let payload: StreamBatch = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    payload.records.iter().map(|record| places[record.get()]).collect()
}

fn put_aside(document: &str, places: &HashMap<String, usize>) -> PutAside {
    let document: Value = serde_json::from_str(document).unwrap();
    let [record] = records_of(&document, places)[..] else { panic!("one record per object") };
    let condition = document["requestContext"]["condition"].as_str().unwrap().to_owned();
    PutAside { record, condition }
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
    let bucket = Bucket::new(&scenario.puts);
    let bus = Bus::new(answers, never_accepted, bucket.clone());
    let pages = scenario.pages.iter().enumerate();
    let unreadable = pages.filter(|(_, page)| !page.is_readable_at_first).map(|(number, _)| number);
    let unreadable = Arc::new(Mutex::new(unreadable.collect()));
    let journal = Journal::default();

    let last = stream.last().map(|written| written.record.sequence_number.clone());
    let (mut checkpoint, mut has_ended, mut lives) = (None, false, 0);
    let mut elapsed = Duration::ZERO;
    let ends = scenario.ends.iter().map(|&end| Duration::from_millis(end)).chain([PATIENCE]);
    for end in ends {
        lives += 1;
        // One runtime per process, so that whatever a killed process was doing ends with it.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        (checkpoint, has_ended, elapsed) = runtime.block_on(async {
            let (begun, before) = (Instant::now(), elapsed);
            bus.go_out(begun + scenario.outage.saturating_sub(before));
            let shard = pages_of(scenario, &stream, Arc::clone(&unreadable));
            let (_stop, stopped) = watch::channel(false);
            let now = Box::new(move || at(before + begun.elapsed()));
            let mapping = scenario.mapping.of(template);
            let mut worker = worker(scenario, mapping, shard, &bus, &journal, now, stopped);
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
            let checkpoint = worker.delivery.checkpoint.sequence_number().map(str::to_owned);
            (checkpoint, has_ended, before + begun.elapsed())
        });
        if has_ended {
            break;
        }
    }
    let (invocations, given_up) = std::mem::take(&mut *journal.0.lock().unwrap());
    let places = places_of(stream.iter().map(|written| &written.record));
    let objects = bucket.objects();
    Played {
        has_ended,
        lives,
        invocations,
        accepted: bus.accepted(),
        refused: bus.refused(),
        faults: bus.faults() + bucket.faults(),
        largest_call: bus.largest_call(),
        put_aside: objects.iter().map(|object| put_aside(object, &places)).collect(),
        given_up,
        stream,
    }
}

/// The simulated time, this long after a run began.
fn at(elapsed: Duration) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::try_from(elapsed).unwrap()
}

fn places_of<'a>(records: impl Iterator<Item = &'a Record>) -> HashMap<String, usize> {
    records.map(|record| record.event.to_string()).zip(0..).collect()
}

fn pages_of(
    scenario: &Scenario,
    stream: &[Written],
    unreadable: Arc<Mutex<BTreeSet<usize>>>,
) -> Pages {
    let begun = Instant::now();
    let (mut start, mut after) = (0, Duration::ZERO);
    let mut arrivals = Vec::new();
    let mut records: Vec<_> = stream.iter().map(|written| written.record.clone()).collect();
    for page in &scenario.pages {
        after += Duration::from_millis(page.milliseconds);
        let end = (start + page.records).min(stream.len());
        arrivals.push((start..end, begun + after));
        for record in &mut records[start..end] {
            record.written_at = at(after);
        }
        start = end;
    }
    for record in &mut records[start..] {
        record.written_at = at(after);
    }
    arrivals.push((start..stream.len(), begun + after));
    Pages { records, arrivals, unreadable }
}

fn worker(
    scenario: &Scenario,
    mapping: StreamMapping,
    shard: Pages,
    bus: &Bus,
    journal: &Journal,
    now: Now,
    stopped: watch::Receiver<bool>,
) -> Worker {
    let places = places_of(shard.records.iter());
    let destination = journal.destination(places.clone());
    let failed_records = FailedRecords::new(destination, "Consumer", "arn", "shard");
    let function = journal
        .function(consumer(bus), places)
        .with_timeout(Duration::from_secs(scenario.mapping.timeout));
    let checkpoint = Checkpoint::open(None, "arn").unwrap();
    // Over hours, it makes no difference and saves most of the simulation's time.
    let longest_backoff = Duration::from_secs(if scenario.outage.is_zero() { 10 } else { 60 });
    let pace = Pace { longest_backoff, ..Pace::default() };
    let source = Source::new(shard, Filter::new(&mapping.filters).unwrap());
    let delivery = Delivery { mapping, function, failed_records, checkpoint, pace, now, stopped };
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
    let client = aws_sdk_eventbridge::Client::from_conf(config);
    let bucket = storefront_order_events::Bucket::new(
        &aws::emulator_config().into_builder().http_client(bus.http_client()).build(),
        Some("http://s3.invalid".to_owned()),
        "failed-records",
    );
    Consumer::new(client, "storefront-events", bucket)
}

#[test]
fn no_event_is_lost_or_overtaken_whatever_fails() {
    run(RUNS, Scenario::strategy(), Played::check);
}

#[test]
fn twenty_hours_without_eventbridge_lose_nothing_and_need_nobody() {
    let outage = |scenario| Scenario { outage: Duration::from_hours(20), ..scenario };
    run(OUTAGES, Scenario::strategy().prop_map(outage), Played::check);
}

#[test]
fn records_that_cannot_be_delivered_for_23_hours_are_kept_before_the_stream_forgets_them() {
    let outage = |scenario: Scenario| Scenario {
        outage: Duration::from_hours(24),
        writes: vec![Write::Change { order: 0 }, Write::Change { order: 1 }],
        ends: Vec::new(),
        ..scenario
    };
    run(OUTAGES, Scenario::strategy().prop_map(outage), |played, _| {
        prop_assert!(played.has_ended && played.accepted.is_empty());
        prop_assert_eq!(&played.given_up, &[0, 1]);
        Ok(())
    });
}

/// Runs random scenarios.
fn run(
    runs: u32,
    scenarios: impl Strategy<Value = Scenario>,
    check: impl Fn(&Played, &Scenario) -> Result<(), TestCaseError>,
) {
    let template = template_mapping();
    // The logs are tested elsewhere, and would be hundreds of megabytes.
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        let mut config = Config { failure_persistence: None, ..Default::default() };
        // `PROPTEST_CASES` is for the short scenarios. A day's outage takes a hundred times as long.
        config.cases = match std::env::var_os("PROPTEST_CASES") {
            Some(_) => config.cases.div_ceil(RUNS / runs),
            None => runs,
        };
        let seed = match config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => any_seed(),
        };
        config.rng_seed = RngSeed::Fixed(seed);
        let outcome = TestRunner::new(config)
            .run(&scenarios, |scenario| check(&play(&scenario, &template), &scenario));
        if let Err(TestError::Fail(reason, scenario)) = outcome {
            panic!("{reason}\n{scenario:#?}\nagain: PROPTEST_RNG_SEED={seed}");
        }
        outcome.unwrap();
    });
}

fn any_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
