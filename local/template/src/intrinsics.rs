//! CloudFormation's intrinsic functions, as far as they can be resolved without a deployment.
//!
//! Parameters have their defaults, and those in Parameter Store the value that the template gives
//! them. A value that only a deployment knows (a resource's name or ARN) stays a reference in its
//! long form: `{"Ref": "Table"}`, `{"Fn::GetAtt": ["Table", "Arn"]}`.

use serde_json::{Map, Value};

/// The value of `AWS::Region` without a deployment.
const REGION: &str = "eu-central-1";
/// The only type of resource with an attribute that the template itself knows.
const STORED_PARAMETER: &str = "AWS::SSM::Parameter";

pub(crate) struct Intrinsics<'a> {
    parameters: &'a Value,
    conditions: &'a Value,
    mappings: &'a Value,
    resources: &'a Value,
}

impl<'a> Intrinsics<'a> {
    pub(crate) fn of(template: &'a Value) -> Self {
        Self {
            parameters: &template["Parameters"],
            conditions: &template["Conditions"],
            mappings: &template["Mappings"],
            resources: &template["Resources"],
        }
    }

    /// Resolves everything in the value that can be resolved. `None` is `AWS::NoValue`.
    pub(crate) fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(members) => match as_function(members) {
                Some((name, argument)) => self.call(name, argument, value),
                None => Some(Value::Object(
                    members
                        .iter()
                        .filter_map(|(name, member)| Some((name.clone(), self.resolve(member)?)))
                        .collect(),
                )),
            },
            Value::Array(values) => {
                Some(Value::Array(values.iter().filter_map(|value| self.resolve(value)).collect()))
            }
            other => Some(other.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value, whole: &Value) -> Option<Value> {
        match (name, argument) {
            ("Ref", Value::String(id)) if id == "AWS::NoValue" => None,
            ("Ref", Value::String(id)) => Some(self.known(id).unwrap_or_else(|| whole.clone())),
            ("Fn::If", Value::Array(arguments)) => {
                let [condition, then, otherwise] = arguments.as_slice() else {
                    return Some(whole.clone());
                };
                let holds = condition.as_str().is_some_and(|name| self.condition(name));
                self.resolve(if holds { then } else { otherwise })
            }
            ("Fn::Sub", Value::String(text)) => Some(self.substitute(text, &Map::new())),
            ("Fn::Sub", Value::Array(arguments)) => match arguments.as_slice() {
                [Value::String(text), variables] => {
                    let variables = self.resolve(variables)?;
                    Some(self.substitute(text, variables.as_object().unwrap_or(&Map::new())))
                }
                _ => Some(whole.clone()),
            },
            ("Fn::GetAtt", Value::Array(path)) => match path.as_slice() {
                [Value::String(id), Value::String(attribute)] => {
                    self.attribute(id, attribute).or_else(|| Some(whole.clone()))
                }
                _ => Some(whole.clone()),
            },
            (name, argument) => {
                let argument = self.resolve(argument)?;
                let value = match (name, argument.as_array().map_or(&[][..], Vec::as_slice)) {
                    ("Fn::Join", [Value::String(separator), Value::Array(parts)]) => {
                        join(separator, parts)
                    }
                    ("Fn::Split", [Value::String(separator), Value::String(text)]) => {
                        Some(text.split(separator.as_str()).map(str::trim).collect())
                    }
                    ("Fn::Select", [index, Value::Array(values)]) => {
                        as_index(index).and_then(|index| values.get(index)).cloned()
                    }
                    (
                        "Fn::FindInMap",
                        [Value::String(map), Value::String(first), Value::String(second)],
                    ) => self.mappings.get(map)?.get(first)?.get(second).cloned(),
                    _ => None,
                };
                Some(value.unwrap_or_else(|| {
                    Value::Object(Map::from_iter([(name.to_owned(), argument)]))
                }))
            }
        }
    }

