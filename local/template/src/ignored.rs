use crate::error::Error;
use crate::node::Node;
use crate::schedule;
use crate::template::Template;

/// A property that changes what runs on AWS, and that the local cloud does not honour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredProperty {
    /// Where it is, such as `OrdersFunction.Nightly`.
    pub of: String,
    /// Its name.
    pub property: &'static str,
    /// What the local cloud does instead.
    pub instead: &'static str,
}

/// Properties of `ScheduleV2`, each with what the local cloud does instead.
const OF_SCHEDULER: &[(&str, &str)] = &[
    ("StartDate", "it runs from now on"),
    ("EndDate", "it runs without an end"),
    ("FlexibleTimeWindow", "it runs at the exact time"),
    ("ScheduleExpressionTimezone", "it runs in UTC"),
];

impl Template {
    /// Returns the properties of triggers that change what runs on AWS but not in the local cloud.
    pub fn ignored_properties(&self) -> Result<Vec<IgnoredProperty>, Error> {
        let mut found = Vec::new();
        for (function, event, properties) in self.named_events(schedule::SCHEDULER_EVENT)? {
            collect(&mut found, &format!("{function}.{event}"), &properties, OF_SCHEDULER);
        }
        Ok(found)
    }
}

fn collect(
    found: &mut Vec<IgnoredProperty>,
    of: &str,
    properties: &Node<'_>,
    ignored: &[(&'static str, &'static str)],
) {
    for (property, instead) in ignored {
        let Some(node) = properties.optional(property) else { continue };
        // Values that say what the local cloud does anyway.
        let is_default = node.value() == "UTC" || node.member("Mode").value() == "OFF";
        if !is_default {
            found.push(IgnoredProperty { of: of.to_owned(), property, instead });
        }
    }
}
