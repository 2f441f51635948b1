//! Reads a request of the SDK as the accesses that IAM checks.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

use crate::schema::{self, PK};

/// Stands for the table, because its name differs between deployments.
const TABLE: &str = "table";

/// Stands for a partition key that is unknown, or is not one of [`schema`]'s.
const UNKNOWN: &str = "?";

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    /// The name in a policy, such as `dynamodb:GetItem`.
    pub(crate) action: String,
    /// [`TABLE`] or an index's name; `None` for other services.
    pub(crate) resource: Option<String>,
    /// The prefix of the partition key; `None` for an action without one.
    pub(crate) leading_key: Option<String>,
}

/// Returns the distinct accesses of a request.
pub(crate) fn accesses(request: &HttpRequest) -> BTreeSet<Access> {
    let body = request.body().bytes().unwrap_or_default();
    match request.headers().get("x-amz-target") {
        Some(target) => of_target(target, || serde_json::from_slice(body).unwrap_or_default()),
        None => of_method(request.method(), request.uri()),
    }
}

/// Reads the operation from the method: only requests to S3 and SES have no `x-amz-target`. They put objects
/// and send raw messages, for which SES requires the action that its first API had for them.
fn of_method(method: &str, uri: &str) -> BTreeSet<Access> {
    let action = match method {
        "PUT" => "s3:PutObject".to_owned(),
        "POST" if uri.ends_with("/v2/email/outbound-emails") => "ses:SendRawEmail".to_owned(),
        _ => format!("unknown:{method}"),
    };
    BTreeSet::from([Access { action, resource: None, leading_key: None }])
}

/// Reads the operation from `x-amz-target`: all services but S3 and SES use AWS's JSON protocol.
fn of_target(target: &str, body: impl FnOnce() -> Value) -> BTreeSet<Access> {
    let (service, operation) = target.split_once('.').unwrap_or(("unknown", target));
    let action = match service {
        "DynamoDB_20120810" => return dynamodb(operation, &body()).into_iter().collect(),
        "AWSEvents" => format!("events:{operation}"),
        "AmazonSQS" => format!("sqs:{operation}"),
        service => format!("{service}:{operation}"),
    };
    BTreeSet::from([Access { action, resource: None, leading_key: None }])
}

fn dynamodb(operation: &str, body: &Value) -> Vec<Access> {
    match operation {
        "GetItem" | "UpdateItem" | "DeleteItem" => vec![on_item(operation, &body["Key"])],
        "PutItem" => vec![on_item(operation, &body["Item"])],
        "Query" => vec![query(body)],
        "BatchGetItem" => members(&body["RequestItems"])
            .flat_map(|(_, request)| items(&request["Keys"]))
            .map(|key| on_item(operation, key))
            .collect(),
        // IAM has no such action; it checks the action of each part.
        "TransactWriteItems" => items(&body["TransactItems"])
            .flat_map(members)
            .map(|(part, write)| match part.as_str() {
                "ConditionCheck" => on_item("ConditionCheckItem", &write["Key"]),
                "Put" => on_item("PutItem", &write["Item"]),
                part => on_item(&format!("{part}Item"), &write["Key"]),
            })
            .collect(),
        other => vec![on_table(other, None)],
    }
}

fn on_item(action: &str, key: &Value) -> Access {
    on_table(action, Some(prefix(key[PK]["S"].as_str())))
}

fn on_table(action: &str, leading_key: Option<String>) -> Access {
    let action = format!("dynamodb:{action}");
    Access { action, resource: Some(TABLE.to_owned()), leading_key }
}

fn query(body: &Value) -> Access {
    let index = body["IndexName"].as_str();
    // The attributes of an index are named after it.
    let attribute = index.map_or_else(|| PK.to_owned(), |index| format!("{index}{PK}"));
    let leading_key = Some(prefix(equal_to(&attribute, body)));
    let access = on_table("Query", leading_key);
    Access { resource: index.map(str::to_owned).or(access.resource), ..access }
}

/// Returns the value that a query's key condition requires of this attribute.
fn equal_to<'a>(attribute: &str, body: &'a Value) -> Option<&'a str> {
    let condition = body["KeyConditionExpression"].as_str()?.replace('=', " = ");
    let words: Vec<&str> = condition.split_whitespace().collect();
    let is_attribute = |word: &str| {
        word == attribute || body["ExpressionAttributeNames"][word].as_str() == Some(attribute)
    };
    let value = words.windows(3).find_map(|words| match words {
        [name, "=", value] if is_attribute(name) => Some(*value),
        _ => None,
    })?;
    body["ExpressionAttributeValues"][value]["S"].as_str()
}

