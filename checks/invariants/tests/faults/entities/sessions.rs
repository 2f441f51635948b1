//! Sessions of the user whose password never changes: nothing but their own end ends them.

use serde::Deserialize;
use serde_json::{Value, json};
use storefront_core::schema::{self, Item, Key};
use storefront_core::{SessionId, UserId};
use storefront_testing::Answer;
use tokio::time::Instant;

use super::{Operation, Snapshot};
use crate::engine::client::Client;
use crate::engine::schedule::UNCHANGED_EMAIL;
use crate::engine::snapshot::{entity, expect_keys};

#[derive(Deserialize)]
struct Session {
    id: SessionId,
}

impl Client {
    /// As an honest client does: exchanges its token for the next one, and tries again with the same one
    /// if it got no answer. Sometimes in two windows at once, and now and then it logs out.
    pub(super) async fn use_session(&mut self) {
        let Some(token) = self.refresh_token.clone() else {
            let answer = self.log_in_as(UNCHANGED_EMAIL, storefront_invariants::PASSWORD).await;
            self.refresh_token = refresh_token(&answer);
            return;
        };
        match self.random.u8(..5) {
            0 => {
                let (one, other) = tokio::join!(self.refresh(&token), self.refresh(&token));
                if let (Some(one), Some(other)) = (&one, &other)
                    && one != other
                {
                    self.report("two windows got different refresh tokens".to_owned());
                }
                self.refresh_token = one.or(other).or(Some(token));
            }
            1 => self.log_out(&token).await,
            _ => self.refresh_token = self.refresh(&token).await.or(Some(token)),
        }
    }

    /// Returns the next refresh token, unless the shop could not answer. It must not say anything else.
    async fn refresh(&self, token: &str) -> Option<String> {
        let answer = self.send_refresh(token).await;
        if ![200, 503].contains(&answer.status) {
            self.report(format!("an honest client's refresh was answered {}", answer.status));
        }
        refresh_token(&answer)
    }

    async fn send_refresh(&self, token: &str) -> Answer {
        let (sent_at, started) = (self.scenario.history.now(), Instant::now());
        let request = self.shop.auth.post("/sessions/refresh");
        let answer = request.json(json!({ "refreshToken": token })).send().await;
        self.record(Operation::Read, sent_at, started, &answer);
        answer
    }

    /// Ends the session. Once that is acknowledged, it is over for good.
    async fn log_out(&mut self, token: &str) {
        let Some((id, user_id)) = named_by(token) else {
            return self.report("a refresh token names no session".to_owned());
        };
        let context = json!({ "userId": user_id, "role": "user", "sessionId": id });
        let request = self.shop.auth.delete("/sessions/current").authorized(context);
        match self.send(Operation::Read, request).await.status {
            204 => {
                self.refresh_token = None;
                let status = self.send_refresh(token).await.status;
                if ![401, 503].contains(&status) {
                    self.report(format!("an ended session was refreshed: {status}"));
                }
            }
            // Whether it has ended, nobody knows.
            503 => self.refresh_token = None,
            status => self.report(format!("a log-out was answered {status}")),
        }
    }
}

impl Snapshot {
    pub(super) fn add_session(item: &Item) -> Result<(), String> {
        let session: Session = entity(item)?;
        let pk = super::text(item, schema::PK);
        let user_id = pk.strip_prefix("SESSION#").and_then(|id| id.parse().ok());
        let user_id: UserId = user_id.ok_or("is not in its partition")?;
        expect_keys(item, Key::session(user_id, session.id), None)
    }
}

fn refresh_token(answer: &Answer) -> Option<String> {
    answer.body["refreshToken"].as_str().map(ToOwned::to_owned)
}

/// The session and the user that a refresh token names.
fn named_by(token: &str) -> Option<(String, String)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let text = |name: &str| claims[name].as_str().map(ToOwned::to_owned);
    Some((text("sid")?, text("sub")?))
}
