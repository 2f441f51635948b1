//! Invalid rows, one by one.

use storefront_core::{OrderStatus, OrderWithItems};
use storefront_credentials::{GivenPassword, Password};
use storefront_migrate::mapping::WithoutPassword;
use storefront_migrate::{Error, Key, Kind, Mapping, Migrated, Reader, Remark, Unit};

use crate::source::{Source, paged, reads, sorted_out};

const BCRYPT: &str = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

/// SELECTs without tables.
pub(crate) struct Selects {
    pub(crate) users: String,
    pub(crate) products: String,
    pub(crate) orders: String,
    pub(crate) items: String,
}

impl Selects {
    pub(crate) fn new() -> Self {
        Self {
            users: users("(1, 'anna@example.com', '2026-01-01 10:00:00')"),
            products: products("(10, '12.30')"),
            orders: orders("(100, 1, 'paid', '2026-02-01 10:00:00')"),
            items: items("(100, 10, 2, '12.30')"),
        }
    }

    pub(crate) fn mapping(&self) -> Mapping {
        Mapping::parse(&self.toml()).unwrap()
    }

    pub(crate) fn toml(&self) -> String {
        let Self { users, products, orders, items } = self;
        format!(
            "defaults.currency = \"EUR\"\n\
             users.select = '''{users}'''\n\
             products.select = '''{products}'''\nproducts.price = \"decimal\"\n\
             orders.select = '''{orders}'''\n\
             order_items.select = '''{items}'''\norder_items.price = \"decimal\"\n"
        )
    }

    pub(crate) async fn open(&self) -> Result<Reader, Error> {
        Reader::open(self.mapping(), &Source::sqlite().url).await
    }

    /// Returns why the first unit of a kind is rejected.
    pub(crate) async fn reason(&self, kind: Kind) -> String {
        let (_, rejects) = sorted_out(&mut self.open().await.unwrap(), kind).await;
        rejects.first().unwrap().reason.to_string()
    }

    pub(crate) async fn order(&self) -> Migrated<OrderWithItems> {
        let (mut units, rejects) = sorted_out(&mut self.open().await.unwrap(), Kind::Order).await;
        assert!(rejects.is_empty(), "{}", rejects[0].reason);
        match units.remove(0) {
            Unit::Order(order) => order,
            other => panic!("{other:?} is not an order"),
        }
    }
}

pub(crate) fn users(rows: &str) -> String {
    format!(
        "SELECT column1 AS id, column2 AS email, 'Anna' AS name, '{BCRYPT}' AS password_hash, \
         column3 AS created_at FROM (VALUES {rows})"
    )
}

pub(crate) fn products(rows: &str) -> String {
    format!(
        "SELECT column1 AS id, 'Espresso' AS name, 'Coffee' AS category, column2 AS price, \
         '2026-01-01' AS created_at FROM (VALUES {rows})"
    )
}

fn orders(rows: &str) -> String {
    format!(
        "SELECT column1 AS id, column2 AS user_id, column3 AS status, column4 AS created_at \
         FROM (VALUES {rows})"
    )
}

fn items(rows: &str) -> String {
    format!(
        "SELECT column1 AS order_id, column2 AS product_id, 'Espresso' AS name, \
         column3 AS quantity, column4 AS price FROM (VALUES {rows})"
    )
}

#[tokio::test]
async fn an_order_is_read_with_its_items() {
    let Migrated { legacy_id, value, remarks } = Selects::new().order().await;
    assert_eq!(legacy_id, "100");
    assert_eq!(value.order.status, OrderStatus::Paid);
    assert_eq!(value.order.total, 2460);
    assert_eq!(value.order.created_at.to_string(), "2026-02-01T10:00:00.000Z");
    assert_eq!(value.items.len(), 1);
    assert_eq!(remarks, []);
}

