use serde_json::Value;

use super::*;
use crate::statistics::Ratio;
use crate::targets::Limit;

fn report() -> Report {
    let size = Size { bytes: 7_000_000, zipped_bytes: 2_900_000 };
    let always = |value| Percentiles { p50: value, p90: value, p99: value };
    let case = |subject, name: &str, cold| CaseReport {
        subject,
        name: name.to_owned(),
        operation: "get user",
        init: always(cold / 2.0),
        first: always(cold / 2.0),
        cold: always(cold),
        cold_processor: always(3.0),
        warm: always(0.8),
        warm_processor: always(0.3),
        peak_memory: always(9.0),
        instructions: (subject == 0).then_some(Instructions { cold: 6_400_000, warm: 740_000 }),
        cold_samples: vec![cold],
    };
    let subject = |name: &str, kind| SubjectReport { name: name.to_owned(), kind, size };
    let target = |what, value, met| Verdict {
        what,
        subject: "users".to_owned(),
        operation: Some("get user"),
        ratio: Ratio { value, low: value, high: value },
        limit: Limit::AtMost(1.2),
        met,
    };
    Report {
        machine: Machine {
            processor: "A <fast> one".to_owned(),
            cores: 2,
            system: "linux".to_owned(),
            rust: "rustc".to_owned(),
            node: None,
        },
        rounds: 1,
        subjects: vec![subject("users", Kind::Function), subject("floor-node", Kind::Node)],
        cases: vec![case(0, "users", 6.0), case(1, "floor-node", 150.0)],
        targets: vec![target("target one", 1.1, true), target("target two", 1.3, false)],
    }
}

#[test]
fn the_table_says_which_targets_are_met() {
    let table = table::render(&report());
    let line = |what: &str| table.lines().find(|line| line.contains(what)).unwrap();
    assert!(line("target one").ends_with("met |"), "{table}");
    assert!(line("target two").ends_with("MISSED |"), "{table}");
    assert!(table.ends_with("1 of 2 met\n"), "{table}");
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_escapes_what_it_shows() {
    let page = html::render(&report());
    let without_namespaces = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for reference in ["://", "<script", "<link", "<img", "@import", "url("] {
        assert!(!without_namespaces.contains(reference), "{reference}");
    }
    assert!(page.contains("A &lt;fast&gt; one") && !page.contains("<fast>"));
}

#[test]
fn what_node_takes_does_not_squeeze_the_others() {
    assert!(html::render(&report()).contains("150.0 ms →"));
}

#[test]
fn the_figures_are_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    json::write(&report(), &path).unwrap();
    let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["cases"][0]["cold"]["p50"], 6.0);
    assert_eq!(json["cases"][0]["instructions"]["warm"], 740_000);
    assert_eq!(json["targets"][1]["limit"]["atMost"], 1.2);
    assert_eq!(json["subjects"][1]["kind"], "node");
}
