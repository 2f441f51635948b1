//! Event patterns, as rules and event source mappings have them.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>

use quamina::{Quamina, QuaminaError};
use serde_json::{Map, Value};

use crate::Error;

/// Several patterns, known by their indexes.
pub(crate) struct Patterns(Quamina<usize>);

impl Patterns {
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Result<Self, Error> {
        let mut quamina = Quamina::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            let invalid = |message: String| Error::Pattern { pattern: pattern.clone(), message };
            let parsed =
                serde_json::from_str(pattern).map_err(|error| invalid(error.to_string()))?;
            for alternative in alternatives(&parsed).map_err(invalid)? {
                quamina
                    .add_pattern(index, &alternative.to_string())
                    .map_err(|error| invalid(error.to_string()))?;
            }
        }
        Ok(Self(quamina))
    }

    /// Returns whether an event matches any of the patterns.
    pub(crate) fn match_any(&self, event: &str) -> Result<bool, QuaminaError> {
        self.0.has_matches(event.as_bytes())
    }

    /// Returns the indexes of the patterns that an event matches, in ascending order.
    pub(crate) fn matched(&self, event: &str) -> Result<Vec<usize>, QuaminaError> {
        let mut indexes = self.0.matches_for_event(event.as_bytes())?;
        indexes.sort_unstable();
        indexes.dedup();
        Ok(indexes)
    }
}

/// Splits a pattern into patterns that match the same events together and have neither `$or`, which
/// quamina does not know, nor `exists` beside other values: of such a list, quamina ignores a part.
fn alternatives(pattern: &Value) -> Result<Vec<Value>, String> {
    Ok(match pattern {
        Value::Object(members) => {
            let mut patterns = vec![Map::new()];
            for (name, member) in members {
                let members = members_of(name, member)?;
                let mut combined = Vec::new();
                for pattern in patterns {
                    combined.extend(combine(&pattern, &members)?);
                }
                patterns = combined;
            }
            patterns.into_iter().map(Value::Object).collect()
        }
        Value::Array(values) => {
            let asks_whether_it_exists = |value: &Value| value.get("exists").is_some();
            let (exists, others): (Vec<_>, Vec<_>) =
                values.iter().cloned().partition(asks_whether_it_exists);
            let mut lists: Vec<_> = exists.into_iter().map(|value| vec![value]).collect();
            if !others.is_empty() || lists.is_empty() {
                lists.push(others);
            }
            lists.into_iter().map(Value::Array).collect()
        }
        other => vec![other.clone()],
    })
}

/// Returns what a member of a pattern stands for: for each alternative, the members in its place.
fn members_of(name: &str, member: &Value) -> Result<Vec<Map<String, Value>>, String> {
    if name != "$or" {
        let alternatives = alternatives(member)?.into_iter();
        return Ok(alternatives
            .map(|member| Map::from_iter([(name.to_owned(), member)]))
            .collect());
    }
    let choices = member.as_array().filter(|choices| choices.iter().all(Value::is_object));
    let choices = choices.filter(|choices| !choices.is_empty()).ok_or("$or needs patterns")?;
    let mut members = Vec::new();
    for choice in choices {
        let alternatives = alternatives(choice)?.into_iter();
        members.extend(alternatives.filter_map(|choice| choice.as_object().cloned()));
    }
    Ok(members)
}

/// Adds to a pattern the members of each alternative.
fn combine(
    pattern: &Map<String, Value>,
    alternatives: &[Map<String, Value>],
) -> Result<Vec<Map<String, Value>>, String> {
    let with = |members: &Map<String, Value>| {
        if let Some(name) = members.keys().find(|name| pattern.contains_key(*name)) {
            return Err(format!(
                "{name} is both in $or and beside it, which is not supported here"
            ));
        }
        let mut pattern = pattern.clone();
        pattern.extend(members.clone());
        Ok(pattern)
    };
    alternatives.iter().map(with).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_matches_one_of_the_choices_of_or_together_with_the_rest() {
        let pattern = json!({
            "source": ["shop"],
            "$or": [{ "detail": { "status": ["paid"] } }, { "detail-type": [{ "prefix": "Mail" }] }],
        });
        let patterns = Patterns::new([&pattern.to_string()]).unwrap();
        let event = |source: &str, kind: &str, status: &str| json!({ "source": source, "detail-type": kind, "detail": { "status": status } });
        for (event, expected) in [
            (event("shop", "Other", "paid"), true),
            (event("shop", "MailSent", "new"), true),
            (event("shop", "Other", "new"), false),
            (event("else", "MailSent", "paid"), false),
        ] {
            assert_eq!(patterns.match_any(&event.to_string()).unwrap(), expected, "{event}");
        }

        let twice = json!({ "source": ["shop"], "$or": [{ "source": ["mail"] }] }).to_string();
        let error = Patterns::new([&twice]).err().unwrap().to_string();
        assert!(error.contains("source is both in $or and beside it"), "{error}");
    }
}
