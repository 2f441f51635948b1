//! What AWS has denied a function, and which statement of its role should have allowed it.

use serde_json::Value;

const FUNCTION: &str = "AWS::Lambda::Function";
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// A request that AWS denied, as its message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    /// Such as `dynamodb:PutItem`.
    pub(crate) action: String,
    /// The ARN, if the message has it.
    pub(crate) resource: Option<String>,
    /// Which kind of policy denies it, in AWS's words.
    reason: String,
}

/// A statement of a role in the deployed template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The role's logical id.
    pub(crate) role: String,
    pub(crate) sid: String,
    /// The partition keys that its condition allows; empty if it has no such condition.
    pub(crate) partitions: Vec<String>,
}

impl Denial {
    /// Finds AWS's message in the text of an error.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("is not authorized to perform: ")?;
        // The SDK shows the message in quotation marks.
        let rest = rest.split(['"', '\n']).next().unwrap_or_default();
        let (action, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let (resource, reason) = match rest.trim_start().strip_prefix("on resource: ") {
            Some(rest) => {
                let (resource, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                (Some(resource.to_owned()), reason)
            }
            None => (None, rest),
        };
        let action = action.trim_end_matches(['.', ',']).to_owned();
        Some(Self { action, resource, reason: reason.trim().to_owned() })
    }

    /// A denied action of which nothing else is known.
    pub(crate) fn of(action: &str) -> Self {
        Self { action: action.to_owned(), resource: None, reason: String::new() }
    }

    /// Whether the role itself may be the reason. Otherwise another kind of policy denies it.
    fn is_of_the_role(&self) -> bool {
        let reason = self.reason.as_str();
        reason.is_empty() || (reason.contains("no ") && reason.contains("identity-based policy"))
    }

    /// Returns the function's role, and the statement in it that is for this action and resource.
    pub(crate) fn statement(
        &self,
        template: &Value,
        function: &str,
    ) -> (Option<String>, Option<Statement>) {
        let Some(role) = role_of(template, function) else { return (None, None) };
        let policies = &template["Resources"][&role]["Properties"]["Policies"];
        let statements = policies
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|policy| listed(&policy["PolicyDocument"]["Statement"]))
            // `!If [Condition, statement, nothing]`
            .map(|statement| match &statement["Fn::If"][1] {
                Value::Null => statement,
                conditional => conditional,
            })
            .filter(|statement| statement["Effect"] == "Allow" && self.is_action_of(statement));
        let mut statements: Vec<_> = statements.collect();
        // The same action may be in a statement for the table and in one for its index.
        if let Some(resource) = &self.resource {
            let is_in = |text: &str| text.contains("/index/");
            statements.sort_by_key(|statement| {
                is_in(&statement["Resource"].to_string()) != is_in(resource)
            });
        }
        let statement = statements.first().map(|statement| Statement {
            role: role.clone(),
            sid: statement["Sid"].as_str().unwrap_or("a statement without a Sid").to_owned(),
            partitions: partitions(&statement["Condition"]),
        });
        (Some(role), statement)
    }

    fn is_action_of(&self, statement: &Value) -> bool {
        let mut actions = listed(&statement["Action"]).into_iter().filter_map(Value::as_str);
        actions.any(|action| match action.strip_suffix('*') {
            Some(start) => self.action.starts_with(start),
            None => self.action == action,
        })
    }

    /// Returns what was denied, in a sentence.
    pub(crate) fn sentence(&self, function: &str) -> String {
        let on = self.resource.as_ref().map(|resource| format!(" on {resource}"));
        let because =
            if self.reason.is_empty() { String::new() } else { format!(" {}", self.reason) };
        format!(
            "AWS denies the function {function} {}{}{because}",
            self.action,
            on.unwrap_or_default(),
        )
    }

