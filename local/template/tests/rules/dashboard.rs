use std::collections::BTreeSet;

use serde_json::Value;

use crate::functions::mappings;
use crate::{ALARM, FUNCTION, listed, resources};

/// The metrics of each function that the dashboard shows.
const OF_A_FUNCTION: [&str; 4] = ["Duration", "Errors", "Throttles", "ConcurrentExecutions"];

/// After an alarm, people look at the dashboard first.
pub(crate) fn shows_every_alarm_and_every_function(template: &Value) -> Vec<String> {
    let widgets: Vec<_> = bodies(template).filter_map(|(_, body)| body).collect();
    let all = |name: &str| -> BTreeSet<String> {
        let widgets = widgets.iter().flat_map(|body| listed(&body["widgets"]));
        let values = widgets.flat_map(|widget| listed(&widget["properties"][name]));
        values.map(|value| without_options(value).to_string()).collect()
    };
    let (alarms, metrics) = (all("alarms"), all("metrics"));
    let mut broken = Vec::new();
    for (id, _) in resources(template, ALARM) {
        let alarm = Value::from(format!("${{{id}.Arn}}")).to_string();
        if !alarms.contains(&alarm) {
            broken.push(format!("the dashboard does not show {id}: add {alarm} to its alarms"));
        }
    }
    for (id, _) in resources(template, FUNCTION) {
        let is_consumer = mappings(template).iter().any(|mapping| mapping.function == id);
        for name in OF_A_FUNCTION.into_iter().chain(is_consumer.then_some("IteratorAge")) {
            let metric =
                serde_json::json!(["AWS/Lambda", name, "FunctionName", format!("${{{id}}}")]);
            if !metrics.contains(&metric.to_string()) {
                broken.push(format!("the dashboard shows no {name} of {id}: add {metric}"));
            }
        }
    }
    broken
}

/// Returns a metric of a widget without its label and its own statistic.
fn without_options(metric: &Value) -> Value {
    let mut metric = metric.clone();
    if let Some(parts) = metric.as_array_mut() {
        parts.pop_if(|part| part.is_object());
    }
    metric
}

/// Returns the dashboards' bodies, by logical id, or `None` for a body that CloudWatch could not
/// read. The stack's name, which is the functions' namespace, is replaced.
pub(crate) fn bodies(template: &Value) -> impl Iterator<Item = (&str, Option<Value>)> {
    resources(template, "AWS::CloudWatch::Dashboard").into_iter().map(|(id, dashboard)| {
        let text = with_every_part(&dashboard["Properties"]["DashboardBody"]);
        (id, serde_json::from_str(&text.replace("${AWS::StackName}", crate::metrics::OWN)).ok())
    })
}

/// Returns the text of a body, with the parts that it has only under a condition.
fn with_every_part(body: &Value) -> String {
    let part = |value: &Value| with_every_part(&value["Fn::If"][1]);
    match &body["Fn::Sub"] {
        Value::Array(arguments) => {
            let parts = arguments[1].as_object().into_iter().flatten();
            let text = arguments[0].as_str().unwrap_or_default().to_owned();
            parts.fold(text, |text, (name, value)| {
                text.replace(&format!("${{{name}}}"), &part(value))
            })
        }
        text => text.as_str().or(body.as_str()).unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use crate::broken_by;

    pub(crate) fn in_dashboard(template: &mut Value, from: &str, to: &str) {
        let body = "/Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0";
        let text = template.pointer(body).unwrap().as_str().unwrap().replacen(from, to, 1);
        *template.pointer_mut(body).unwrap() = text.into();
    }

    #[test]
    fn an_alarm_that_is_not_on_the_dashboard_is_found() {
        assert_eq!(
            broken_by(|template| in_dashboard(template, "\"${SystemErrorsAlarm.Arn}\",", "")),
            ["the dashboard does not show SystemErrorsAlarm: add \"${SystemErrorsAlarm.Arn}\" to \
              its alarms"]
        );
    }

    #[test]
    fn a_function_that_is_not_on_the_dashboard_is_found() {
        let metric = |name| {
            format!("[\"AWS/Lambda\", \"{name}\", \"FunctionName\", \"${{UsersFunction}}\"],")
        };
        assert_eq!(
            broken_by(|template| {
                in_dashboard(template, &metric("Errors"), "");
                in_dashboard(template, &metric("Duration"), "");
            }),
            [
                "the dashboard shows no Duration of UsersFunction: add \
                 [\"AWS/Lambda\",\"Duration\",\"FunctionName\",\"${UsersFunction}\"]",
                "the dashboard shows no Errors of UsersFunction: add \
                 [\"AWS/Lambda\",\"Errors\",\"FunctionName\",\"${UsersFunction}\"]",
            ]
        );
    }

    #[test]
    fn a_dashboard_that_is_not_json_is_found() {
        let broken = broken_by(|template| in_dashboard(template, "],", "]"));
        assert!(broken.contains(&"Dashboard is not JSON".to_owned()), "{broken:?}");
    }
}
