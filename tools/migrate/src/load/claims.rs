//! Decides who gets an email or an id that several users claim.
//!
//! A batch overwrites existing items, so it would overwrite the guard of an email, and two users
//! would have it. So all users are read once beforehand, and their claims are sorted in a file.
//! However many users there are, memory holds only a page. The file contains hashes of the emails,
//! not the emails.

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Row as _, Sqlite};
use std::path::{Path, PathBuf};
use uuid::Uuid;

use crate::{Error, Key, Kind, Migrated, Reader, Reason, Unit};
use storefront_core::User;

/// How many claims are written at once.
const AT_ONCE: usize = 200;

const SCHEMA: &str = "
    CREATE TABLE claim (key TEXT, shown TEXT, id BLOB, email BLOB, created_at INTEGER);
    CREATE TABLE lost (key TEXT PRIMARY KEY, what TEXT, winner TEXT) WITHOUT ROWID";

/// The oldest wins; among equally old ones, the first that was read. The loser of an id claims no
/// email.
const SORT: &str = "
    INSERT INTO lost SELECT key, 'id', winner FROM (
        SELECT key, FIRST_VALUE(shown) OVER same AS winner, ROW_NUMBER() OVER same AS place
        FROM claim WINDOW same AS (PARTITION BY id ORDER BY created_at, rowid)
    ) WHERE place > 1;
    INSERT INTO lost SELECT key, 'email', winner FROM (
        SELECT key, FIRST_VALUE(shown) OVER same AS winner, ROW_NUMBER() OVER same AS place
        FROM claim WHERE key NOT IN (SELECT key FROM lost)
        WINDOW same AS (PARTITION BY email ORDER BY created_at, rowid)
    ) WHERE place > 1;
    DROP TABLE claim";

/// The users who lost a claim.
#[derive(Debug)]
pub(crate) struct Claims {
    path: PathBuf,
    connection: SqliteConnection,
}

struct Claim {
    key: String,
    shown: String,
    id: Uuid,
    email: [u8; 16],
    created_at: i64,
}

impl Claims {
    /// Reads all users, and decides who gets what.
    pub(crate) async fn read(reader: &mut Reader, path: &Path) -> Result<Self, Error> {
        // An existing file is from an earlier run, which may have been interrupted.
        match std::fs::remove_file(path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::State { path: path.to_owned(), source });
            }
            _ => {}
        }
        let connection = Self::create(path).await.map_err(Error::Claims)?;
        let mut claims = Self { path: path.to_owned(), connection };
        let mut users = reader.units(Kind::User, None);
        let mut some = Vec::with_capacity(AT_ONCE);
        while let Some(read) = users.try_next().await? {
            if let (Some(key), Ok(Unit::User(user))) = (read.key, &read.unit) {
                some.push(Claim::of(&key, user)?);
            }
            if some.len() == AT_ONCE {
                claims.write(&some).await.map_err(Error::Claims)?;
                some.clear();
            }
        }
        drop(users);
        claims.write(&some).await.map_err(Error::Claims)?;
        sqlx::raw_sql(SORT).execute(&mut claims.connection).await.map_err(Error::Claims)?;
        Ok(claims)
    }

    async fn create(path: &Path) -> sqlx::Result<SqliteConnection> {
        // Only its owner can read it, from the beginning.
        super::state::private()
            .create(true)
            .write(true)
            .truncate(true)
            .open(path)
            .map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            // After a crash it is created again.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .pragma("temp_store", "FILE");
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
        Ok(connection)
    }

    async fn write(&mut self, claims: &[Claim]) -> sqlx::Result<()> {
        if claims.is_empty() {
            return Ok(());
        }
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO claim ");
        insert.push_values(claims, |mut row, claim| {
            row.push_bind(claim.key.clone())
                .push_bind(claim.shown.clone())
                .push_bind(claim.id.as_bytes().to_vec())
                .push_bind(claim.email.to_vec())
                .push_bind(claim.created_at);
        });
        insert.build().execute(&mut self.connection).await.map(drop)
    }

    /// Returns which claim the user with this key lost, if any.
    pub(crate) async fn lost(&mut self, key: &Key) -> Result<Option<Reason>, Error> {
        let key = serde_json::to_string(key).map_err(Error::Json)?;
        let found = sqlx::query("SELECT what, winner FROM lost WHERE key = ?")
            .bind(key)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(Error::Claims)?;
        let Some(row) = found else { return Ok(None) };
        let what: String = row.try_get("what").map_err(Error::Claims)?;
        let winner: String = row.try_get("winner").map_err(Error::Claims)?;
        Ok(Some(match what.as_str() {
            "id" => Reason::SharedId { winner },
            _ => Reason::SharedEmail { winner },
        }))
    }

    /// Removes the file.
    pub(crate) async fn remove(self) -> Result<(), Error> {
        self.connection.close().await.map_err(Error::Claims)?;
        std::fs::remove_file(&self.path)
            .map_err(|source| Error::State { path: self.path.clone(), source })
    }
}

impl Claim {
    fn of(key: &Key, user: &Migrated<User>) -> Result<Self, Error> {
        let mut email = [0; 16];
        // Normalised, like the guard's key.
        email.copy_from_slice(&Sha256::digest(user.value.email.as_str())[..16]);
        Ok(Self {
            key: serde_json::to_string(key).map_err(Error::Json)?,
            shown: key.to_string(),
            id: user.value.id.into(),
            email,
            created_at: user.value.created_at.as_millis(),
        })
    }
}
