//! The local S3: takes the objects that functions put into the bucket of failed records.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::put;

use crate::TABLE_NAME;
use crate::stream::{FAILED_RECORDS, write_durably};

/// The service's path for functions, on the gateway's listener.
pub(crate) const S3_PATH: &str = "/_local/s3";

/// The name of the bucket of failed records.
pub(crate) const BUCKET: &str = TABLE_NAME;

/// The bucket of failed records: a folder of the data directory, in which the stream triggers keep
/// their failed batches, too.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// Without a data directory, objects are only in the log.
    folder: Option<Arc<Path>>,
}

impl Bucket {
    pub(crate) fn new(data_dir: Option<&Path>) -> Self {
        Self { folder: data_dir.map(|data_dir| data_dir.join(FAILED_RECORDS).into()) }
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route(&format!("{S3_PATH}/{BUCKET}/{{*key}}"), put(put_object))
            .with_state(self.clone())
    }

    async fn put(&self, key: &str, content: String) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            tracing::error!("put aside {key}: {content}");
            return Ok(());
        };
        let path = folder.join(key);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        write_durably(path.clone(), content.into_bytes()).await?;
        tracing::error!("put aside {}", path.display());
        Ok(())
    }
}

async fn put_object(
    State(bucket): State<Bucket>,
    UrlPath(key): UrlPath<String>,
    content: String,
) -> (StatusCode, &'static str) {
    if !is_within_the_folder(&key) {
        return (StatusCode::BAD_REQUEST, "the key is not a relative path without `..`");
    }
    match bucket.put(&key, content).await {
        Ok(()) => (StatusCode::OK, ""),
        Err(error) => {
            tracing::error!("cannot keep {key}: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "the object cannot be written; see the log")
        }
    }
}

fn is_within_the_folder(key: &str) -> bool {
    let path = PathBuf::from(key);
    let is_plain = |part| matches!(part, std::path::Component::Normal(_));
    path.file_name().is_some() && path.components().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_leaves_the_folder() {
        assert!(is_within_the_folder("order-events/2026-11-30/a.json"));
        for key in ["/etc/passwd", "../a", "a/../../b", "a/..", ""] {
            assert!(!is_within_the_folder(key), "{key}");
        }
    }

    #[tokio::test]
    async fn an_object_is_a_file_of_the_failed_records() {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Bucket::new(Some(folder.path()));
        bucket.put("order-events/2026-11-30/a.json", "first".to_owned()).await.unwrap();
        bucket.put("order-events/2026-11-30/a.json", "again".to_owned()).await.unwrap();
        let path = folder.path().join("failed-records/order-events/2026-11-30/a.json");
        assert_eq!(fs::read_to_string(path).unwrap(), "again");
    }
}