    /// Returns a parameter's default, or a pseudo parameter that has a value without a deployment.
    fn known(&self, id: &str) -> Option<Value> {
        match id {
            "AWS::Region" => Some(REGION.into()),
            "AWS::Partition" => Some("aws".into()),
            "AWS::URLSuffix" => Some("amazonaws.com".into()),
            _ => {
                let parameter = self.parameters.get(id)?;
                let default = parameter.get("Default").cloned().unwrap_or_else(|| "".into());
                let is_list = parameter["Type"]
                    .as_str()
                    .is_some_and(|kind| kind == "CommaDelimitedList" || kind.starts_with("List<"));
                Some(match default {
                    Value::String(text) if is_list => text.split(',').map(str::trim).collect(),
                    default => default,
                })
            }
        }
    }

    /// Returns an attribute whose value is in the template.
    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        let resource = self.resources.get(id)?;
        let is_known = attribute == "Value" && resource["Type"] == STORED_PARAMETER;
        is_known.then(|| self.resolve(&resource["Properties"]["Value"])).flatten()
    }

    pub(crate) fn condition(&self, name: &str) -> bool {
        self.conditions.get(name).is_some_and(|condition| self.holds(condition))
    }

    fn holds(&self, condition: &Value) -> bool {
        let Some((name, argument)) = condition.as_object().and_then(as_function) else {
            return false;
        };
        let all = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (name, all) {
            ("Condition", _) => argument.as_str().is_some_and(|name| self.condition(name)),
            ("Fn::Equals", [left, right]) => {
                as_text(self.resolve(left)) == as_text(self.resolve(right))
            }
            ("Fn::Not", [inner]) => !self.holds(inner),
            ("Fn::And", all) => all.iter().all(|condition| self.holds(condition)),
            ("Fn::Or", all) => all.iter().any(|condition| self.holds(condition)),
            _ => false,
        }
    }

    fn variable(&self, name: &str, variables: &Map<String, Value>) -> Option<Value> {
        let known = variables.get(name).cloned().or_else(|| self.known(name));
        known.or_else(|| name.split_once('.').and_then(|(id, path)| self.attribute(id, path)))
    }

    /// Replaces variables. If only a deployment knows some of them, the text stays an `Fn::Sub`.
    fn substitute(&self, text: &str, variables: &Map<String, Value>) -> Value {
        let mut result = String::new();
        let mut rest = text;
        let mut complete = true;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let name = &rest[start + 2..start + length];
            result.push_str(&rest[..start]);
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
            } else {
                let value = self.variable(name, variables);
                // If only a deployment knows the value, insert the reference to it.
                let reference = value.as_ref().and_then(as_variable);
                if let Some(text) = as_text(value) {
                    result.push_str(&text);
                } else {
                    complete = false;
                    result.extend(["${", reference.as_deref().unwrap_or(name), "}"]);
                }
            }
            rest = &rest[start + length + 1..];
        }
        result.push_str(rest);
        if complete {
            Value::String(result)
        } else {
            Value::Object(Map::from_iter([("Fn::Sub".to_owned(), result.into())]))
        }
    }
}

/// Returns the logical id that a `Ref`, `Fn::GetAtt` or single-variable `Fn::Sub` refers to.
pub(crate) fn logical_id(value: &Value) -> Option<&str> {
    match as_function(value.as_object()?)? {
        ("Ref", id) => id.as_str(),
        ("Fn::GetAtt", Value::Array(path)) => path.first()?.as_str(),
        ("Fn::Sub", text) => {
            let (_, rest) = text.as_str()?.split_once("${")?;
            let (name, rest) = rest.split_once('}')?;
            let id = name.split('.').next()?;
            (!rest.contains("${")).then_some(id)
        }
        _ => None,
    }
}

fn as_function(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = members.iter().next().filter(|_| members.len() == 1)?;
    let is_function =
        name.starts_with("Fn::") || name == "Ref" || (name == "Condition" && argument.is_string());
    is_function.then_some((name, argument))
}

fn as_text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns a reference in the form that `Fn::Sub` uses between `${` and `}`.
fn as_variable(value: &Value) -> Option<String> {
    match as_function(value.as_object()?)? {
        ("Ref", id) => id.as_str().map(str::to_owned),
        ("Fn::GetAtt", path) => join(".", path.as_array()?)?.as_str().map(str::to_owned),
        _ => None,
    }
}

