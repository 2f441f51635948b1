//! The local SES: takes the mails that functions send, and shows them.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mail_parser::{Address, MessageParser};
use serde::Serialize;
use serde_json::{Value, json};
use storefront_core::MailToken;
use uuid::Uuid;

use crate::Error;
use crate::stream::write_durably;

/// The number of mails that are kept. Older ones are deleted.
pub const KEPT_MAILS: usize = 100;

/// The service's path for functions, on the gateway's listener.
pub(crate) const SES_PATH: &str = "/_local/ses";

/// The folder of the data directory that keeps the mails, and what their files end in.
const FOLDER: &str = "mail";
const SUFFIX: &str = "eml";

/// The page runs nothing and loads nothing, whatever a mail contains.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The mails that were sent. With a data directory, each is a file there, which mail programs open.
#[derive(Clone)]
pub(crate) struct Mailbox {
    mails: Arc<Mutex<VecDeque<Mail>>>,
    folder: Option<Arc<Path>>,
}

/// A mail, as people see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    id: Uuid,
    sent_at: String,
    from: String,
    to: String,
    subject: String,
    text: String,
    html: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Page {
    mails: VecDeque<Mail>,
}

impl Mailbox {
    /// Opens the mailbox, with the mails that are in the data directory.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, Error> {
        let folder = data_dir.map(|data_dir| data_dir.join(FOLDER));
        let mails = match &folder {
            Some(folder) => {
                kept(folder).map_err(|source| Error::DataDir { path: folder.clone(), source })?
            }
            None => VecDeque::new(),
        };
        Ok(Self { mails: Arc::new(Mutex::new(mails)), folder: folder.map(Into::into) })
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/_local/mail", get(list))
            .route(&format!("{SES_PATH}/v2/email/outbound-emails"), post(send_email))
            .with_state(self.clone())
    }

    /// Returns the mails, the oldest first.
    pub(crate) fn mails(&self) -> Vec<Value> {
        self.lock().iter().map(|mail| json!(mail)).collect()
    }

    /// Keeps a message.
    async fn keep(&self, message: Vec<u8>, mail: Mail) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            fs::create_dir_all(folder)?;
            write_durably(path(folder, mail.id), message).await?;
        }
        // Functions never log a token. This is for whoever develops.
        let token = mail.token().map(|token| format!(": {token}")).unwrap_or_default();
        tracing::info!("mail sent: {}{token} (see /_local/mail)", mail.subject);
        let mut mails = self.lock();
        mails.push_back(mail);
        while mails.len() > KEPT_MAILS {
            let oldest = mails.pop_front();
            if let (Some(folder), Some(oldest)) = (&self.folder, oldest) {
                fs::remove_file(path(folder, oldest.id))?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        // A panic never leaves a half-written list of mails.
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    /// Reads a message; `None` if it is none.
    fn read(id: Uuid, message: &[u8]) -> Option<Self> {
        let message = MessageParser::default().parse(message)?;
        let body = |body: Option<std::borrow::Cow<'_, str>>| body.unwrap_or_default().into_owned();
        Some(Self {
            id,
            sent_at: sent_at(id),
            from: mailbox(message.from()?),
            to: mailbox(message.to()?),
            subject: message.subject()?.to_owned(),
            text: body(message.body_text(0)),
            html: body(message.body_html(0)),
        })
    }

    /// The link or the code of a mail about an account, which people want to try at once.
    fn token(&self) -> Option<&str> {
        let is_code = |word: &str| {
            word.len() == MailToken::LENGTH
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let mut words = self.text.split_ascii_whitespace();
        words.find(|word| word.contains("#token=") || is_code(word))
    }

    /// The mail's page, whose links open beside the mailbox.
    fn page(&self) -> String {
        format!("<base target=\"_blank\">{}", self.html)
    }
}

/// Returns the time in an id.
fn sent_at(id: Uuid) -> String {
    let time = id.get_timestamp().and_then(|time| {
        let (seconds, nanoseconds) = time.to_unix();
        let nanoseconds = i32::try_from(nanoseconds).ok()?;
        Timestamp::new(i64::try_from(seconds).ok()?, nanoseconds).ok()
    });
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}

fn mailbox(address: &Address<'_>) -> String {
    let first = address.first();
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let (name, address) = match first {
        Some(first) => (part(first.name()), part(first.address())),
        None => return String::new(),
    };
    if name.is_empty() { address } else { format!("{name} <{address}>") }
}

fn path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.{SUFFIX}"))
}

/// Reads the newest mails of a folder, the oldest of them first.
fn kept(folder: &Path) -> io::Result<VecDeque<Mail>> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(VecDeque::new()),
        files => files?,
    };
    let mut ids = Vec::new();
    for file in files {
        let name = file?.file_name().to_string_lossy().into_owned();
        let id = name.strip_suffix(&format!(".{SUFFIX}")).and_then(|id| id.parse::<Uuid>().ok());
        ids.extend(id);
    }
    // Ids contain the time.
    ids.sort_unstable();
    let newest = ids.split_off(ids.len().saturating_sub(KEPT_MAILS));
    for old in ids {
        fs::remove_file(path(folder, old))?;
    }
    let mut mails = VecDeque::with_capacity(newest.len());
    for id in newest {
        mails.extend(Mail::read(id, &fs::read(path(folder, id))?));
    }
    Ok(mails)
}

