//! Runs the lines of a command, and says so.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus};

/// The repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Runs these lines one after the other. Gives the exit code of the first that fails, or 0.
///
/// A script that is gone is left out where others remain: a clone may delete what it does not need.
pub(crate) fn lines(lines: &[&str], arguments: &[String]) -> u8 {
    let root = root();
    let mut any_ran = false;
    for (index, line) in lines.iter().enumerate() {
        let more = if index + 1 == lines.len() { arguments } else { &[] };
        let line = Line::parse(line, more, &root);
        if line.is_missing(&root) {
            eprintln!("left out, because it is not there: {}", line.program());
            continue;
        }
        any_ran = true;
        let code = line.run(&root);
        if code != 0 {
            return code;
        }
    }
    u8::from(!any_ran)
}

/// A program, its arguments, and what is added to its environment.
#[derive(Debug, PartialEq)]
struct Line {
    variables: Vec<(String, String)>,
    words: Vec<String>,
}

impl Line {
    fn parse(line: &str, arguments: &[String], root: &Path) -> Self {
        let root = root.to_string_lossy();
        let words = line.split_whitespace().map(|word| word.replace("{root}", &root));
        let mut parsed = Self { variables: Vec::new(), words: Vec::new() };
        for word in words {
            match word.split_once('=') {
                Some((name, value)) if parsed.words.is_empty() => {
                    parsed.variables.push((name.to_owned(), value.to_owned()));
                }
                _ => parsed.words.push(word),
            }
        }
        parsed.words.extend_from_slice(arguments);
        parsed
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether it is a script of this repository that has been deleted.
    fn is_missing(&self, root: &Path) -> bool {
        self.program().contains('/') && !root.join(self.program()).exists()
    }

    /// Prints it as a shell would take it, runs it, and gives its exit code.
    fn run(&self, root: &Path) -> u8 {
        eprintln!("+ {self}");
        let program = if self.program().contains('/') {
            root.join(self.program())
        } else {
            PathBuf::from(self.program())
        };
        let mut command = process::Command::new(program);
        command.args(&self.words[1..]).current_dir(root);
        // `cargo run` describes the package that it runs. To a build script below, that would be a change.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        match command.status() {
            Ok(status) => code(status),
            Err(error) => {
                eprintln!("{}: {error}", self.program());
                // What a shell says.
                if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
            }
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variables =
            self.variables.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let words = self.words.iter().map(|word| quoted(word));
        f.write_str(&variables.chain(words).collect::<Vec<_>>().join(" "))
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The exit code; of a program that a signal ended, what a shell says.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return u8::try_from(128 + signal).unwrap_or(1);
        }
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_printed_as_a_shell_takes_it() {
        let line =
            Line::parse("A=1 cargo test {root}/x", &["it's".to_owned()], Path::new("/my shop"));
        assert_eq!(line.variables, [("A".to_owned(), "1".to_owned())]);
        assert_eq!(line.words, ["cargo", "test", "/my shop/x", "it's"]);
        assert_eq!(line.to_string(), r"A=1 cargo test '/my shop/x' 'it'\''s'");
    }

    #[test]
    fn the_exit_code_of_the_first_that_fails_is_passed_on() {
        assert_eq!(lines(&["true", "true"], &[]), 0);
        let exit = ["-c".to_owned(), "exit 7".to_owned()];
        assert_eq!(lines(&["true", "sh"], &exit), 7);
        assert_eq!(lines(&["false", "true"], &[]), 1);
        assert_eq!(lines(&["sh"], &["-c".to_owned(), "kill -TERM $$".to_owned()]), 128 + 15);
        assert_eq!(lines(&["no-such-program-anywhere"], &[]), 127);
    }

    #[test]
    fn a_deleted_script_is_left_out_unless_there_is_nothing_else() {
        assert_eq!(lines(&["checks/deleted/run", "true"], &[]), 0);
        assert_eq!(lines(&["checks/deleted/run"], &[]), 1);
    }
}
