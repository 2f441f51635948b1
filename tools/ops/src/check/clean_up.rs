//! Removes what the check has made, also if a step failed or somebody pressed Ctrl-C.

use serde_json::json;
use storefront_core::{
    CreatedBetween, Error as CoreError, OrderAccess, OrderStatus, Orders, PageRequest, Products,
    StatusChange, UserId, Users,
};
use storefront_http::logging::with_sources;

use super::report::Failure;
use super::shop::Call;
use super::visit::{Trouble, Visit};

const CANCEL: &str = "cancel the order that is left";
const DELETE_USER: &str = "delete the user";
const DELETE_PRODUCT: &str = "delete the product";
/// How it is done if the API does not do it.
const DIRECTLY: &str = "DynamoDB, because the API has not done it";

impl Visit {
    pub(super) async fn clean_up(&mut self) {
        if self.customer.may_exist {
            Box::pin(self.remove_user()).await;
        }
        if let Some(id) = self.own_product {
            let deleted = Products::new(self.table.clone()).delete(id, None).await;
            self.removed(DELETE_PRODUCT, "DynamoDB", deleted, &format!("the product {id}"));
            self.own_product = None;
        }
    }

    /// Cancels the user's order if it is pending, and deletes the user: through the API or, if that
    /// fails, in the table.
    async fn remove_user(&mut self) {
        if self.customer.token.is_none() {
            // The registration may have succeeded without an answer.
            let _ = self.log_in().await;
        }
        if self.order.may_be_open && self.cancel_orders().await.is_ok() {
            self.order.may_be_open = false;
        }
        if !self.order.may_be_open && self.customer.token.is_some() {
            let body = json!({ "currentPassword": self.customer.password.0 });
            let call = self.as_customer(Call::post("users", "/users/me/deletion", body));
            match self.expect(call, 204).await {
                Ok(how) => {
                    self.report.passed(DELETE_USER, &how);
                    self.customer.may_exist = false;
                    return;
                }
                Err(trouble) => {
                    let failure = self.explain(trouble).await;
                    self.report.failed(DELETE_USER, &failure);
                }
            }
        }
        self.remove_user_directly().await;
    }

    /// Cancels the user's pending orders. The check may not have heard of them.
    async fn cancel_orders(&mut self) -> Result<(), Trouble> {
        let call = self.as_customer(Call::get("orders", "/orders"));
        let answer = self.send(&call).await?;
        if answer.status != 200 {
            return Err(Trouble::Answer(Box::new((call, answer)), "200".to_owned()));
        }
        for order in answer.body["items"].as_array().into_iter().flatten() {
            if order["status"] != OrderStatus::Pending.as_str() {
                continue;
            }
            let path = format!("/orders/{}", order["id"].as_str().unwrap_or_default());
            let body = json!({ "status": OrderStatus::Cancelled.as_str() });
            let call = self.as_customer(Call::patch("orders", path, body));
            let how = self.expect(call, 200).await?;
            self.report.passed(CANCEL, &how);
        }
        Ok(())
    }

    async fn remove_user_directly(&mut self) {
        let users = Users::new(self.table.clone());
        let left = format!("the user {}", self.customer.email);
        let Ok(email) = self.customer.email.parse() else { return };
        match users.find_by_email(&email).await {
            Ok(None) => self.customer.may_exist = false,
            Ok(Some(user)) => {
                if self.order.may_be_open {
                    let cancelled = self.cancel_directly(user.id).await;
                    let left = format!("an order of {left}");
                    self.removed(CANCEL, DIRECTLY, cancelled, &left);
                }
                let deleted = users.delete(user.id, None).await;
                self.customer.may_exist = deleted.is_err();
                self.removed(DELETE_USER, DIRECTLY, deleted, &left);
            }
            Err(error) => self.removed(DELETE_USER, DIRECTLY, Err(error), &left),
        }
    }

    async fn cancel_directly(&self, user: UserId) -> Result<(), CoreError> {
        let orders = Orders::new(self.table.clone());
        let page = PageRequest { limit: 10, after: None };
        let all = orders.list(user, CreatedBetween::default(), page).await?;
        for order in all.items.iter().filter(|order| order.status == OrderStatus::Pending) {
            let to = OrderStatus::Cancelled;
            let change = StatusChange::new(to);
            orders.change_status(OrderAccess::Any, order.id, change).await?;
        }
        Ok(())
    }

    fn removed(&mut self, what: &str, how: &str, done: Result<(), CoreError>, left: &str) {
        match done {
            Ok(()) | Err(CoreError::ProductNotFound | CoreError::UserNotFound) => {
                self.report.passed(what, how);
            }
            Err(error) => {
                let failure = Failure::new(how).got(with_sources(&error).to_string()).advice(format!(
                    "{left} is left in the shop: remove it as an administrator, with the API. The \
                     credentials need dynamodb:GetItem, PutItem, UpdateItem, DeleteItem and Query on \
                     the table and its index to do it here"
                ));
                self.report.failed(what, &failure);
            }
        }
    }
}
