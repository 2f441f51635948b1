//! Rules of the event buses: hand events that match to functions and queues.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use storefront_template::{self as template, Bus, Template};

use crate::Error;
use crate::asynchronous::{AsynchronousTarget, Invocations};
use crate::pattern::Patterns;
use crate::queue::{NewMessage, Queues};
use crate::stop::Worker;

/// The template's enabled rules.
#[derive(Clone)]
pub(crate) struct Rules(Arc<Inner>);

struct Inner {
    rules: Vec<Rule>,
    default: RulesOfBus,
    custom: RulesOfBus,
    queues: Queues,
}

struct Rule {
    name: String,
    targets: Vec<Target>,
}

struct Target {
    receiver: Receiver,
    input: template::Input,
}

enum Receiver {
    Function(Invocations),
    /// By logical id.
    Queue(String),
}

/// The rules of a bus, by their indexes among all rules.
struct RulesOfBus {
    patterns: Patterns,
    rules: Vec<usize>,
}

impl Rules {
    /// Reads the rules of a template. `targets` are its functions by logical id.
    pub(crate) fn of(
        template: &Template,
        targets: &HashMap<String, Arc<AsynchronousTarget>>,
        queues: &Queues,
    ) -> Result<Self, Error> {
        let mut definitions = template.rules()?;
        definitions.retain(|rule| rule.enabled);
        let of_bus = |bus| {
            let of_bus = definitions.iter().enumerate().filter(|(_, rule)| rule.bus == bus);
            let (rules, patterns): (_, Vec<_>) =
                of_bus.map(|(index, rule)| (index, &rule.pattern)).unzip();
            Ok::<_, Error>(RulesOfBus { patterns: Patterns::new(patterns)?, rules })
        };
        let (default, custom) = (of_bus(Bus::Default)?, of_bus(Bus::Custom)?);
        let rules = definitions.into_iter().map(|rule| Rule::new(rule, targets));
        let rules = rules.collect::<Result<_, Error>>()?;
        Ok(Self(Arc::new(Inner { rules, default, custom, queues: queues.clone() })))
    }

    /// Starts invoking the functions among the targets.
    pub(crate) fn start(&self) -> Vec<Worker> {
        let targets = self.0.rules.iter().flat_map(|rule| &rule.targets);
        let invocations = targets.filter_map(|target| match &target.receiver {
            Receiver::Function(invocations) => Some(invocations.start()),
            Receiver::Queue(_) => None,
        });
        invocations.collect()
    }

    /// Hands over events, each of a bus, to the targets of the rules that they match, in the order
    /// of the events. Once it returns, they survive a crash.
    pub(crate) async fn hand_over(
        &self,
        events: impl IntoIterator<Item = (Bus, &Value)>,
    ) -> Result<(), Error> {
        let events = events.into_iter();
        let messages: Vec<_> =
            events.flat_map(|(bus, event)| self.messages_of(bus, event)).collect();
        if messages.is_empty() {
            return Ok(());
        }
        self.0.queues.store().send(messages).await
    }

    fn messages_of(&self, bus: Bus, event: &Value) -> Vec<NewMessage> {
        let of_bus = match bus {
            Bus::Default => &self.0.default,
            Bus::Custom => &self.0.custom,
        };
        let matched = of_bus.patterns.matched(&event.to_string()).unwrap_or_else(|error| {
            tracing::error!("an event cannot be compared with the rules: {error}");
            Vec::new()
        });
        let rules = matched.into_iter().map(|index| &self.0.rules[of_bus.rules[index]]);
        rules.flat_map(|rule| self.messages(rule, event)).collect()
    }

    fn messages(&self, rule: &Rule, event: &Value) -> Vec<NewMessage> {
        let message = |target: &Target| {
            let input = target.input.of(event);
            match &target.receiver {
                Receiver::Function(invocations) => invocations.message(input),
                Receiver::Queue(queue) => self.0.queues.message(queue, input, Map::new()),
            }
        };
        tracing::debug!("rule {}: {} targets", rule.name, rule.targets.len());
        rule.targets.iter().map(message).collect()
    }
}

impl Rule {
    fn new(
        rule: template::Rule,
        functions: &HashMap<String, Arc<AsynchronousTarget>>,
    ) -> Result<Self, Error> {
        let template::Rule { name, targets, .. } = rule;
        let target = |(index, target): (usize, template::Target)| {
            let receiver = match target.receiver {
                template::Receiver::Queue(queue) => Receiver::Queue(queue),
                template::Receiver::Function(logical_id) => {
                    let function =
                        functions.get(&logical_id).ok_or(Error::NoSuchFunction { logical_id })?;
                    // One at a time, so that they begin in the order of the events.
                    let source = format!("rule {name}/{index}");
                    Receiver::Function(Invocations::new(source, 1, function))
                }
            };
            Ok(Target { receiver, input: target.input })
        };
        let targets = targets.into_iter().enumerate().map(target);
        let targets = targets.collect::<Result<_, Error>>()?;
        Ok(Self { name, targets })
    }
}
