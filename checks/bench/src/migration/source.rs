//! Databases to load from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, compile};

/// A database, which is empty at first.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) url: String,
    kept: Kept,
}

enum Kept {
    File(PathBuf),
    Schema { server: String, schema: String },
}

impl Source {
    pub(super) fn sqlite(folder: &Path) -> Self {
        let file = folder.join("shop.db");
        Self { name: "SQLite", url: format!("sqlite:{}", file.display()), kept: Kept::File(file) }
    }

    /// A schema of its own.
    pub(super) fn postgres(server: &str, orders: u32) -> Result<Self, Error> {
        let schema = format!("bench_{orders}");
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}");
        psql(server, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"))?;
        Ok(Self {
            name: "PostgreSQL",
            url,
            kept: Kept::Schema { server: server.to_owned(), schema },
        })
    }

    pub(super) fn remove(self) -> Result<(), Error> {
        match self.kept {
            Kept::File(file) => fs::remove_file(&file).map_err(Error::file(file)),
            Kept::Schema { server, schema } => {
                psql(&server, &format!("DROP SCHEMA {schema} CASCADE"))
            }
        }
    }
}

fn psql(server: &str, statements: &str) -> Result<(), Error> {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statements]);
    command.env("PGOPTIONS", "--client-min-messages=warning").arg(server);
    compile::run(command).map(drop)
}
