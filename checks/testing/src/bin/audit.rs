//! Checks what the tests logged.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use storefront_template::Template;
use storefront_testing::audit::{self, Error, Finding};
use storefront_testing::evidence::files::{Evidence, Kind};

/// How many are shown; a secret that leaks does so in many lines.
const SHOWN_LEAKS: usize = 50;

/// Checks the logs that the tests wrote with `STOREFRONT_TEST_LOGS` set: that each function's role
/// grants what the function used and no more, and that no log holds a secret.
#[derive(Parser)]
struct Args {
    /// The folder that `STOREFRONT_TEST_LOGS` named.
    logs: PathBuf,
    /// The template with the roles.
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            report(&findings);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Vec<Finding>, Error> {
    let template = Template::read(&args.template)?;
    let evidence = Evidence::read(&args.logs)?;
    let findings = audit::check(&evidence, &template)?;
    if findings.is_empty() {
        println!(
            "{} test processes: every privilege that is granted is used, every one that is used \
             is granted, and no log holds any of {}",
            evidence.processes.len(),
            counted(&evidence)
        );
    }
    Ok(findings)
}

fn counted(evidence: &Evidence) -> String {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for secret in evidence.secrets() {
        *counts.entry(secret.kind).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(kind, count)| format!("{count} {kind}s"));
    counts.collect::<Vec<_>>().join(", ")
}

fn report(findings: &[Finding]) {
    let (leaks, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| matches!(finding, Finding::Leak(_)));
    for finding in others.iter().chain(leaks.iter().take(SHOWN_LEAKS)) {
        eprintln!("{finding}");
    }
    if leaks.len() > SHOWN_LEAKS {
        eprintln!("… and {} more lines with a secret", leaks.len() - SHOWN_LEAKS);
    }
    eprintln!("{} findings", findings.len());
}
