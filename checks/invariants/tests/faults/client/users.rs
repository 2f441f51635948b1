use serde_json::json;
use storefront_core::{Role, UserId};
use storefront_invariants::{Deed, PASSWORD, UserChange};
use tokio::time::Instant;

use super::{Client, if_match};
use crate::schedule::{PASSWORDS, STEADY};

/// Nobody registers with it.
const NOBODY: &str = "nobody@example.com";

const WRONG_PASSWORD: &str = "nobody's password";

impl Client {
    /// The name, or an email that others want as well.
    pub(super) async fn change_user(&mut self) {
        let id = self.customer().user_id;
        let mut change = UserChange::default();
        let body = if self.random.bool() {
            json!({ "name": "Zoë Kråkenström" })
        } else {
            let email = self.wanted_email();
            change.email = Some(email.clone());
            json!({ "email": email })
        };
        let expected = self.expected_of_user(id).await;
        let request = self.shop.users.patch(format!("/users/{id}")).json(body).by(self.world.admin);
        let deed = Deed::ChangeUser { id, expected, change };
        self.ask(deed, if_match(request, expected)).await;
    }

    pub(super) async fn assign_role(&mut self) {
        let id = self.customer().user_id;
        let role = if self.random.bool() { Role::Admin } else { Role::User };
        let expected = self.expected_of_user(id).await;
        let request = self.shop.users.put(format!("/users/{id}/role")).by(self.world.admin);
        let request = if_match(request.json(json!({ "role": role.as_str() })), expected);
        let change = UserChange { role: Some(role), ..UserChange::default() };
        self.ask(Deed::ChangeUser { id, expected, change }, request).await;
    }

    /// A new password or email of one's own, which the current password confirms or a wrong one
    /// does not.
    pub(super) async fn change_oneself(&mut self) {
        let customer = self.customer();
        let id = customer.user_id;
        let current = if self.random.u8(..4) == 0 {
            WRONG_PASSWORD.to_owned()
        } else {
            self.world.password_of(id)
        };
        let mut body = json!({ "currentPassword": current });
        let mut change =
            UserChange { current_password: Some(current.clone()), ..UserChange::default() };
        if self.random.u8(..3) > 0 {
            let others: Vec<&str> = PASSWORDS.into_iter().filter(|new| *new != current).collect();
            let new = others[self.random.usize(..others.len())];
            body["password"] = new.into();
            change.password = Some(new.to_owned());
        }
        if change.password.is_none() || self.random.u8(..4) == 0 {
            let email = self.wanted_email();
            body["email"] = email.as_str().into();
            change.email = Some(email);
        }
        let password = change.password.clone();
        let expected = self.expected_of_user(id).await;
        let request = self.shop.users.patch("/users/me").json(body).by(customer);
        let deed = Deed::ChangeUser { id, expected, change };
        let answer = self.ask(deed, if_match(request, expected)).await;
        if let Some(password) = password.filter(|_| answer.status == 200) {
            self.world.passwords.lock().unwrap().insert(id, password);
        }
    }

    pub(super) async fn delete_user(&mut self) {
        // One customer is spared, so that there is always something to do.
        let id = self.world.customers[self.random.usize(1..self.world.customers.len())].user_id;
        let expected = self.expected_of_user(id).await;
        let request = self.shop.users.delete(format!("/users/{id}")).by(self.world.admin);
        self.ask(Deed::DeleteUser { id, expected }, if_match(request, expected)).await;
    }

    pub(super) async fn register(&mut self) {
        let email = self.wanted_email();
        let (asked, started) = (self.world.ledger.now(), Instant::now());
        let answer = self.shop.register(&email).await;
        self.check(Deed::Register { email }, asked, &answer, started);
    }

    /// As who always can, as a customer with the password they should have, with a wrong password,
    /// or as nobody.
    pub(super) async fn log_in(&mut self) {
        match self.random.u8(..4) {
            0 => {
                let status = self.log_in_as(STEADY, PASSWORD).await;
                if ![201, 503].contains(&status) {
                    self.complain(format!("the right password was answered {status}"));
                }
            }
            1 => {
                self.log_in_as(NOBODY, WRONG_PASSWORD).await;
            }
            which => {
                let customer = self.random.usize(..self.world.customers.len());
                let email = self.world.emails[customer].clone();
                let id = self.world.customers[customer].user_id;
                let password = match which {
                    2 => self.world.password_of(id),
                    _ => WRONG_PASSWORD.to_owned(),
                };
                self.log_in_as(&email, &password).await;
            }
        }
    }

    async fn log_in_as(&self, email: &str, password: &str) -> i64 {
        let (asked, started) = (self.world.ledger.now(), Instant::now());
        let answer = self.shop.log_in(email, password).await;
        let deed = Deed::LogIn { email: email.to_owned(), password: password.to_owned() };
        self.check(deed, asked, &answer, started);
        answer.status
    }

    async fn expected_of_user(&mut self, id: UserId) -> Option<u64> {
        self.expected(self.shop.users.get(format!("/users/{id}")).by(self.world.admin)).await
    }

    pub(super) fn wanted_email(&mut self) -> String {
        format!("wanted-{}@example.com", self.random.u8(..4))
    }
}
