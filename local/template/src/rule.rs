use serde_json::Value;

use crate::error::Error;
use crate::function::FUNCTION;
use crate::intrinsics::logical_id;
use crate::node::Node;
use crate::queue::{Numbers, QUEUE, QueueReference};
use crate::schedule::{input, is_enabled};
use crate::template::Template;

pub(crate) const RULE: &str = "AWS::Events::Rule";
/// The types of a function's event that are a rule.
pub(crate) const EVENTS: [&str; 2] = ["EventBridgeRule", "CloudWatchEvent"];
pub(crate) const BUS: &str = "AWS::Events::EventBus";

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html>
const RETRY_ATTEMPTS: Numbers = Numbers { from: 0, to: 185, default: 185 };
const EVENT_AGE: Numbers = Numbers { from: 60, to: 86_400, default: 86_400 };

/// A rule of an event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The function and its event, `MailFunction.StatusChanges`, or the logical id of a resource.
    pub name: String,
    /// The pattern of the events that match, in JSON.
    pub pattern: String,
    /// The bus whose events it sees.
    pub bus: Bus,
    /// Whether it sees any.
    pub enabled: bool,
    /// What receives the events.
    pub targets: Vec<Target>,
}

/// An event bus. The local cloud has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The account's default bus.
    Default,
    /// The template's bus, whatever its name.
    Custom,
}

/// A rule's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What receives the events.
    pub receiver: Receiver,
    /// What it receives of each.
    pub input: Input,
}

/// What a rule can send events to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A function, by logical id.
    Function(String),
    /// A standard queue, by logical id.
    Queue(String),
}

/// What a target receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The event.
    Event,
    /// The same JSON text each time.
    Constant(String),
    /// A part of the event, by its JSON pointer (RFC 6901).
    Part(String),
}

/// A target as it is written.
pub(crate) enum AnyTarget {
    Known(Target),
    /// One that the local cloud does not serve, and what it is.
    Unknown(String),
}

impl Template {
    /// Returns the rules with a pattern, each with the targets that the local cloud serves.
    pub fn rules(&self) -> Result<Vec<Rule>, Error> {
        let mut rules = Vec::new();
        for kind in EVENTS {
            for (function, event, properties) in self.named_events(kind)? {
                let receiver = Receiver::Function(function.clone());
                let target = self.target(receiver, &properties)?;
                rules.push(self.rule(
                    format!("{function}.{event}"),
                    &properties.member("Pattern"),
                    &properties,
                    [target],
                )?);
            }
        }
        for (id, resource) in self.resources(RULE)? {
            let properties = resource.member("Properties");
            if properties.optional("ScheduleExpression").is_some() {
                continue;
            }
            let targets = self.named_targets(&properties)?.into_iter().map(|(_, target)| target);
            let pattern = properties.member("EventPattern");
            rules.push(self.rule(id.to_owned(), &pattern, &properties, targets)?);
        }
        rules.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(rules)
    }

    fn rule(
        &self,
        name: String,
        pattern: &Node<'_>,
        properties: &Node<'_>,
        targets: impl IntoIterator<Item = AnyTarget>,
    ) -> Result<Rule, Error> {
        if !pattern.value().is_object() {
            return Err(pattern.unexpected("an event pattern"));
        }
        let known = |target| match target {
            AnyTarget::Known(target) => Some(target),
            AnyTarget::Unknown(_) => None,
        };
        Ok(Rule {
            name,
            pattern: pattern.value().to_string(),
            bus: self.bus(properties)?,
            enabled: is_enabled(properties)?,
            targets: targets.into_iter().filter_map(known).collect(),
        })
    }

    fn bus(&self, properties: &Node<'_>) -> Result<Bus, Error> {
        let Some(name) = properties.optional("EventBusName") else {
            return Ok(Bus::Default);
        };
        if let Some(id) = logical_id(name.value()).filter(|id| !id.starts_with("AWS::")) {
            let resource = self.root().member("Resources").member(id);
            return if resource.member("Type").value() == BUS {
                Ok(Bus::Custom)
            } else {
                Err(name.unexpected(format!("the name or !Ref of an {BUS} in the template")))
            };
        }
        let text = name.value().as_str().unwrap_or_default();
        let is_default = text == "default" || text.ends_with(":event-bus/default");
        Ok(if is_default { Bus::Default } else { Bus::Custom })
    }

