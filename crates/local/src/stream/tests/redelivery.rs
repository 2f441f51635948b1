//! The trigger and the real consumer, with records that cannot be read and an EventBridge that
//! fails in every way it can: whatever happens, no status change is lost, none overtakes another of
//! its order, and what can never be delivered holds up nothing.
//!
//! Time is simulated: the SDK's timeouts, the pauses between retries and the function's own timeout
//! take none. Each run is drawn from a seed and is the same again with it. A run that fails is
//! made as small as it still fails, and printed with the seed. `PROPTEST_CASES` is how many.

mod bus;
mod writes;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::config::retry::{RetryPartition, TokenBucket};
use dynoxide::DynoxideError;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngSeed, TestCaseError, TestError, TestRunner};
use serde_json::Value;
use storefront_core::aws;
use storefront_order_status_stream::{Consumer, StreamBatch, eventbridge};
use storefront_template::Template;
use tokio::time::timeout;

use super::super::source::Shard;
use super::super::*;
use bus::{Answer, Bus, detail, event_id};
use writes::{Meaning, Write, Written};

/// How many runs a test makes.
const RUNS: u32 = 500;

/// Simulated. Well above what the retries of the longest run take.
const PATIENCE: Duration = Duration::from_hours(6);

/// One run: what is written, what fails, and when.
#[derive(Clone, Debug)]
struct Scenario {
    mapping: Mapping,
    writes: Vec<Write>,
    pages: Vec<Page>,
    /// Each answer, and to how many calls it is given.
    answers: Vec<(Answer, usize)>,
    /// Of which writes the bus never accepts the events.
    never_accepted: Vec<Index>,
    /// After how many milliseconds the process is killed, each time.
    ends: Vec<u64>,
    /// How often the on-failure destination is not there.
    destination_failures: usize,
}

#[derive(Clone, Copy, Debug)]
struct Mapping {
    is_filtered: bool,
    batch_size: usize,
    batching_window: u64,
    retries: u32,
    /// The function's, in seconds.
    timeout: u64,
}

/// Records that are there at once, some time after those before them.
#[derive(Clone, Copy, Debug)]
struct Page {
    records: usize,
    milliseconds: u64,
    is_readable_at_first: bool,
}

impl Scenario {
    fn strategy() -> impl Strategy<Value = Self> {
        let mapping = (any::<bool>(), 1..=20_usize, 0..200_u64, 0..=3_u32, 1..=60_u64);
        let mapping = mapping.prop_map(|(is_filtered, batch_size, window, retries, timeout)| {
            let batching_window = if window < 100 { 0 } else { window };
            Mapping { is_filtered, batch_size, batching_window, retries, timeout }
        });
        let page = (1..20_usize, 0..500_u64, prop::bool::weighted(0.9));
        let page = page.prop_map(|(records, milliseconds, is_readable_at_first)| Page {
            records,
            milliseconds,
            is_readable_at_first,
        });
        // Mostly for a moment, sometimes for longer than any retries.
        let times = prop_oneof![6 => 1..4_usize, 1 => 10..60_usize];
        let end = prop_oneof![1..200_u64, 1..30_000_u64];
        (
            mapping,
            prop::collection::vec(Write::strategy(), 0..30),
            prop::bool::weighted(0.2),
            prop::collection::vec(page, 1..5),
            prop::collection::vec((Answer::strategy(), times), 0..12),
            prop::collection::vec(any::<Index>(), 0..2),
            prop::collection::vec(end, 0..3),
            0..3_usize,
        )
            .prop_map(
                |(mapping, writes, takes_turns, pages, answers, never_accepted, ends, failures)| {
                    Self {
                        mapping,
                        writes: if takes_turns { Write::in_turn(&writes) } else { writes },
                        pages,
                        answers,
                        never_accepted,
                        ends,
                        destination_failures: failures,
                    }
                },
            )
    }
}

impl Mapping {
    /// The template's, changed.
    fn of(self, template: &StreamMapping) -> StreamMapping {
        let mut mapping = template.clone();
        mapping.batch_size = self.batch_size;
        mapping.batching_window = Duration::from_millis(self.batching_window);
        mapping.maximum_retry_attempts = Some(self.retries);
        // Measured by the real clock.
        mapping.maximum_record_age = None;
        if !self.is_filtered {
            mapping.filters.clear();
        }
        mapping
    }
}

