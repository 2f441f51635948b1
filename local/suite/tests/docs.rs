//! The documents match the code.

use std::path::Path;

use storefront_suite::docs;

#[test]
fn the_generated_parts_of_the_documents_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let outdated = docs::check(&root).expect("the documents can be read");
    assert!(outdated.is_empty(), "{outdated:?} are stale: run `cargo xtask docs`");
}