    /// Returns the targets of a rule, each with its id.
    pub(crate) fn named_targets(&self, rule: &Node<'_>) -> Result<Vec<(String, AnyTarget)>, Error> {
        let targets = rule.optional("Targets").map_or(Ok(Vec::new()), |targets| targets.items())?;
        let named = |target: Node<'_>| {
            let id = target.member("Id").text()?.to_owned();
            let found = match self.receiver(&target.member("Arn"))? {
                Ok(receiver) => self.target(receiver, &target)?,
                Err(kind) => AnyTarget::Unknown(kind),
            };
            Ok((id, found))
        };
        targets.into_iter().map(named).collect()
    }

    /// Finds what an ARN refers to, or says what it is.
    fn receiver(&self, arn: &Node<'_>) -> Result<Result<Receiver, String>, Error> {
        let outside = || Ok(Err("outside the template".to_owned()));
        let Some(id) = logical_id(arn.value()) else {
            let is_literal = arn.value().as_str().is_some_and(|text| text.starts_with("arn:"));
            return if is_literal {
                outside()
            } else {
                Err(arn.unexpected("!GetAtt RESOURCE.Arn of a function or a queue"))
            };
        };
        if id.starts_with("AWS::") {
            return outside();
        }
        let kind = self.root().member("Resources").member(id).member("Type");
        Ok(match kind.value().as_str() {
            Some(FUNCTION) => Ok(Receiver::Function(id.to_owned())),
            Some(QUEUE) => match self.queue_at(arn)? {
                QueueReference::Standard(id) => Ok(Receiver::Queue(id)),
                QueueReference::Elsewhere(what) => Err(what.to_owned()),
            },
            Some(other) => Err(other.to_owned()),
            None => {
                return Err(arn.unexpected("!GetAtt RESOURCE.Arn of a resource in the template"));
            }
        })
    }

    /// Checks the settings that matter only on AWS, where handing over an event to Lambda or SQS can
    /// fail.
    pub(crate) fn check_hand_over(&self, target: &Node<'_>) -> Result<(), Error> {
        if let Some(policy) = target.optional("RetryPolicy") {
            RETRY_ATTEMPTS.of(&policy, "MaximumRetryAttempts")?;
            EVENT_AGE.of(&policy, "MaximumEventAgeInSeconds")?;
        }
        if let Some(arn) = target.member("DeadLetterConfig").optional("Arn") {
            self.queue_at(&arn)?;
        }
        Ok(())
    }

    fn target(&self, receiver: Receiver, target: &Node<'_>) -> Result<AnyTarget, Error> {
        self.check_hand_over(target)?;
        if target.optional("InputTransformer").is_some() {
            return Ok(AnyTarget::Unknown("with an InputTransformer".to_owned()));
        }
        let input = match (input(target)?, target.optional("InputPath")) {
            (Some(constant), _) => Input::Constant(constant),
            (None, Some(path)) => Input::Part(pointer(&path)?),
            (None, None) => Input::Event,
        };
        Ok(AnyTarget::Known(Target { receiver, input }))
    }
}

impl Input {
    /// Returns what a target receives of this event, as JSON. A part that the event does not have is
    /// null.
    #[must_use]
    pub fn of(&self, event: &Value) -> String {
        match self {
            Self::Event => event.to_string(),
            Self::Constant(text) => text.clone(),
            Self::Part(pointer) => event.pointer(pointer).unwrap_or(&Value::Null).to_string(),
        }
    }
}

/// Converts `$.detail.items[0]` to `/detail/items/0`.
fn pointer(path: &Node<'_>) -> Result<String, Error> {
    let wanted = || path.unexpected("a path such as $.detail or $.resources[0]");
    let steps = path.text()?.strip_prefix('$').ok_or_else(wanted)?;
    let mut pointer = String::new();
    for step in steps.split('.').skip(usize::from(steps.starts_with('.') || steps.is_empty())) {
        let (name, indexes) = step.split_once('[').map_or((step, None), |(name, rest)| {
            (name, rest.strip_suffix(']').map(|rest| rest.split("][")))
        });
        let is_plain = |text: &str| {
            !text.is_empty() && !text.contains(['[', ']', '*', '?', '(', '\'', '"', '/', '~'])
        };
        if !is_plain(name) || (step.contains('[') && indexes.is_none()) {
            return Err(wanted());
        }
        pointer.extend(["/", name]);
        for index in indexes.into_iter().flatten() {
            index.parse::<usize>().map_err(|_| wanted())?;
            pointer.extend(["/", index]);
        }
    }
    Ok(pointer)
}
