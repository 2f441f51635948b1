//! All roles in this repository's template can be read.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use storefront_template::{GrantedResource, Template};

#[test]
fn every_function_may_write_traces_and_only_its_own_log() {
    let template =
        Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let permissions = template.permissions().unwrap();
    assert_eq!(permissions.len(), template.functions().unwrap().len());
    for permissions in permissions {
        let grants = permissions.grants.keys();
        let logs: Vec<_> = grants.filter(|(action, _)| action == "logs:PutLogEvents").collect();
        let traces = ("xray:PutTraceSegments".to_owned(), GrantedResource::Any);
        assert!(
            permissions.grants.contains_key(&traces),
            "the role of {} lacks ManagedPolicyArns: [!Ref WriteTraces]",
            permissions.function
        );
        let own = GrantedResource::Other(permissions.log_group.unwrap());
        assert_eq!(logs, [&("logs:PutLogEvents".to_owned(), own)], "{}", permissions.function);
    }
}
