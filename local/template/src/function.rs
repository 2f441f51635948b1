use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::asynchronous::AsynchronousInvocation;
use crate::error::Error;
use crate::node::Node;
use crate::template::Template;

pub(crate) const FUNCTION: &str = "AWS::Serverless::Function";
/// Lambda's default, in seconds.
const DEFAULT_TIMEOUT: i64 = 3;

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name in the template.
    pub logical_id: String,
    /// The binary that `sam build` builds it from.
    pub binary: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its environment variables. A value that only a deployment knows is a reference in its long
    /// form.
    pub environment: BTreeMap<String, Value>,
    /// What Lambda does with its asynchronous invocations that fail.
    pub asynchronous: AsynchronousInvocation,
}

impl Template {
    /// Returns all functions, by logical id.
    pub fn functions(&self) -> Result<BTreeMap<String, Function>, Error> {
        let functions = self.resources(FUNCTION)?.into_iter();
        functions.map(|(id, resource)| Ok((id.to_owned(), self.function(id, &resource)?))).collect()
    }

    fn function(&self, logical_id: &str, resource: &Node<'_>) -> Result<Function, Error> {
        let global = self.root().member("Globals").member("Function");
        let own = resource.member("Properties");
        let timeout = match own.optional("Timeout").or_else(|| global.optional("Timeout")) {
            Some(node) => node.number()?,
            None => DEFAULT_TIMEOUT,
        };
        let mut environment = BTreeMap::new();
        for scope in [&global, &own] {
            if let Some(variables) = scope.member("Environment").optional("Variables") {
                let variables = variables.members()?.into_iter();
                environment
                    .extend(variables.map(|(name, node)| (name.to_owned(), node.value().clone())));
            }
        }
        Ok(Function {
            logical_id: logical_id.to_owned(),
            binary: resource
                .member("Metadata")
                .member("BuildProperties")
                .member("Binary")
                .text()?
                .to_owned(),
            timeout: Duration::from_secs(timeout.try_into().unwrap_or_default()),
            environment,
            asynchronous: AsynchronousInvocation::read(self, &global, &own)?,
        })
    }

    /// Returns the events of a type, each with the function that it invokes.
    pub(crate) fn events(&self, kind: &str) -> Result<Vec<(String, Node<'_>)>, Error> {
        let events = self.named_events(kind)?.into_iter();
        Ok(events.map(|(function, _, properties)| (function, properties)).collect())
    }

    /// Returns the events of a type: the function, the event's name and its properties.
    pub(crate) fn named_events(
        &self,
        kind: &str,
    ) -> Result<Vec<(String, String, Node<'_>)>, Error> {
        let mut found = Vec::new();
        for (id, resource) in self.resources(FUNCTION)? {
            let Some(events) = resource.member("Properties").optional("Events") else {
                continue;
            };
            for (name, event) in events.members()? {
                if event.member("Type").value() == kind {
                    found.push((id.to_owned(), name.to_owned(), event.member("Properties")));
                }
            }
        }
        Ok(found)
    }
}
