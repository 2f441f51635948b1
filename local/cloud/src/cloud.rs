//! Assembles the parts, and starts and stops them.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use dynoxide::Database;
use dynoxide::actions::scan::ScanRequest;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storefront_core::{Table, aws};
use storefront_credentials::SigningKeys;
use storefront_embedded::{PrivateDynamoDb, Storage};
use storefront_suite::{Dependencies, Handler};
use storefront_template::{IgnoredProperty, StreamMapping, Template, UnknownTrigger};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::events::{EVENTBRIDGE_PATH, EventBus};
use crate::function::{Function, FunctionError};
use crate::local_api::guarded;
use crate::mail::{Mailbox, SES_PATH};
use crate::queue::{Queues, SQS_PATH, Store};
use crate::rule::Rules;
use crate::s3::{self, Bucket, S3_PATH};
use crate::schedule::Schedules;
use crate::seed::DemoUsers;
use crate::server::Server;
use crate::stop::Worker;
use crate::stream::{self, Pace, StreamTrigger};
use crate::{
    Error, TABLE_NAME, TOKEN_SECRET, asynchronous, dynamodb, gateway, parameters, queue, seed,
};

/// DynamoDB may take days to delete expired items. With a minute, people can see it happen.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(1);

/// A client that keeps its connection open must not block the shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// How to start a [`LocalCloud`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The SAM template.
    pub template: PathBuf,
    /// Values of the template's parameters, by name, instead of their defaults.
    pub parameters: Vec<(String, String)>,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port of the API; 0 takes any free one.
    pub port: u16,
    /// The port of DynamoDB's API; 0 takes any free one.
    pub dynamodb_port: u16,
    /// The folder that keeps the data; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Whether to fill an empty table.
    pub seed: bool,
}

/// The whole suite, running.
pub struct LocalCloud {
    api_url: String,
    dynamodb_url: String,
    events: EventBus,
    mailbox: Mailbox,
    schedules: Schedules,
    queues: Queues,
    functions: HashMap<String, Function>,
    streams: Vec<StreamTrigger>,
    workers: Vec<Worker>,
    expiry: JoinHandle<()>,
    gateway: Server,
    dynamodb: Server,
    data_dir: Option<DataDir>,
    demo_users: DemoUsers,
    host: IpAddr,
}

impl LocalCloud {
    /// Starts everything, and returns when it is ready for requests.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let defaults = Template::read(&options.template)?;
        let given = parameters::with_sender(&defaults, options.parameters.clone());
        let parameters = given.iter().map(|(name, value)| (&**name, &**value));
        let template = defaults.clone().with_parameters(parameters)?.deployed();
        for name in parameters::without_effect(&defaults, &given)? {
            tracing::warn!(
                "the local cloud ignores the parameter {name}: nothing that it runs depends on it"
            );
        }
        for UnknownTrigger { name, kind } in template.unknown_triggers()? {
            tracing::warn!("the local cloud does not run the template's trigger {name} ({kind})");
        }
        for IgnoredProperty { of, property, instead } in template.ignored_properties()? {
            tracing::warn!("the local cloud ignores {property} of the template's {of}: {instead}");
        }
        let data_dir = options.data_dir.as_deref().map(DataDir::claim).transpose()?;
        let listener = listen(options.host, options.port, "--port").await?;
        let database_listener =
            listen(options.host, options.dynamodb_port, "--dynamodb-port").await?;

        let address = reachable(&listener)?;
        let api_url = format!("http://{address}");
        let dynamodb_url = format!("http://{}", reachable(&database_listener)?);
        let database = open(&template, data_dir.as_ref())?;
        let dynamodb = dynamodb::guarded(database.clone(), options.host);
        let dynamodb = Server::start(database_listener, dynamodb);

        let dependencies = dependencies(&template, &api_url, &dynamodb_url)?;
        let functions = by_logical_id(&template, &dependencies)?;

        // Consumers start after the seed: nobody has placed its order.
        let mut after = None;
        if options.seed && is_empty(database.database())? {
            fill(&dependencies.table, data_dir.as_ref()).await?;
            after = stream::last_record(database.database().clone(), TABLE_NAME)?;
        }

        // A table that began with --empty has none. If they cannot be read, start anyway.
        let demo_users = seed::users(&dependencies.table).await.unwrap_or_else(|error| {
            tracing::warn!("cannot read the demo users: {error}");
            DemoUsers::default()
        });

