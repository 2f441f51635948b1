//! `cargo xtask` from the command line.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}

fn text(output: &[u8]) -> &str {
    std::str::from_utf8(output).unwrap()
}

#[test]
fn without_arguments_the_commands_are_listed() {
    let output = xtask(&[]);
    assert!(output.status.success());
    let list = text(&output.stdout);
    let listed = |name: &str| list.lines().any(|line| line.starts_with(&format!("  {name} ")));
    for name in ["check", "gate", "nightly", "events", "openapi", "docs", "limits", "rename"] {
        assert!(listed(name), "{name} is missing in\n{list}");
    }
}

#[test]
fn an_unknown_command_is_rejected() {
    let output = xtask(&["chekc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("chekc"));
}

#[test]
fn an_invalid_project_name_is_rejected() {
    let output = xtask(&["rename", "My_Shop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("lower-case letters"));
}

#[test]
fn help_of_a_command_runs_nothing() {
    for name in ["gate", "nightly", "audit", "deploy-test", "functions"] {
        let output = xtask(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(text(&output.stdout).starts_with(&format!("{name}: ")), "{name}");
        assert!(output.stderr.is_empty(), "{name}: {}", text(&output.stderr));
    }
}

/// Otherwise a renamed variable would silently make `check` slow and `nightly` short.
#[test]
fn the_randomised_tests_read_their_variables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let source = include_str!("../src/commands.rs");
    for (variable, folder) in
        [("STOREFRONT_FAULT_SCHEDULES", "checks/invariants"), ("PROPTEST_CASES", "crates")]
    {
        assert!(source.contains(variable));
        if !root.join(folder).exists() {
            continue;
        }
        let tests = ["checks", "local", "crates"].map(|folder| root.join(folder));
        assert!(
            tests.iter().any(|folder| mentions(folder, &format!("\"{variable}\""))),
            "{variable}"
        );
    }
}

/// Returns whether a Rust file in the folder contains this text.
fn mentions(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return mentions(&path, text);
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && std::fs::read_to_string(&path).is_ok_and(|source| source.contains(text))
    })
}
