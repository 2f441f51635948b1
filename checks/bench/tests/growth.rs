//! Runs `storefront-bench growth`.

use std::process::Command;

use serde_json::Value;

#[test]
fn a_run_measures_tables_in_separate_processes_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("growth.json");
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_storefront-bench"))
        .args(["growth", "--orders", "200,150", "--rounds", "1", "--json"])
        .arg(&json)
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");

    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let sizes = report["sizes"].as_array().unwrap();
    let orders: Vec<_> = sizes.iter().map(|size| size["orders"].as_u64().unwrap()).collect();
    assert_eq!(orders, [150, 200]);
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
