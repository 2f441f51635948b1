//! `cargo xtask rename NAME`: renames the project.
//!
//! Only for use before the first deployment: clients and subscribers rely on the name, and CloudFormation
//! would replace the resources that it names after it.

mod name;
mod tokens;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

use name::{Name, Names};

use crate::run;

/// The project's current name.
const NAME: &str = "storefront";

/// A password that contains the name. It is not renamed, because its hashes are recorded in many places.
const KEPT: &str = "storefront-demo";

/// Updates what depends on the name: lock files, the order of imports, openapi.json, generated tables.
const AFTERWARDS: &[&str] = &[
    "cargo update --quiet --workspace --offline",
    "cargo update --quiet --workspace --offline --manifest-path checks/bench/floor/Cargo.toml",
    "cargo fmt --all",
    "cargo fmt --manifest-path checks/bench/floor/Cargo.toml --all",
    "cargo fmt --manifest-path checks/fuzz/Cargo.toml",
    "cargo xtask openapi",
    "cargo xtask docs",
];

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [name] = arguments else {
        eprintln!("cargo xtask rename NAME");
        return ExitCode::from(2);
    };
    match rename(name, &run::root()) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn rename(text: &str, root: &Path) -> Result<String, String> {
    let name = Name::parse(text)?;
    let names = Names::new(Name::parse(NAME)?, name, KEPT);
    let changes = git(root, &["status", "--porcelain"])?;
    if !changes.is_empty() {
        return Err(format!(
            "commit or stash these first, so that git can undo a rename:\n{changes}"
        ));
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).map_err(|error| error.to_string())?;
    if let Some(taken) = names.collision(&packages(&lock)) {
        return Err(format!("{taken} is a crate that the project uses; choose another name"));
    }
    let files = git(root, &["ls-files", "-z"])?;
    let files: Vec<&str> = files.split_terminator('\0').collect();
    if programs(&files).contains(text) {
        return Err(format!("{text} is another program of the project; choose another name"));
    }
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let with_the_word = files.iter().filter(|file| names.occurs_in(&read(file))).count();

    let mut renamed = 0;
    for file in files {
        renamed +=
            u32::from(rename_file(root, file, &names).map_err(|error| format!("{file}: {error}"))?);
    }
    for line in AFTERWARDS {
        let is_deleted = line
            .split_once("--manifest-path ")
            .and_then(|(_, rest)| rest.split(' ').next())
            .is_some_and(|manifest| !root.join(manifest).exists());
        if !is_deleted && run::lines(&[line], &[]) != 0 {
            return Err(format!(
                "{line} failed. Undo the rename with `git reset --hard`, or fix it and run the rest:\n{}",
                AFTERWARDS.join("\n")
            ));
        }
    }
    let mut summary = names.summary(renamed);
    // README has an example.
    if with_the_word > 1 {
        let _ = write!(
            summary,
            "\n{with_the_word} files had this word before. A second rename would change it there, too: to choose \
             another name, undo this one with git first."
        );
    }
    Ok(summary)
}

/// Returns the names of the functions' programs, which are those of their folders, and of additional ones.
fn programs<'a>(files: &[&'a str]) -> BTreeSet<&'a str> {
    let function = |file: &'a str| file.strip_prefix("functions/")?.split('/').next();
    let additional = |file: &'a str| file.split_once("src/bin/")?.1.strip_suffix(".rs");
    files.iter().filter_map(|file| function(file).or_else(|| additional(file))).collect()
}

/// Renames the project in the file and its path, and returns whether anything changed. Skips files that
/// are not text, and the licences, because the authors of this code keep their copyright.
fn rename_file(root: &Path, file: &str, names: &Names) -> io::Result<bool> {
    let path = root.join(file);
    if path.is_symlink() || file.starts_with("LICENSE") {
        return Ok(false);
    }
    let Ok(text) = String::from_utf8(fs::read(&path)?) else { return Ok(false) };
    let renamed = names.replace(&tokens::resign(&text, names));
    if renamed != text {
        fs::write(&path, &renamed)?;
    }
    let new_file = names.replace(file);
    if new_file != file {
        let new_path = root.join(&new_file);
        fs::create_dir_all(new_path.parent().unwrap_or(root))?;
        fs::rename(&path, new_path)?;
    }
    Ok(renamed != text || new_file != file)
}

/// Returns the names of the packages in a Cargo.lock.
fn packages(lock: &str) -> BTreeSet<&str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).current_dir(root).output();
    let output = output.map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_a_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"tower-http\"\nversion = \"0.7.0\"\n\n[[package]]\nname = \"http\"\n";
        assert_eq!(packages(lock), BTreeSet::from(["http", "tower-http"]));
    }

    #[test]
    fn every_manifest_that_is_updated_afterwards_exists_unless_its_folder_is_deleted() {
        for line in AFTERWARDS {
            let words: Vec<&str> = line.split(' ').collect();
            if let Some(at) = words.iter().position(|word| *word == "--manifest-path") {
                let manifest = run::root().join(words[at + 1]);
                let folder = manifest.parent().unwrap_or(&manifest);
                assert!(manifest.exists() || !folder.exists(), "{line}");
            }
        }
    }
}
