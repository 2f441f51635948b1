//! Statements and their patterns.

use std::fs;
use std::path::Path;

use super::rules::{Share, Verdict, judge};
use super::*;

fn mapping(example: &str) -> Mapping {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    Mapping::read(&examples.join(example).join("migration.toml")).unwrap()
}

fn verdict(example: &str, sql: &str) -> Verdict {
    let dialect = PostgreSqlDialect {};
    let mapping = mapping(example);
    let schema = Schema::of(&mapping, &dialect);
    assert_eq!(schema.not_followed(), []);
    let statements = Parser::parse_sql(&dialect, sql).unwrap();
    judge(&Shape::of(&statements[0]).unwrap(), &schema, &mapping)
}

/// Returns the pattern, and why it is not certain.
fn pattern(example: &str, sql: &str) -> (&'static str, String) {
    match verdict(example, sql) {
        Verdict::Pattern(found) => (found.pattern.name, found.doubts.join("; ")),
        other => panic!("{sql}: {other:?}"),
    }
}

fn why_not(example: &str, sql: &str) -> String {
    match verdict(example, sql) {
        Verdict::None(why) => why,
        other => panic!("{sql}: {other:?}"),
    }
}

const INTEGERS: &str = "integer-keys";
const UUIDS: &str = "uuid-keys";

#[test]
fn statements_that_the_shop_supports_have_a_pattern() {
    for (sql, expected) in [
        ("SELECT id, email FROM customers WHERE id = $1", "user by id"),
        ("SELECT * FROM public.customers c WHERE c.id = $1 LIMIT 1", "user by id"),
        ("SELECT id FROM customers WHERE lower(email) = lower($1)", "user by email"),
        ("SELECT id, password_digest FROM customers WHERE email = $1", "user by email, at log-in"),
        ("SELECT password_digest FROM customers WHERE id = $1", "user by id, to check a password"),
        (
            "SELECT is_staff FROM customers WHERE id = $1",
            "a user's role, for what only administrators may do",
        ),
        ("INSERT INTO customers (id, email) VALUES ($1, $2)", "register a user"),
        (
            "UPDATE customers SET password_digest = $1, updated_at = now() WHERE id = $2",
            "change a user's name, password or role",
        ),
        ("UPDATE customers SET email = $1 WHERE id = $2", "change a user's email"),
        ("DELETE FROM customers WHERE id = $1", "delete a user"),
        (
            "SELECT p.*, c.title FROM products p JOIN categories c ON c.id = p.category_id \
             WHERE p.id = $1",
            "product by id, with its stock",
        ),
        (
            "SELECT p.id FROM products p JOIN categories c ON c.id = p.category_id \
             WHERE c.title = $1 AND 1 = 1 ORDER BY p.id LIMIT 25",
            "products of a category, a page of n",
        ),
        ("INSERT INTO products (id) VALUES ($1)", "add a product"),
        ("DELETE FROM products WHERE id = $1", "delete a product"),
        (
            "UPDATE products SET category_id = $1, updated_at = now() WHERE id = $2",
            "change a product's description or category",
        ),
        (
            "UPDATE products SET category_id = $1, unit_price = $2 WHERE id = $3",
            "change a product's name, price, currency or selling",
        ),
        (
            "UPDATE products SET unit_price = $1, stock_count = $2 WHERE id = $3",
            "set a product's stock",
        ),
        (
            "UPDATE products SET stock_count = stock_count - $1 WHERE id = $2 AND stock_count >= $1",
            "place an order of n items",
        ),
        (
            "UPDATE products SET stock_count = stock_count + $1 WHERE id = $2",
            "cancel an order of n items",
        ),
        ("INSERT INTO orders (id) VALUES ($1) RETURNING id", "place an order of n items"),
        ("INSERT INTO order_lines (id) VALUES ($1), ($2)", "place an order of n items"),
        (
            "SELECT id, state FROM orders WHERE customer_id = $1 AND created_at >= $2 \
             ORDER BY created_at DESC LIMIT 25",
            "orders of a user, newest first, a page of n, optionally from/to",
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 AND (created_at, id) < ($2, $3) \
             ORDER BY created_at DESC, id DESC LIMIT 25",
            "orders of a user, newest first, a page of n, optionally from/to",
        ),
        ("SELECT * FROM orders WHERE id = $1 AND customer_id = $2", "own order with items"),
        ("SELECT * FROM orders WHERE id = $1 FOR UPDATE", "any order by id, with items"),
        (
            "SELECT o.*, l.quantity, p.title FROM orders o \
             JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id \
             WHERE o.id = $1",
            "any order by id, with items",
        ),
        (
            "SELECT * FROM order_lines WHERE order_id = $1 ORDER BY id",
            "any order by id, with items",
        ),
        ("UPDATE orders SET state = $1, updated_at = $2 WHERE id = $3", "change an order's status"),
        ("UPDATE orders SET state = 'X' WHERE id = 7", "cancel an order of n items"),
    ] {
        assert_eq!(pattern(INTEGERS, sql), (expected, String::new()), "{sql}");
    }
}

