use storefront_core::{
    Adjustment, Currency, CurrentTotal, Error, MAX_ORDER_ITEMS, MAX_STOCK, MAX_TOTAL, OrderItem,
    ProductId, Shortage,
};

use super::{FieldError, Problem, ProblemCode, ProductProblem};

/// The only place that turns the shop's errors into responses. Every variant is listed, so that a
/// new one does not compile without a response. If none of the problems fits it, `code.rs` gets
/// another row.
impl From<Error> for Problem {
    #[allow(clippy::too_many_lines, reason = "one arm for each error")]
    fn from(error: Error) -> Self {
        match error {
            Error::UserNotFound => Self::user_not_found(),
            Error::ProductNotFound => {
                Self::new(ProblemCode::ProductNotFound, "There is no such product.")
            }
            Error::OrderNotFound => {
                Self::new(ProblemCode::OrderNotFound, "There is no such order.")
            }
            Error::SessionNotFound => {
                Self::new(ProblemCode::SessionNotFound, "There is no such session.")
            }
            Error::SessionOver(_) => Self::session_over(),
            Error::MailTokenInvalid => {
                let detail = "The token is not one of a mail, was used or has expired, or the user has another \
                              email or password by now. Ask for another mail.";
                Self::new(ProblemCode::MailTokenInvalid, detail)
                    .with_error(FieldError::pointer("/token", "is not valid"))
            }
            Error::CallerNotFound => Self::no_longer_a_user(),
            Error::StaffOnly => Self::staff_only(),
            Error::AdministratorsOnly => Self::forbidden(),
            Error::AdministratorNeeded => {
                let detail = "Administrators cannot demote or delete themselves: another \
                              administrator can. So the shop always has one.";
                Self::new(ProblemCode::AdministratorNeeded, detail)
            }
            Error::EmailTaken => {
                Self::new(ProblemCode::EmailTaken, "The email belongs to another user.")
            }
            Error::VersionMismatch { current } => {
                Self::version_mismatch(format!("The current version is \"{current}\"."))
            }
            Error::UnknownProducts(ids) => {
                let products = ids.into_iter().map(ProductProblem::named);
                let detail = "Some products of the order do not exist.";
                Self::new(ProblemCode::UnknownProducts, detail).with_products(products)
            }
            Error::NotForSale(ids) => {
                let products = ids.into_iter().map(ProductProblem::named);
                let detail = "Some products of the order are not for sale at the moment.";
                Self::new(ProblemCode::NotForSale, detail).with_products(products)
            }
            Error::StockNotCounted => {
                let detail = "The product's stock is not counted. Set it to a number first.";
                Self::new(ProblemCode::StockNotCounted, detail)
            }
            Error::StockTooLarge { stock } => Self::invalid_field(
                "/change",
                format_args!("the stock would be {stock}, which is more than {MAX_STOCK}"),
            ),
            Error::OutOfStock(shortages) => {
                let detail = "There is not enough of some products.";
                Self::new(ProblemCode::OutOfStock, detail)
                    .with_products(shortages.into_iter().map(ProductProblem::from))
            }
            Error::MixedCurrencies(currencies) => {
                let detail = format!(
                    "An order has one currency; its products are priced in {}.",
                    currencies.join(", ")
                );
                Self::new(ProblemCode::MixedCurrencies, detail)
            }
            Error::TotalTooLarge { total } => {
                let detail = format!("An order's total is at most {MAX_TOTAL}, not {total}.");
                Self::new(ProblemCode::TotalTooLarge, detail)
            }
            Error::TotalChanged(CurrentTotal { total, currency, items, adjustments }) => {
                let detail = "The prices have changed since the total was shown.";
                let products = items.iter().map(ProductProblem::priced);
                let problem = Self::new(ProblemCode::TotalChanged, detail).with_products(products);
                problem.with_total(total, currency, adjustments)
            }
            Error::TooManyOpenOrders { max } => {
                let detail = format!(
                    "At most {max} orders may wait for their payment, and the newest {} must not all be \
                     unpaid. Pay or cancel one of them first, or wait until they have expired.",
                    2 * max
                );
                Self::new(ProblemCode::TooManyOpenOrders, detail)
            }
            Error::EmptyOrder => Self::invalid_field("/items", "an order needs at least one item"),
            Error::TooManyItems { count } => {
                let detail = format!(
                    "An order holds at most {MAX_ORDER_ITEMS} different products, not {count}."
                );
                Self::new(ProblemCode::TooManyItems, detail)
            }
            Error::InvalidQuantity { product_id, quantity } => Self::invalid_field(
                "/items",
                format_args!("product {product_id} cannot be ordered {quantity} times"),
            ),
            Error::InvalidStatusChange { from, to } => {
                let detail = format!("An order that is {from} cannot become {to}.");
                Self::new(ProblemCode::InvalidStatusChange, detail)
            }
            Error::OtherTracking => {
                let detail = "The order is shipped already, with other tracking.";
                Self::new(ProblemCode::InvalidStatusChange, detail)
            }
            Error::NotPaid => {
                let detail = "The order was not paid, so there is nothing to pay back.";
                Self::new(ProblemCode::NotPaid, detail)
            }
            Error::RefundTooLarge { left } => {
                let detail = format!("Only {left} of the order can still be paid back.");
                Self::new(ProblemCode::RefundTooLarge, detail)
            }
            Error::IdempotencyKeyReused => {
                let detail = "The Idempotency-Key was used for another request.";
                Self::new(ProblemCode::IdempotencyKeyReused, detail)
            }
            Error::TooManyLogins { retry_after } => {
                let detail = "Too many failed log-ins for this email. Please try again later.";
                Self::new(ProblemCode::TooManyLogins, detail).retry_after(retry_after)
            }
            Error::Contention => Self::contention(),
            Error::Unavailable(_) => Self::unavailable(error),
            Error::Refused(_) | Error::Item(_) => Self::internal(error),
        }
    }
}