/// What came of a run.
struct Played {
    stream: Vec<Written>,
    never_accepted: BTreeSet<String>,
    /// Whether everything was acknowledged in the end.
    has_ended: bool,
    invocations: Vec<Invocation>,
    accepted: Vec<Value>,
    largest_call: usize,
    given_up: Vec<GivenUp>,
}

/// An invocation of the function.
struct Invocation {
    /// Which process made it.
    life: usize,
    /// By their place in the stream.
    records: Vec<usize>,
    has_delivered_all: bool,
}

/// A document in the on-failure destination.
struct GivenUp {
    life: usize,
    records: Vec<usize>,
    /// How many invocations there had been before it.
    after: usize,
}

#[derive(Clone, Default)]
struct Journal(Arc<Mutex<(Vec<Invocation>, Vec<GivenUp>)>>);

/// The records as they become known.
struct Pages {
    records: Vec<Record>,
    /// The records of each page, and since when they are known.
    pages: Vec<(Range<usize>, Instant)>,
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
        let page = self.pages.iter().enumerate().find(|(_, (records, _))| records.contains(&next));
        let Some((number, (records, known_since))) = page else {
            return Ok(Vec::new());
        };
        if *known_since > Instant::now() {
            return Ok(Vec::new());
        }
        if self.unreadable.lock().unwrap().remove(&number) {
            return Err(DynoxideError::InternalServerError("on purpose".to_owned()).into());
        }
        Ok(self.records[next..records.end].to_vec())
    }
}

impl Journal {
    /// The consumer, whose invocations are noted.
    fn function(
        &self,
        life: usize,
        consumer: Consumer,
        places: HashMap<String, usize>,
    ) -> Function {
        let (journal, consumer) = (self.clone(), Arc::new(consumer));
        Function::new(move |event: LambdaEvent<StreamBatch>| {
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
        })
    }

    fn begin(&self, life: usize, records: Vec<usize>) -> usize {
        let invocations = &mut self.0.lock().unwrap().0;
        invocations.push(Invocation { life, records, has_delivered_all: false });
        invocations.len() - 1
    }

    /// An on-failure destination, which is not there for the first documents.
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

/// Lets it happen, in one process after the other, until everything is acknowledged.
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
        // One for each life: whatever the killed process was doing ends with it.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        (checkpoint, has_ended) = runtime.block_on(async {
            let shard = pages_of(scenario, &stream, Arc::clone(&unreadable));
            let (_stop, stopped) = watch::channel(false);
            let mapping = scenario.mapping.of(template);
            let mut worker = worker(scenario, mapping, life, shard, &bus, &journal, stopped);
            if let Some(checkpoint) = checkpoint {
                worker.source.start_after(checkpoint);
                // What the file would say.
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
    let (mut start, mut known_since) = (0, Instant::now());
    let mut pages = Vec::new();
    for page in &scenario.pages {
        known_since += Duration::from_millis(page.milliseconds);
        let end = (start + page.records).min(stream.len());
        pages.push((start..end, known_since));
        start = end;
    }
    pages.push((start..stream.len(), known_since));
    let records = stream.iter().map(|written| written.record.clone()).collect();
    Pages { records, pages, unreadable }
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

/// As it is deployed, timeouts and retries included, but that nothing of it is left to chance or
/// shared between runs: the pauses have no jitter, and the retries a budget of their own.
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = Template::read(path).unwrap().stream_mapping().unwrap().unwrap();
    // What is logged is asserted elsewhere, and would be hundreds of megabytes.
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        let mut config = ProptestConfig { failure_persistence: None, ..Default::default() };
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = RUNS;
        }
        let seed = match config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => rand_seed(),
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

fn rand_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

impl Played {
    fn check(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        prop_assert!(self.has_ended, "records are held up for ever");
        prop_assert!(self.largest_call <= 10, "PutEvents takes 10 entries");
        self.check_events()?;
        self.check_order()?;
        self.check_given_up(scenario)?;
        self.check_fates(scenario)?;
        self.check_effort(scenario)
    }

    /// Events are of status changes, say what they should, and are the same each time.
    fn check_events(&self) -> Result<(), TestCaseError> {
        let mut seen = HashMap::new();
        for entry in &self.accepted {
            let id = event_id(entry);
            let expected = self.changes().find(|(_, _, _, event_id, _)| **event_id == id);
            let Some((_, _, _, _, expected)) = expected else {
                return Err(TestCaseError::fail(format!("{id} is no change that can be read")));
            };
            prop_assert_eq!(&detail(entry), expected);
            let first = seen.entry(id).or_insert(entry);
            prop_assert_eq!(&*first, &entry, "a double differs");
        }
        Ok(())
    }