#[test]
fn an_entity_of_several_tables_is_recognised_by_any_of_them() {
    for (sql, expected) in [
        ("SELECT secret FROM credentials WHERE login = $1", "user by email, at log-in"),
        (
            "SELECT a.id, c.secret FROM accounts a JOIN credentials c ON c.account_id = a.id \
             WHERE c.login = $1",
            "user by email, at log-in",
        ),
        (
            "UPDATE credentials SET secret = $1 WHERE account_id = $2",
            "change a user's name, password or role",
        ),
        ("SELECT display_name FROM accounts WHERE id = $1", "user by id"),
        (
            "UPDATE product_prices SET minor_amount = $1 WHERE product_id = $2",
            "change a product's name, price, currency or selling",
        ),
        (
            "SELECT * FROM products WHERE department = $1 LIMIT 25",
            "products of a category, a page of n",
        ),
        ("UPDATE purchases SET paid_at = now() WHERE id = $1", "change an order's status"),
    ] {
        assert_eq!(pattern(UUIDS, sql), (expected, String::new()), "{sql}");
    }
    let insert = verdict(UUIDS, "INSERT INTO credentials (account_id) VALUES ($1)");
    let Verdict::Pattern(found) = insert else { panic!("{insert:?}") };
    assert_eq!((found.pattern.name, found.share), ("register a user", Share::Nothing));
}

#[test]
fn an_uncertain_match_says_why() {
    for (sql, expected, doubt) in [
        (
            "SELECT * FROM products WHERE category_id = $1 ORDER BY id LIMIT 25",
            "products of a category, a page of n",
            "by the category's join column",
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 ORDER BY id DESC",
            "orders of a user, newest first, a page of n, optionally from/to",
            "without LIMIT",
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 ORDER BY id LIMIT 25 OFFSET 50",
            "orders of a user, newest first, a page of n, optionally from/to",
            "in the opposite order; OFFSET",
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 AND state = $2 LIMIT 25",
            "orders of a user, newest first, a page of n, optionally from/to",
            "state is checked after reading",
        ),
        (
            "SELECT * FROM products WHERE id IN ($1, $2)",
            "product by id, with its stock",
            "for several at once",
        ),
        (
            "SELECT * FROM products WHERE id = ANY($1)",
            "product by id, with its stock",
            "for several at once",
        ),
        ("SELECT count(*) FROM customers WHERE email = $1", "user by email", "counts what exists"),
        (
            "SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id \
             WHERE o.id = $1",
            "any order by id, with items",
            "with its user: one more request",
        ),
        (
            "SELECT * FROM orders WHERE id = $1 AND EXISTS (SELECT 1 FROM order_lines)",
            "any order by id, with items",
            "parts of it were not analysed",
        ),
        (
            "UPDATE customers SET last_name = $1, newsletter = $2 WHERE id = $3",
            "change a user's name, password or role",
            "sets newsletter, which the shop does not have",
        ),
    ] {
        let (found, doubts) = pattern(INTEGERS, sql);
        assert_eq!(found, expected, "{sql}");
        assert!(doubts.contains(doubt), "{sql}: {doubts}");
    }
}