    /// Returns what to do. `is_fine_grained` is whether the stack's conditions on partitions apply.
    pub(crate) fn advice(
        &self,
        stack: &str,
        role: Option<&str>,
        statement: Option<&Statement>,
        is_fine_grained: bool,
    ) -> String {
        if !self.is_of_the_role() {
            return "this is not the role's own policy but another one: look at the organisation's \
                    service control policies, the role's permissions boundary and the resource's \
                    policy"
                .to_owned();
        }
        let Some(Statement { role, sid, partitions }) = statement else {
            let role = role.unwrap_or("its role");
            return format!(
                "no statement of {role} in the deployed template allows {}: deploy template.yaml of \
                 the same commit as the functions",
                self.action
            );
        };
        let drift = format!(
            "the role may have been changed after the deployment (aws cloudformation \
             detect-stack-drift --stack-name {stack}), or a permissions boundary or a service control \
             policy applies to it"
        );
        if partitions.is_empty() {
            return format!("the statement {sid} of {role} should allow it: {drift}");
        }
        let partitions = partitions.join(", ");
        if !is_fine_grained {
            return format!(
                "the statement {sid} of {role} should allow it, and with FineGrainedAccess=false it \
                 has no condition: {drift}"
            );
        }
        format!(
            "the statement {sid} of {role} should allow it; its condition on {LEADING_KEYS} limits it \
             to {partitions}. Deploy once without these conditions, and check again:\n    \
             sam deploy --stack-name {stack} --parameter-overrides FineGrainedAccess=false\n    \
             storefront-ops check --stack {stack}\n\
             If it passes then, the condition is what refuses: keep FineGrainedAccess=false, and please \
             report it with this output (docs/operations.md, \"Access denied\"). If it is still denied, \
             {drift}"
        )
    }
}

/// Returns the logical id of a function's role. The function is found by its log group.
fn role_of(template: &Value, function: &str) -> Option<String> {
    let resources = template["Resources"].as_object()?;
    let ending = format!("/{function}");
    let is_of_function = |resource: &&Value| {
        let group = &resource["Properties"]["LoggingConfig"]["LogGroup"];
        let group = group["Ref"].as_str().and_then(|id| resources.get(id)).unwrap_or(group);
        let name = &group["Properties"]["LogGroupName"];
        let name = name.as_str().or_else(|| name["Fn::Sub"].as_str());
        resource["Type"] == FUNCTION && name.is_some_and(|name| name.ends_with(&ending))
    };
    let role = &resources.values().find(is_of_function)?["Properties"]["Role"]["Fn::GetAtt"];
    let role = role.as_str().or_else(|| role[0].as_str())?;
    Some(role.split('.').next().unwrap_or(role).to_owned())
}

/// Returns the partition keys in a condition, whether or not it depends on a parameter.
fn partitions(condition: &Value) -> Vec<String> {
    match condition {
        Value::Object(members) => members
            .iter()
            .flat_map(|(operator, value)| {
                // `Null` only says that there must be keys.
                let keys = &value[LEADING_KEYS];
                if operator == "Null" || keys.is_null() {
                    partitions(value)
                } else {
                    listed(keys).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(partitions).collect(),
        _ => Vec::new(),
    }
}

/// Policies may have a single value in place of a list.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-Table-1";

    #[test]
    fn a_denial_is_read_from_the_sdks_error() {
        let message = format!(
            "User: arn:aws:sts::123456789012:assumed-role/shop-OrdersRole-1/shop-OrdersFunction-1 is \
             not authorized to perform: dynamodb:PutItem on resource: {TABLE} because no \
             identity-based policy allows the dynamodb:PutItem action"
        );
        let error = format!(
            "DynamoDB refused the request: service error: unhandled error (AccessDeniedException): Error {{ code: \
             \"AccessDeniedException\", message: \"{message}\", aws_request_id: \"X\" }}"
        );
        let denial = Denial::read(&error).unwrap();
        assert_eq!(
            (&*denial.action, denial.resource.as_deref()),
            ("dynamodb:PutItem", Some(TABLE))
        );
        assert_eq!(
            denial.reason,
            "because no identity-based policy allows the dynamodb:PutItem action"
        );
        assert!(denial.is_of_the_role());
        assert_eq!(Denial::read(&message), Some(denial));
    }

    #[test]
    fn other_policies_than_the_roles_are_told_apart() {
        for (reason, is_of_the_role) in [
            ("", true),
            ("because no identity-based policy allows the dynamodb:Query action", true),
            ("because no service control policy allows the dynamodb:Query action", false),
            ("because no permissions boundary allows the dynamodb:Query action", false),
            ("with an explicit deny in a service control policy", false),
            ("with an explicit deny in an identity-based policy", false),
        ] {
            let text = format!(
                "User: u is not authorized to perform: dynamodb:Query on resource: r {reason}"
            );
            let denial = Denial::read(&text).unwrap();
            assert_eq!(denial.is_of_the_role(), is_of_the_role, "{reason}");
        }
        assert_eq!(Denial::read("ResourceNotFoundException: Requested resource not found"), None);
        let short = Denial::read("User: u is not authorized to perform: events:PutEvents").unwrap();
        assert_eq!(short, Denial::of("events:PutEvents"));
    }
}
