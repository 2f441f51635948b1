use crate::error::Error;
use crate::queue::QueueReference;
use crate::rule::AnyTarget;
use crate::template::Template;
use crate::{api, function, queue, rule, schedule, stream};

/// The types of a function's `Events` that are read here and run by the local cloud.
const RUN_LOCALLY: [&str; 7] = [
    api::EVENT,
    queue::EVENT,
    rule::EVENTS[0],
    rule::EVENTS[1],
    schedule::RULE_EVENT,
    schedule::SCHEDULER_EVENT,
    stream::EVENT,
];
/// Resources that invoke a function without being in its `Events`.
const INVOKING: [&str; 6] = [
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Url",
    "AWS::Pipes::Pipe",
    "AWS::Scheduler::Schedule",
    "AWS::Serverless::StateMachine",
    "AWS::StepFunctions::StateMachine",
];

/// A trigger that invokes a function on AWS but not in the local cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTrigger {
    /// The function and its event, `OrdersFunction.Nightly`, the logical id of a resource, or that of
    /// a rule and the id of its target.
    pub name: String,
    /// Its `Type`, and what about it is not run.
    pub kind: String,
}

impl Template {
    /// Returns the triggers that invoke functions on AWS but not in the local cloud.
    pub fn unknown_triggers(&self) -> Result<Vec<UnknownTrigger>, Error> {
        let mut unknown = Vec::new();
        let mut add = |name: String, kind: String| unknown.push(UnknownTrigger { name, kind });
        for (id, resource) in self.resources(function::FUNCTION)? {
            let Some(events) = resource.member("Properties").optional("Events") else {
                continue;
            };
            for (event, definition) in events.members()? {
                let kind = definition.member("Type").text()?;
                let name = format!("{id}.{event}");
                let properties = definition.member("Properties");
                if !RUN_LOCALLY.contains(&kind) {
                    add(name, kind.to_owned());
                } else if kind == queue::EVENT {
                    let queue = self.queue_at(&properties.member("Queue"))?;
                    if let QueueReference::Elsewhere(queue) = queue {
                        add(name, format!("{kind} of {queue}"));
                    }
                } else if rule::EVENTS.contains(&kind)
                    && properties.optional("InputTransformer").is_some()
                {
                    add(name, format!("{kind} with an InputTransformer"));
                }
            }
        }
        for (id, resource) in self.resources(rule::RULE)? {
            let properties = resource.member("Properties");
            if properties.optional("ScheduleExpression").is_some() {
                add(id.to_owned(), format!("{} with a ScheduleExpression", rule::RULE));
                continue;
            }
            for (target, found) in self.named_targets(&properties)? {
                if let AnyTarget::Unknown(kind) = found {
                    add(format!("{id}.{target}"), format!("target of {}: {kind}", rule::RULE));
                }
            }
        }
        for (id, resource) in self.resources(queue::QUEUE)? {
            if queue::is_fifo(&resource.member("Properties"))? {
                add(id.to_owned(), format!("{}, a FIFO queue", queue::QUEUE));
            }
        }
        for kind in INVOKING {
            for (id, _) in self.resources(kind)? {
                add(id.to_owned(), kind.to_owned());
            }
        }
        Ok(unknown)
    }
}
