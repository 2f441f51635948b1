//! Builds the programs that the functions are compared with: minimal functions in Rust, and one in
//! JavaScript.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Program;
use crate::{Error, compile};

/// The files of the JavaScript function.
const NODE_FILES: [&str; 4] = ["bootstrap.mjs", "index.mjs", "package.json", "package-lock.json"];

/// The folder in this crate's sources, at the path where it was compiled.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("floor")
}

/// Builds a minimal function in Rust.
pub(crate) fn rust(package: &str, target: &Path) -> Result<Program, Error> {
    let path = compile::release(&folder().join("Cargo.toml"), package, package, target)?;
    Ok(Program { path, arguments: Vec::new() })
}

/// Bundles the JavaScript function in the folder `build`; returns the files to deploy as well.
pub(crate) fn node(build: &Path) -> Result<(Program, Vec<(PathBuf, String)>), Error> {
    fs::create_dir_all(build).map_err(Error::file(build))?;
    for file in NODE_FILES {
        let from = folder().join("node").join(file);
        fs::copy(&from, build.join(file)).map_err(Error::file(from))?;
    }
    // No package needs its install scripts, and unreviewed ones should not run.
    npm(build, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])?;
    npm(build, &["run", "--silent", "build"])?;

    let node = which("node")
        .ok_or_else(|| Error::NoProgram { name: "node".to_owned(), path: PathBuf::from("PATH") })?;
    let arguments = vec![build.join("bootstrap.mjs").display().to_string()];
    // Without the bootstrap: on Lambda, the runtime brings its own.
    let bundle = (build.join("dist/index.cjs"), "index.cjs".to_owned());
    Ok((Program { path: node, arguments }, vec![bundle]))
}

/// Returns whether this machine has Node.js and npm.
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
