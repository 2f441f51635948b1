//! Audits the logs of the tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use storefront_template::Template;
use storefront_testing::audit::{self, Error, Finding};
use storefront_testing::evidence::files::{Evidence, Kind};

/// How many leaks are shown. A secret that leaks usually does so in many lines.
const SHOWN_LEAKS: usize = 50;

/// Checks the logs that the tests wrote with `STOREFRONT_TEST_LOGS` set: each function's role must
/// grant what the function used and no more, and no log may contain a secret.
#[derive(Parser)]
struct Args {
    /// The folder that `STOREFRONT_TEST_LOGS` was set to.
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
    // With everything that a parameter adds, because the tests use that as well.
    let everything = [("ImmediateRevocation", "true"), ("MailFrom", "shop@example.com")];
    let template = Template::read(&args.template)?.with_parameters(everything)?;
    let evidence = Evidence::read(&args.logs)?;
    let findings = audit::check(&evidence, &template)?;
    if findings.is_empty() {
        println!(
            "{} test processes: every granted privilege is used, every used one is granted, and \
             no log contains any of {}",
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
