//! Registration, the sessions that log-ins begin, and what is done by mail: POST /users, /sessions,
//! /verifications and /password-resets.
//!
//! Registration and log-in hash passwords and are open to everyone, so they have a function of their
//! own, with the memory (and so the CPU) that argon2 needs and the secret that signs tokens.

mod account_mails;
mod log_in;
mod password_reset;
mod refresh;
mod register;
mod renew;
mod sessions;
mod tokens;
mod verification;

use axum::Router;
use axum::routing::{delete, get, post};
use storefront_core::{LoginAttempts, MailTokens, Registrations, Sessions, Table, Users};
use storefront_credentials::SigningKeys;
use storefront_http::openapi::Conventions;
use storefront_http::{Metric, Problem};
use utoipa::OpenApi;

pub use account_mails::AccountMails;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[log_in::LOG_INS_FAILED, refresh::REFRESH_TOKENS_REUSED];

/// The part of the HTTP contract that this function serves.
#[derive(OpenApi)]
#[openapi(
    paths(
        register::register,
        log_in::log_in,
        refresh::refresh,
        sessions::list,
        sessions::end,
        sessions::end_all,
        verification::request,
        verification::verify,
        password_reset::request,
        password_reset::confirm,
    ),
    components(schemas(sessions::SessionIdOrCurrent)),
    tags((name = "sessions", description = "Logging in, and staying so")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;

/// The state of the handlers.
#[derive(Clone)]
struct Accounts {
    users: Users,
    login_attempts: LoginAttempts,
    sessions: Sessions,
    mail_tokens: MailTokens,
    registrations: Registrations,
    /// `None` if the shop sends no mails.
    account_mails: Option<AccountMails>,
    /// Whether a registration waits until its email is verified.
    registers_by_mail: bool,
    signing_keys: SigningKeys,
}

impl Accounts {
    fn account_mails(&self) -> Result<&AccountMails, Problem> {
        self.account_mails.as_ref().ok_or_else(Problem::mail_disabled)
    }
}

/// What the shop does by mail.
#[derive(Clone, Default)]
pub struct ByMail {
    /// The queue of mails about accounts; `None` if the shop sends no mails.
    pub account_mails: Option<AccountMails>,
    /// Whether a registration waits until its email is verified, so that nobody learns who has an account.
    pub registers: bool,
}

/// Builds the function for this table and these keys.
pub fn app(table: Table, signing_keys: SigningKeys, by_mail: ByMail) -> Router {
    let accounts = Accounts {
        users: Users::new(table.clone()),
        login_attempts: LoginAttempts::new(table.clone()),
        sessions: Sessions::new(table.clone()),
        mail_tokens: MailTokens::new(table.clone()),
        registrations: Registrations::new(table),
        account_mails: by_mail.account_mails,
        registers_by_mail: by_mail.registers,
        signing_keys,
    };
    let routes = Router::new()
        .route("/users", post(register::register))
        .route("/sessions", get(sessions::list).post(log_in::log_in).delete(sessions::end_all))
        .route("/sessions/refresh", post(refresh::refresh))
        .route("/sessions/{sessionId}", delete(sessions::end))
        .route("/users/me/verification", post(verification::request))
        .route("/verifications", post(verification::verify))
        .route("/password-resets", post(password_reset::request))
        .route("/password-resets/confirm", post(password_reset::confirm))
        .with_state(accounts);
    storefront_http::service("auth", routes)
}
