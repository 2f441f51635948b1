//! What the template's parameters decide in the local cloud.

use std::collections::BTreeMap;

use serde_json::Value;
use storefront_core::OrderRules;
use storefront_notifications::Settings;
use storefront_template::{Function, TableDefinition, Template};

use crate::{Error, TABLE_NAME};

/// Who writes mails in the local cloud, unless a parameter says otherwise.
const LOCAL_SENDER: &str = "shop@example.com";

/// Properties of the table, and of its indexes, that the embedded database does not honour.
const CAPACITY: [&str; 2] = ["BillingMode", "ProvisionedThroughput"];

/// Returns the names of parameters whose values change nothing that runs here.
pub(crate) fn without_effect<'a>(
    template: &Template,
    values: &'a [(String, String)],
) -> Result<Vec<&'a str>, Error> {
    let with = |values: &mut dyn Iterator<Item = &'a (String, String)>| {
        let values = values.map(|(name, value)| (name.as_str(), value.as_str()));
        what_runs(&template.clone().with_parameters(values)?.deployed())
    };
    let all = with(&mut values.iter())?;
    let mut found = Vec::new();
    for (name, value) in values {
        let is_default = text(&template.written()["Parameters"][name]["Default"]) == *value;
        let mut others = values.iter().filter(|(other, _)| other != name);
        if !is_default && !found.contains(&&**name) && with(&mut others)? == all {
            found.push(name);
        }
    }
    Ok(found)
}

/// Returns the rules for new orders that the template's parameters set.
pub(crate) fn order_rules(template: &Template) -> Result<OrderRules, Error> {
    let environment = environment(template, "orders")?;
    let rules = OrderRules::from_variables(|name| environment.get(name).map(text));
    rules.map_err(|error| Error::Functions(error.into()))
}

/// Returns who writes mails, and where their links lead, as the template's parameters set it; `None` if
/// nobody does.
pub(crate) fn mail(template: &Template) -> Result<Option<Settings>, Error> {
    let functions = template.functions()?;
    let notifications = functions.values().find(|function| function.binary == "notifications");
    let settings = notifications
        .map(|function| Settings::from_variables(|name| function.environment.get(name).map(text)));
    settings.transpose().map_err(|error| Error::Functions(error.into()))
}

/// Returns the queue of mails about accounts, by its logical id; `None` if the shop sends no mails.
pub(crate) fn account_mails_queue(template: &Template) -> Result<Option<String>, Error> {
    let environment = environment(template, "auth")?;
    let queue = environment.get("ACCOUNT_MAILS_QUEUE_URL").and_then(|url| url["Ref"].as_str());
    Ok(queue.map(str::to_owned))
}

/// Returns whether the template's parameters make registrations wait until their email is verified.
pub(crate) fn registers_by_mail(template: &Template) -> Result<bool, Error> {
    let environment = environment(template, "auth")?;
    Ok(environment.get("REGISTRATION_BY_MAIL").map(text).as_deref() == Some("true"))
}

/// Adds the sender of mails, if the template can have one and none is given: so mail works without any
/// setting. An empty one means no mail.
pub(crate) fn with_sender(
    template: &Template,
    mut parameters: Vec<(String, String)>,
) -> Vec<(String, String)> {
    const SENDER: &str = "MailFrom";
    let is_known = template.written()["Parameters"].get(SENDER).is_some();
    if is_known && !parameters.iter().any(|(name, _)| name == SENDER) {
        parameters.push((SENDER.to_owned(), LOCAL_SENDER.to_owned()));
    }
    parameters
}

/// Returns whether the template's parameters make the authorizer refuse the tokens of sessions that are over.
pub(crate) fn revokes_immediately(template: &Template) -> Result<bool, Error> {
    let environment = environment(template, "authorizer")?;
    Ok(environment.get("IMMEDIATE_REVOCATION").map(text).as_deref() == Some("true"))
}

