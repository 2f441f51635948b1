//! Compares what the functions' roles grant with what the functions used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use storefront_template::{
    GrantedResource, Partitions, Permissions, QueueMapping, StreamMapping, Template,
};

use super::activity::{Access, Activity, Use};
use super::error::Error;

/// What Lambda does with the role of every function: it writes logs and traces.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html>
const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
const TRACES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
/// What an event source mapping does with the role of its function: it reads the stream, and stores
/// failed batches in a bucket.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
const STREAM: [&str; 4] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];
/// The same for a mapping that reads a queue.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const QUEUE: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
const FAILURE_BUCKET: &str = "s3:ListBucket";
const FAILURE_OBJECTS: &str = "s3:PutObject";

/// A difference between what a role grants and what was used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The logical id of the function.
    pub function: String,
    /// What differs.
    pub kind: DifferenceKind,
}

/// The kind of a [`Difference`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Granted, but not used by any test.
    Unused(Privilege),
    /// Used, but not granted.
    Missing {
        /// What was used.
        privilege: Privilege,
        /// The number of uses.
        times: usize,
        /// The first process that used it.
        process: String,
    },
    /// Lambda needs it to run the function, but it is not granted.
    MissingForLambda(Privilege),
}

/// An action on a resource and, for the table and its indexes, on some of their partitions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    action: String,
    on: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A table or an index, and the prefix of the partition key; `None` for all partitions.
    Partition(GrantedResource, Option<String>),
    /// A resource of another service. The suite has one of each kind.
    Other,
    /// A resource that only Lambda itself uses, as in the policy.
    Granted(GrantedResource),
}

/// Compares grants and uses for each function of the template.
pub fn compare(template: &Template, activity: &Activity) -> Result<BTreeSet<Difference>, Error> {
    let binaries = template.functions()?;
    let mut differences = BTreeSet::new();
    for permissions in template.permissions()? {
        let function = &binaries[&permissions.function];
        let mut used = activity.used.get(&function.binary).cloned().unwrap_or_default();
        if function.environment.contains_key("TABLE_NAME") {
            let at_start_up = Use { times: 1, process: "start-up, `Table::connect`".to_owned() };
            used.entry(connect()).or_insert(at_start_up);
        }
        let stream = template.stream_mapping_of(&permissions.function)?;
        let mut queues = template.queue_mappings()?;
        queues.retain(|mapping| mapping.function == permissions.function);
        let by_lambda = used_by_lambda(&permissions, stream.as_ref(), &queues);
        let differ = differences_of(&permissions, by_lambda, &used);
        let function = permissions.function;
        differences
            .extend(differ.into_iter().map(|kind| Difference { function: function.clone(), kind }));
    }
    Ok(differences)
}

/// What a function with the table does before its first invocation, which the evidence begins with.
fn connect() -> Access {
    Access {
        action: "dynamodb:GetItem".to_owned(),
        resource: Some("table".to_owned()),
        leading_key: Some("USER#".to_owned()),
    }
}

