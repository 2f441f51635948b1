use serde_json::Value;
use storefront_template::Template;

/// A trigger that runs only on AWS would never be tried before the deployment.
pub(crate) fn are_run_by_the_local_cloud(template: &Value) -> Vec<String> {
    let template = Template::from_written("template.yaml", template.clone()).unwrap();
    let unknown = template.unknown_triggers().unwrap().into_iter();
    unknown
        .map(|trigger| {
            format!(
                "{} ({}) is not run by the local cloud: implement it in local/cloud, then add its type \
                 in local/template/src/trigger.rs",
                trigger.name, trigger.kind
            )
        })
        .collect()
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put};

    const TO_DO: &str = "is not run by the local cloud: implement it in local/cloud, then add its type \
                         in local/template/src/trigger.rs";

    #[test]
    fn an_event_that_the_local_cloud_does_not_run_is_found() {
        assert_eq!(
            broken_by(|template| {
                let uploads = json!({ "Type": "S3", "Properties": {} });
                put(template, "/Resources/OrdersFunction/Properties/Events/Uploads", uploads);
            }),
            [format!("OrdersFunction.Uploads (S3) {TO_DO}")]
        );
    }

    #[test]
    fn a_resource_that_invokes_functions_by_itself_is_found() {
        for kind in ["AWS::Pipes::Pipe", "AWS::Scheduler::Schedule", "AWS::Lambda::Url"] {
            assert_eq!(
                broken_by(|template| {
                    put(template, "/Resources/Invoker", json!({ "Type": kind, "Properties": {} }));
                }),
                [format!("Invoker ({kind}) {TO_DO}")]
            );
        }
    }
}
