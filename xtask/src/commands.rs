//! The commands of `cargo xtask`.

use std::fmt::Write as _;

/// A command of `cargo xtask`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    /// Its name. A name with a flag is a separate command.
    pub(crate) name: &'static str,
    /// A one-line description.
    pub(crate) help: &'static str,
    /// The programs that it runs in turn, until one fails. Assignments before a program are added to
    /// its environment, `{root}` is the repository, and further arguments go to the last program.
    pub(crate) lines: &'static [&'static str],
}

/// Renames the project. The only command that has code instead of lines.
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
/// Programs are selected by `--bin` and tests by `--test`: with `--package`, Cargo would build dependencies
/// with only that package's features, and so recompile dozens of them.
///
/// Two variables set the number of cases of the randomised tests. `check` runs few: with the usual number,
/// they take about as long as all other tests together.
pub(crate) const COMMANDS: &[Command] = &[
    command(
        "check",
        "format, clippy, and all tests, with few randomised cases: before each commit",
        &[
            "cargo fmt --all -- --check",
            "cargo clippy --workspace --all-targets -- -D warnings",
            "STOREFRONT_FAULT_SCHEDULES=100 PROPTEST_CASES=32 cargo test --workspace",
        ],
    ),
    command("gate", "all checks that a change must pass: takes most of an hour", &[".ci/run"]),
    command(
        "nightly",
        "fuzzing, randomised tests and load, for much longer than in the gate: three hours",
        &[
            "STOREFRONT_FAULT_SCHEDULES=10000 PROPTEST_CASES=2000 STOREFRONT_OVERDUE_ORDERS=125000 STOREFRONT_MAILED_ORDERS=1000 STOREFRONT_GUESSES=10000 cargo test --workspace --locked",
            "checks/gate/upgrade-test",
            "checks/gate/migrate-test",
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
        "writes the generated tables of README and docs",
        &["cargo run --quiet --bin storefront-suite -- docs"],
    ),
    command(
        "schemas",
        "writes events/schemas from the types",
        &["UPDATE_EXPECTED=1 cargo test --quiet --workspace --lib schemas_are_those"],
    ),
    command(
        "events",
        "invokes the built functions with events/ and compares their responses; see --help",
        &["checks/gate/run-events"],
    ),
    command(
        "events --record",
        "writes the expected responses in events/",
        &["UPDATE_EXPECTED=1 cargo test --quiet --workspace --test it events"],
    ),
    command(
        "functions",
        "builds the functions for deployment, into .aws-sam/build",
        &["checks/gate/build-functions"],
    ),
    command(
        "limits",
        "builds the functions and compares their costs with checks/bench/limits.json",
        &["checks/gate/build-functions", "checks/gate/check-limits"],
    ),
    command(
        "limits --record",
        "writes their current costs into checks/bench/limits.json",
        &["checks/gate/build-functions", "checks/gate/check-limits --record"],
    ),
    command(
        "lint",
        "lints template.yaml and the workflows",
        &["checks/gate/lint-template", "checks/gate/lint-workflows"],
    ),
    command(
        "dependencies",
        "checks licences, duplicates, advisories, and that there is one TLS stack",
        &["checks/gate/check-dependencies"],
    ),
    command(
        "second-opinion",
        "runs the tests of repositories and API functions on AWS's DynamoDB Local",
        &["checks/gate/second-opinion"],
    ),
    command("tour", "runs the tour in the README", &["checks/gate/tour"]),
    command(
        "contract",
        "sends requests that openapi.json allows and forbids; --seed random varies them",
        &["checks/gate/check-contract"],
    ),
    command(
        "audit",
        "checks that the roles grant what the tests used, and that no test logged a secret",
        &[
            "rm -rf {root}/target/test-logs",
            "STOREFRONT_TEST_LOGS={root}/target/test-logs cargo test --workspace",
            "cargo run --quiet --bin audit -- {root}/target/test-logs",
        ],
    ),
    command(
        "deploy-test",
        "deploys to an AWS emulator and uses the shop there; --built takes .aws-sam/build",
        &["checks/gate/deploy-test"],
    ),
    command(
        "migrate-test",
        "migrates shops from PostgreSQL and SQLite; --orders N for smaller ones",
        &["checks/gate/migrate-test"],
    ),
    command(
        "upgrade-test",
        "upgrades a table of 0.1 while the function of 0.1, built from the history, sells",
        &["checks/gate/upgrade-test"],
    ),
    command(
        "fuzz",
        "fuzzes the targets of checks/fuzz, 20 s each: [SECONDS [TARGET…]]",
        &["checks/gate/fuzz"],
    ),
    command(
        "load",
        "load-tests the local cloud for a minute; --short, --help",
        &["checks/load/run"],
    ),
    command(
        "bench",
        "measures the functions as Lambda runs them; see --help",
        &["cargo run --release --package storefront-bench --"],
    ),
    command(RENAME, "NAME: renames the project, before its first deployment", &[]),
];

impl Command {
    /// Returns what it does and runs.
    pub(crate) fn description(&self) -> String {
        let lines = self.lines.iter().map(|line| format!("  {line}\n"));
        format!("{}: {}\n{}", self.name, self.help, lines.collect::<String>())
    }
}

/// Returns the command that these arguments begin with, and the remaining arguments.
pub(crate) fn find(arguments: &[String]) -> Option<(&'static Command, &[String])> {
    // Longer names first: a name with a flag is another command.
    [2, 1].into_iter().filter(|&words| words <= arguments.len()).find_map(|words| {
        let name = arguments[..words].join(" ");
        let command = COMMANDS.iter().find(|command| command.name == name)?;
        Some((command, &arguments[words..]))
    })
}

/// Returns the list that `cargo xtask` prints without arguments.
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
    fn only_rename_has_no_lines() {
        for command in COMMANDS {
            assert_eq!(command.lines.is_empty(), command.name == RENAME, "{command:?}");
        }
    }

    #[test]
    fn every_script_exists_unless_its_folder_is_deleted() {
        for line in COMMANDS.iter().flat_map(|command| command.lines) {
            let mut words = line.split(' ');
            if let Some(script) =
                words.find(|word| !word.contains('=')).filter(|word| word.contains('/'))
            {
                let path = crate::run::root().join(script);
                assert!(path.exists() || !path.parent().unwrap().exists(), "{script} is missing");
            }
        }
    }
}