fn prefix(partition_key: Option<&str>) -> String {
    partition_key.and_then(schema::partition_prefix).unwrap_or(UNKNOWN).to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns each access as `action resource leading_key`.
    fn read(target: &str, body: Value) -> Vec<String> {
        let accesses = of_target(target, || body).into_iter();
        accesses
            .map(|Access { action, resource, leading_key }| {
                let resource = resource.unwrap_or_default();
                format!("{action} {resource} {}", leading_key.unwrap_or_default())
            })
            .collect()
    }

    fn key(partition_key: &str) -> Value {
        json!({ "PK": { "S": partition_key }, "SK": { "S": "METADATA" } })
    }

    #[test]
    fn the_leading_key_is_the_prefix_of_the_items_partition_key() {
        for operation in ["GetItem", "UpdateItem", "DeleteItem"] {
            assert_eq!(
                read(
                    &format!("DynamoDB_20120810.{operation}"),
                    json!({ "TableName": "shop", "Key": key("EMAIL#anna@example.com") }),
                ),
                [format!("dynamodb:{operation} table EMAIL#")]
            );
        }
        assert_eq!(
            read("DynamoDB_20120810.PutItem", json!({ "Item": key("PRODUCT#1") })),
            ["dynamodb:PutItem table PRODUCT#"]
        );
    }

    #[test]
    fn a_transaction_is_the_actions_of_its_parts() {
        let body = json!({ "TransactItems": [
            { "Put": { "Item": key("USER#1") } },
            { "Put": { "Item": key("ORDER#1") } },
            { "Put": { "Item": key("ORDER#1") } },
            { "Update": { "Key": key("PRODUCT#1") } },
            { "Delete": { "Key": key("EMAIL#a") } },
            { "ConditionCheck": { "Key": key("PRODUCT#2") } },
        ] });
        assert_eq!(
            read("DynamoDB_20120810.TransactWriteItems", body),
            [
                "dynamodb:ConditionCheckItem table PRODUCT#",
                "dynamodb:DeleteItem table EMAIL#",
                "dynamodb:PutItem table ORDER#",
                "dynamodb:PutItem table USER#",
                "dynamodb:UpdateItem table PRODUCT#",
            ]
        );
    }

    #[test]
    fn a_batch_has_all_its_partitions() {
        let keys = [key("PRODUCT#1"), key("USER#1"), key("PRODUCT#2")];
        let body = json!({ "RequestItems": { "shop": { "Keys": keys } } });
        assert_eq!(
            read("DynamoDB_20120810.BatchGetItem", body),
            ["dynamodb:BatchGetItem table PRODUCT#", "dynamodb:BatchGetItem table USER#"]
        );
    }

    #[test]
    fn a_query_accesses_the_partition_that_its_condition_names() {
        let table = json!({
            "KeyConditionExpression": "SK BETWEEN :first AND :last AND #pk=:user",
            "ExpressionAttributeNames": { "#pk": "PK" },
            "ExpressionAttributeValues": {
                ":first": { "S": "ORDER#1" }, ":last": { "S": "ORDER#2" }, ":user": { "S": "USER#1" },
            },
        });
        assert_eq!(read("DynamoDB_20120810.Query", table), ["dynamodb:Query table USER#"]);
        let index = json!({
            "IndexName": "GSI1",
            "KeyConditionExpression": "GSI1PK = :partition",
            "ExpressionAttributeValues": { ":partition": { "S": "CATEGORY#tea" } },
        });
        assert_eq!(read("DynamoDB_20120810.Query", index), ["dynamodb:Query GSI1 CATEGORY#"]);
    }

    #[test]
    fn unknown_accesses_are_not_left_out() {
        let foreign = json!({ "Key": key("anna@example.com") });
        assert_eq!(read("DynamoDB_20120810.GetItem", foreign), ["dynamodb:GetItem table ?"]);
        assert_eq!(read("DynamoDB_20120810.Query", json!({})), ["dynamodb:Query table ?"]);
        assert_eq!(read("DynamoDB_20120810.Scan", json!({})), ["dynamodb:Scan table "]);
        assert_eq!(read("", json!({})), ["unknown:  "]);
    }

    #[test]
    fn a_request_without_a_target_is_identified_by_its_method() {
        let action = |method, uri| of_method(method, uri).pop_first().unwrap().action;
        let url = "https://aws.invalid/v2/email/outbound-emails";
        assert_eq!(action("PUT", "https://aws.invalid/key"), "s3:PutObject");
        assert_eq!(action("POST", url), "ses:SendRawEmail");
        assert_eq!(action("GET", url), "unknown:GET");
        assert_eq!(action("POST", "https://aws.invalid/"), "unknown:POST");
    }

    #[test]
    fn other_services_are_identified_by_their_operation() {
        assert_eq!(read("AWSEvents.PutEvents", json!({})), ["events:PutEvents  "]);
        assert_eq!(read("AmazonSQS.SendMessage", json!({})), ["sqs:SendMessage  "]);
        assert_eq!(
            read("secretsmanager.GetSecretValue", json!({})),
            ["secretsmanager:GetSecretValue  "]
        );
    }
}
