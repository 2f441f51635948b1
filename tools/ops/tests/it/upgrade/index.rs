//! The index that a table of 0.1, or one restored from that time, does not have.

use serde_json::Value;
use storefront_core::schema::GSI2;

use super::orders::expect_lists;
use super::shop::Shop;

/// Returns the request that docs/operations.md has for the AWS CLI, without the table's name.
fn documented() -> Value {
    let page = include_str!("../../../../../docs/operations.md");
    let (_, section) = page.split_once("\n## Add the index GSI2\n").unwrap();
    let (_, json) = section.split_once("```json\n").unwrap();
    serde_json::from_str(json.split_once("```").unwrap().0).unwrap()
}

#[test]
fn the_documented_index_is_that_of_the_template() {
    let table = storefront_embedded::test_definition().create_table("any");
    let of_index = |list: &str| -> Vec<Value> {
        let all = table[list].as_array().unwrap().iter();
        all.filter(|entry| entry.to_string().contains(GSI2)).cloned().collect()
    };
    let documented = documented();
    assert_eq!(documented["AttributeDefinitions"], Value::from(of_index("AttributeDefinitions")));
    let updates = documented["GlobalSecondaryIndexUpdates"].as_array().unwrap().iter();
    let created: Vec<_> = updates.map(|update| update["Create"].clone()).collect();
    assert_eq!(created, of_index("GlobalSecondaryIndexes"));
    assert_eq!(documented.as_object().unwrap().len(), 2, "nothing else changes");
}

#[tokio::test]
async fn without_the_index_nothing_is_written_and_the_documented_command_adds_it() {
    let shop = Shop::without_worklist_index().await;
    let before = shop.items().await;
    let refused = shop.upgrade(&[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("has no index GSI2"), "{refused:?}");
    assert!(refused.stderr.contains("docs/operations.md#add-the-index-gsi2"), "{refused:?}");
    assert_eq!(shop.items().await, before);
    assert!(shop.state().is_none());
    let dry_run = shop.upgrade(&["--dry-run"]).await;
    assert!(dry_run.stdout.contains("to put on lists: 16 orders"), "{dry_run:?}");

    let mut update = documented();
    update["TableName"] = shop.dynamodb.table.clone().into();
    shop.dynamodb.request("UpdateTable", update).await.unwrap();
    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    expect_lists(&shop, &shop.items().await).await;
}