fn as_index(value: &Value) -> Option<usize> {
    as_text(Some(value.clone()))?.parse().ok()
}

fn join(separator: &str, parts: &[Value]) -> Option<Value> {
    let parts: Option<Vec<_>> = parts.iter().map(|part| as_text(Some(part.clone()))).collect();
    Some(parts?.join(separator).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(value: &Value) -> Option<Value> {
        let template = json!({
            "Parameters": {
                "Stage": { "Type": "String", "Default": "dev" },
                "Origins": { "Type": "CommaDelimitedList", "Default": "https://a, https://b" },
                "Days": { "Type": "Number", "Default": 35 },
            },
            "Mappings": { "Sizes": { "dev": { "Memory": 256 } } },
            "Conditions": {
                "IsProd": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] },
                "IsDev": { "Fn::Not": [{ "Condition": "IsProd" }] },
            },
        });
        Intrinsics::of(&template).resolve(value)
    }

    #[test]
    fn parameters_have_their_defaults() {
        assert_eq!(
            resolve(
                &json!([{ "Ref": "Stage" }, { "Ref": "Origins" }, { "Fn::Sub": "${Stage}-${Days}-${!x}" }])
            ),
            Some(json!(["dev", ["https://a", "https://b"], "dev-35-${x}"]))
        );
    }

    #[test]
    fn conditions_choose_and_no_value_removes_the_property() {
        assert_eq!(
            resolve(&json!({
                "A": { "Fn::If": ["IsProd", 1, 2] },
                "B": { "Fn::If": ["IsDev", { "Ref": "AWS::NoValue" }, 2] },
            })),
            Some(json!({ "A": 2 }))
        );
    }

    #[test]
    fn lists_are_joined_split_selected_and_looked_up() {
        assert_eq!(
            resolve(&json!([
                { "Fn::Join": ["-", ["a", { "Ref": "Stage" }]] },
                { "Fn::Select": [1, { "Fn::Split": [",", "x, y"] }] },
                { "Fn::FindInMap": ["Sizes", { "Ref": "Stage" }, "Memory"] },
            ])),
            Some(json!(["a-dev", "y", 256]))
        );
    }

    #[test]
    fn a_stored_parameter_resolves_to_its_value() {
        let template = json!({
            "Parameters": { "Restored": { "Type": "String", "Default": "" } },
            "Conditions": {
                "UseRestored": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Restored" }, ""] }] },
            },
            "Resources": {
                "Table": { "Type": "AWS::DynamoDB::Table" },
                "TableInUse": { "Type": "AWS::SSM::Parameter", "Properties": { "Value": {
                    "Fn::If": ["UseRestored", { "Ref": "Restored" }, { "Ref": "Table" }],
                } } },
            },
        });
        let value = json!([
            { "Fn::GetAtt": ["TableInUse", "Value"] },
            { "Fn::Sub": "table/${TableInUse.Value}/index/GSI1" },
        ]);
        assert_eq!(
            Intrinsics::of(&template).resolve(&value),
            Some(json!([{ "Ref": "Table" }, { "Fn::Sub": "table/${Table}/index/GSI1" }]))
        );

        let mut restored = template.clone();
        restored["Parameters"]["Restored"]["Default"] = json!("shop-restored");
        assert_eq!(
            Intrinsics::of(&restored).resolve(&value),
            Some(json!(["shop-restored", "table/shop-restored/index/GSI1"]))
        );
    }

    #[test]
    fn a_value_that_only_a_deployment_knows_stays_a_reference() {
        let references = json!([
            { "Ref": "Table" },
            { "Fn::GetAtt": ["Table", "Arn"] },
            { "Fn::Sub": "${Table.Arn}/index/${Stage}" },
        ]);
        let resolved = resolve(&references).unwrap();
        assert_eq!(resolved[2], json!({ "Fn::Sub": "${Table.Arn}/index/dev" }));
        assert!(
            resolved.as_array().unwrap().iter().all(|value| logical_id(value) == Some("Table"))
        );
    }
}