#[test]
fn a_statement_without_a_pattern_says_why() {
    for (sql, why) in [
        ("SELECT * FROM customers", "all users"),
        ("SELECT * FROM customers WHERE email LIKE $1", "users by email"),
        ("SELECT * FROM products ORDER BY created_at DESC LIMIT 10", "all products"),
        ("SELECT * FROM products WHERE title ILIKE '%tea%'", "products by title"),
        (
            "SELECT p.* FROM products p JOIN categories c ON c.id = p.category_id \
             WHERE c.title = $1 ORDER BY p.unit_price LIMIT 25",
            "ordered by unit_price",
        ),
        ("SELECT * FROM orders WHERE state = $1 LIMIT 100", "orders by state"),
        ("SELECT count(*) FROM orders WHERE customer_id = $1", "counts or sums"),
        ("SELECT state, count(*) FROM orders GROUP BY state", "counts or sums all orders"),
        ("SELECT * FROM order_lines WHERE product_id = $1", "order items by product_id"),
        ("SELECT * FROM categories", "categories alone"),
        ("SELECT * FROM newsletters WHERE id = $1", "the mapping does not read newsletters"),
        ("UPDATE products SET unit_price = unit_price * 1.1", "changes all products"),
        ("UPDATE customers SET last_seen = now() WHERE id = $1", "sets last_seen, which"),
        ("DELETE FROM orders WHERE id = $1", "orders are not deleted"),
        ("DELETE FROM customers WHERE created_at < $1", "deletes users by created_at"),
        ("UPDATE order_lines SET quantity = $1 WHERE id = $2", "only the status"),
    ] {
        let found = why_not(INTEGERS, sql);
        assert!(found.contains(why), "{sql}: {found}");
    }
}

#[test]
fn statements_lose_their_values_and_are_merged_if_nothing_else_differs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.sql");
    let text = "SELECT * FROM customers WHERE email = 'anna@example.com' -- of anna\n\
                SELECT * FROM customers WHERE email = 'ben@example.com'\n\
                SELECT * FROM products WHERE id IN (1, 2)\n\
                SELECT * FROM products WHERE id IN (3)\n\
                INSERT INTO order_lines (id, order_id) VALUES (1, 2), (2, 2)\n\
                SELECT FROM WHERE 'carla@example.com' = 12345\n\
                SELECT 'dora@example.com\n\
                BEGIN\nSELECT 1\n";
    fs::write(&file, text).unwrap();
    let prices = Prices::read(None).unwrap();
    let mapping = mapping(INTEGERS);
    let queries = Queries::read(&file, &mapping, &SQLiteDialect {}, &[], &prices).unwrap();
    assert_eq!((queries.calls, queries.without_table), (9, 2));
    let of = |name: &str| {
        let answered = queries.patterns.iter().find(|it| it.pattern == name).unwrap();
        answered.statements.iter().map(|it| (&*it.sql, it.calls)).collect::<Vec<_>>()
    };
    assert_eq!(of("user by email"), [("SELECT * FROM customers WHERE email = ?", 2)]);
    assert_eq!(
        of("product by id, with its stock"),
        [("SELECT * FROM products WHERE id IN (?)", 2)]
    );
    let inserted = [("INSERT INTO order_lines (id, order_id) VALUES (?, ?)", 1)];
    assert_eq!(of("place an order of n items"), inserted);
    let unparsed: Vec<_> = queries.unparsed.iter().map(|it| &*it.sql).collect();
    assert_eq!(unparsed, ["SELECT FROM WHERE ? = ?", "SELECT …"]);
    assert!(!serde_json::to_string(&queries).unwrap().contains("example.com"));
}
