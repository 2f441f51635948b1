//! The stack: what CloudFormation knows about it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::aws::{Aws, AwsError, CLOUDFORMATION};
use super::xml::Element;
use crate::error::Error;

/// A deployed stack.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Also the namespace of its metrics.
    pub(crate) name: String,
    pub(crate) status: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// Reads the stack of this name.
    pub(crate) async fn read(aws: &Aws, name: &str) -> Result<Self, Error> {
        let answer = aws.query(&CLOUDFORMATION, "DescribeStacks", &[("StackName", name)]).await;
        let answer = answer.map_err(|source| Error::Stack {
            stack: name.to_owned(),
            region: aws.region().to_owned(),
            source: Box::new(source),
        })?;
        let answer = Element::read(&answer);
        Ok(Self {
            name: answer.text("StackName").unwrap_or(name).to_owned(),
            status: answer.text("StackStatus").unwrap_or_default().to_owned(),
            outputs: pairs(answer.members("Outputs"), "OutputKey", "OutputValue"),
            parameters: pairs(answer.members("Parameters"), "ParameterKey", "ParameterValue"),
        })
    }

    /// Returns an output, which a stack of this template has.
    pub(crate) fn output(&self, name: &'static str) -> Result<&str, Error> {
        let output = self.outputs.get(name);
        output.map(String::as_str).ok_or_else(|| Error::Output {
            stack: self.name.clone(),
            output: name,
            status: self.status.clone(),
        })
    }

    /// Returns a parameter's value, if the stack has the parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Returns the log group of a function.
    pub(crate) fn log_group(&self, function: &str) -> String {
        format!("/aws/lambda/{}/{function}", self.name)
    }

    /// Reads the template as it is deployed, after SAM's transformation.
    pub(crate) async fn template(&self, aws: &Aws) -> Result<Value, AwsError> {
        let parameters = [("StackName", self.name.as_str()), ("TemplateStage", "Processed")];
        let answer = aws.query(&CLOUDFORMATION, "GetTemplate", &parameters).await?;
        let template = Element::read(&answer);
        Ok(serde_json::from_str(template.text("TemplateBody").unwrap_or_default())
            .unwrap_or_default())
    }
}

fn pairs(members: &[Element], key: &str, value: &str) -> BTreeMap<String, String> {
    let pair = |member: &Element| {
        Some((member.text(key)?.to_owned(), member.text(value).unwrap_or_default().to_owned()))
    };
    members.iter().filter_map(pair).collect()
}
