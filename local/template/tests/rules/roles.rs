use std::collections::BTreeSet;

use serde_json::Value;

use crate::{FUNCTION, listed, resources, type_of_reference};

/// The condition in the template that takes all conditions on partitions out, if AWS does not evaluate
/// them as documented.
const FINE_GRAINED: &str = "FineGrained";
const ROLE: &str = "AWS::IAM::Role";
/// A policy in the template that roles share.
const SHARED: &str = "AWS::IAM::ManagedPolicy";
/// Actions on a table's stream, which has no partition keys.
pub(crate) const STREAM_ACTIONS: [&str; 4] =
    ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
/// Services whose actions cannot be limited to a resource.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
const WITHOUT_RESOURCES: [&str; 1] = ["xray:"];

/// If a function has no role, SAM creates one with managed policies, which grant access to every
/// log group, and adds those that an event needs, which grant access to every stream.
pub(crate) fn are_the_functions_own(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, function) in resources(template, FUNCTION) {
        let properties = &function["Properties"];
        if type_of_reference(template, &properties["Role"]) != Some(ROLE) {
            let name = id.strip_suffix("Function").unwrap_or(id);
            broken.push(format!("{id} has no role in the template: add {name}Role, and name it"));
        }
        if !properties["Policies"].is_null() {
            broken.push(format!("{id} leaves policies to SAM: write them into its role"));
        }
    }
    for (id, role) in resources(template, ROLE) {
        let attached = listed(&role["Properties"]["ManagedPolicyArns"]);
        if attached.iter().any(|policy| type_of_reference(template, policy) != Some(SHARED)) {
            broken.push(format!("{id} has managed policies that are not in the template"));
        }
    }
    broken
}

/// Statements must not have wildcards in actions, or apply to all resources.
pub(crate) fn name_exact_actions_and_resources(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, statement) in statements(template) {
        let actions = listed(&statement["Action"]);
        let actions: Vec<_> = actions.iter().map(|action| action.as_str().unwrap_or("*")).collect();
        if actions.is_empty() || actions.iter().any(|action| action.contains(['*', '?'])) {
            broken.push(format!("{name} does not name exact actions"));
        }
        let needs_no_resource =
            |action: &&str| WITHOUT_RESOURCES.iter().any(|service| action.starts_with(service));
        let on = listed(&statement["Resource"]);
        let on_all = on.is_empty() || on.iter().any(|resource| **resource == "*");
        if on_all && !actions.iter().all(needs_no_resource) {
            broken.push(format!("{name} applies to all resources"));
        }
    }
    broken
}

/// Every statement on the table must name its partitions, unless the parameter `FineGrainedAccess` is
/// false, and must not allow requests without partition keys. Each action may appear once for the table and once for the index: if a request
/// has several keys, two statements would each deny what the other allows.
pub(crate) fn name_the_partitions_of_the_table(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, statement) in statements(template) {
        let actions = listed(&statement["Action"]).into_iter().filter_map(Value::as_str);
        let actions: Vec<_> = actions
            .filter(|action| {
                let on_items = action.strip_prefix("dynamodb:");
                on_items.is_some_and(|action| !STREAM_ACTIONS.contains(&action))
            })
            .collect();
        if actions.is_empty() {
            continue;
        }
        let switch = &statement["Condition"]["Fn::If"];
        let condition = &switch[1];
        if !condition.is_null() && (switch[0] != FINE_GRAINED || switch[2]["Ref"] != "AWS::NoValue")
        {
            broken.push(format!("{name} keeps its condition without {FINE_GRAINED}"));
        }
        let keys = listed(&condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        // With the complete prefix: "USER#*", not "U*".
        let is_prefix = |key: &&Value| {
            let prefix = key.as_str().and_then(|key| key.strip_suffix("#*"));
            prefix.is_some_and(|prefix| prefix.bytes().all(|byte| byte.is_ascii_uppercase()))
        };
        if keys.is_empty() || !keys.iter().all(is_prefix) {
            broken.push(format!("{name} does not name its partitions"));
        }
        if condition["Null"]["dynamodb:LeadingKeys"] != "false" {
            broken.push(format!("{name} also allows requests without partition keys"));
        }
        let role = name.split('.').next().unwrap_or_default();
        for action in actions {
            if !seen.insert(format!("{role} {action} {}", statement["Resource"])) {
                broken.push(format!("{name} allows {action} again"));
            }
        }
    }
    broken
}