        let queues = queues(&template, data_dir.as_ref())?;
        let targets = asynchronous::targets(&template, &functions, &queues)?;
        let rules = Rules::of(&template, &targets, &queues)?;
        let events = EventBus::new(rules.clone());
        let schedules = Schedules::of(&template, &functions, &targets)?;
        let local_api = events.routes().merge(schedules.routes()).merge(queues.routes());
        let failed_records = Bucket::new(data_dir.as_ref().map(DataDir::path));
        let mailbox = Mailbox::open(data_dir.as_ref().map(DataDir::path))?;
        let local_api = local_api.merge(failed_records.routes()).merge(mailbox.routes());
        let local_api = guarded(local_api, options.host);
        let router = local_api.merge(gateway::router(&template, &functions, address)?);
        let gateway = Server::start(listener, router);

        let streams = streams(
            &template,
            &functions,
            database.database(),
            after.as_deref(),
            data_dir.as_ref(),
        )?;
        let mut workers = schedules.start(Clock::System);
        workers.extend(rules.start());
        workers.extend(queue::start(&template, &functions, &queues)?);
        let expiry = tokio::spawn(expire(database.database().clone()));
        Ok(Self {
            api_url,
            dynamodb_url,
            events,
            mailbox,
            schedules,
            queues,
            functions,
            streams,
            workers,
            expiry,
            gateway,
            dynamodb,
            data_dir,
            demo_users,
            host: options.host,
        })
    }

    /// Returns the URL of the API.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Returns the URL of DynamoDB's API.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// Returns the folder that keeps the data, if any.
    #[must_use]
    pub fn data_dir(&self) -> Option<&std::path::Path> {
        self.data_dir.as_ref().map(DataDir::path)
    }

    /// Whether other machines can reach it.
    pub(crate) fn is_reachable_from_others(&self) -> bool {
        !self.host.is_loopback()
    }

    pub(crate) fn demo_users(&self) -> &DemoUsers {
        &self.demo_users
    }

    /// Returns the names of the functions that have schedules.
    pub(crate) fn scheduled(&self) -> Vec<&str> {
        self.schedules.names()
    }

    /// Returns the names of the queues.
    pub(crate) fn queues(&self) -> Vec<&str> {
        self.queues.names()
    }

    /// Returns the last published events, the newest last.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.events.events()
    }

    /// Returns the last mails that were sent, the newest last.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        self.mailbox.mails()
    }

    /// Invokes a function by its logical id, as `sam local invoke` does.
    ///
    /// # Panics
    ///
    /// If the template has no such function.
    pub async fn invoke(&self, logical_id: &str, event: &Value) -> Result<Value, FunctionError> {
        self.functions[logical_id].invoke(event).await
    }

    /// Stops everything after the requests and the invocation in flight have ended.
    pub async fn shutdown(self) {
        self.expiry.abort();
        // They publish through the gateway, so they are stopped first, all at once.
        let mut triggers: JoinSet<()> =
            self.streams.into_iter().map(StreamTrigger::shutdown).collect();
        for worker in self.workers {
            triggers.spawn(worker.shutdown());
        }
        within_grace("a trigger", triggers.join_all()).await;
        within_grace("the gateway", self.gateway.shutdown()).await;
        within_grace("DynamoDB", self.dynamodb.shutdown()).await;
    }
}

async fn within_grace<F: Future>(what: &str, end: F) {
    if timeout(GRACE, end).await.is_err() {
        tracing::warn!("{what} did not stop within {} s", GRACE.as_secs());
    }
}

async fn listen(host: IpAddr, port: u16, flag: &'static str) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken { address, flag },
        _ => Error::Listen { address, flag, source },
    })
}

/// Returns the listener's address for this machine, even if it listens on all addresses.
fn reachable(listener: &TcpListener) -> Result<SocketAddr, Error> {
    let mut address = listener.local_addr().map_err(|source| Error::Listen {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        flag: "--port",
        source,
    })?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok(address)
}

fn open(template: &Template, data_dir: Option<&DataDir>) -> Result<PrivateDynamoDb, Error> {
    let storage = data_dir.map_or(Storage::Memory, |folder| Storage::File(folder.database()));
    let definition = template.table()?;
    PrivateDynamoDb::open(&storage, &definition, TABLE_NAME).map_err(|source| {
        match (source, data_dir) {
            (source @ storefront_embedded::Error::TableDiffers { .. }, Some(folder)) => {
                Error::OtherTable { path: folder.path().to_owned(), source }
            }
            (source @ storefront_embedded::Error::Unusable { .. }, Some(_)) => {
                Error::UnusableTable(source)
            }
            (source, _) => source.into(),
        }
    })
}

