//! Sessions: what a log-in begins, and refresh tokens prolong.

mod session;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{User, Users};
use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{Change, boolean, number, string};
use crate::page::{self, Page, PageRequest};
use crate::schema::{self, Item, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Written};
use crate::{Error, Result, SessionId, Table, Timestamp, UserId, retry};

pub(super) use session::end_sessions;
pub use session::{GRACE, KeptSession, SESSION_LIFETIME, Session, SessionEnd, UserAgent};
use session::{InForce, KEPT_SESSION, SESSION_EPOCH};

/// The sessions of users.
///
/// A session has a generation, and a refresh token names one. Each refresh makes the next generation, and
/// so a new token. A token is stolen if two have it: sooner or later one of them presents a generation
/// that the other has left behind, and the session ends.
///
/// A session has the epoch that its user had when it began, and is over when the user has another: that
/// ends all of a user's sessions in one write, and in the transaction of a new password. No clock decides
/// it, so a log-in with the old password that is under way at that moment begins a session that is over.
#[derive(Clone, Debug)]
pub struct Sessions {
    table: Table,
}

impl Sessions {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("begin a session, at log-in", "1 PutItem").writes(1.0),
        pattern("refresh a session", "1 GetItem of the user, strongly consistent + 1 UpdateItem")
            .reads(1.0)
            .writes(1.0),
        pattern("a user's sessions", "1 Query + 1 GetItem of two attributes, strongly consistent")
            .reads(1.0)
            .reads_per_4_kb(0.5),
        pattern("end a session", "1 UpdateItem").writes(1.0),
        pattern("end all of a user's sessions", "1 TransactWriteItems (User)").writes(3.0),
        pattern(
            "whether a session is in force, if every request asks",
            "2 GetItem, of the session and of two attributes of the user, strongly consistent",
        )
        .reads(2.0),
        pattern(
            "whether a session may be kept, at a new password",
            "1 GetItem, strongly consistent",
        )
        .reads(1.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Begins a session of a user who has just been read, with strong consistency.
    pub async fn begin(&self, user: &User, user_agent: Option<UserAgent>) -> Result<Session> {
        let session = Session::new(user.session_epoch, user_agent);
        let key = Key::session(user.id, session.id);
        let written = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .set_item(Some(schema::item(ItemType::Session, key, None, &session)?))
            // A try that was given up as lost must not undo what has happened to the session since.
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        match written {
            Ok(_) => Ok(session),
            Err(error) => match error.as_service_error() {
                // By the first try, whose answer was lost: nobody else has this id.
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(session),
                _ => Err(error.into()),
            },
        }
    }

    /// Goes on to a session's next generation. Returns the user and the session.
    ///
    /// The generation before is good for [`GRACE`] after that, and leads to the same next one: the answer
    /// may have been lost, or two windows of a browser may have asked at once. An older one ends the
    /// session ([`SessionEnd::Reuse`]).
    pub async fn refresh(
        &self,
        user_id: UserId,
        id: SessionId,
        generation: u64,
    ) -> Result<(User, Session)> {
        let over = |end| Err(Error::SessionOver(end));
        let users = Users::new(self.table.clone());
        let Some(user) = users.find_now(user_id).await? else { return over(SessionEnd::Ended) };
        let (now, in_force) = (Timestamp::now(), user.sessions_in_force());
        let go_on = || self.go_on(Key::session(user_id, id), generation, &in_force, now);
        let found = retry::on_contention(go_on).await?;
        let Some(found) = found else { return over(SessionEnd::Ended) };
        let session: Session = schema::entity(ItemType::Session, found)?;
        if !in_force.include(&session) {
            return over(SessionEnd::Ended);
        }
        if session.is_next_after(generation, now) {
            return Ok((user, session));
        }
        if session.generation < generation {
            // The table was restored to a moment before that refresh.
            return over(SessionEnd::Ended);
        }
        match self.end(user_id, id).await {
            Ok(()) | Err(Error::SessionNotFound) => over(SessionEnd::Reuse),
            Err(error) => Err(error),
        }
    }

    /// Makes the next generation of this one, if the session is not over. Returns the session as it is
    /// then, whichever generation it has; `None` if there is none.
    async fn go_on(
        &self,
        key: Key,
        generation: u64,
        in_force: &InForce,
        now: Timestamp,
    ) -> Result<Option<Item>> {
        // A retry after a lost answer finds the next generation, made just now.
        let answer = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(key.into()))
            .update_expression("SET generation = :next, refreshedAt = :now")
            .condition_expression(
                "generation = :generation AND (epoch = :epoch OR id = :kept) \
                 AND attribute_not_exists(ended) AND expiresAt > :seconds",
            )
            .expression_attribute_values(":epoch", number(in_force.session_epoch))
            .expression_attribute_values(":kept", in_force.kept())
            .expression_attribute_values(":seconds", number(now.as_seconds()))
            .expression_attribute_values(":generation", number(generation))
            .expression_attribute_values(":next", number(generation.saturating_add(1)))
            .expression_attribute_values(":now", string(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(written) => Ok(written.attributes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(failed.item.clone())
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Lists the sessions of a user that are not over, newest first. There may be fewer than asked for,
    /// although more pages follow.
    pub async fn list(
        &self,
        user_id: UserId,
        request: PageRequest<SessionId>,
    ) -> Result<Page<Session, SessionId>> {
        let query = self.of_user(user_id).scan_index_forward(false);
        let after = request.after.map(|id| Key::session(user_id, id).into());
        let (in_force, mut page) = tokio::try_join!(
            self.in_force(user_id),
            page::read::<Session, _>(
                query,
                ItemType::Session,
                request.limit,
                after,
                schema::session_of
            ),
        )?;
        let in_force = in_force.ok_or(Error::CallerNotFound)?;
        page.items.retain(|session| in_force.include(session));
        Ok(page)
    }

    /// Ends a session, if it is not over already.
    ///
    /// The item stays until its time, so that no earlier write that comes late can bring the session back.
    pub async fn end(&self, user_id: UserId, id: SessionId) -> Result<()> {
        let ended = retry::on_contention(|| async {
            self.table
                .client
                .update_item()
                .table_name(&self.table.name)
                .set_key(Some(Key::session(user_id, id).into()))
                .update_expression("SET ended = :true REMOVE userAgent")
                .condition_expression("attribute_exists(PK)")
                .expression_attribute_values(":true", boolean(true))
                .send()
                .await
                .map_err(|error| match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                        Error::SessionNotFound
                    }
                    _ => error.into(),
                })
        });
        ended.await.map(drop)
    }

    /// Returns the session of a user who has just been read, to be kept when a new password ends all others;
    /// `None` if it is over. One that is over must not come back.
    pub async fn to_keep(&self, user: &User, id: SessionId) -> Result<Option<KeptSession>> {
        let key = Key::session(user.id, id);
        let session = self.table.get(ItemType::Session, key, Consistency::Strong).await?;
        Ok(session.and_then(|session| user.sessions_in_force().keep(&session)))
    }

    /// Ends all sessions of a user.
    pub async fn end_all(&self, user_id: UserId) -> Result<()> {
        let change = end_sessions(Change::unseen(), None);
        let action = change.into_action(&self.table, Key::user(user_id))?;
        match transaction::write_one(&self.table, action).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::CallerNotFound),
        }
    }

