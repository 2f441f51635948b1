use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::Error;
use crate::node::Node;
use crate::table::TABLE;
use crate::template::Template;

const ROLE: &str = "AWS::IAM::Role";
const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";
/// Resources that could grant a role more than its definition shows.
const GRANTED_ELSEWHERE: [&str; 2] = ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"];
/// The properties of a role: those that grant nothing, and the two that are read.
const ROLE_PROPERTIES: [&str; 7] = [
    "AssumeRolePolicyDocument",
    "Description",
    "ManagedPolicyArns",
    "Path",
    "Policies",
    "RoleName",
    "Tags",
];
/// Without `Roles`: a role must list its policies, so that its definition shows what it may do.
const MANAGED_POLICY_PROPERTIES: [&str; 4] =
    ["Description", "ManagedPolicyName", "Path", "PolicyDocument"];
const STATEMENT_MEMBERS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
/// Keys that narrow a grant to what it is meant for: the account of a bucket, and the sender of a mail.
const NARROWING: [&str; 2] = ["s3:ResourceAccount", "ses:FromAddress"];

/// What a function may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The logical id of the function.
    pub function: String,
    /// The logical id of its log group.
    pub log_group: Option<String>,
    /// What its role grants. Each action on a resource appears once.
    pub grants: BTreeMap<(String, GrantedResource), Partitions>,
}

/// The resource of a policy statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantedResource {
    /// Everything.
    Any,
    /// The table.
    Table,
    /// An index of the table, by its name.
    Index(String),
    /// The table's stream.
    Stream,
    /// The resource with this logical id.
    Other(String),
    /// Everything inside the resource with this logical id.
    Inside(String),
    /// An address or a domain that SES has verified.
    Identity(String),
}

/// The partitions of a table or an index that a statement applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partitions {
    /// No restriction, or a resource without partitions.
    All,
    /// Those whose partition key begins with one of these strings.
    BeginningWith(BTreeSet<String>),
}

impl Template {
    /// Returns what each function may do, by its role's own policies and by the template's shared
    /// policies that are attached to the role.
    ///
    /// Nothing is ignored: an unknown statement, condition or property is an error, because it
    /// might grant something.
    pub fn permissions(&self) -> Result<Vec<Permissions>, Error> {
        for kind in GRANTED_ELSEWHERE {
            if let Some((_, resource)) = self.resources(kind)?.first() {
                return Err(resource.unexpected("policies in the roles themselves"));
            }
        }
        for (_, policy) in self.resources(MANAGED_POLICY)? {
            known_members(&policy.member("Properties"), &MANAGED_POLICY_PROPERTIES)?;
        }
        let functions = self.functions()?.into_keys();
        functions.map(|function| self.permissions_of(function)).collect()
    }

    fn permissions_of(&self, function: String) -> Result<Permissions, Error> {
        let properties = self.root().member("Resources").member(&function).member("Properties");
        if let Some(policies) = properties.optional("Policies") {
            return Err(policies.unexpected("a role in the template instead"));
        }
        let logging = properties.member("LoggingConfig").optional("LogGroup");
        let log_group = logging.map(|group| group.resource()).transpose()?;
        let role = properties.member("Role").resource()?;
        let grants = self.grants(&role)?;
        Ok(Permissions { function, log_group, grants })
    }

    fn grants(&self, role: &str) -> Result<BTreeMap<(String, GrantedResource), Partitions>, Error> {
        let resource = self.root().member("Resources").member(role);
        if resource.member("Type").value() != ROLE {
            return Err(resource.member("Type").unexpected(ROLE));
        }
        let role = resource.member("Properties");
        known_members(&role, &ROLE_PROPERTIES)?;
        let (table, _) = self.the_resource(TABLE)?;
        let mut grants = BTreeMap::new();
        for policy in self.policies(&role)? {
            for statement in policy.member("PolicyDocument").member("Statement").items()? {
                known_members(&statement, &STATEMENT_MEMBERS)?;
                let effect = statement.member("Effect");
                if effect.text()? != "Allow" {
                    return Err(effect.unexpected("Allow"));
                }
                let partitions = partitions(&statement)?;
                let resources = one_or_more(&statement.member("Resource"));
                for action in one_or_more(&statement.member("Action")) {
                    for resource in &resources {
                        let grant = (exact(&action)?, granted_resource(resource, table)?);
                        // A request for partitions of both statements would be denied by each.
                        if grants.insert(grant, partitions.clone()).is_some() {
                            return Err(action.unexpected("each action on a resource only once"));
                        }
                    }
                }
            }
        }
        Ok(grants)
    }

    /// Returns the policies in a role, and the template's policies that are attached to it.
    fn policies<'a>(&'a self, role: &Node<'a>) -> Result<Vec<Node<'a>>, Error> {
        let resources = self.root().member("Resources");
        let mut policies = Vec::new();
        if let Some(own) = role.optional("Policies") {
            policies.extend(own.items()?);
        }
        if let Some(attached) = role.optional("ManagedPolicyArns") {
            for reference in attached.items()? {
                let policy = resources.member(&reference.resource()?);
                if policy.member("Type").value() != MANAGED_POLICY {
                    return Err(reference.unexpected(format!("!Ref of an {MANAGED_POLICY}")));
                }
                policies.push(policy.member("Properties"));
            }
        }
        Ok(policies)
    }
}

