use crate::error::Error;
use crate::function::FUNCTION;
use crate::node::Node;
use crate::queue::{QUEUE, QueueReference};
use crate::rule::BUS;
use crate::schedule;
use crate::template::Template;

/// A property that changes what runs on AWS, and that the local cloud does not honour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredProperty {
    /// Where it is, such as `OrdersFunction.Nightly`.
    pub of: String,
    /// Its name.
    pub property: &'static str,
    /// What the local cloud does instead.
    pub instead: &'static str,
}

const INTO_THE_LOG: &str = "events that are given up go to the log";
/// Properties of a function, by path.
const OF_FUNCTION: &[(&str, &str)] =
    &[("EventInvokeConfig.DestinationConfig.OnSuccess", "answers go to the log")];
/// Properties of a function that name a queue in their member, which the local cloud may run.
const QUEUES_OF_FUNCTION: &[(&str, &str)] = &[
    ("EventInvokeConfig.DestinationConfig.OnFailure", "Destination"),
    ("DeadLetterQueue", "TargetArn"),
];
/// Properties of `ScheduleV2`, each with what the local cloud does instead.
const OF_SCHEDULER: &[(&str, &str)] = &[
    ("StartDate", "it runs from now on"),
    ("EndDate", "it runs without an end"),
    ("FlexibleTimeWindow", "it runs at the exact time"),
    ("ScheduleExpressionTimezone", "it runs in UTC"),
];

impl Template {
    /// Returns the properties of triggers that change what runs on AWS but not in the local cloud.
    pub fn ignored_properties(&self) -> Result<Vec<IgnoredProperty>, Error> {
        let mut found = Vec::new();
        for (function, event, properties) in self.named_events(schedule::SCHEDULER_EVENT)? {
            collect(&mut found, &format!("{function}.{event}"), &properties, OF_SCHEDULER);
        }
        for (id, resource) in self.resources(FUNCTION)? {
            self.of_function(&mut found, id, &resource.member("Properties"))?;
        }
        for (id, resource) in self.resources("AWS::Lambda::EventInvokeConfig")? {
            let instead = "EventInvokeConfig of the function itself counts";
            collect(&mut found, id, &resource.member("Properties"), &[("FunctionName", instead)]);
        }
        for (id, resource) in self.resources(QUEUE)? {
            let policy = resource.member("Properties").member("RedrivePolicy");
            let Some(queue) = policy.optional("deadLetterTargetArn") else { continue };
            if let QueueReference::Elsewhere(_) = self.queue_at(&queue)? {
                found.push(IgnoredProperty {
                    of: id.to_owned(),
                    property: "RedrivePolicy",
                    instead: "the queue it names does not run here, so messages stay where they are",
                });
            }
        }
        for (id, _) in self.resources(BUS)?.into_iter().skip(1) {
            found.push(IgnoredProperty {
                of: id.to_owned(),
                property: "Name",
                instead: "all buses but the default are one",
            });
        }
        Ok(found)
    }

    fn of_function(
        &self,
        found: &mut Vec<IgnoredProperty>,
        id: &str,
        own: &Node<'_>,
    ) -> Result<(), Error> {
        collect(found, id, own, OF_FUNCTION);
        for (path, member) in QUEUES_OF_FUNCTION {
            let property = at(own, path);
            if property.value().is_null() {
                continue;
            }
            let queue = property.optional(member);
            let is_run = property.member("Type").value() == "SQS"
                && match queue {
                    Some(queue) => matches!(self.queue_at(&queue)?, QueueReference::Standard(_)),
                    None => false,
                };
            if !is_run {
                let of = id.to_owned();
                found.push(IgnoredProperty { of, property: path, instead: INTO_THE_LOG });
            }
        }
        Ok(())
    }
}

/// Returns the member at a path with dots.
fn at<'a>(properties: &Node<'a>, path: &str) -> Node<'a> {
    path.split('.').fold(properties.clone(), |node, name| node.member(name))
}

fn collect(
    found: &mut Vec<IgnoredProperty>,
    of: &str,
    properties: &Node<'_>,
    ignored: &[(&'static str, &'static str)],
) {
    for (property, instead) in ignored {
        let node = at(properties, property);
        // Values that say what the local cloud does anyway.
        let is_default = node.value() == "UTC" || node.member("Mode").value() == "OFF";
        if !node.value().is_null() && !is_default {
            found.push(IgnoredProperty { of: of.to_owned(), property, instead });
        }
    }
}
