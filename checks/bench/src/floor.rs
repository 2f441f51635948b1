//! Builds what the functions are compared with: the least that a function can cost, and the same
//! in JavaScript.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Program;
use crate::{Error, compile};

/// The files of the function in JavaScript.
const NODE_FILES: [&str; 4] = ["bootstrap.mjs", "index.mjs", "package.json", "package-lock.json"];

/// Of this crate, at the time it was built.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("floor")
}

/// Builds a floor in Rust.
pub(crate) fn rust(package: &str, target: &Path) -> Result<Program, Error> {
    let path = compile::release(&folder().join("Cargo.toml"), package, package, target)?;
    Ok(Program { path, arguments: Vec::new() })
}

/// Bundles the function in JavaScript in the folder `build`; and which files are deployed of it.
pub(crate) fn node(build: &Path) -> Result<(Program, Vec<(PathBuf, String)>), Error> {
    fs::create_dir_all(build).map_err(Error::file(build))?;
    for file in NODE_FILES {
        let from = folder().join("node").join(file);
        fs::copy(&from, build.join(file)).map_err(Error::file(from))?;
    }
    // No package needs its scripts, and none should be run unread.
    npm(build, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])?;
    npm(build, &["run", "--silent", "build"])?;

    let node = which("node")
        .ok_or_else(|| Error::NoProgram { name: "node".to_owned(), path: PathBuf::from("PATH") })?;
    let arguments = vec![build.join("bootstrap.mjs").display().to_string()];
    // The bootstrap is Lambda's there.
    let bundle = (build.join("dist/index.cjs"), "index.cjs".to_owned());
    Ok((Program { path: node, arguments }, vec![bundle]))
}

/// Whether this machine has Node.js and its package manager.
pub(crate) fn has_node() -> bool {
    which("node").is_some() && which("npm").is_some()
}

fn npm(build: &Path, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(build);
    compile::run(command).map(drop)
}

fn which(program: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    let candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    candidates.into_iter().find(|path| path.is_file())
}