fn differences_of(
    permissions: &Permissions,
    by_lambda: Vec<(String, GrantedResource)>,
    used: &BTreeMap<Access, Use>,
) -> Vec<DifferenceKind> {
    let mut granted = permissions.grants.clone();
    let mut differences = Vec::new();
    for (action, resource) in by_lambda {
        if granted.remove(&(action.clone(), resource.clone())).is_none() {
            let privilege = Privilege { action, on: Place::Granted(resource) };
            differences.push(DifferenceKind::MissingForLambda(privilege));
        }
    }
    let unneeded: BTreeSet<Privilege> = granted.into_iter().flat_map(each_partition).collect();
    // A function may also use what Lambda needs, such as the bucket of failed records.
    let granted = permissions.grants.clone().into_iter();
    let granted: BTreeSet<Privilege> = granted.flat_map(each_partition).collect();
    let used: BTreeMap<Privilege, &Use> =
        used.iter().map(|(access, r#use)| (Privilege::from(access), r#use)).collect();
    let unused = unneeded.into_iter().filter(|privilege| !used.contains_key(privilege));
    differences.extend(unused.map(DifferenceKind::Unused));
    let missing = used.into_iter().filter(|(privilege, _)| !granted.contains(privilege));
    differences.extend(missing.map(|(privilege, Use { times, process })| {
        DifferenceKind::Missing { privilege, times: *times, process: process.clone() }
    }));
    differences
}

fn used_by_lambda(
    permissions: &Permissions,
    stream: Option<&StreamMapping>,
    queues: &[QueueMapping],
) -> Vec<(String, GrantedResource)> {
    let log_group = GrantedResource::Other(permissions.log_group.clone().unwrap_or_default());
    let mut used = Vec::new();
    let mut uses = |actions: &[&str], resource: &GrantedResource| {
        used.extend(actions.iter().map(|action| ((*action).to_owned(), resource.clone())));
    };
    uses(&LOGS, &log_group);
    uses(&TRACES, &GrantedResource::Any);
    for mapping in queues {
        uses(&QUEUE, &GrantedResource::Other(mapping.queue.clone()));
    }
    if let Some(mapping) = stream {
        uses(&STREAM, &GrantedResource::Stream);
        if let Some(bucket) = &mapping.failure_bucket {
            uses(&[FAILURE_BUCKET], &GrantedResource::Other(bucket.clone()));
            uses(&[FAILURE_OBJECTS], &GrantedResource::Inside(bucket.clone()));
        }
    }
    used
}

fn each_partition(
    ((action, resource), partitions): ((String, GrantedResource), Partitions),
) -> Vec<Privilege> {
    let has_partitions = matches!(resource, GrantedResource::Table | GrantedResource::Index(_));
    let privilege = |on| Privilege { action: action.clone(), on };
    match (partitions, resource) {
        (Partitions::BeginningWith(keys), resource) if has_partitions => {
            let keys = keys.into_iter();
            keys.map(|key| privilege(Place::Partition(resource.clone(), Some(key)))).collect()
        }
        (_, resource) if has_partitions => vec![privilege(Place::Partition(resource, None))],
        (
            _,
            GrantedResource::Other(_) | GrantedResource::Inside(_) | GrantedResource::Identity(_),
        ) => vec![privilege(Place::Other)],
        (_, resource) => vec![privilege(Place::Granted(resource))],
    }
}

impl From<&Access> for Privilege {
    fn from(access: &Access) -> Self {
        let on = match access.resource.as_deref() {
            None => Place::Other,
            Some("table") => Place::Partition(GrantedResource::Table, access.leading_key.clone()),
            Some(index) => Place::Partition(
                GrantedResource::Index(index.to_owned()),
                access.leading_key.clone(),
            ),
        };
        Self { action: access.action.clone(), on }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = &self.function;
        match &self.kind {
            DifferenceKind::Unused(privilege) => {
                write!(f, "{function}: its role grants {privilege}, which no test used")
            }
            DifferenceKind::Missing { privilege, times, process } => write!(
                f,
                "{function} used {privilege}, {}, first in {process}, which its role does not grant",
                if *times == 1 { "once".to_owned() } else { format!("{times} times") }
            ),
            DifferenceKind::MissingForLambda(privilege) => write!(
                f,
                "{function}: its role does not grant {privilege}, which Lambda needs to run it"
            ),
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        match &self.on {
            Place::Other => Ok(()),
            Place::Partition(resource, Some(key)) => {
                write!(f, " on {key}* of {}", Named(resource))
            }
            Place::Partition(resource, None) => {
                write!(f, " on all partitions of {}", Named(resource))
            }
            Place::Granted(resource) => write!(f, " on {}", Named(resource)),
        }
    }
}

/// Names a resource within a sentence.
struct Named<'a>(&'a GrantedResource);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            GrantedResource::Any => f.write_str("every resource"),
            GrantedResource::Table => f.write_str("the table"),
            GrantedResource::Index(name) => write!(f, "the index {name}"),
            GrantedResource::Stream => f.write_str("the table's stream"),
            GrantedResource::Other(id) => f.write_str(id),
            GrantedResource::Inside(id) => write!(f, "the objects in {id}"),
            GrantedResource::Identity(identity) => write!(f, "the identity {identity} of SES"),
        }
    }
}
