//! Which crates may depend on which: the shop must not depend on the crates around it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A top-level folder, and the folders that its crates may depend on.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("crates", &["crates"]),
    ("functions", &["crates"]),
    ("local", &["functions", "crates", "local"]),
    ("tools", &["functions", "crates"]),
    ("checks", &["functions", "crates", "local", "tools", "checks"]),
    ("xtask", &[]),
];

/// Crates that tests in any folder except xtask may also use.
const FOR_TESTS: [&str; 5] =
    ["checks/testing", "local/embedded", "local/template", "local/cloud", "local/suite"];

#[test]
fn crates_depend_only_on_what_their_folder_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap();
    let metadata = metadata(&root);
    let packages = metadata["packages"].as_array().unwrap();
    let mut folders = BTreeMap::new();
    for package in packages {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().strip_prefix(&root).unwrap();
        folders.insert(package["name"].as_str().unwrap(), folder.to_str().unwrap().to_owned());
    }

    let mut wrong = Vec::new();
    for package in packages {
        let from = &folders[package["name"].as_str().unwrap()];
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some(to) = folders.get(dependency["name"].as_str().unwrap()) else { continue };
            let is_for_tests = dependency["kind"] == "dev";
            wrong.extend(objection(from, to, is_for_tests));
        }
    }
    assert!(!packages.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns why a crate may not depend on another, or `None` if it may.
fn objection(from: &str, to: &str, is_for_tests: bool) -> Option<String> {
    let top = |folder: &str| folder.split('/').next().unwrap_or_default().to_owned();
    let (_, allowed) = ALLOWED
        .into_iter()
        .find(|(folder, _)| *folder == top(from))
        .unwrap_or_else(|| panic!("{from}: say in ALLOWED what this folder may depend on"));
    let is_allowed = allowed.contains(&top(to).as_str());
    let is_for_its_tests = is_for_tests && top(from) != "xtask" && FOR_TESTS.contains(&to);
    if is_allowed || is_for_its_tests {
        return None;
    }
    let kind = if is_for_tests { "dev-dependency" } else { "dependency" };
    let allowed = if allowed.is_empty() { "nothing here".to_owned() } else { allowed.join(", ") };
    let for_tests = if is_for_tests && top(from) != "xtask" {
        format!(", in tests also on {}", FOR_TESTS.join(", "))
    } else {
        String::new()
    };
    Some(format!(
        "{from}/Cargo.toml has the {kind} {to}, but {} may depend on {allowed}{for_tests}",
        top(from)
    ))
}

fn metadata(root: &Path) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_objection_names_the_crate_the_dependency_and_the_rule() {
    assert_eq!(
        objection("functions/users", "functions/auth", false).unwrap(),
        "functions/users/Cargo.toml has the dependency functions/auth, but functions may depend on crates"
    );
    assert!(objection("functions/users", "checks/testing", true).is_none());
    assert!(objection("functions/users", "checks/testing", false).is_some());
    assert!(objection("checks/invariants", "checks/testing", false).is_none());
    assert!(objection("local/cloud", "checks/bench", true).is_some());
    assert!(objection("xtask", "checks/testing", true).is_some());
}