fn environment(template: &Template, binary: &str) -> Result<BTreeMap<String, Value>, Error> {
    let mut functions = template.functions()?.into_values();
    let function = functions.find(|function| function.binary == binary);
    Ok(function.map(|function| function.environment).unwrap_or_default())
}

/// Returns everything that the local cloud takes from a template, in any form that can be compared.
fn what_runs(template: &Template) -> Result<String, Error> {
    // Of their environment, the local cloud reads only these.
    let from_environment = (
        order_rules(template)?,
        revokes_immediately(template)?,
        mail(template)?,
        account_mails_queue(template)?,
        registers_by_mail(template)?,
    );
    let functions = template.functions()?.into_values();
    let functions = functions.map(|function| Function { environment: [].into(), ..function });
    let api = (template.routes()?, template.authorizer()?, template.cors()?);
    let triggers = (template.stream_mappings()?, template.schedules()?, template.rules()?);
    let queues = (template.queues()?, template.queue_mappings()?);
    let functions = functions.collect::<Vec<_>>();
    let table = template.table()?;
    let table = self::table(&table);
    Ok(format!("{:?}", (table, functions, from_environment, api, triggers, queues)))
}

fn table(definition: &TableDefinition) -> (Value, Option<&str>) {
    let mut request = definition.create_table(TABLE_NAME);
    let without_capacity = |value: &mut Value| {
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !CAPACITY.contains(&name.as_str()));
        }
    };
    without_capacity(&mut request);
    for index in request["GlobalSecondaryIndexes"].as_array_mut().into_iter().flatten() {
        without_capacity(index);
    }
    (request, definition.time_to_live())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(values: &[(&str, &str)]) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let template = Template::read(path).unwrap();
        let values: Vec<_> =
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let names = without_effect(&template, &values).unwrap();
        names.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn each_parameter_of_the_template_has_an_effect_or_is_named() {
        let stream = "arn:aws:dynamodb:eu-central-1:000000000000:table/other/stream/now";
        let without = [
            ("AlarmEmail", "ada@example.com"),
            ("Architecture", "x86_64"),
            ("BillingMode", "PROVISIONED"),
            ("FineGrainedAccess", "false"),
            ("LogLevel", "DEBUG"),
            ("LogRetentionDays", "7"),
            ("MaxReadCapacity", "300"),
            ("MaxReadRequestUnits", "1"),
            ("MaxWriteCapacity", "300"),
            ("MaxWriteRequestUnits", "1"),
            ("MinReadCapacity", "6"),
            ("MinWriteCapacity", "6"),
            ("Monitoring", "false"),
            ("RestoredTable", "other"),
            ("RestoredTableStreamArn", stream),
        ];
        assert_eq!(named(&without), without.map(|(name, _)| name));
        let with = [
            ("CorsAllowOrigins", "https://shop.example"),
            ("DeletionProtection", "false"),
            ("ImmediateRevocation", "true"),
            ("MaxOpenOrders", "0"),
            ("MailFrom", "mail@shop.example"),
            ("PendingOrderMinutes", "1"),
            ("RegistrationByMail", "true"),
            ("ShopUrl", "https://shop.example"),
        ];
        assert_eq!(named(&with), [""; 0]);

        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let template = Template::read(path).unwrap();
        let all = template.written()["Parameters"].as_object().unwrap().len();
        assert_eq!(without.len() + with.len(), all, "a parameter is in neither list");
    }

    #[test]
    fn a_parameter_of_mails_has_an_effect_if_the_sender_is_the_local_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let template = Template::read(path).unwrap();
        for (name, value) in [("ShopUrl", "https://shop.example"), ("RegistrationByMail", "true")] {
            let given = with_sender(&template, vec![(name.to_owned(), value.to_owned())]);
            assert_eq!(without_effect(&template, &given).unwrap(), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_default_is_not_named() {
        assert_eq!(named(&[("RestoredTable", ""), ("LogRetentionDays", "30")]), [""; 0]);
    }
}