    /// Each order's changes arrive in the order of their versions, as far as doubles do not count.
    /// What was given up may arrive at any time: the bus took it without saying so.
    fn check_order(&self) -> Result<(), TestCaseError> {
        let mut arrived = HashMap::<u8, Vec<u64>>::new();
        for entry in &self.accepted {
            let id = event_id(entry);
            let (place, order, version, ..) =
                self.changes().find(|(_, _, _, event_id, _)| **event_id == id).unwrap();
            let versions = arrived.entry(order).or_default();
            if !versions.contains(&version) && !self.is_given_up(place) {
                versions.push(version);
            }
        }
        for (order, versions) in arrived {
            prop_assert!(versions.is_sorted(), "order {order} arrived as {versions:?}");
        }
        Ok(())
    }

    /// Records are given up one by one, each after as many invocations as the mapping says that
    /// were for it alone and failed, and then no more.
    fn check_given_up(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let tries = 1 + scenario.mapping.retries as usize;
        for given_up in &self.given_up {
            let [record] = given_up.records[..] else {
                return Err(TestCaseError::fail(format!("{:?} given up", given_up.records)));
            };
            let of_record = |invocation: &&Invocation| {
                invocation.life == given_up.life && invocation.records.contains(&record)
            };
            let (before, after) = self.invocations.split_at(given_up.after);
            prop_assert_eq!(after.iter().filter(of_record).count(), 0, "record {} again", record);
            let alone = before.iter().filter(of_record).filter(|one| one.records.len() == 1);
            let delivered: Vec<_> = alone.map(|one| one.has_delivered_all).collect();
            prop_assert_eq!(delivered, vec![false; tries], "tries of record {}", record);
        }
        Ok(())
    }

    /// Every status change is delivered or given up; what cannot be read is given up; nothing else
    /// is.
    fn check_fates(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let delivered: BTreeSet<_> = self.accepted.iter().map(event_id).collect();
        for (place, Written { record, meaning }) in self.stream.iter().enumerate() {
            let is_filtered_out = scenario.mapping.is_filtered && !matches(&record.event);
            let is_given_up = self.is_given_up(place);
            match meaning {
                _ if is_filtered_out => {
                    prop_assert!(!is_given_up, "record {place} matches no filter");
                }
                Meaning::Nothing => prop_assert!(!is_given_up, "record {place} is no change"),
                Meaning::Unreadable => prop_assert!(is_given_up, "record {place} has gone"),
                Meaning::Change { event_id, .. } => {
                    let is_delivered = delivered.contains(event_id);
                    prop_assert!(is_delivered || is_given_up, "{event_id} is lost");
                    if self.never_accepted.contains(event_id) {
                        prop_assert!(!is_delivered, "{event_id} cannot have been delivered");
                    }
                }
            }
        }
        Ok(())
    }

    /// No record is tried without bound: each invocation of several records either gets further or
    /// halves them.
    fn check_effort(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let size = scenario.mapping.batch_size;
        let most = size + size.ilog2() as usize + 2 + scenario.mapping.retries as usize;
        let mut counts = HashMap::<_, usize>::new();
        for invocation in &self.invocations {
            prop_assert!(invocation.records.len() <= size);
            for record in &invocation.records {
                *counts.entry((invocation.life, record)).or_default() += 1;
            }
        }
        for ((_, record), count) in counts {
            prop_assert!(count <= most, "record {record}: {count} invocations of at most {most}");
        }
        Ok(())
    }

    fn is_given_up(&self, place: usize) -> bool {
        self.given_up.iter().any(|given_up| given_up.records.contains(&place))
    }

    /// Place, order, version, event id and detail of every change.
    fn changes(&self) -> impl Iterator<Item = (usize, u8, u64, &String, &Value)> {
        self.stream.iter().enumerate().filter_map(|(place, written)| match &written.meaning {
            Meaning::Change { order, version, event_id, detail } => {
                Some((place, *order, *version, event_id, detail))
            }
            _ => None,
        })
    }
}

/// What the template's filter lets through, said once more.
fn matches(event: &Value) -> bool {
    if !event.is_object() {
        return true;
    }
    let is_order = |image: &str| event["dynamodb"][image]["_type"]["S"] == "Order";
    event["eventName"] == "MODIFY" && is_order("OldImage") && is_order("NewImage")
}
