//! An SES that supports only `SendEmail` of raw messages, keeps them, and fails on demand.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use mail_parser::MessageParser;
use serde_json::{Value, json};

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// The mail is sent.
    Send,
    /// The mail is sent, and the answer breaks off.
    SendAndBreakOff,
    /// The mail is not sent.
    Fail(u16, &'static str),
}

/// A mail that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// Whom SES delivers it to.
    pub(crate) to: String,
    pub(crate) message: Vec<u8>,
}

/// The endpoint.
pub(crate) struct Ses {
    pub(crate) url: String,
    state: Arc<Mutex<Mailbox>>,
}

#[derive(Default)]
struct Mailbox {
    next: VecDeque<Answer>,
    mails: Vec<Mail>,
    requests: usize,
}

impl Ses {
    pub(crate) async fn start() -> Self {
        let state = Arc::<Mutex<Mailbox>>::default();
        let app = Router::new()
            .route("/v2/email/outbound-emails", post(send_email))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// Gives these answers next, one per request, and then sends everything.
    pub(crate) fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().next.extend(answers);
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap().mails.clone()
    }

    /// The number of requests, whatever their outcome.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

impl Mail {
    /// Reads the body of a request.
    pub(crate) fn of(request: &Value) -> Self {
        let Value::Array(to) = &request["Destination"]["ToAddresses"] else { panic!("{request}") };
        let [Value::String(to)] = &to[..] else { panic!("one recipient: {to:?}") };
        assert_eq!(request["FromEmailAddress"], crate::SENDER);
        let message = STANDARD.decode(request["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
        Self { to: to.clone(), message }
    }

    pub(crate) fn parsed(&self) -> mail_parser::Message<'_> {
        MessageParser::default().parse(&self.message).unwrap()
    }

    pub(crate) fn subject(&self) -> String {
        self.parsed().subject().unwrap().to_owned()
    }

    /// The text, with spaces instead of those at which no line breaks.
    pub(crate) fn text(&self) -> String {
        self.parsed().body_text(0).unwrap().replace('\u{a0}', " ").replace("\r\n", "\n")
    }

    /// The page, in the same way.
    pub(crate) fn html(&self) -> String {
        self.parsed().body_html(0).unwrap().replace('\u{a0}', " ").replace("\r\n", "\n")
    }
}

async fn send_email(
    State(state): State<Arc<Mutex<Mailbox>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-central-1/ses/aws4_request"), "{authorization}");
    let mail = Mail::of(&serde_json::from_str(&body).unwrap());
    let mut state = state.lock().unwrap();
    state.requests += 1;
    match state.next.pop_front().unwrap_or(Answer::Send) {
        Answer::Fail(status, code) => {
            let code = format!("{code}:http://internal.amazon.com/coral/com.amazonaws.ses/");
            // AWS quotes addresses in its messages.
            let body = json!({ "message": format!("not sent to {}", mail.to) });
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("x-amzn-errortype", code)], body.to_string()).into_response()
        }
        Answer::Send => {
            state.mails.push(mail);
            json!({ "MessageId": "0102018c" }).to_string().into_response()
        }
        Answer::SendAndBreakOff => {
            state.mails.push(mail);
            let broken = stream::iter([Err::<String, _>(io::Error::from(io::ErrorKind::Other))]);
            Body::from_stream(broken).into_response()
        }
    }
}
