//! Compares sizes, crates and instructions of the functions with recorded limits, so that a
//! dependency that costs a megabyte or a millisecond is noticed when it is added.
//!
//! No figure is a time, so all of them are nearly the same on every machine of an architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Parser;
use comfy_table::Table;
use serde::{Deserialize, Serialize};
use storefront_template::Template;

use crate::callgrind::Instructions;
use crate::services::Services;
use crate::subject::Plan;
use crate::{Error, callgrind, compile, report, targets};

/// By how much a size may exceed the record, in percent: other versions of the compiler and the
/// linker generate different code. A megabyte is about a sixth of a function.
const SIZE_MARGIN: u64 = 5;

/// By how much instructions may exceed the record, in percent: some crates detect the features of
/// the processor. A cold start has five million instructions, and a millisecond is two million.
const INSTRUCTIONS_MARGIN: u64 = 10;

/// The record is the most of so many runs. A function that sends requests at the same time opens another
/// connection unless the first is free already, which takes a million instructions. In some of its cold
/// starts it does.
const RECORDED_RUNS: usize = 3;

/// How the functions are compared with the limits.
#[derive(Debug, Parser)]
pub(crate) struct LimitsArgs {
    /// The folder of the built functions, such as target/lambda after
    /// `checks/gate/build-functions`. The linker affects the sizes.
    #[arg(long, value_name = "FOLDER")]
    bin_dir: PathBuf,

    /// Records the current figures instead.
    #[arg(long)]
    record: bool,
}

/// By architecture and function.
type Limits = BTreeMap<String, BTreeMap<String, Costs>>;

/// What a function costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Costs {
    /// The number of crates that it is linked with, including its own.
    crates: u64,
    bytes: u64,
    zipped_bytes: u64,
    /// By event.
    instructions: BTreeMap<String, Instructions>,
}

/// One figure of a function.
#[derive(Debug, PartialEq)]
struct Figure {
    function: String,
    what: String,
    recorded: u64,
    now: u64,
    most: u64,
}

impl Figure {
    /// In percent of the record.
    fn change(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
        let [recorded, now] = [self.recorded, self.now].map(|number| number as f64);
        if recorded > 0.0 { (now / recorded - 1.0) * 100.0 } else { f64::INFINITY }
    }

    fn is_exceeded(&self) -> bool {
        self.now > self.most
    }
}

pub(crate) async fn run(args: &LimitsArgs, root: &Path) -> Result<(), Error> {
    callgrind::check()?;
    let mut now = costs(root, &args.bin_dir).await?;
    let path = root.join("checks/bench/limits.json");
    let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let mut limits: Limits =
        serde_json::from_str(&text).map_err(|error| Error::file(&path)(error.into()))?;
    if args.record {
        for _ in 1..RECORDED_RUNS {
            raise(&mut now, &costs(root, &args.bin_dir).await?);
        }
        limits.insert(env::consts::ARCH.to_owned(), now);
        let mut text = serde_json::to_string_pretty(&limits).unwrap_or_default();
        text.push('\n');
        return fs::write(&path, text).map_err(Error::file(path));
    }
    let Some(recorded) = limits.get(env::consts::ARCH) else {
        println!("{} has no records for {}", path.display(), env::consts::ARCH);
        return Ok(());
    };
    let figures = figures(recorded, &now);
    println!("{}", table(&figures));
    let exceeded = figures.iter().filter(|figure| figure.is_exceeded()).count();
    if exceeded == 0 { Ok(()) } else { Err(Error::Limits(exceeded)) }
}

/// Raises the instructions to those of another run, where these are more.
fn raise(costs: &mut BTreeMap<String, Costs>, others: &BTreeMap<String, Costs>) {
    for (function, costs) in costs {
        let Some(other) = others.get(function) else { continue };
        for (event, instructions) in &mut costs.instructions {
            let other = other.instructions.get(event).copied().unwrap_or_default();
            instructions.cold = instructions.cold.max(other.cold);
            instructions.warm = instructions.warm.max(other.warm);
        }
    }
}

/// Measures all functions, as built in this folder.
async fn costs(root: &Path, bin_dir: &Path) -> Result<BTreeMap<String, Costs>, Error> {
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    let plan = Plan::of_functions(root, &template, &services, bin_dir)?;
    let instructions = callgrind::count(&plan, &services).await?;
    let mut costs = BTreeMap::new();
    for subject in &plan.subjects {
        let crates = crates(root, &subject.name)?;
        let (bytes, zipped_bytes) = (subject.size.bytes, subject.size.zipped_bytes);
        costs.insert(
            subject.name.clone(),
            Costs { crates, bytes, zipped_bytes, ..Costs::default() },
        );
    }
    for (case, instructions) in plan.cases.iter().zip(instructions) {
        let its = costs.get_mut(&plan.subjects[case.subject].name);
        if let (Some(its), Some(instructions)) = (its, instructions) {
            its.instructions.insert(case.operation.name.to_owned(), instructions);
        }
    }
    Ok(costs)
}

