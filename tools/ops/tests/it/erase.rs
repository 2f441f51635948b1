//! `storefront-ops erase`.

use storefront_core::{
    Address, Currency, NewUser, Order, OrderId, OrderWithItems, PasswordHash, Role, Sessions,
    Table, UserId, Users, aws,
};
use storefront_embedded::EmbeddedDynamoDb;

use crate::{Answer, storefront_ops};

async fn erase(dynamodb: &EmbeddedDynamoDb, table: &str, user: &str) -> Answer {
    let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint_url());
    storefront_ops(&["erase", "--table", table, "--user", user], &[endpoint]).await
}

#[tokio::test]
async fn the_addresses_of_a_user_are_removed_once_the_user_is_deleted() {
    let dynamodb = storefront_embedded::test_table().await;
    let (url, table) = (Some(dynamodb.endpoint_url().to_owned()), dynamodb.table_name());
    let client = aws::dynamodb(&aws::patient_emulator_config(), url);
    let users = Users::new(Table::new(client.clone(), table));
    let grace = NewUser {
        email: "grace@example.com".parse().unwrap(),
        name: "Grace".parse().unwrap(),
        password_hash: PasswordHash::new("$argon2id$grace".to_owned()),
        role: Role::User,
        locale: None,
    };
    let grace = users.register(UserId::new(), grace).await.unwrap();
    let id = grace.id;
    let address = Address {
        name: "Grace Example".parse().unwrap(),
        line1: "1 Harbour Road".parse().unwrap(),
        line2: None,
        city: "Arlington".parse().unwrap(),
        region: None,
        postal_code: None,
        country: "US".parse().unwrap(),
        phone: None,
    };
    for shipping_address in [Some(address), None] {
        let order = Order::new(OrderId::new(), id, 0, 100, Currency::USD);
        let order = Order { shipping_address, ..order };
        for item in (OrderWithItems { order, items: Vec::new() }).to_items().unwrap() {
            let put = client.put_item().table_name(table).set_item(Some(item));
            put.send().await.unwrap();
        }
    }
    let count = async || {
        let scan = client.scan().table_name(table).send().await.unwrap();
        scan.items().iter().filter(|item| item.contains_key("shippingAddress")).count()
    };

    let refused = erase(&dynamodb, table, &id.to_string()).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("delete the user first"), "{refused:?}");
    assert_eq!(count().await, 1);

    let sessions = Sessions::new(Table::new(client.clone(), table));
    sessions.begin(&grace, Some("a laptop".parse().unwrap())).await.unwrap();
    users.delete(id, None).await.unwrap();
    for (count_before, line, and) in [
        (1, "from 1 of the 2 orders", "removed 1 sessions"),
        (0, "from 0 of the 2 orders", "removed 0 sessions"),
    ] {
        assert_eq!(count().await, count_before);
        let answer = erase(&dynamodb, table, &id.to_string()).await;
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(answer.stdout.contains(line) && answer.stdout.contains(and), "{answer:?}");
    }
}

#[tokio::test]
async fn a_missing_table_and_an_invalid_id_are_named() {
    let dynamodb = storefront_embedded::test_table().await;
    let missing = erase(&dynamodb, "elsewhere", &UserId::new().to_string()).await;
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("the table elsewhere"), "{missing:?}");
    let invalid = erase(&dynamodb, dynamodb.table_name(), "grace@example.com").await;
    assert_eq!(invalid.code, Some(2), "{invalid:?}");
}
