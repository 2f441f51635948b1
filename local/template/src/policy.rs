use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::Error;
use crate::node::Node;
use crate::table::TABLE;
use crate::template::Template;

const ROLE: &str = "AWS::IAM::Role";
const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";
/// What could grant a role more than the role says itself.
const GRANTED_ELSEWHERE: [&str; 2] = ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"];
/// Properties of a role that grant nothing, and the two that are read.
const ROLE_PROPERTIES: [&str; 7] = [
    "AssumeRolePolicyDocument",
    "Description",
    "ManagedPolicyArns",
    "Path",
    "Policies",
    "RoleName",
    "Tags",
];
/// Not `Roles`: a role names its policies, so that it shows what it may do.
const MANAGED_POLICY_PROPERTIES: [&str; 4] =
    ["Description", "ManagedPolicyName", "Path", "PolicyDocument"];
const STATEMENT_MEMBERS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
const RESOURCE_ACCOUNT: &str = "s3:ResourceAccount";

/// What a function may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The logical id of the function.
    pub function: String,
    /// The logical id of its log group.
    pub log_group: Option<String>,
    /// What its role grants; each action on each resource once.
    pub grants: BTreeMap<(String, GrantedResource), Partitions>,
}

/// What a statement of a policy is for.
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
    /// The resource of this logical id.
    Other(String),
    /// What is inside the resource of this logical id.
    Inside(String),
}

/// Which partitions of a table or an index a statement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partitions {
    /// It does not say; also for what has no partitions.
    All,
    /// Those whose partition key begins with one of these.
    BeginningWith(BTreeSet<String>),
}

impl Template {
    /// What each function may do, by its role's own policies and by those of the template that the
    /// role shares with others.
    ///
    /// Nothing is passed over: a statement, condition or property that is not understood here is an
    /// error, because it might grant something.
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
            return Err(policies.unexpected("a role of the template's own instead"));
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
                        // A request with partitions of both statements would be refused by each.
                        if grants.insert(grant, partitions.clone()).is_some() {
                            return Err(action.unexpected("each action on a resource only once"));
                        }
                    }
                }
            }
        }
        Ok(grants)
    }

    /// The policies in a role, and those of the template that are attached to it.
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
            Err(member.unexpected(format!("only what is understood here: {}", known.join(", "))))
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
        value => Reference::read(value),
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
        .ok_or_else(|| node.unexpected("one resource of the template, or a known part of it"))
}

/// A resource of the template, and what follows its ARN.
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

    /// `${Id.Arn}…`, or a table's ARN written out with `${Id}` for its name.
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
        // Whose bucket it is narrows a grant to what it is for anyway.
        ["StringEquals"] => {
            known_members(&condition.member("StringEquals"), &[RESOURCE_ACCOUNT])?;
            Ok(Partitions::All)
        }
        ["ForAllValues:StringLike", "Null"] => {
            let (keys, present) = (&conditions[0].1, &conditions[1].1);
            known_members(keys, &[LEADING_KEYS])?;
            known_members(present, &[LEADING_KEYS])?;
            // `ForAllValues` alone is also true of a request that has no leading key, as a scan.
            if present.member(LEADING_KEYS).flag()? {
                return Err(present.member(LEADING_KEYS).unexpected("\"false\""));
            }
            let patterns = one_or_more(&keys.member(LEADING_KEYS)).into_iter();
            Ok(Partitions::BeginningWith(
                patterns.map(|pattern| beginning(&pattern)).collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(condition.unexpected(format!(
            "ForAllValues:StringLike and Null of {LEADING_KEYS}, or StringEquals of \
             {RESOURCE_ACCOUNT}"
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
