//! Every key parses back to what it was built from, no two things share a key, and orders sort by
//! time.

#![no_main]

use std::collections::HashSet;
use std::net::Ipv4Addr;

use arbitrary::Arbitrary;
use libfuzzer_sys::{Corpus, fuzz_target};
use storefront_core::schema::{IndexKey, Key, category_partition, order_sort_keys};
use storefront_core::{
    Category, CreatedBetween, Email, IdempotencyKey, OrderId, ProductId, Source, Timestamp, UserId,
};
use uuid::Uuid;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    ids: [u128; 4],
    /// Whether both orders have the same time, which seldom happens by chance.
    same_time: bool,
    emails: [&'a str; 2],
    categories: [&'a str; 2],
    keys: [&'a str; 2],
    from: Option<i64>,
    to: Option<i64>,
}

fuzz_target!(|input: Input<'_>| -> Corpus {
    check(&input).map_or(Corpus::Reject, |()| Corpus::Keep)
});

fn check(input: &Input<'_>) -> Option<()> {
    let [a, b, c, d] = input.ids.map(uuid_v7);
    let b = if input.same_time { with_time_of(a, b) } else { b };
    let (first, second): (OrderId, OrderId) = (a.try_into().ok()?, b.try_into().ok()?);
    let (user, product): (UserId, ProductId) = (c.try_into().ok()?, d.try_into().ok()?);

    orders(user, first, second);
    range(user, first, input);

    let emails: [Option<Email>; 2] = input.emails.map(|text| text.parse().ok());
    for email in emails.iter().flatten() {
        assert_eq!(&email.as_str().parse::<Email>().unwrap(), email, "does not parse back");
        assert!(email.as_str().len() <= 254);
    }
    let categories: [Option<Category>; 2] = input.categories.map(|text| text.parse().ok());
    for category in categories.iter().flatten() {
        assert_eq!(
            &category.as_str().parse::<Category>().unwrap(),
            category,
            "does not parse back"
        );
        let partition = category_partition(category);
        let folded = category.folded();
        assert_eq!(partition.strip_prefix("CATEGORY#"), Some(&*folded));
        assert_eq!(folded.parse::<Category>().unwrap().folded(), folded, "folds further");
    }
    let keys: [Option<IdempotencyKey>; 2] = input.keys.map(|text| text.parse().ok());
    for (text, key) in input.keys.iter().zip(&keys) {
        let visible = text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        assert_eq!(key.is_some(), visible && (1..256).contains(&text.len()), "{text:?}");
    }
    distinct(user, [first, second], product, &emails, &categories, &keys);
    Some(())
}

fn uuid_v7(bits: u128) -> Uuid {
    // Otherwise most times would be after the year 9999.
    let bits = bits >> 4;
    Uuid::from_u128(bits & !(0xf << 76) & !(0b11 << 62) | 7 << 76 | 0b10 << 62)
}

fn with_time_of(time: Uuid, random: Uuid) -> Uuid {
    let below = (1 << 80) - 1;
    Uuid::from_u128(time.as_u128() & !below | random.as_u128() & below)
}

/// An order's sort key has the time and id of the order, and sorts by them.
fn orders(user: UserId, first: OrderId, second: OrderId) {
    let key = Key::order(user, first);
    assert_eq!(key.pk.strip_prefix("USER#").unwrap().parse::<UserId>().unwrap(), user);
    let [kind, time, id] = key.sk.split('#').collect::<Vec<_>>()[..] else { panic!("{key:?}") };
    assert_eq!(kind, "ORDER");
    assert_eq!(time.parse::<Timestamp>().unwrap(), first.created_at());
    assert_eq!(id.parse::<OrderId>().unwrap(), first);

    let by_key = key.sk.cmp(&Key::order(user, second).sk);
    assert_eq!(by_key, (first.created_at(), first).cmp(&(second.created_at(), second)));
    assert_eq!(by_key, first.cmp(&second));
}

/// The bounds of a time range contain the orders of that time, `from` inclusive and `to` exclusive,
/// and no other items of the user.
fn range(user: UserId, order: OrderId, input: &Input<'_>) {
    let time = |millis: Option<i64>| millis.and_then(Timestamp::from_millis);
    let range = CreatedBetween { from: time(input.from), to: time(input.to) };
    let (first, last) = order_sort_keys(range);
    let between = |key: &Key| first <= key.sk && key.sk <= last;

    let created_at = order.created_at();
    let expected = range.from.is_none_or(|from| from <= created_at)
        && range.to.is_none_or(|to| created_at < to);
    assert_eq!(between(&Key::order(user, order)), expected, "{range:?} {created_at}");
    assert!(!between(&Key::user(user)));
}

/// No two things have the same key, in the table or in the index.
fn distinct(
    user: UserId,
    orders: [OrderId; 2],
    product: ProductId,
    emails: &[Option<Email>; 2],
    categories: &[Option<Category>; 2],
    keys: &[Option<IdempotencyKey>; 2],
) {
    let orders: HashSet<_> = orders.into();
    let emails: HashSet<_> = emails.iter().flatten().collect();
    let categories: HashSet<_> = categories.iter().flatten().collect();
    let keys: HashSet<_> = keys.iter().flatten().map(IdempotencyKey::as_str).collect();

    let mut table = vec![Key::user(user), Key::product(product)];
    let mut index = Vec::new();
    for order in &orders {
        table.extend([Key::order(user, *order), Key::order_item(*order, product)]);
        index.push(IndexKey::order(user, *order));
    }
    for email in &emails {
        let source = Source::of(Ipv4Addr::new(203, 0, 113, 7).into());
        table.extend([Key::unique_email(email), Key::login_attempts(email, 0, None)]);
        table.extend([
            Key::login_attempts(email, 1, source.as_ref()),
            Key::email_attempts(email, 1),
        ]);
        table.extend(source.iter().map(|source| Key::known_source(email, 1, source)));
        index.push(IndexKey::user(user, email));
    }
    for key in &keys {
        table.push(Key::idempotency(user, &key.parse().unwrap()));
    }
    // Spellings of one word are one category.
    let categories: HashSet<_> = categories.iter().map(|category| category.folded()).collect();
    index.extend(
        categories.iter().map(|folded| IndexKey::product(product, &folded.parse().unwrap())),
    );

    let table: Vec<_> = table.into_iter().map(|key| (key.pk, key.sk)).collect();
    // The index's partitions belong to one kind of item each; its sort keys repeat.
    let index: Vec<_> = index.into_iter().map(|key| (key.pk, key.sk)).collect();
    for keys in [table, index] {
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:?}");
        // DynamoDB's limits for partition keys and sort keys, in bytes.
        assert!(keys.iter().all(|(pk, sk)| pk.len() <= 2048 && sk.len() <= 1024));
    }
}
