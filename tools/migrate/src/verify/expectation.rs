//! What a load writes of the source's units, and what it rejects.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;

use serde::Deserialize;
use storefront_core::schema::Item;
use tempfile::TempDir;

use crate::load::state::{Folder, Identity};
use crate::load::table::Target;
use crate::load::{self, claims::Claims};
use crate::source::Read;
use crate::{Entity, Error, Kind, Mapping, Reader, Reason, Reject, Unit};

/// Knows what the table should have of each unit of the source.
#[derive(Debug)]
pub(super) struct Expectation {
    claims: Claims,
    kept: Kept,
    /// Contains the claims.
    _folder: TempDir,
}

/// What the table should have of a unit.
#[derive(Debug)]
pub(super) enum Expects {
    These(Vec<Item>),
    /// These or nothing. In the source, an older user has the same email, but they came later, when
    /// it was already taken in the table.
    Perhaps(Vec<Item>),
    /// A load rejects it.
    Nothing(Box<Reject>),
}

/// The units that catch-ups did not write, because they were changed in the table (false), or
/// because somebody else has their email there (true).
#[derive(Debug, Default)]
pub(super) struct Kept(HashMap<(Kind, String), bool>);

/// The fields of a reject that are read.
#[derive(Deserialize)]
struct Line {
    entity: Entity,
    key: Option<String>,
    kind: String,
}

impl Expectation {
    /// Reads all users once, like a load.
    pub(super) async fn read(reader: &mut Reader, kept: Kept) -> Result<Self, Error> {
        let folder = tempfile::tempdir()
            .map_err(|source| Error::State { path: std::env::temp_dir(), source })?;
        let claims = Claims::read(reader, &folder.path().join("claims.sqlite")).await?;
        Ok(Self { claims, kept, _folder: folder })
    }

    /// Returns what the table should have of a unit.
    pub(super) async fn of(&mut self, read: Read) -> Result<Expects, Error> {
        let lost = match (&read.key, &read.unit) {
            (Some(key), Ok(Unit::User(_))) => self.claims.lost(key).await?,
            _ => None,
        };
        let (lost, is_open) = match lost {
            Some(Reason::SharedEmail { winner }) if self.kept.came_late(&winner) => (None, true),
            lost => (lost, false),
        };
        Ok(match load::items(read, lost)? {
            Ok((_, items)) if is_open => Expects::Perhaps(items),
            Ok((_, items)) => Expects::These(items),
            Err(reject) => Expects::Nothing(reject),
        })
    }

    /// Whether a catch-up has kept what the table has of a unit.
    pub(super) fn is_kept(&self, kind: Kind, legacy_id: &str) -> bool {
        self.kept.0.contains_key(&(kind, legacy_id.to_owned()))
    }
}

impl Kept {
    /// Reads them from the state folder of the load, which must have this mapping, source and
    /// table.
    pub(super) fn of_load(
        folder: &Path,
        mapping: &Mapping,
        url: &str,
        target: &Target,
    ) -> Result<Self, Error> {
        // Opening a missing folder would create it.
        if !folder.is_dir() {
            return Err(Error::NotLoaded(folder.to_owned()));
        }
        let folder = Folder::open(folder)?;
        let state = folder.read()?.filter(load::state::State::is_loaded);
        let state = state.ok_or_else(|| Error::NotLoaded(folder.path().to_owned()))?;
        let now = Identity::new(mapping, url, target.name.clone(), target.id.clone())?;
        if let Some(difference) = state.of.imported_into(&now).difference(&now) {
            let folder = folder.path().to_owned();
            return Err(Error::NotOfThisLoad { folder, difference });
        }
        let mut kept = Self::default();
        for number in 1..=state.catch_ups {
            let path = folder.join(&load::catch_up_rejects(number));
            let read = kept.add(&path);
            read.map_err(|source| Error::State { path, source })?;
        }
        Ok(kept)
    }

    fn add(&mut self, path: &Path) -> std::io::Result<()> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        for line in BufReader::new(file).lines() {
            let Line { entity, key, kind } = serde_json::from_str(&line?)?;
            let is_taken = match kind.as_str() {
                Reason::EMAIL_TAKEN => true,
                Reason::KEPT => false,
                _ => continue,
            };
            let kind = Kind::ALL.into_iter().find(|kind| kind.entity() == entity);
            if let (Some(kind), Some(key)) = (kind, key) {
                self.0.insert((kind, key), is_taken);
            }
        }
        Ok(())
    }

    /// Whether a catch-up found the email of a user taken.
    fn came_late(&self, legacy_id: &str) -> bool {
        self.0.get(&(Kind::User, legacy_id.to_owned())).is_some_and(|is_taken| *is_taken)
    }
}