#[tokio::test]
async fn all_missing_and_unknown_columns_are_named_at_once() {
    let mut selects = Selects::new();
    selects.users = "SELECT 1 AS id, 'anna@example.com' AS mail".to_owned();
    selects.products = selects.products.replace("AS price", "AS amount");
    let said = selects.open().await.unwrap_err().to_string();
    for expected in [
        "[users] has the column mail, which is not one of: id, email, name, passwordHash",
        "[users] has no column email",
        "[users] has no column createdAt",
        "[products] has the column amount",
        "[products] has no column price",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_select_that_the_database_rejects_is_named() {
    let mut selects = Selects::new();
    selects.orders = "SELECT * FROM purchases".to_owned();
    let error = selects.open().await.unwrap_err();
    assert_eq!(error.to_string(), "the database rejects the select of [orders]");
}

#[tokio::test]
async fn every_price_needs_a_currency() {
    let mut mapping = Selects::new().mapping();
    mapping.defaults.currency = None;
    let said = Reader::open(mapping, &Source::sqlite().url).await.unwrap_err().to_string();
    assert!(said.contains("[products] has no column currency"), "{said}");
    assert!(said.contains("[orders] has no column currency"), "{said}");
}

#[tokio::test]
async fn nothing_can_be_written_through_a_select() {
    let mut selects = Selects::new();
    selects.users = "DELETE FROM users RETURNING *".to_owned();
    assert!(selects.open().await.is_err());
}

#[tokio::test]
async fn a_reject_names_the_column_and_what_is_wrong_with_it() {
    for (rows, said) in [
        ("(1, NULL, '2026-01-01')", "email is null"),
        ("(1, 'anna', '2026-01-01')", "email is \"anna\": must be an email address"),
        ("(1, 'anna@example.com', 1767225600)", "created_at is 1767225600: must be a date and a"),
        ("(1, 'anna@example.com', '1969-12-31')", "created_at is \"1969-12-31\", but must be 1970"),
        ("(1, 'anna@example.com', NULL)", "created_at is null"),
    ] {
        let selects = Selects { users: users(rows), ..Selects::new() };
        let reason = selects.reason(Kind::User).await;
        assert!(reason.starts_with(said), "{reason}");
    }
    for (rows, said) in [
        ("(10, '-1')", "price is \"-1\", but must be 0 to"),
        ("(10, '1.234')", "price is \"1.234\": EUR has 2 decimals"),
        ("(10, NULL)", "price is null"),
        ("(10, 'free')", "price is \"free\": must be a number"),
    ] {
        let selects = Selects { products: products(rows), ..Selects::new() };
        let reason = selects.reason(Kind::Product).await;
        assert!(reason.starts_with(said), "{reason}");
    }
    let gold = products("(10, '1')").replace("AS price", "AS price, 'XAU' AS currency");
    let reason = Selects { products: gold, ..Selects::new() }.reason(Kind::Product).await;
    assert!(reason.starts_with("currency is \"XAU\", which the shop does not have"), "{reason}");
    for (rows, said) in [
        ("(100, NULL, 'paid', '2026-02-01')", "user_id is null"),
        ("(100, 2, 'paid', '2026-02-01')", "user_id is 2, but there is no such user"),
        ("(100, 1, 'lost', '2026-02-01')", "status is \"lost\", which the shop does not have"),
    ] {
        let selects = Selects { orders: orders(rows), ..Selects::new() };
        let reason = selects.reason(Kind::Order).await;
        assert!(reason.starts_with(said), "{reason}");
    }
}

#[tokio::test]
async fn an_order_of_a_user_without_a_valid_time_is_rejected() {
    let selects =
        Selects { users: users("(1, 'anna@example.com', 'yesterday')"), ..Selects::new() };
    let reason = selects.reason(Kind::Order).await;
    assert_eq!(reason, "user_id is 1, but the createdAt of that user cannot be read");
}

#[tokio::test]
async fn rows_without_a_key_are_rejected() {
    let user = "'anna@example.com', '2026-01-01'";
    let rows = format!("(NULL, {user}), (1, {user}), (NULL, {user})");
    let selects = Selects { users: users(&rows), ..Selects::new() };
    let mut reader = paged(selects.open().await.unwrap(), 1);
    let (units, rejects) = sorted_out(&mut reader, Kind::User).await;
    assert_eq!(units.len(), 1);
    assert_eq!(rejects.len(), 2);
    for reject in rejects {
        assert_eq!((reject.key, reject.reason.to_string()), (None, "id is null".to_owned()));
    }
    let items = items("(NULL, 10, 1, 1), (100, 10, 1, 1)");
    let selects = Selects { items, ..Selects::new() };
    assert_eq!(selects.reason(Kind::Order).await, "order_id is null");
}

#[tokio::test]
async fn rows_with_the_same_key_are_rejected_together_wherever_a_page_ends() {
    let user = "'anna@example.com', '2026-01-01'";
    let rows: Vec<_> = [1, 2, 2, 2, 3, 4, 4].map(|id| format!("({id}, {user})")).into();
    let selects = Selects { users: users(&rows.join(", ")), ..Selects::new() };
    for page in [3, 4, 5, 6, 7, 100] {
        let mut reader = paged(selects.open().await.unwrap(), page);
        let (units, rejects) = sorted_out(&mut reader, Kind::User).await;
        let found: Vec<_> = units.iter().map(Unit::legacy_id).collect();
        assert_eq!(found, ["1", "3"], "pages of {page}");
        let found: Vec<_> =
            rejects.iter().map(|it| (it.key.clone().unwrap(), it.more.len())).collect();
        assert_eq!(found, [("2".to_owned(), 2), ("4".to_owned(), 1)], "pages of {page}");
        assert!(rejects[0].reason.to_string().starts_with("3 rows have this key"));
    }
}

#[tokio::test]
async fn reading_fails_if_more_rows_than_a_page_have_the_same_key() {
    let row = "(1, 'anna@example.com', '2026-01-01')";
    let selects = Selects { users: users(&[row; 5].join(", ")), ..Selects::new() };
    let mut reader = paged(selects.open().await.unwrap(), 4);
    let read = futures_util::TryStreamExt::try_next(&mut reader.units(Kind::User, None)).await;
    let said = read.unwrap_err().to_string();
    assert_eq!(
        said,
        "more than 4 rows of [users] have the key 1; does a JOIN in its select repeat them?"
    );
}

#[tokio::test]
async fn reading_fails_at_a_key_that_cannot_be_compared_exactly() {
    let selects =
        Selects { users: users("(1.5, 'anna@example.com', '2026-01-01')"), ..Selects::new() };
    let mut reader = selects.open().await.unwrap();
    let read = futures_util::TryStreamExt::try_next(&mut reader.units(Kind::User, None)).await;
    let said = read.unwrap_err().to_string();
    assert!(said.starts_with("id of [users] is 1.5; a key must be"), "{said}");
}

#[tokio::test]
async fn keys_of_any_kind_are_read_in_order_and_can_be_resumed_after() {
    for (keys, legacy_ids) in [
        (["'a'", "'b''c'", "'ä'"], ["a", "b'c", "ä"]),
        (["x'01'", "x'02ff'", "x'ff'"], ["0x01", "0x02ff", "0xff"]),
        (["-5", "0", "9223372036854775807"], ["-5", "0", "9223372036854775807"]),
    ] {
        let rows = keys.map(|key| format!("({key}, 'anna@example.com', '2026-01-01')"));
        let selects = Selects { users: users(&rows.join(", ")), ..Selects::new() };
        let mut reader = paged(selects.open().await.unwrap(), 1);
        let all = reads(&mut reader, Kind::User, None).await;
        let found: Vec<_> =
            all.iter().map(|read| read.unit.as_ref().unwrap().legacy_id()).collect();
        assert_eq!(found, legacy_ids);
        let after: Option<Key> = all[0].resume_after.clone();
        assert_eq!(reads(&mut reader, Kind::User, after).await.len(), 2);
    }
}

#[tokio::test]
async fn items_of_the_same_product_are_merged_unless_they_differ() {
    let merged =
        Selects { items: items("(100, 10, 2, 1), (100, 10, 3, '1.00')"), ..Selects::new() };
    let order = merged.order().await;
    assert_eq!(order.value.items[0].quantity, 5);
    assert_eq!(order.value.order.total, 500);
    assert_eq!(order.remarks, [Remark::MergedItems { product: "10".to_owned() }]);

    let differing = Selects { items: items("(100, 10, 2, 1), (100, 10, 3, 2)"), ..Selects::new() };
    let said = differing.reason(Kind::Order).await;
    assert!(said.starts_with("it has the product 10 more than once"), "{said}");

    let many = Selects { items: items("(100, 10, 999, 1), (100, 10, 1, 1)"), ..Selects::new() };
    let said = many.reason(Kind::Order).await;
    assert_eq!(said, "quantity is 1000 of product 10, but must be 1 to 999");
}

#[tokio::test]
async fn an_order_whose_total_a_json_client_cannot_read_exactly_is_rejected() {
    let rows: Vec<_> = (10..20).map(|id| format!("(100, {id}, 999, '10000000000')")).collect();
    let mut selects = Selects { items: items(&rows.join(", ")), ..Selects::new() };
    let known: Vec<_> = (10..20).map(|id| format!("({id}, '1')")).collect();
    selects.products = products(&known.join(", "));
    let reason = selects.reason(Kind::Order).await;
    assert!(
        reason.starts_with("total is 9990000000000000, but must be 0 to 9007199254740991"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_order_of_a_thousand_items_is_counted_and_rejected() {
    let rows: Vec<_> = (0..1_000).map(|product| format!("(100, {product}, 1, 1)")).collect();
    let selects = Selects { items: items(&rows.join(", ")), ..Selects::new() };
    assert_eq!(selects.reason(Kind::Order).await, "it has 1000 items; an order has at most 48");
}

#[tokio::test]
async fn an_order_keeps_an_id_of_version_7_with_the_right_time() {
    let id = "019c18a5-1d00-7000-8000-000000000001";
    let row = |time: &str| orders(&format!("('{id}', 1, 'paid', '{time}')"));
    let items = items(&format!("('{id}', 10, 1, 1)"));
    let kept = Selects { orders: row("2026-02-01 10:00:00.5"), items, ..Selects::new() };
    let order = kept.order().await.value.order;
    assert_eq!(order.id.to_string(), id);
    assert_eq!(order.created_at, order.id.created_at());

    let other = Selects { orders: row("2025-02-01 10:00:00"), ..kept };
    let said = other.reason(Kind::Order).await;
    assert!(said.contains("for an order they must agree"), "{said}");
}

#[tokio::test]
async fn a_password_hash_that_the_shop_can_verify_is_loaded() {
    let password: Password = "correct horse".parse().unwrap();
    let hash = password.hash().await.unwrap();
    let mut selects = Selects::new();
    selects.users = selects.users.replace(BCRYPT, hash.as_str());
    let (users, _) = sorted_out(&mut selects.open().await.unwrap(), Kind::User).await;
    let Unit::User(user) = &users[0] else { panic!("not a user") };
    let given: GivenPassword = "correct horse".parse().unwrap();
    assert!(given.verify(&user.value.password_hash).await.unwrap());
}

#[tokio::test]
async fn a_user_without_a_usable_password_is_rejected_or_locked_as_the_mapping_says() {
    let mut selects = Selects::new();
    selects.users = selects.users.replace(BCRYPT, "correct horse");
    let said = selects.reason(Kind::User).await;
    assert!(said.contains("without_password = \"lock\""), "{said}");
    assert!(!said.contains("horse"), "{said}");

    let mut mapping = selects.mapping();
    mapping.users.without_password = WithoutPassword::Lock;
    let mut reader = Source::sqlite().reader(mapping).await;
    let (users, _) = sorted_out(&mut reader, Kind::User).await;
    let Unit::User(user) = &users[0] else { panic!("not a user") };
    assert_eq!(user.remarks, [Remark::Locked]);
    let password: GivenPassword = "correct horse".parse().unwrap();
    assert!(!password.verify(&user.value.password_hash).await.unwrap());
}