impl From<Shortage> for ProductProblem {
    fn from(shortage: Shortage) -> Self {
        Self {
            product_id: shortage.product_id,
            requested: Some(shortage.requested),
            available: Some(shortage.available),
            price: None,
        }
    }
}

impl ProductProblem {
    fn named(product_id: ProductId) -> Self {
        Self { product_id, requested: None, available: None, price: None }
    }

    fn priced(item: &OrderItem) -> Self {
        Self {
            product_id: item.product_id,
            requested: Some(item.quantity.into()),
            available: None,
            price: Some(item.price),
        }
    }
}

impl Problem {
    fn with_products(mut self, products: impl Iterator<Item = ProductProblem>) -> Self {
        self.0.body.products = products.collect();
        self
    }

    fn with_total(mut self, total: u64, currency: Currency, adjustments: Vec<Adjustment>) -> Self {
        self.0.body.total = Some(total);
        self.0.body.currency = Some(currency);
        self.0.body.adjustments = adjustments;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse as _;
    use http::header;
    use serde_json::json;
    use storefront_core::{OrderStatus, SessionEnd};

    use super::*;
    use crate::problem::Cause;

    fn product() -> ProductId {
        "01930000-0000-7000-8000-000000000101".parse().unwrap()
    }

    fn current_total() -> CurrentTotal {
        let order_id = "01930000-0000-7000-8000-000000000201".parse().unwrap();
        let (name, price) = ("Espresso blend".parse().unwrap(), 1990);
        let (product_id, taken, taken_from) = (product(), None, None);
        let item = OrderItem { order_id, product_id, name, quantity: 2, price, taken, taken_from };
        CurrentTotal {
            total: 3980,
            currency: Currency::EUR,
            items: vec![item],
            adjustments: Vec::new(),
        }
    }

    #[test]
    fn every_error_has_its_status_and_its_code() {
        let (from, to) = (OrderStatus::Shipped, OrderStatus::Cancelled);
        for (error, status, code) in [
            (Error::UserNotFound, 404, "user_not_found"),
            (Error::ProductNotFound, 404, "product_not_found"),
            (Error::OrderNotFound, 404, "order_not_found"),
            (Error::CallerNotFound, 401, "unauthenticated"),
            (Error::StaffOnly, 403, "forbidden"),
            (Error::AdministratorsOnly, 403, "forbidden"),
            (Error::AdministratorNeeded, 409, "administrator_needed"),
            (Error::EmailTaken, 409, "email_taken"),
            (Error::VersionMismatch { current: 3 }, 412, "version_mismatch"),
            (Error::UnknownProducts(vec![product()]), 422, "unknown_products"),
            (Error::NotForSale(vec![product()]), 409, "not_for_sale"),
            (Error::StockNotCounted, 409, "stock_not_counted"),
            (Error::StockTooLarge { stock: MAX_STOCK + 1 }, 422, "invalid_body"),
            (Error::OutOfStock(vec![]), 409, "out_of_stock"),
            (Error::MixedCurrencies(vec!["EUR", "USD"]), 422, "mixed_currencies"),
            (Error::TotalTooLarge { total: MAX_TOTAL + 1 }, 422, "total_too_large"),
            (Error::TotalChanged(current_total()), 409, "total_changed"),
            (Error::TooManyOpenOrders { max: 10 }, 409, "too_many_open_orders"),
            (Error::EmptyOrder, 422, "invalid_body"),
            (Error::TooManyItems { count: 49 }, 422, "too_many_items"),
            (Error::InvalidQuantity { product_id: product(), quantity: 1000 }, 422, "invalid_body"),
            (Error::InvalidStatusChange { from, to }, 409, "invalid_status_change"),
            (Error::OtherTracking, 409, "invalid_status_change"),
            (Error::NotPaid, 409, "not_paid"),
            (Error::RefundTooLarge { left: 100 }, 409, "refund_too_large"),
            (Error::SessionNotFound, 404, "session_not_found"),
            (Error::SessionOver(SessionEnd::Ended), 401, "session_over"),
            (Error::SessionOver(SessionEnd::Reuse), 401, "session_over"),
            (Error::MailTokenInvalid, 422, "mail_token_invalid"),
            (Error::IdempotencyKeyReused, 422, "idempotency_key_reused"),
            (Error::TooManyLogins { retry_after: Duration::ZERO }, 429, "too_many_logins"),
            (Error::Contention, 503, "contention"),
            (Error::Unavailable("secret".into()), 503, "unavailable"),
            (Error::Refused("secret".into()), 500, "internal"),
            (Error::Item("secret".into()), 500, "internal"),
        ] {
            let problem = Problem::from(error);
            let body = json!(problem.0.body);
            assert_eq!((&body["status"], &body["code"]), (&json!(status), &json!(code)));
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }

    #[test]
    fn a_shortage_names_the_products() {
        let problem = Problem::from(Error::OutOfStock(vec![Shortage {
            product_id: product(),
            requested: 5,
            available: 2,
        }]));
        assert_eq!(
            json!(problem.0.body),
            json!({
                "type": "urn:storefront:problem:out_of_stock",
                "title": "Out of stock",
                "status": 409,
                "detail": "There is not enough of some products.",
                "code": "out_of_stock",
                "products": [{
                    "productId": "01930000-0000-7000-8000-000000000101",
                    "requested": 5,
                    "available": 2,
                }],
            })
        );
    }

    #[test]
    fn a_changed_total_names_the_total_and_the_prices() {
        let body = json!(Problem::from(Error::TotalChanged(current_total())).0.body);
        assert_eq!((&body["total"], &body["currency"]), (&json!(3980), &json!("EUR")));
        assert_eq!(
            body["products"],
            json!([{
                "productId": "01930000-0000-7000-8000-000000000101",
                "requested": 2,
                "price": 1990,
            }])
        );
    }

    #[test]
    fn a_temporary_problem_says_when_to_try_again() {
        for (error, seconds) in [
            (Error::TooManyLogins { retry_after: Duration::from_secs(870) }, "870"),
            (Error::TooManyLogins { retry_after: Duration::ZERO }, "1"),
            (Error::Contention, "1"),
            (Error::Unavailable("no answer".into()), "1"),
        ] {
            let response = Problem::from(error).into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn a_failure_carries_its_cause_for_the_log() {
        let response = Problem::from(Error::Refused("the reason".into())).into_response();
        let cause = response.extensions().get::<Cause>().unwrap();
        assert_eq!(cause.to_string(), "DynamoDB refused the request: the reason");
    }
}
