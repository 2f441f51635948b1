//! `storefront-bench migration`, as it is run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn a_run_loads_a_shop_of_each_size_into_each_target_and_leaves_nothing_behind() {
    let bench = Path::new(env!("CARGO_BIN_EXE_storefront-bench"));
    // Another package's: there is no variable for it.
    let program = bench.with_file_name("storefront-migrate");
    if !program.exists() {
        eprintln!("NOT TESTED: storefront-migrate is not built; cargo test --workspace builds it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [json, html, temporary] =
        ["migration.json", "migration.html", "tmp"].map(|name| folder.path().join(name));
    std::fs::create_dir(&temporary).unwrap();
    let run = Command::new(bench)
        .args(["migration", "--orders", "200,100", "--program"])
        .arg(program)
        .arg("--json")
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");

    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let loads = report["loads"].as_array().unwrap();
    let of: Vec<_> = loads
        .iter()
        .map(|load| (load["orders"].as_u64().unwrap(), load["target"].as_str().unwrap()))
        .collect();
    assert_eq!(of, [(100, "import"), (100, "table"), (200, "import"), (200, "table")]);
    for load in loads {
        // Customers, products, orders, and one item of each order at least.
        let [orders, rows, items] =
            ["orders", "rows", "items"].map(|name| load[name].as_u64().unwrap());
        assert!(rows > 2 * orders && items > rows, "{load}");
        assert!(load["peakMemory"].as_u64().unwrap() > 1_000_000, "{load}");
    }
    assert!(std::fs::read_to_string(html).unwrap().contains("SQLite into the embedded table"));
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
