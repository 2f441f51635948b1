//! The programs that are measured: the functions, and those that they are compared with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use storefront_template::{Function, Template};

use crate::event::{self, Operation};
use crate::package::{Size, size};
use crate::process::Program;
use crate::services::Services;
use crate::{Error, compile, floor};

/// The role of a subject in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Function,
    /// Hello world, without the SDK.
    Hello,
    /// A minimal function that does the same.
    GetItem,
    /// A function in JavaScript that does the same.
    Node,
}

/// A program that is measured.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) size: Size,
}

/// One event of one program.
pub(crate) struct Case {
    /// Index of the subject.
    pub(crate) subject: usize,
    pub(crate) operation: Operation,
}

/// Everything that a run measures. Cases with the same operation are adjacent.
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) cases: Vec<Case>,
}

impl Plan {
    /// Plans the functions with these names, or all, and the programs that they are compared with.
    /// Builds the programs; without a folder, the functions too.
    pub(crate) fn make(
        root: &Path,
        template: &Template,
        services: &Services,
        names: &[String],
        with_node: bool,
        bin_dir: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut plan = Self { subjects: Vec::new(), cases: Vec::new() };
        let target = compile::target(root).join("floor");
        let hello = plan.add_floor(Kind::Hello, "floor-hello", &target, services)?;
        let operation = event::hello(&event::operations(root)?);
        plan.cases.push(Case { subject: hello, operation });

        let mut others =
            vec![plan.add_floor(Kind::GetItem, "floor-get-item", &target, services)?];
        if with_node && floor::has_node() {
            others.push(plan.add_node(services)?);
        }
        let functions = chosen(template, names)?;
        plan.add_functions(root, functions, services, bin_dir, &others)?;
        Ok(plan)
    }

    /// Plans all functions, without comparison.
    pub(crate) fn of_functions(
        root: &Path,
        template: &Template,
        services: &Services,
        bin_dir: &Path,
    ) -> Result<Self, Error> {
        let mut plan = Self { subjects: Vec::new(), cases: Vec::new() };
        plan.add_functions(root, chosen(template, &[])?, services, Some(bin_dir), &[])?;
        Ok(plan)
    }

    /// Adds the functions with all their events, and the other programs that answer the same
    /// events.
    fn add_functions(
        &mut self,
        root: &Path,
        functions: Vec<Function>,
        services: &Services,
        bin_dir: Option<&Path>,
        others: &[usize],
    ) -> Result<(), Error> {
        let operations = event::operations(root)?;
        for function in functions {
            let subject = self.add_function(root, &function, services, bin_dir)?;
            let is_its = |operation: &&Operation| operation.function == function.binary;
            let its: Vec<_> = operations.iter().filter(is_its).collect();
            if its.is_empty() {
                return Err(Error::NoEvent(function.binary));
            }
            for operation in its {
                let others = others.iter().copied().filter(|_| operation.comparable);
                for subject in std::iter::once(subject).chain(others) {
                    self.cases.push(Case { subject, operation: operation.clone() });
                }
            }
        }
        Ok(())
    }

    /// The program and the event, for messages.
    pub(crate) fn name(&self, case: &Case) -> String {
        format!("{}: {}", self.subjects[case.subject].name, case.operation.name)
    }

    fn add_floor(
        &mut self,
        kind: Kind,
        name: &str,
        target: &Path,
        services: &Services,
    ) -> Result<usize, Error> {
        eprintln!("building {name}");
        let program = floor::rust(name, target)?;
        self.add_deployed(name, kind, program, services.variables(None)?, services)
    }

    fn add_node(&mut self, services: &Services) -> Result<usize, Error> {
        eprintln!("building floor-node");
        let (program, files) = floor::node(&services.folder().join("node"))?;
        self.add("floor-node", Kind::Node, program, services.variables(None)?, &files)
    }

    fn add_function(
        &mut self,
        root: &Path,
        function: &Function,
        services: &Services,
        bin_dir: Option<&Path>,
    ) -> Result<usize, Error> {
        let name = &function.binary;
        let program = program(root, name, bin_dir)?;
        self.add_deployed(
            name,
            Kind::Function,
            program,
            services.variables(Some(function))?,
            services,
        )
    }

    /// Adds a copy of the program, because Lambda also runs a copy, unpacked from a zip. How a file
    /// was written affects the size of the chunks in which it is loaded: a linker's output took up
    /// to a sixth longer to start.
    fn add_deployed(
        &mut self,
        name: &str,
        kind: Kind,
        program: Program,
        variables: BTreeMap<String, String>,
        services: &Services,
    ) -> Result<usize, Error> {
        let path = services.folder().join(format!("{name}.bootstrap"));
        fs::copy(&program.path, &path).map_err(Error::file(&program.path))?;
        let files = [(path.clone(), "bootstrap".to_owned())];
        self.add(name, kind, Program { path, ..program }, variables, &files)
    }

    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        program: Program,
        variables: BTreeMap<String, String>,
        files: &[(PathBuf, String)],
    ) -> Result<usize, Error> {
        let size = size(files).map_err(Error::file(&program.path))?;
        self.subjects.push(Subject { name: name.to_owned(), kind, program, variables, size });
        Ok(self.subjects.len() - 1)
    }
}

/// A function's program: the one in the folder, or else a new build.
pub(crate) fn program(root: &Path, name: &str, bin_dir: Option<&Path>) -> Result<Program, Error> {
    let path = if let Some(folder) = bin_dir {
        built(folder, name)?
    } else {
        eprintln!("building {name}");
        let package = format!("storefront-{name}");
        compile::release(&root.join("Cargo.toml"), &package, name, &compile::target(root))?
    };
    Ok(Program { path, arguments: Vec::new() })
}

/// The template's functions with these names, or all.
pub(crate) fn chosen(template: &Template, names: &[String]) -> Result<Vec<Function>, Error> {
    let all: Vec<_> = template.functions()?.into_values().collect();
    let known = || all.iter().map(|function| function.binary.clone()).collect();
    for name in names {
        if !all.iter().any(|function| function.binary == *name) {
            return Err(Error::UnknownFunction { name: name.clone(), known: known() });
        }
    }
    let is_chosen = |function: &Function| names.is_empty() || names.contains(&function.binary);
    Ok(all.into_iter().filter(is_chosen).collect())
}

/// Finds a program where `cargo lambda build` or `cargo build` puts it.
fn built(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    let candidates = [path.join("bootstrap"), path.clone()];
    let found = candidates.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| Error::NoProgram { name: name.to_owned(), path })
}
