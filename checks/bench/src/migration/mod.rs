//! What loading a shop from a relational database takes as the shop grows: `storefront-migrate`, into the
//! embedded store's table and into files for an import, with up to a million rows. Its memory must not
//! grow with them, and its rate must not fall.

mod report;
mod run;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use serde::Serialize;

use self::report::Report;
use self::run::{Loader, Sample};
use self::source::Source;
use crate::report::output::Output;
use crate::{Error, compile};

const PROGRAM: &str = "storefront-migrate";

/// How large shops, from where, and to where.
#[derive(Debug, Parser)]
pub(crate) struct MigrationArgs {
    /// How many orders the shops have; each is between three and four rows, so that these are some
    /// 10^4, 10^5 and 10^6. The last takes three gigabytes in the temporary folder (`TMPDIR` says
    /// which), until it is done.
    #[arg(long, value_delimiter = ',', default_value = "3000,30000,300000",
        value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    orders: Vec<u32>,

    /// Where they are loaded.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "import,table")]
    to: Vec<Target>,

    /// A database of `PostgreSQL` to load from as well. Schemas `bench_…` in it are made anew, which
    /// takes `psql`.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,

    /// Where `storefront-migrate` is built already; without it it is built.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,

    #[command(flatten)]
    output: Output,
}

/// Where a shop is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Target {
    /// Files for an import: what reading, transforming and writing takes without a table.
    Import,
    /// The embedded store's table, in a process of its own.
    Table,
}

/// Measures, and leaves nothing behind, also when it is interrupted.
pub(crate) async fn run(args: &MigrationArgs, root: &Path) -> Result<(), Error> {
    let program = if let Some(program) = &args.program {
        program.clone()
    } else {
        eprintln!("building {PROGRAM}");
        let manifest = root.join("Cargo.toml");
        compile::build("load", &manifest, PROGRAM, PROGRAM, &compile::target(root))?
    };
    let folder = tempfile::tempdir().map_err(Error::io("cannot make a folder"))?;
    let mapping = root.join("tools/migrate/examples/integer-keys/migration.toml");
    let loader = Loader { program, mapping, folder: folder.path().to_owned() };
    let samples = tokio::select! {
        samples = measured(args, &loader) => samples?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(Error::io("cannot wait for an interruption"))?;
            return Err(Error::Interrupted);
        }
    };
    let report = Report::new(samples);
    print!("{}", report.text());
    args.output.write(&report, &report.page())
}

/// One shop after the other, the smallest first, and none kept longer than it is needed.
async fn measured(args: &MigrationArgs, loader: &Loader) -> Result<Vec<Sample>, Error> {
    let orders: BTreeSet<_> = args.orders.iter().copied().collect();
    let targets: BTreeSet<_> = args.to.iter().copied().collect();
    let mut samples = Vec::new();
    for orders in orders {
        let mut sources = vec![Source::sqlite(&loader.folder)];
        if let Some(url) = &args.postgres {
            sources.push(Source::postgres(url, orders)?);
        }
        for source in sources {
            loader.generate(&source, orders).await?;
            for &target in &targets {
                let sample = loader.load(&source, orders, target).await?;
                eprintln!("{sample}");
                samples.push(sample);
            }
            source.remove()?;
        }
    }
    Ok(samples)
}
