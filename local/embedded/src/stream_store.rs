//! Keeps the stream of a database as short as DynamoDB's, and its writes fast.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// Each write looks up the table's last sequence number. Without this index, that would read all of
/// the table's stream records, and writes would slow down as the records accumulate.
const INDEX: &str = "
    CREATE INDEX IF NOT EXISTS storefront_stream_position
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// DynamoDB removes stream records after 24 hours. The embedded database would keep them forever.
const FORGET: &str = "DELETE FROM _stream_records WHERE created_at < unixepoch() - 24 * 60 * 60";

/// Creates the index and removes old records, over a separate connection, because dynoxide offers
/// neither.
pub(crate) fn tend(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute(INDEX, [])?;
    connection.execute(FORGET, [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use dynoxide::Database;

    use super::*;

    /// dynoxide's query before each write.
    const NEXT_POSITION: &str = "
        EXPLAIN QUERY PLAN
        SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1
        FROM _stream_records WHERE table_name = 'storefront'";

    #[test]
    fn a_write_reads_only_the_last_stream_record_on_disk_and_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dynamodb.sqlite");
        for path in [file.as_path(), Path::new("file:stream-store?mode=memory&cache=shared")] {
            let _database = Database::new(path.to_str().unwrap()).unwrap();
            tend(path).unwrap();

            let connection = Connection::open(path).unwrap();
            let plan: String =
                connection.query_row(NEXT_POSITION, [], |row| row.get("detail")).unwrap();
            assert!(plan.contains("storefront_stream_position"), "{}: {plan}", path.display());
        }
    }
}