/// Counts the crates that a function is linked with on Lambda.
fn crates(root: &Path, function: &str) -> Result<u64, Error> {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let mut command = compile::cargo();
    command
        .args(["tree", "--locked", "--prefix", "none", "--no-dedupe", "--format", "{p}"])
        // Procedural macros and their dependencies run in the compiler only.
        .args(["--edges", "normal,no-proc-macro"])
        .args(["--package", &format!("storefront-{function}"), "--target", &target])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"));
    let tree = compile::run(command)?;
    let crates: BTreeSet<_> = tree.lines().filter(|line| !line.is_empty()).collect();
    Ok(u64::try_from(crates.len()).unwrap_or(u64::MAX))
}

/// Pairs records with current figures. A function or event without a record counts as exceeded.
fn figures(recorded: &BTreeMap<String, Costs>, now: &BTreeMap<String, Costs>) -> Vec<Figure> {
    let none = Costs::default();
    let mut figures = Vec::new();
    for (function, now) in now {
        let recorded = recorded.get(function).unwrap_or(&none);
        let mut add = |what: String, recorded: u64, now: u64, most: u64| {
            figures.push(Figure { function: function.clone(), what, recorded, now, most });
        };
        let with = |margin: u64, recorded: u64| recorded + recorded * margin / 100;
        let zip = with(SIZE_MARGIN, recorded.zipped_bytes).min(targets::zip_limit(function));
        add("crates".to_owned(), recorded.crates, now.crates, recorded.crates);
        add("bytes".to_owned(), recorded.bytes, now.bytes, with(SIZE_MARGIN, recorded.bytes));
        add("bytes, zipped".to_owned(), recorded.zipped_bytes, now.zipped_bytes, zip);
        for (event, now) in &now.instructions {
            let recorded = recorded.instructions.get(event).copied().unwrap_or_default();
            for (when, recorded, now) in
                [("cold", recorded.cold, now.cold), ("warm", recorded.warm, now.warm)]
            {
                let most = with(INSTRUCTIONS_MARGIN, recorded);
                add(format!("instructions, {when}: {event}"), recorded, now, most);
            }
        }
    }
    figures
}

fn table(figures: &[Figure]) -> Table {
    let mut table = report::table(&["function", "", "recorded", "now", "change", "at most", ""], 2);
    for figure in figures {
        table.add_row([
            figure.function.clone(),
            figure.what.clone(),
            figure.recorded.to_string(),
            figure.now.to_string(),
            format!("{:+.1} %", figure.change()),
            figure.most.to_string(),
            (if figure.is_exceeded() { "EXCEEDED" } else { "" }).to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(crates: u64, bytes: u64, cold: u64) -> BTreeMap<String, Costs> {
        let instructions = Instructions { cold, warm: 100_000 };
        let costs = Costs {
            crates,
            bytes,
            zipped_bytes: bytes / 2,
            instructions: [("get user".to_owned(), instructions)].into(),
        };
        [("users".to_owned(), costs)].into()
    }

    fn exceeded(now: &BTreeMap<String, Costs>) -> Vec<String> {
        let recorded = users(200, 5_000_000, 5_000_000);
        let exceeded = figures(&recorded, now).into_iter().filter(Figure::is_exceeded);
        exceeded.map(|figure| figure.what).collect()
    }

    #[test]
    fn figures_within_the_margins_are_not_exceeded() {
        assert!(exceeded(&users(200, 5_000_000, 5_000_000)).is_empty());
        assert!(exceeded(&users(150, 5_249_000, 5_499_000)).is_empty());
    }

    #[test]
    fn a_crate_a_megabyte_and_a_millisecond_are_noticed() {
        assert_eq!(exceeded(&users(201, 5_000_000, 5_000_000)), ["crates"]);
        assert_eq!(exceeded(&users(200, 6_000_000, 5_000_000)), ["bytes", "bytes, zipped"]);
        let cold = "instructions, cold: get user";
        assert_eq!(exceeded(&users(200, 5_000_000, 7_000_000)), [cold]);
    }

    #[test]
    fn a_record_is_the_most_of_its_runs() {
        let mut costs = users(200, 5_000_000, 4_000_000);
        raise(&mut costs, &users(200, 5_000_000, 5_000_000));
        raise(&mut costs, &users(200, 5_000_000, 3_000_000));
        assert_eq!(costs, users(200, 5_000_000, 5_000_000));
    }

    #[test]
    fn figures_without_a_record_are_exceeded() {
        let mut now = users(200, 5_000_000, 5_000_000);
        let another = now.get("users").cloned().unwrap_or_default();
        now.insert("reviews".to_owned(), another);
        assert_eq!(exceeded(&now).len(), 5);
    }

    #[test]
    fn a_record_cannot_allow_more_than_the_target() {
        let recorded = users(200, 5_990_000, 5_000_000);
        let now = users(200, 6_002_000, 5_000_000);
        let exceeded: Vec<_> =
            figures(&recorded, &now).into_iter().filter(Figure::is_exceeded).collect();
        assert!(matches!(&exceeded[..], [zip] if zip.most == 3_000_000), "{exceeded:?}");
    }
}
