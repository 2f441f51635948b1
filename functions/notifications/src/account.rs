//! Mails about accounts: to verify an email, to set a new password, and to register.
//!
//! Who asks for one has no say in who gets it. The user is looked up here, where the time that it takes tells
//! nobody whether there is one. Here the token is made, too: only its hash is kept, and only the mail has it.

use storefront_core::{AccountMail as Request, AccountMailKind, Recipient, RequestedMail};
use tracing::{debug, warn};

use crate::mail::{AccountMail, AccountNews};
use crate::{
    ACCOUNT_MAILED_FOR, Failure, Handled, Invocation, MAILS_HELD_BACK, MAILS_TOO_OLD,
    Notifications, age, is_of_nobody,
};

impl Notifications {
    /// Writes the mail that somebody has asked for, if a user gets it.
    pub(crate) async fn write_account_mail(
        &self,
        request: &Request,
        invocation: &Invocation<'_>,
    ) -> Result<Handled, Failure> {
        let (kind, now) = (request.kind(), (self.clock)());
        let (id, mail) = (request.id.to_string(), kind.as_str());
        if age(request.requested_at, now) > ACCOUNT_MAILED_FOR {
            invocation.metrics.add(MAILS_TOO_OLD, 1.0);
            warn!(event.id = id, mail, "a request for a mail is too old");
            return Ok(Handled::NoMail);
        }
        let Some(to) = self.recipient_of(request).await? else {
            debug!(event.id = id, mail, "nobody gets the mail");
            return Ok(Handled::NoMail);
        };
        if !self.mail_tokens.admit(&to.email, kind, &id).await? {
            invocation.metrics.add(MAILS_HELD_BACK, 1.0);
            warn!(event.id = id, mail, user_id = %to.id, "the user has got such mails already");
            return Ok(Handled::NoMail);
        }
        let is_known = kind == AccountMailKind::Registration
            && self.users.recipient_at(&to.email).await?.is_some();
        let token;
        let says = if is_known {
            AccountNews::AlreadyRegistered
        } else {
            token = self.mail_tokens.issue(kind, &to, now).await?;
            AccountNews::Token(kind, &token)
        };
        let message = AccountMail { id: &id, says }.write(&to, &self.settings)?;
        self.send(&id, says.kind(), &message, now, invocation).await
    }

    /// Returns who gets the mail, if anybody does.
    async fn recipient_of(&self, request: &Request) -> Result<Option<Recipient>, Failure> {
        let found = match &request.mail {
            RequestedMail::Verification { user_id } => self.users.recipient(*user_id).await?,
            RequestedMail::PasswordReset { email } => self.users.recipient_at(email).await?,
            RequestedMail::Registration { user_id } => {
                self.registrations.recipient(*user_id).await?
            }
        };
        let is_done =
            |to: &Recipient| request.kind() == AccountMailKind::Verification && to.email_verified;
        Ok(found.filter(|to| !is_of_nobody(&to.email) && !is_done(to)))
    }
}
