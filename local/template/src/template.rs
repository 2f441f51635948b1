use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::intrinsics::Intrinsics;
use crate::node::Node;
use crate::yaml;

/// A SAM template with its intrinsic functions resolved.
#[derive(Debug, Clone)]
pub struct Template {
    path: PathBuf,
    written: Value,
    content: Value,
}

impl Template {
    /// Reads a template from a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Reads a template from its text. Errors refer to it as `path`.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<Self, Error> {
        let path = path.into();
        match yaml::read(text) {
            Ok(written) => Self::from_written(path, written),
            Err(error) => Err(Error::NotYaml { path, message: error.to_string() }),
        }
    }

    /// Takes a template in memory, with the short tags in their long form.
    pub fn from_written(path: impl Into<PathBuf>, written: Value) -> Result<Self, Error> {
        let template = Self { path: path.into(), content: Value::Null, written };
        let written = template.written.clone();
        template.resolved_from(&written)
    }

    /// Resolves this text of the template, which may have other defaults than the written one.
    pub(crate) fn resolved_from(self, text: &Value) -> Result<Self, Error> {
        let content = Intrinsics::of(text).resolve(text).unwrap_or_default();
        let template = Self { content, ..self };
        template.root().member("Resources").members()?;
        Ok(template)
    }

    /// Leaves out the resources that a deployment with these parameters does not have, because their
    /// condition does not hold. Without this a template has all of its resources.
    #[must_use]
    pub fn deployed(mut self) -> Self {
        let whole = self.content.clone();
        let conditions = Intrinsics::of(&whole);
        if let Some(resources) = self.content["Resources"].as_object_mut() {
            resources.retain(|_, resource| {
                resource["Condition"].as_str().is_none_or(|name| conditions.condition(name))
            });
        }
        self
    }

    /// Returns the file that this was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the whole template as it is written, with the short tags in their long form. For
    /// checks that resolved values do not allow, such as whether a parameter is used.
    #[must_use]
    pub fn written(&self) -> &Value {
        &self.written
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node::root(&self.path, &self.content)
    }

    /// Returns the resources of a type, by logical id.
    pub(crate) fn resources(&self, kind: &str) -> Result<Vec<(&str, Node<'_>)>, Error> {
        let mut resources = self.root().member("Resources").members()?;
        resources.retain(|(_, resource)| resource.member("Type").value() == kind);
        Ok(resources)
    }

    /// Returns the only resource of a type.
    pub(crate) fn the_resource(&self, kind: &str) -> Result<(&str, Node<'_>), Error> {
        let mut resources = self.resources(kind)?;
        match (resources.pop(), resources.len()) {
            (Some(resource), 0) => Ok(resource),
            _ => Err(self
                .root()
                .member("Resources")
                .unexpected(format!("exactly one resource of type {kind}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = Template::read("no/such/template.yaml").unwrap_err().to_string();
        assert!(error.starts_with("cannot read the template no/such/template.yaml: "), "{error}");
    }

    #[test]
    fn a_syntax_error_says_where() {
        let error =
            Template::parse("t.yaml", "Resources:\n  A: [1,\nB: 2\n").unwrap_err().to_string();
        assert!(error.starts_with("the template t.yaml is not valid YAML: "), "{error}");
        assert!(error.contains("line"), "{error}");
    }

    #[test]
    fn a_template_without_resources_says_what_is_expected() {
        let error = Template::parse("t.yaml", "Description: x\n").unwrap_err().to_string();
        assert_eq!(error, "t.yaml: Resources: expected a mapping, found nothing");
    }

    #[test]
    fn a_missing_table_is_named() {
        let template = Template::parse("t.yaml", "Resources: {}\n").unwrap();
        assert_eq!(
            template.table().unwrap_err().to_string(),
            "t.yaml: Resources: expected exactly one resource of type AWS::DynamoDB::Table, found {}"
        );
    }

    #[test]
    fn a_deployment_lacks_the_resources_whose_condition_does_not_hold() {
        let text = "
Parameters:
  From: { Type: String, Default: '' }
Conditions:
  Mailed: !Not [!Equals [!Ref From, '']]
Resources:
  Mails: { Type: AWS::SQS::Queue, Condition: Mailed }
  Others: { Type: AWS::SQS::Queue }
";
        let template = Template::parse("t.yaml", text).unwrap();
        let queues = |template: &Template| -> Vec<String> {
            template.queues().unwrap().into_iter().map(|queue| queue.logical_id).collect()
        };
        assert_eq!(queues(&template), ["Mails", "Others"]);
        assert_eq!(queues(&template.clone().deployed()), ["Others"]);
        let mailed = template.with_parameters([("From", "shop@example.com")]).unwrap();
        assert_eq!(queues(&mailed.deployed()), ["Mails", "Others"]);
    }

    #[test]
    fn a_wrong_property_is_named_with_its_resource() {
        let template = Template::parse(
            "t.yaml",
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    \
             Metadata: {BuildProperties: {Binary: f}}\n    Properties: {Timeout: soon}\n",
        )
        .unwrap();
        assert_eq!(
            template.functions().unwrap_err().to_string(),
            "t.yaml: Resources.F.Properties.Timeout: expected a whole number, found \"soon\""
        );
    }
}