/// Returns what the functions use in place of AWS.
fn dependencies(
    template: &Template,
    api_url: &str,
    dynamodb_url: &str,
) -> Result<Dependencies, Error> {
    let aws = aws::patient_emulator_config();
    let client = aws::dynamodb(&aws, Some(dynamodb_url.to_owned()));
    let signing_keys = SigningKeys::fixed(TOKEN_SECRET);
    Ok(Dependencies {
        table: Table::new(client, TABLE_NAME),
        order_rules: parameters::order_rules(template)?,
        revokes_immediately: parameters::revokes_immediately(template)?,
        signing_keys: signing_keys.map_err(|error| Error::Functions(error.into()))?,
        aws,
        eventbridge_url: Some(format!("{api_url}{EVENTBRIDGE_PATH}")),
        event_bus: TABLE_NAME.to_owned(),
        s3_url: Some(format!("{api_url}{S3_PATH}")),
        failed_records_bucket: s3::BUCKET.to_owned(),
        ses_url: Some(format!("{api_url}{SES_PATH}")),
        mail: parameters::mail(template)?.unwrap_or(Dependencies::unreachable().mail),
        sqs_url: Some(format!("{api_url}{SQS_PATH}")),
        account_mails_queue_url: parameters::account_mails_queue(template)?
            .map(|queue| format!("{api_url}{SQS_PATH}/{queue}")),
        registers_by_mail: parameters::registers_by_mail(template)?,
    })
}

/// Returns the template's functions, each with the handler of its binary and its own timeout. One that
/// the suite does not have is named in the log, and fails when it is invoked.
fn by_logical_id(
    template: &Template,
    dependencies: &Dependencies,
) -> Result<HashMap<String, Function>, Error> {
    let suite = storefront_suite::functions(dependencies);
    let functions = template.functions()?.into_values();
    Ok(functions
        .map(|definition| {
            let registered = suite.iter().find(|function| function.name == definition.binary);
            let handler = registered
                .map_or_else(|| unregistered(&definition), storefront_suite::Function::handler);
            let function = Function::new(handler).with_timeout(definition.timeout);
            (definition.logical_id, function)
        })
        .collect())
}

fn unregistered(definition: &storefront_template::Function) -> Handler {
    let storefront_template::Function { logical_id, binary, .. } = definition;
    tracing::warn!(
        "the template's function {logical_id} is built from the binary {binary}, which the suite \
         does not have; add it to `functions` in local/suite/src/lib.rs"
    );
    let error = format!("the suite has no function {binary}");
    Handler::new(move |_: LambdaEvent<Value>| std::future::ready(Err::<Value, _>(error.clone())))
}

/// Opens the queues' messages, which are in the data folder if there is one.
fn queues(template: &Template, data_dir: Option<&DataDir>) -> Result<Queues, Error> {
    let path = data_dir.map(DataDir::queues);
    Queues::of(template, Store::open(path.as_deref(), Clock::System)?)
}

/// Starts one trigger for each consumer of the stream.
fn streams(
    template: &Template,
    functions: &HashMap<String, Function>,
    database: &Database,
    after: Option<&str>,
    data_dir: Option<&DataDir>,
) -> Result<Vec<StreamTrigger>, Error> {
    let start = |mapping: StreamMapping| {
        let function = functions
            .get(&mapping.function)
            .ok_or_else(|| Error::NoSuchFunction { logical_id: mapping.function.clone() })?;
        StreamTrigger::start(
            mapping,
            function.clone(),
            database.clone(),
            TABLE_NAME,
            after.map(str::to_owned),
            data_dir.map(DataDir::path),
            Pace::default(),
        )
    };
    template.stream_mappings()?.into_iter().map(start).collect()
}

fn is_empty(database: &Database) -> Result<bool, Error> {
    let request =
        ScanRequest { table_name: TABLE_NAME.to_owned(), limit: Some(1), ..ScanRequest::default() };
    Ok(database.scan(request)?.count == 0)
}

async fn fill(table: &Table, data_dir: Option<&DataDir>) -> Result<(), Error> {
    if let Some(data_dir) = data_dir {
        data_dir.filling_begins()?;
    }
    seed::fill(table).await.map_err(Error::Seed)?;
    if let Some(data_dir) = data_dir {
        data_dir.filling_is_done()?;
    }
    Ok(())
}

/// Removes expired items, because the embedded database does so only on request.
async fn expire(database: Database) {
    let mut interval = interval(EXPIRY_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!("cannot remove expired items: {error}"),
            Err(panic) => tracing::warn!("cannot remove expired items: {panic}"),
        }
    }
}
