//! Values for the template's parameters, checked as CloudFormation would.

use regex_lite::Regex;
use serde_json::Value;

use crate::error::Error;
use crate::template::Template;

impl Template {
    /// Gives parameters these values, by name, instead of their defaults.
    pub fn with_parameters<'a>(
        self,
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        let mut given = self.written().clone();
        for (name, value) in values {
            let path = self.path().to_owned();
            let parameters = given["Parameters"].as_object_mut();
            let Some(parameters) = parameters.filter(|known| known.contains_key(name)) else {
                let known = self.written()["Parameters"].as_object();
                let known = known.map(|known| known.keys().map(String::as_str).collect::<Vec<_>>());
                let known = known.unwrap_or_default().join(", ");
                return Err(Error::UnknownParameter { path, name: name.to_owned(), known });
            };
            let parameter = &mut parameters[name];
            if let Some(expected) = contradicted(parameter, value) {
                let (name, value) = (name.to_owned(), value.to_owned());
                return Err(Error::ParameterValue { path, name, value, expected });
            }
            parameter["Default"] = value.into();
        }
        self.resolved_from(&given)
    }
}

/// Returns what the parameter's definition requires instead of this value, in the words of its
/// `ConstraintDescription` if it has one; `None` if the value fits.
fn contradicted(parameter: &Value, value: &str) -> Option<String> {
    let expected = violated(parameter, value)?;
    Some(parameter["ConstraintDescription"].as_str().map_or(expected, str::to_owned))
}

fn violated(parameter: &Value, value: &str) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if parameter["Type"] == "Number" {
        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
        let Some(number) = number else { return Some("a number".to_owned()) };
        let bound = |name: &str| text(&parameter[name]).parse::<f64>().ok();
        if bound("MinValue").is_some_and(|least| number < least) {
            return Some(format!("at least {}", text(&parameter["MinValue"])));
        }
        if bound("MaxValue").is_some_and(|most| number > most) {
            return Some(format!("at most {}", text(&parameter["MaxValue"])));
        }
    }
    if let Some(allowed) = parameter["AllowedValues"].as_array() {
        let allowed: Vec<_> = allowed.iter().map(text).collect();
        if !allowed.iter().any(|allowed| allowed == value) {
            return Some(format!("one of {}", allowed.join(", ")));
        }
    }
    let pattern = parameter["AllowedPattern"].as_str()?;
    // CloudFormation requires the whole value to match.
    let whole = Regex::new(&format!("^(?:{pattern})$")).ok()?;
    (!whole.is_match(value)).then(|| format!("a text that matches {pattern}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Origins: { Type: CommaDelimitedList, Default: 'http://localhost' }
  Level: { Type: String, Default: INFO, AllowedValues: [INFO, DEBUG] }
  Days: { Type: Number, Default: 7, MinValue: 1, MaxValue: 9 }
  Email: { Type: String, Default: '', AllowedPattern: '^([a-z]+@[a-z]+)?$' }
  Pieces: { Type: String, Default: '1', AllowedPattern: '[0-9]+', ConstraintDescription: a whole number }
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Environment:
        Variables:
          LEVEL: !Ref Level
          ORIGINS: !Ref Origins
          DAYS: !Sub '${Days} days'
          EMAIL: !Ref Email
";

    fn with(values: &[(&str, &str)]) -> Result<Template, Error> {
        Template::parse("t.yaml", TEMPLATE).unwrap().with_parameters(values.iter().copied())
    }

    #[test]
    fn a_parameter_has_its_value_wherever_it_is_referred_to() {
        let given = [
            ("Level", "DEBUG"),
            ("Origins", "http://a, http://b"),
            ("Days", "9"),
            ("Email", "a@b"),
        ];
        let template = with(&given).unwrap();
        let environment = &template.functions().unwrap()["F"].environment;
        assert_eq!(environment["LEVEL"], "DEBUG");
        assert_eq!(environment["ORIGINS"], serde_json::json!(["http://a", "http://b"]));
        assert_eq!(environment["DAYS"], "9 days");
        assert_eq!(environment["EMAIL"], "a@b");
        let defaults = with(&[("Days", "1")]).unwrap();
        assert_eq!(defaults.functions().unwrap()["F"].environment["LEVEL"], "INFO");
    }

    #[test]
    fn a_value_that_cloudformation_would_refuse_is_refused() {
        for (name, value, expected) in [
            ("Level", "TRACE", "one of INFO, DEBUG"),
            ("Days", "many", "a number"),
            ("Days", "0", "at least 1"),
            ("Days", "10", "at most 9"),
            ("Days", "inf", "a number"),
            ("Email", "a@b, c@d", "a text that matches ^([a-z]+@[a-z]+)?$"),
            ("Pieces", "1.5", "a whole number"),
            ("Pieces", "1e3", "a whole number"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            let message =
                format!("t.yaml: the parameter {name} cannot be {value:?}: expected {expected}");
            assert_eq!(error, message);
        }
        assert_eq!(
            with(&[("Levels", "DEBUG")]).unwrap_err().to_string(),
            "t.yaml has no parameter Levels; it has Days, Email, Level, Origins, Pieces"
        );
    }
}
