//! The environment variables of a function.

use std::collections::BTreeMap;

use serde_json::Value;
use storefront_cloud::TABLE_NAME;
use storefront_template::Function;

use crate::Error;

/// Returns the value in the template, or the one that a deployment would substitute.
pub(super) fn resolved(function: &Function, name: &str, value: &Value) -> Result<String, Error> {
    match (name, value) {
        // One customer places all the orders.
        ("MAX_OPEN_ORDERS", _) => Ok("0".to_owned()),
        // The template's default sends no mail.
        ("MAIL_FROM", _) => Ok("shop@example.com".to_owned()),
        ("ACCOUNT_MAILS_QUEUE_URL", _) => {
            Ok("https://sqs.eu-central-1.amazonaws.com/123456789012/AccountMails".to_owned())
        }
        (_, Value::String(text)) => Ok(text.clone()),
        (_, Value::Number(number)) => Ok(number.to_string()),
        ("TABLE_NAME" | "EVENT_BUS_NAME" | "FAILED_RECORDS_BUCKET" | "METRICS_NAMESPACE", _) => {
            Ok(TABLE_NAME.to_owned())
        }
        ("RUST_LOG", _) => Ok("INFO".to_owned()),
        ("TOKEN_SECRET_ARN", _) => {
            Ok("arn:aws:secretsmanager:eu-central-1:123456789012:secret:token".to_owned())
        }
        _ => {
            Err(Error::UnknownVariable { function: function.binary.clone(), name: name.to_owned() })
        }
    }
}

/// The variables that Lambda sets.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
pub(super) fn lambda(function: &str) -> BTreeMap<String, String> {
    let stream = "2026/11/22/[$LATEST]8f1e0d2c3b4a59687f6e5d4c3b2a1908";
    let group = format!("/aws/lambda/{function}");
    [
        ("_HANDLER", "bootstrap"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
        ("AWS_LAMBDA_FUNCTION_NAME", function),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