    /// Whether a session is not over, strongly consistent.
    pub async fn is_in_force(&self, user_id: UserId, id: SessionId) -> Result<bool> {
        let (in_force, session): (_, Option<Session>) = tokio::try_join!(
            self.in_force(user_id),
            self.table.get(ItemType::Session, Key::session(user_id, id), Consistency::Strong),
        )?;
        let both = in_force.zip(session);
        Ok(both.is_some_and(|(in_force, session)| in_force.include(&session)))
    }

    /// Deletes what is left of a deleted user's sessions. Returns how many there were.
    pub async fn erase(&self, user_id: UserId) -> Result<usize> {
        let mut erased = 0;
        let mut start = None;
        let query = self.of_user(user_id).projection_expression("PK, SK").consistent_read(true);
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await?;
            for id in answer.items.unwrap_or_default().iter().filter_map(schema::session_of) {
                let key = Key::session(user_id, id);
                let delete = self.table.client.delete_item().table_name(&self.table.name);
                delete.set_key(Some(key.into())).send().await?;
                erased += 1;
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(erased);
            }
        }
    }

    fn of_user(&self, user_id: UserId) -> QueryFluentBuilder {
        self.table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("PK = :sessions")
            .expression_attribute_values(":sessions", string(schema::session_partition(user_id)))
    }

    async fn in_force(&self, user_id: UserId) -> Result<Option<InForce>> {
        let attributes = &[SESSION_EPOCH, KEPT_SESSION];
        self.table.get_attributes(ItemType::User, Key::user(user_id), attributes).await
    }
}
