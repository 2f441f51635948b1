//! Counts instructions, which are the same each time, unlike times.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::process::Program;
use crate::services::Services;
use crate::subject::{Case, Kind, Plan};
use crate::{Error, compile};

/// The number of warm invocations that are counted together; fewer if each hashes a password.
const WARM: [u32; 2] = [20, 1];

/// The instructions that a function's process executes, without those of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instructions {
    /// Until the first event is answered and the function asks for the second.
    pub(crate) cold: u64,
    /// For each event after that.
    pub(crate) warm: u64,
}

/// Fails if valgrind is not installed.
pub(crate) fn check() -> Result<(), Error> {
    let mut command = Command::new("valgrind");
    command.arg("--version");
    compile::run(command).map(drop).map_err(|_| Error::NoValgrind)
}

/// Counts the instructions of each case of a plan; `None` for Node.js, whose JIT compiler generates
/// different code each time.
pub(crate) async fn count(
    plan: &Plan,
    services: &Services,
) -> Result<Vec<Option<Instructions>>, Error> {
    let mut counted = Vec::new();
    let mut number = 1_000_000;
    for (at, case) in plan.cases.iter().enumerate() {
        eprint!("\rcounting instructions, {} of {}", at + 1, plan.cases.len());
        if plan.subjects[case.subject].kind == Kind::Node {
            counted.push(None);
            continue;
        }
        let warm = WARM[usize::from(case.operation.warm < WARM[0])];
        let cold = executed(plan, case, services, 1, &mut number).await?;
        let all = executed(plan, case, services, 1 + warm, &mut number).await?;
        let warm = all.saturating_sub(cold) / u64::from(warm);
        counted.push(Some(Instructions { cold, warm }));
    }
    eprintln!();
    Ok(counted)
}

/// Counts the instructions of a process that answers this many events.
async fn executed(
    plan: &Plan,
    case: &Case,
    services: &Services,
    events: u32,
    number: &mut u64,
) -> Result<u64, Error> {
    let profile = services.folder().join("callgrind");
    let subject = &plan.subjects[case.subject];
    let program = Program {
        path: "valgrind".into(),
        arguments: vec![
            "--tool=callgrind".to_owned(),
            format!("--callgrind-out-file={}", profile.display()),
            subject.program.path.display().to_string(),
        ],
    };
    let name = plan.name(case);
    let mut environment =
        Environment::start(name, &program, &subject.variables, services.folder()).await?;
    for _ in 0..events {
        *number += 1;
        environment.invoke(case.operation.event(*number), case.operation.expected).await?;
        environment.ready().await?;
    }
    // If it were killed, it would not write the profile.
    environment.terminate().await?;
    total(&profile)
}

fn total(profile: &Path) -> Result<u64, Error> {
    let text = fs::read_to_string(profile).map_err(Error::file(profile))?;
    read_total(&text).ok_or_else(|| Error::file(profile)(std::io::ErrorKind::InvalidData.into()))
}

/// <https://valgrind.org/docs/manual/cl-format.html>
fn read_total(profile: &str) -> Option<u64> {
    let lines = profile.lines().rev();
    let mut totals = lines.filter_map(|line| line.strip_prefix("totals: "));
    totals.next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_profile_is_found() {
        let profile = "version: 1\nevents: Ir\nsummary: 7\n\nfn=(1)\n0 5\n\ntotals: 12345\n";
        assert_eq!(read_total(profile), Some(12_345));
        assert_eq!(read_total("events: Ir\n"), None);
    }
}
