//! Runs the binary.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::generate::Example;
use crate::source::Source;

fn storefront_migrate(arguments: &[&str], url: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_storefront-migrate"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", url)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn example(name: &str) -> String {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    examples.join(name).join("migration.toml").display().to_string()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn check_shows_the_columns_and_the_first_broken_rows() {
    let source = Source::sqlite();
    let written = source.generate(Example::IntegerKeys, 1_000, 60).await.to_string();
    assert!(written.contains("1000 orders") && written.contains("broken on purpose"), "{written}");

    let mapping = example("integer-keys");
    let checked = storefront_migrate(&["check", "--mapping", &mapping], &source.url);
    let said = text(checked.stdout);
    assert!(checked.status.success(), "{}", text(checked.stderr));
    for expected in [
        "createdAt     created_at",
        "currency   –           that of the items, or [defaults]",
        "email is \"customer.",
        "need a new password",
        "there is no such order",
        "orders with their items: the first 500 read",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("$2y$"), "a password hash is shown");
}

#[test]
fn a_mapping_that_does_not_fit_is_a_failure_that_says_why() {
    let source = Source::sqlite();
    let mapping = example("integer-keys");
    for (arguments, url, expected) in [
        (
            vec!["check", "--mapping", &mapping],
            source.url.as_str(),
            "the database rejects the select of [users]: ",
        ),
        (
            vec!["check", "--mapping", "nowhere.toml"],
            &source.url,
            "cannot read the mapping nowhere.toml: ",
        ),
        (
            vec!["check", "--mapping", &mapping],
            "oracle://me:secret@host/shop",
            ", not with \"oracle\"",
        ),
        (vec!["check", "--mapping", &mapping], "", "no source is given"),
        (vec!["check", "--mapping", &mapping], "sqlite:nowhere.db", "cannot open the source: "),
    ] {
        let output = storefront_migrate(&arguments, url);
        let said = text(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: ") && said.contains(expected), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
