//! The first step: the throw-away user.

use serde_json::json;
use storefront_core::{NewUser, PasswordHash, Role, UserId, Users};
use storefront_credentials::Password;
use storefront_http::logging::with_sources;

use super::report::Failure;
use super::shop::Call;
use super::steps::{AUTH, Passed, passed};
use super::visit::{Customer, Trouble, Visit};

/// What the user is called.
const NAME: &str = "Check";

impl Visit {
    pub(super) async fn register(&mut self) -> Passed {
        let Customer { email, password, .. } = &self.customer;
        let body = json!({ "email": email, "password": password.0, "name": NAME });
        let call = Call::post(AUTH, "/users", body);
        self.customer.may_exist = true;
        let answer = self.send(&call).await?;
        self.customer.may_exist = !(400..500).contains(&answer.status);
        if answer.status == 202 {
            return self.register_unconfirmed(answer.how(&call)).await;
        }
        passed(call, answer, 201)
    }

    /// The shop registers users by mail, and nobody gets the mail of this one. So the user is put into the table.
    async fn register_unconfirmed(&self, how: String) -> Passed {
        let not_added = |why: String| {
            Trouble::Other(Failure::new("DynamoDB, the user").got(why).advice(
                "the shop registers users by mail (RegistrationByMail), which nobody can confirm here: give the \
                 credentials dynamodb:PutItem on the table",
            ))
        };
        let Customer { email, password, .. } = &self.customer;
        let new = NewUser {
            email: email.parse().map_err(|_| not_added("the email is not valid".to_owned()))?,
            name: NAME.parse().map_err(|_| not_added("the name is not valid".to_owned()))?,
            password_hash: hash(&password.0).await.map_err(not_added)?,
            role: Role::User,
            locale: None,
        };
        let registered = Users::new(self.table.clone()).register(UserId::new(), new).await;
        registered.map_err(|error| not_added(with_sources(&error).to_string()))?;
        Ok(format!("{how}, then DynamoDB, as its mail would have it"))
    }
}

async fn hash(password: &str) -> Result<PasswordHash, String> {
    let password: Password =
        password.parse().map_err(|_| "the password is not valid".to_owned())?;
    password.hash().await.map_err(|error| with_sources(&error).to_string())
}
