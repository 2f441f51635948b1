//! Prints and runs the lines of a command.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus};

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Runs these lines one after the other. Returns the exit code of the first that fails, or 0.
///
/// Skips scripts that are missing, because a clone may delete what it does not need. Fails if all of them are missing.
pub(crate) fn lines(lines: &[&str], arguments: &[String]) -> u8 {
    let root = root();
    let mut any_ran = false;
    for (index, line) in lines.iter().enumerate() {
        let more = if index + 1 == lines.len() { arguments } else { &[] };
        let line = Line::parse(line, more, &root);
        if line.is_missing(&root) {
            eprintln!("skipped, because it is missing: {}", line.program());
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

/// A program, its arguments, and variables to add to its environment.
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

    /// Returns whether this is a script of the repository that has been deleted.
    fn is_missing(&self, root: &Path) -> bool {
        self.program().contains('/') && !root.join(self.program()).exists()
    }

    /// Prints the line in shell syntax, runs it, and returns its exit code.
    fn run(&self, root: &Path) -> u8 {
        eprintln!("+ {self}");
        let program = if self.program().contains('/') {
            root.join(self.program())
        } else {
            PathBuf::from(self.program())
        };
        let mut command = process::Command::new(program);
        command.args(&self.words[1..]).current_dir(root);
        // `cargo run` sets these for xtask. Build scripts below would see them as a change.
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
                // The same codes as a shell's.
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

/// Returns the exit code. For a program that was killed by a signal, the same code as a shell.
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
    fn a_line_is_printed_in_shell_syntax() {
        let line =
            Line::parse("A=1 cargo test {root}/x", &["it's".to_owned()], Path::new("/my shop"));
        assert_eq!(line.variables, [("A".to_owned(), "1".to_owned())]);
        assert_eq!(line.words, ["cargo", "test", "/my shop/x", "it's"]);
        assert_eq!(line.to_string(), r"A=1 cargo test '/my shop/x' 'it'\''s'");
    }

    #[test]
    fn the_exit_code_of_the_first_failing_line_is_returned() {
        assert_eq!(lines(&["true", "true"], &[]), 0);
        let exit = ["-c".to_owned(), "exit 7".to_owned()];
        assert_eq!(lines(&["true", "sh"], &exit), 7);
        assert_eq!(lines(&["false", "true"], &[]), 1);
        assert_eq!(lines(&["sh"], &["-c".to_owned(), "kill -TERM $$".to_owned()]), 128 + 15);
        assert_eq!(lines(&["no-such-program-anywhere"], &[]), 127);
    }

    #[test]
    fn a_missing_script_is_skipped_unless_all_are_missing() {
        assert_eq!(lines(&["checks/deleted/run", "true"], &[]), 0);
        assert_eq!(lines(&["checks/deleted/run"], &[]), 1);
    }
}
