//! Which mails have been sent, so that a message that is delivered again does not cause a second one.
//!
//! Sending a mail and writing an item cannot be one transaction. So a mail is claimed before it is sent,
//! for some minutes, and settled afterwards. Who claims one that somebody else had claimed before without
//! settling it cannot know whether it was sent, sends it, and is told that it may be the second.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{number, string};
use crate::schema::{self, ItemType, Key, TYPE};
use crate::{Error, Result, Table, Timestamp, retry};

/// How long a claim holds. Longer than the function that sends mails may run, so that nobody claims a
/// mail that is being sent.
const CLAIMED_FOR: Duration = Duration::from_mins(2);

/// How long a mail is remembered, from its last claim. Nobody asks later: there are mails about hours, not days.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The mails of the shop.
#[derive(Clone, Debug)]
pub struct Mails {
    table: Table,
}

/// The right to send a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    event_id: String,
    id: String,
    until: Timestamp,
    /// Whether an earlier claim may have sent the mail.
    pub may_be_sent: bool,
}

impl Claim {
    /// The event or the request that causes the mail.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }
}

/// The answer to who wants to send a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Send it.
    Yes(Claim),
    /// Somebody else may be sending it just now. Ask again later: they may fail.
    ByAnother,
    /// Nothing is left to do: it was settled.
    Settled,
}

/// How a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was sent.
    Sent,
    /// It was refused for good.
    Refused,
}

/// What the table remembers of a mail.
///
/// The claims are a set of ids rather than a number, because adding an id twice adds it once: a claim
/// whose answer was lost, and which the SDK sends again, is the same claim.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    /// Each may have sent it. `DynamoDB` has no empty sets.
    #[serde(default)]
    claims: BTreeSet<String>,
    outcome: Option<String>,
}

impl Mails {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("claim a mail", "1 UpdateItem").writes(1.0),
        pattern("settle a mail", "1 UpdateItem").writes(1.0),
        pattern("give a mail back that was not sent", "1 UpdateItem").writes(1.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Claims the mail of an event or a request.
    pub async fn claim(&self, event_id: &str, now: Timestamp) -> Result<Claimed> {
        let mut claim = Claim {
            event_id: event_id.to_owned(),
            id: Uuid::now_v7().to_string(),
            until: later(now, CLAIMED_FOR),
            may_be_sent: false,
        };
        match retry::on_contention(|| self.try_claim(&claim, now)).await? {
            Some(Mail { outcome: Some(_), .. }) => Ok(Claimed::Settled),
            Some(mail) if mail.claims.contains(&claim.id) => {
                claim.may_be_sent = mail.claims.len() > 1;
                Ok(Claimed::Yes(claim))
            }
            _ => Ok(Claimed::ByAnother),
        }
    }

    /// Returns the mail as it is then, whether or not it could be claimed.
    async fn try_claim(&self, claim: &Claim, now: Timestamp) -> Result<Option<Mail>> {
        let expires_at = later(now, KEPT_FOR).as_seconds();
        let answer = self
            .update(&claim.event_id)
            .update_expression(
                "SET #type = :type, claimedUntil = :until, expiresAt = :expiresAt ADD claims :claims",
            )
            .condition_expression(
                "attribute_not_exists(outcome) AND (attribute_not_exists(claimedUntil) \
                 OR claimedUntil <= :now OR contains(claims, :claim))",
            )
            .expression_attribute_names("#type", TYPE)
            .expression_attribute_values(":type", string(ItemType::Mail.as_str()))
            .expression_attribute_values(":until", string(claim.until))
            .expression_attribute_values(":expiresAt", number(expires_at))
            .expression_attribute_values(":claims", AttributeValue::Ss(vec![claim.id.clone()]))
            .expression_attribute_values(":claim", string(&claim.id))
            .expression_attribute_values(":now", string(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let item = match answer {
            Ok(answer) => answer.attributes,
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item.clone()
                }
                _ => return Err(error.into()),
            },
        };
        item.map(|item| schema::entity(ItemType::Mail, item)).transpose()
    }

    /// Records how a mail ended. From then on nobody sends it.
    pub async fn settle(&self, claim: &Claim, how: Settled) -> Result<()> {
        let settled = || async {
            self.update(&claim.event_id)
                .update_expression("SET outcome = :outcome REMOVE claimedUntil")
                // Otherwise TTL has removed it, and there is nothing to keep.
                .condition_expression("attribute_exists(PK)")
                .expression_attribute_values(":outcome", string(how.as_str()))
                .send()
                .await
        };
        retry::on_contention(|| async { unless_condition_failed(settled().await) }).await
    }

    /// Gives a mail back that was certainly not sent, so that the next one to ask may send it at once.
    pub async fn give_back(&self, claim: &Claim) -> Result<()> {
        let given_back = || async {
            self.update(&claim.event_id)
                .update_expression("REMOVE claimedUntil DELETE claims :claims")
                // Otherwise it was given back before, or it is somebody else's now.
                .condition_expression("contains(claims, :claim) AND claimedUntil = :until")
                .expression_attribute_values(":claims", AttributeValue::Ss(vec![claim.id.clone()]))
                .expression_attribute_values(":claim", string(&claim.id))
                .expression_attribute_values(":until", string(claim.until))
                .send()
                .await
        };
        retry::on_contention(|| async { unless_condition_failed(given_back().await) }).await
    }

    fn update(&self, event_id: &str) -> UpdateItemFluentBuilder {
        let update = self.table.client.update_item().table_name(&self.table.name);
        update.set_key(Some(Key::mail(event_id).into()))
    }
}

impl Settled {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
        }
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(millis)).unwrap_or(now)
}

fn unless_condition_failed<T, R>(
    answer: std::result::Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError, R>>,
) -> Result<()>
where
    Error: From<aws_sdk_dynamodb::error::SdkError<UpdateItemError, R>>,
{
    match answer {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(error.into()),
        },
    }
}