/// Returns all statements of all roles and shared policies, each with a name for messages: role or
/// policy, and `Sid`.
pub(crate) fn statements(template: &Value) -> Vec<(String, &Value)> {
    let own = resources(template, ROLE).into_iter().flat_map(|(id, role)| {
        listed(&role["Properties"]["Policies"]).into_iter().map(move |policy| (id, policy))
    });
    let shared = resources(template, SHARED).into_iter();
    let policies = own.chain(shared.map(|(id, policy)| (id, &policy["Properties"])));
    policies
        .flat_map(|(id, policy)| {
            listed(&policy["PolicyDocument"]["Statement"]).into_iter().map(move |statement| {
                // `!If [Condition, statement, nothing]`
                let conditional = &statement["Fn::If"][1];
                let statement = if conditional.is_null() { statement } else { conditional };
                (format!("{id}.{}", statement["Sid"].as_str().unwrap_or("?")), statement)
            })
        })
        .collect()
}

mod tests {
    use serde_json::{Value, json};

    use crate::{broken_by, put, remove};

    fn statement<'a>(template: &'a mut Value, role: &str, sid: &str) -> &'a mut Value {
        let statements = &mut template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
            ["Statement"];
        let statements = statements.as_array_mut().unwrap();
        statements.iter_mut().find(|statement| statement["Sid"] == sid).unwrap()
    }

    /// The condition of a statement, as long as the parameter `FineGrainedAccess` is true.
    fn condition<'a>(template: &'a mut Value, role: &str, sid: &str) -> &'a mut Value {
        &mut statement(template, role, sid)["Condition"]["Fn::If"][1]
    }

    #[test]
    fn a_condition_that_stays_whatever_the_parameter_says_is_found() {
        assert_eq!(
            broken_by(|template| {
                let statement = statement(template, "OrdersRole", "Orders");
                statement["Condition"]["Fn::If"][0] = json!("Monitored");
            }),
            ["OrdersRole.Orders keeps its condition without FineGrained"]
        );
    }

    #[test]
    fn permissions_defined_by_sam_or_aws_are_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/AuthFunction/Properties/Role");
                let policies = json!(["AmazonDynamoDBFullAccess"]);
                put(template, "/Resources/UsersFunction/Properties/Policies", policies);
                let managed = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
                put(template, "/Resources/OrdersRole/Properties/ManagedPolicyArns", managed);
            }),
            [
                "AuthFunction has no role in the template: add AuthRole, and name it",
                "UsersFunction leaves policies to SAM: write them into its role",
                "OrdersRole has managed policies that are not in the template",
            ]
        );
    }

    #[test]
    fn a_wildcard_is_found_in_actions_and_in_resources() {
        assert_eq!(
            broken_by(|template| {
                statement(template, "AuthRole", "TokenSecret")["Action"] =
                    json!("secretsmanager:Get*");
                statement(template, "OrderStatusStreamRole", "Publish")["Resource"] = json!("*");
                statement(template, "AuthorizerRole", "Logs")["Action"] = Value::Null;
            }),
            [
                "AuthRole.TokenSecret does not name exact actions",
                "AuthorizerRole.Logs does not name exact actions",
                "OrderStatusStreamRole.Publish applies to all resources",
            ]
        );
    }

    #[test]
    fn a_shared_policy_is_checked_like_a_roles_own() {
        assert_eq!(
            broken_by(|template| {
                let actions = "/Resources/WriteTraces/Properties/PolicyDocument/Statement/0/Action";
                put(template, actions, json!("logs:PutLogEvents"));
            }),
            ["WriteTraces.Traces applies to all resources"]
        );
    }

    #[test]
    fn a_statement_on_the_whole_table_is_found() {
        assert_eq!(
            broken_by(|template| {
                statement(template, "ProductsRole", "Products")["Condition"] = Value::Null;
            }),
            [
                "ProductsRole.Products does not name its partitions",
                "ProductsRole.Products also allows requests without partition keys",
            ]
        );
    }

    #[test]
    fn a_statement_with_too_general_partitions_is_found() {
        assert_eq!(
            broken_by(|template| {
                let condition = condition(template, "OrdersRole", "Orders");
                condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = json!(["*"]);
            }),
            ["OrdersRole.Orders does not name its partitions"]
        );
    }

    #[test]
    fn a_statement_that_allows_scans_is_found() {
        assert_eq!(
            broken_by(|template| {
                let condition = condition(template, "UsersRole", "UserByEmail");
                condition.as_object_mut().unwrap().remove("Null");
            }),
            ["UsersRole.UserByEmail also allows requests without partition keys"]
        );
    }

    #[test]
    fn an_action_in_two_statements_is_found() {
        assert_eq!(
            broken_by(|template| {
                statement(template, "AuthRole", "ForgetFailures")["Action"] =
                    json!(["dynamodb:DeleteItem", "dynamodb:PutItem"]);
            }),
            ["AuthRole.ForgetFailures allows dynamodb:PutItem again"]
        );
    }
}
