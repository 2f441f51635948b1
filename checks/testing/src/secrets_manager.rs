use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::evidence;

/// A fake Secrets Manager with one secret and its versions. It supports only `GetSecretValue`.
#[derive(Clone)]
pub struct SecretsManager {
    url: String,
    secret: Arc<Mutex<Secret>>,
}

#[derive(Default)]
struct Secret {
    /// Oldest first: the last one is current, the one before it previous.
    versions: Vec<Value>,
    refused: Option<String>,
    calls: Vec<String>,
}

impl SecretsManager {
    /// Starts a server without any version of the secret.
    pub async fn start() -> Self {
        evidence::start();
        let secret = Arc::<Mutex<Secret>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let app = Router::new().fallback(get_secret_value).with_state(secret.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { url, secret }
    }

    /// The URL of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts a new version, as if `PutSecretValue` were called at this time.
    pub fn put(&self, secret: &str, created_at: SystemTime) {
        evidence::token_secret(secret);
        let since_1970 = created_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.push(json!({ "SecretString": secret, "CreatedDate": since_1970.as_secs_f64() }));
    }

    /// Puts a binary version.
    pub fn put_binary(&self) {
        self.push(json!({ "SecretBinary": "AAAA" }));
    }

    /// Rejects all requests for this stage from now on.
    pub fn refuse(&self, stage: &str) {
        self.lock().refused = Some(stage.to_owned());
    }

    /// Answers all requests again.
    pub fn recover(&self) {
        self.lock().refused = None;
    }

    /// The stage that each call requested.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    fn push(&self, version: Value) {
        self.lock().versions.push(version);
    }

    fn lock(&self) -> MutexGuard<'_, Secret> {
        self.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn get_secret_value(State(secret): State<Arc<Mutex<Secret>>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).expect("the SDK sends JSON");
    let stage = request["VersionStage"].as_str().unwrap_or("AWSCURRENT");
    let mut secret = secret.lock().unwrap_or_else(PoisonError::into_inner);
    secret.calls.push(stage.to_owned());
    if secret.refused.as_deref() == Some(stage) {
        return refusal("AccessDeniedException");
    }
    let age = usize::from(stage == "AWSPREVIOUS");
    match secret.versions.iter().rev().nth(age) {
        Some(version) => Json(version).into_response(),
        // AWS answers this if no version has the stage.
        None => refusal("ResourceNotFoundException"),
    }
}

fn refusal(code: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "__type": code }))).into_response()
}
