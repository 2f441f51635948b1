//! Names, emails and categories as former shops have stored them.

use storefront_migrate::{Kind, Mapping, Remark, Unit};

use crate::broken::{Selects, products, users};
use crate::source::sorted_out;

#[tokio::test]
async fn an_email_gets_the_form_in_which_its_owner_logs_in() {
    let at = "2026-01-01 10:00:00";
    let rows = format!(
        "(1, 'KUNDE@müller.example', '{at}'), (2, 'rene\u{301}e@example.com', '{at}'), \
         (3, 'शक्ति@example.com', '{at}')"
    );
    let selects = Selects { users: users(&rows), ..Selects::new() };
    let (units, rejects) = sorted_out(&mut selects.open().await.unwrap(), Kind::User).await;
    assert!(rejects.is_empty(), "{}", rejects[0].reason);
    let emails = units.iter().map(|unit| match unit {
        Unit::User(user) => user.value.email.as_str(),
        other => panic!("{other:?} is not a user"),
    });
    let expected = ["kunde@xn--mller-kva.example", "renée@example.com", "शक्ति@example.com"];
    assert!(emails.eq(expected));
}

#[tokio::test]
async fn a_name_that_nobody_checked_is_tidied_and_that_is_a_remark() {
    for (name, expected, remarks) in [
        ("Rene\u{301}e", "Renée", vec![]),
        ("Ada\r\nLove\u{AD}lace\t", "Ada Lovelace", vec![Remark::TidiedName]),
        ("a\u{202E}b", "ab", vec![Remark::TidiedName]),
    ] {
        let mut selects = Selects::new();
        for select in [&mut selects.users, &mut selects.products] {
            *select = select.replace("'Anna'", &format!("'{name}'"));
            *select = select.replace("'Espresso'", &format!("'{name}'"));
        }
        for kind in [Kind::User, Kind::Product] {
            let (units, rejects) = sorted_out(&mut selects.open().await.unwrap(), kind).await;
            assert!(rejects.is_empty(), "{}", rejects[0].reason);
            let found = match &units[0] {
                Unit::User(user) => (&user.value.name, &user.remarks),
                Unit::Product(product) => (&product.value.product.name, &product.remarks),
                Unit::Order(_) => panic!("not what was asked for"),
            };
            assert_eq!((found.0.as_str(), found.1), (expected, &remarks), "{kind:?}");
        }
    }
    let mut selects = Selects::new();
    selects.users = selects.users.replace("'Anna'", "'\u{200B}'");
    let reason = selects.reason(Kind::User).await;
    assert!(reason.contains("must be 1 to 200 characters"), "{reason}");
}

#[tokio::test]
async fn a_category_is_a_line_in_a_row_and_in_the_mapping() {
    let select = products("(10, '12.30')").replace("'Coffee'", "'Caf\u{200B}é'");
    let selects = Selects { products: select, ..Selects::new() };
    let reason = selects.reason(Kind::Product).await;
    assert!(reason.contains("U+200B"), "{reason}");

    let text = selects.toml() + "products.category.Hot = \"a\\u202Eb\"\n";
    let error = Mapping::parse(&text).unwrap_err().to_string();
    assert!(error.contains("U+202E") && error.contains("category"), "{error}");
}