/// Shows the mails as a page, or as JSON to who asks for it.
async fn list(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Response {
    let accepts_json = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("application/json")));
    if accepts_json {
        return Json(json!({ "mails": mailbox.mails() })).into_response();
    }
    let page = Page { mails: mailbox.lock().clone() };
    match page.render() {
        Ok(page) => {
            let policy = [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
            (policy, Html(page)).into_response()
        }
        Err(error) => {
            tracing::error!("the mails cannot be shown: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `SendEmail` of SES's second API, of raw messages only.
async fn send_email(State(mailbox): State<Mailbox>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let data = request["Content"]["Raw"]["Data"].as_str();
    let message = data.and_then(|data| STANDARD.decode(data).ok()).unwrap_or_default();
    let id = Uuid::now_v7();
    let is_addressed = request["Destination"]["ToAddresses"][0].is_string();
    let Some(mail) = Mail::read(id, &message).filter(|_| is_addressed) else {
        let refusal =
            json!({ "message": "The local SES takes raw messages with a recipient only." });
        let code = [("x-amzn-errortype", "BadRequestException")];
        return (StatusCode::BAD_REQUEST, code, Json(refusal)).into_response();
    };
    match mailbox.keep(message, mail).await {
        Ok(()) => Json(json!({ "MessageId": id })).into_response(),
        Err(error) => {
            tracing::error!("a mail cannot be kept: {error}");
            let code = [("x-amzn-errortype", "InternalServiceErrorException")];
            (StatusCode::INTERNAL_SERVER_ERROR, code).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize) -> String {
        format!(
            "From: shop@example.com\r\nTo: \"Ada\" <ada@example.com>\r\nSubject: Number {number}\r\n\r\n\
             Hello\r\n"
        )
    }

    async fn send(mailbox: &Mailbox, message: &str) -> StatusCode {
        let data = STANDARD.encode(message);
        let request = json!({
            "Destination": { "ToAddresses": ["ada@example.com"] },
            "Content": { "Raw": { "Data": data } },
        });
        send_email(State(mailbox.clone()), request.to_string()).await.status()
    }

    fn subjects(mailbox: &Mailbox) -> Vec<Value> {
        mailbox.mails().into_iter().map(|mail| mail["subject"].clone()).collect()
    }

    #[tokio::test]
    async fn the_newest_mails_are_kept_and_survive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::open(Some(folder.path())).unwrap();
        for number in 0..=KEPT_MAILS {
            assert_eq!(send(&mailbox, &message(number)).await, StatusCode::OK);
        }
        let again = Mailbox::open(Some(folder.path())).unwrap();
        for mailbox in [mailbox, again] {
            let subjects = subjects(&mailbox);
            assert_eq!(subjects.len(), KEPT_MAILS);
            assert_eq!((&subjects[0], &subjects[99]), (&json!("Number 1"), &json!("Number 100")));
        }
        let files = fs::read_dir(folder.path().join(FOLDER)).unwrap().count();
        assert_eq!(files, KEPT_MAILS);
    }

    #[tokio::test]
    async fn what_is_no_message_is_refused_and_not_shown() {
        let mailbox = Mailbox::open(None).unwrap();
        for text in ["", "no header fields", "From: shop@example.com\r\n\r\nto nobody"] {
            assert_eq!(send(&mailbox, text).await, StatusCode::BAD_REQUEST, "{text:?}");
        }
        assert_eq!(send_email(State(mailbox.clone()), "{".into()).await.status(), 400);
        assert_eq!(subjects(&mailbox), [""; 0]);
    }
}
