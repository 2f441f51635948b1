use crate::error::Error;
use crate::template::Template;
use crate::{api, function, schedule, stream};

/// The types of a function's `Events` that are read here and run by the local cloud.
const RUN_LOCALLY: [&str; 4] =
    [api::EVENT, schedule::RULE_EVENT, schedule::SCHEDULER_EVENT, stream::EVENT];
/// Resources that invoke a function without being in its `Events`.
const INVOKING: [&str; 7] = [
    "AWS::Events::Rule",
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
    /// The function and its event, `OrdersFunction.Nightly`, or the logical id of a resource.
    pub name: String,
    /// Its `Type`.
    pub kind: String,
}

impl Template {
    /// Returns the triggers that invoke functions on AWS but not in the local cloud.
    pub fn unknown_triggers(&self) -> Result<Vec<UnknownTrigger>, Error> {
        let mut unknown = Vec::new();
        for (id, resource) in self.resources(function::FUNCTION)? {
            let Some(events) = resource.member("Properties").optional("Events") else {
                continue;
            };
            for (event, definition) in events.members()? {
                let kind = definition.member("Type").text()?;
                if !RUN_LOCALLY.contains(&kind) {
                    let name = format!("{id}.{event}");
                    unknown.push(UnknownTrigger { name, kind: kind.to_owned() });
                }
            }
        }
        for kind in INVOKING {
            let resources = self.resources(kind)?.into_iter();
            unknown.extend(
                resources
                    .map(|(id, _)| UnknownTrigger { name: id.to_owned(), kind: kind.to_owned() }),
            );
        }
        Ok(unknown)
    }
}