fn known_members(node: &Node<'_>, known: &[&str]) -> Result<(), Error> {
    match node.members()?.into_iter().find(|(name, _)| !known.contains(name)) {
        Some((_, member)) => {
            Err(member.unexpected(format!("only known members: {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

fn one_or_more<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    node.items().unwrap_or_else(|_| vec![node.clone()])
}

fn exact(action: &Node<'_>) -> Result<String, Error> {
    let text = action.text()?;
    if text.contains(['*', '?']) {
        return Err(action.unexpected("the exact name of an action"));
    }
    Ok(text.to_owned())
}

fn granted_resource(node: &Node<'_>, table: &str) -> Result<GrantedResource, Error> {
    let reference = match node.value() {
        Value::String(text) if text == "*" => return Ok(GrantedResource::Any),
        value => {
            if let Some(identity) = identity(value) {
                return Ok(GrantedResource::Identity(identity.to_owned()));
            }
            Reference::read(value)
        }
    };
    let of_table = |part: &str| match part.strip_prefix("/index/") {
        Some(index) if !index.contains(['*', '?', '/', '$']) => {
            Some(GrantedResource::Index(index.to_owned()))
        }
        _ if part.is_empty() => Some(GrantedResource::Table),
        _ if part == "/stream/*" => Some(GrantedResource::Stream),
        _ => None,
    };
    let of_other = |id: &str, part: &str| match part {
        "" => Some(GrantedResource::Other(id.to_owned())),
        "/*" => Some(GrantedResource::Inside(id.to_owned())),
        _ => None,
    };
    reference
        .and_then(
            |Reference { id, part }| {
                if id == table { of_table(part) } else { of_other(id, part) }
            },
        )
        .ok_or_else(|| node.unexpected("one resource in the template, or a known part of it"))
}

/// Returns the identity of SES whose ARN is written out.
fn identity(value: &Value) -> Option<&str> {
    let (before, identity) = value.get("Fn::Sub")?.as_str()?.split_once(":identity/")?;
    let is_of_ses = before.starts_with("arn:") && before.contains(":ses:");
    (is_of_ses && !identity.contains(['*', '?'])).then_some(identity)
}

/// A resource in the template, and the suffix of its ARN.
struct Reference<'a> {
    id: &'a str,
    part: &'a str,
}

impl<'a> Reference<'a> {
    fn read(value: &'a Value) -> Option<Self> {
        if let Some(text) = value.get("Fn::Sub") {
            return Self::substituted(text.as_str()?);
        }
        let id = crate::intrinsics::logical_id(value)?;
        match &value["Fn::GetAtt"][1] {
            Value::Null => Some(Self { id, part: "" }),
            Value::String(attribute) if attribute == "Arn" => Some(Self { id, part: "" }),
            Value::String(attribute) if attribute == "StreamArn" => {
                Some(Self { id, part: "/stream/*" })
            }
            _ => None,
        }
    }

    /// Reads `${Id.Arn}…`, or a table's ARN that is written out with `${Id}` as its name.
    fn substituted(text: &'a str) -> Option<Self> {
        let (before, rest) = match text.split_once("table/${") {
            Some((arn, rest)) => (arn, rest),
            None => ("", text.strip_prefix("${")?),
        };
        let (variable, part) = rest.split_once('}')?;
        let is_arn = match before {
            "" => variable.ends_with(".Arn"),
            arn => {
                let is_of_dynamodb = arn.starts_with("arn:") && arn.contains(":dynamodb:");
                is_of_dynamodb && !variable.contains('.')
            }
        };
        let id = variable.strip_suffix(".Arn").unwrap_or(variable);
        is_arn.then_some(Self { id, part })
    }
}

fn partitions(statement: &Node<'_>) -> Result<Partitions, Error> {
    let Some(condition) = statement.optional("Condition") else {
        return Ok(Partitions::All);
    };
    let conditions = condition.members()?;
    let operators: Vec<&str> = conditions.iter().map(|(operator, _)| *operator).collect();
    match operators[..] {
        ["StringEquals"] => {
            known_members(&condition.member("StringEquals"), &NARROWING)?;
            Ok(Partitions::All)
        }
        ["ForAllValues:StringLike", "Null"] => {
            let (keys, present) = (&conditions[0].1, &conditions[1].1);
            known_members(keys, &[LEADING_KEYS])?;
            known_members(present, &[LEADING_KEYS])?;
            // `ForAllValues` alone is also true for requests without a leading key, such as scans.
            if present.member(LEADING_KEYS).flag()? {
                return Err(present.member(LEADING_KEYS).unexpected("\"false\""));
            }
            let patterns = one_or_more(&keys.member(LEADING_KEYS)).into_iter();
            Ok(Partitions::BeginningWith(
                patterns.map(|pattern| beginning(&pattern)).collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(condition.unexpected(format!(
            "ForAllValues:StringLike and Null of {LEADING_KEYS}, or StringEquals of {}",
            NARROWING.join(" or ")
        ))),
    }
}

fn beginning(pattern: &Node<'_>) -> Result<String, Error> {
    let beginning = pattern.text()?.strip_suffix('*').unwrap_or_default();
    if beginning.is_empty() || beginning.contains(['*', '?', '$']) {
        return Err(pattern.unexpected("the beginning of a partition key, then *"));
    }
    Ok(beginning.to_owned())
}

#[cfg(test)]
mod tests;
