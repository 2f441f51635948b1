//! What `cargo xtask` can do: a table.

use std::fmt::Write as _;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    /// What it is called by. With a flag it is a command of its own.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) help: &'static str,
    /// What it runs, one after the other, until one fails. Assignments before a program go to its
    /// environment, `{root}` is the repository, and further arguments go to the last program.
    pub(crate) lines: &'static [&'static str],
}

/// Renames the project; the only command that is more than lines.
pub(crate) const RENAME: &str = "rename";

const fn command(
    name: &'static str,
    help: &'static str,
    lines: &'static [&'static str],
) -> Command {
    Command { name, help, lines }
}

/// All commands, in the order of the list.
///
/// A program is named by `--bin` and a test by `--test`: with `--package` Cargo would give dependencies the features of
/// that package only, and compile dozens of them again.
///
/// The drawn tests take their number of cases from two variables, and `check` gives them few: all
/// other tests together take about as long as those do with their usual number.
pub(crate) const COMMANDS: &[Command] = &[
    command(
        "check",
        "format, clippy, and all tests, the drawn ones with few cases: before each commit",
        &[
            "cargo fmt --all -- --check",
            "cargo clippy --workspace --all-targets -- -D warnings",
            "STOREFRONT_FAULT_SCHEDULES=100 PROPTEST_CASES=32 cargo test --workspace",
        ],
    ),
    command("gate", "all that must hold before a change is taken: most of an hour", &[".ci/run"]),
    command(
        "nightly",
        "fuzzing, drawn tests and load for much longer than the gate does: two hours",
        &[
            "STOREFRONT_FAULT_SCHEDULES=10000 PROPTEST_CASES=2000 cargo test --workspace --locked",
            "checks/gate/fuzz 600",
            "checks/gate/check-contract --seed random",
            "checks/load/run --duration 600",
        ],
    ),
    command(
        "openapi",
        "writes openapi.json from the code",
        &["cargo run --quiet --bin storefront-suite -- openapi"],
    ),
    command(
        "docs",
        "writes the tables of README and docs that come from the code",
        &["cargo run --quiet --bin storefront-suite -- docs"],
    ),
    command(
        "schemas",
        "writes crates/events/schemas from the types",
        &["UPDATE_EXPECTED=1 cargo test --quiet --workspace --lib schemas_are_those"],
    ),
    command(
        "events",
        "invokes the built functions with events/ and compares their answers; --help tells more",
        &["checks/gate/run-events"],
    ),
    command(
        "events --record",
        "writes the answers that are expected in events/",
        &["UPDATE_EXPECTED=1 cargo test --quiet --workspace --test it events"],
    ),
    command(
        "functions",
        "builds the functions as they are deployed, into .aws-sam/build",
        &["checks/gate/build-functions"],
    ),
    command(
        "limits",
        "builds the functions and holds what they cost against checks/bench/limits.json",
        &["checks/gate/build-functions", "checks/gate/check-limits"],
    ),
    command(
        "limits --record",
        "writes what they cost now into checks/bench/limits.json",
        &["checks/gate/build-functions", "checks/gate/check-limits --record"],
    ),
    command(
        "lint",
        "template.yaml and the workflows",
        &["checks/gate/lint-template", "checks/gate/lint-workflows"],
    ),
    command(
        "dependencies",
        "licences, duplicates, advisories, one TLS stack",
        &["checks/gate/check-dependencies"],
    ),
    command("tour", "the tour of the README, as it is written", &["checks/gate/tour"]),
    command(
        "contract",
        "sends what openapi.json allows and forbids; --seed random tries other things",
        &["checks/gate/check-contract"],
    ),
    command(
        "audit",
        "compares what the tests used and logged with what the roles grant and what is secret",
        &[
            "rm -rf {root}/target/test-logs",
            "STOREFRONT_TEST_LOGS={root}/target/test-logs cargo test --workspace",
            "cargo run --quiet --package storefront-testing --bin audit -- {root}/target/test-logs",
        ],
    ),
    command(
        "deploy-test",
        "deploys to an emulator of AWS and shops there; --built takes .aws-sam/build",
        &["checks/gate/deploy-test"],
    ),
    command(
        "migrate-test",
        "moves shops out of PostgreSQL and SQLite; --orders N moves fewer",
        &["checks/gate/migrate-test"],
    ),
    command(
        "fuzz",
        "fuzzes the targets of checks/fuzz, 20 s each: [SECONDS [TARGET…]]",
        &["checks/gate/fuzz"],
    ),
    command(
        "load",
        "puts a load on the local cloud for a minute; --short, --help",
        &["checks/load/run"],
    ),
    command(
        "bench",
        "measures the functions as Lambda runs them; --help tells the rest",
        &["cargo run --release --package storefront-bench --"],
    ),
    command(RENAME, "NAME: gives the project another name, before it is first deployed", &[]),
];

/// The command that these arguments begin with, and the arguments that are left.
pub(crate) fn find(arguments: &[String]) -> Option<(&'static Command, &[String])> {
    // The longer names first: a flag can make another command.
    [2, 1].into_iter().filter(|&words| words <= arguments.len()).find_map(|words| {
        let name = arguments[..words].join(" ");
        let command = COMMANDS.iter().find(|command| command.name == name)?;
        Some((command, &arguments[words..]))
    })
}

/// What a bare `cargo xtask` prints.
pub(crate) fn list() -> String {
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    let mut list = "cargo xtask COMMAND [ARGUMENTS]\n\n".to_owned();
    for Command { name, help, .. } in COMMANDS {
        let _ = writeln!(list, "  {name:width$}  {help}");
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_flag_that_makes_another_command_is_not_an_argument() {
        let found = |text| find(&words(text)).map(|(command, rest)| (command.name, rest.len()));
        assert_eq!(found("events"), Some(("events", 0)));
        assert_eq!(found("events --record"), Some(("events --record", 0)));
        assert_eq!(found("events orders/place --engine rie"), Some(("events", 3)));
        assert_eq!(found("event"), None);
    }

    #[test]
    fn no_two_commands_have_the_same_name() {
        for (index, command) in COMMANDS.iter().enumerate() {
            assert!(
                COMMANDS[..index].iter().all(|other| other.name != command.name),
                "{command:?}"
            );
        }
    }

    #[test]
    fn only_the_command_with_code_of_its_own_runs_nothing() {
        for command in COMMANDS {
            assert_eq!(command.lines.is_empty(), command.name == RENAME, "{command:?}");
        }
    }

    #[test]
    fn every_script_is_here_unless_its_folder_is_deleted() {
        for line in COMMANDS.iter().flat_map(|command| command.lines) {
            let mut words = line.split(' ');
            if let Some(script) =
                words.find(|word| !word.contains('=')).filter(|word| word.contains('/'))
            {
                let path = crate::run::root().join(script);
                assert!(path.exists() || !path.parent().unwrap().exists(), "{script} is not there");
            }
        }
    }
}
