//! What each step does, and what must come of it.

use std::time::Duration;

use form_urlencoded::byte_serialize;
use serde_json::{Value, json};
use storefront_core::{Currency, NewProduct, OrderStatus, ProductId, Products, Timestamp};
use storefront_http::logging::with_sources;
use tokio::time::{Instant, sleep};

use super::aws::SES;
use super::metrics::{STATUS_CHANGES_PUBLISHED, published};
use super::report::{Failure, Report};
use super::shop::{Answer, Call};
use super::visit::{Customer, Product, Secret, Step, Trouble, Visit};

/// The functions that serve the routes.
pub(super) const AUTH: &str = "auth";
const USERS: &str = "users";
const PRODUCTS: &str = "products";
const ORDERS: &str = "orders";
/// The functions that read the table's stream.
const AVAILABILITY: &str = "availability";
const ORDER_EVENTS: &str = "order-events";

/// How long a read or the index may lag a write. They follow within a second.
const LAG: Duration = Duration::from_secs(10);
/// How long `availability` may take. It follows within seconds.
const REFRESH: Duration = Duration::from_mins(1);
/// Between two looks at what follows a write.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at a metric, at most. CloudWatch takes up to some minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many pages of a category are searched for a product.
const PAGES: usize = 20;

pub(super) type Passed = Result<String, Trouble>;

impl Visit {
    pub(super) async fn perform(&mut self, step: Step) -> Passed {
        match step {
            Step::Register => self.register().await,
            Step::LogIn => self.log_in().await,
            Step::Refresh => self.refresh().await,
            Step::ListSessions => {
                let call = self.as_customer(Call::get(AUTH, "/sessions"));
                self.expect(call, 200).await
            }
            Step::Profile => {
                let call = self.as_customer(Call::get(USERS, "/users/me"));
                self.expect(call, 200).await
            }
            Step::AddProduct => self.add_product().await,
            Step::ListProducts => self.list_products().await,
            Step::ReadProduct => self.expect(self.read_product(), 200).await,
            Step::Place => self.place().await,
            Step::PlaceAgain => self.place_again().await,
            Step::ListOrders => self.list_orders().await,
            Step::ReadOrder => self.read_order().await,
            Step::SoldOut => self.sold_out().await,
            Step::Cancel => self.cancel().await,
            Step::BackInStock => self.back_in_stock().await,
            Step::Mail => self.sends_mail().await,
            Step::Count => self.counted().await,
        }
    }

    pub(super) async fn log_in(&mut self) -> Passed {
        let Customer { email, password, .. } = &self.customer;
        let body = json!({ "email": email, "password": password.0 });
        let call = Call::post(AUTH, "/sessions", body);
        let answer = self.send(&call).await?;
        self.keep_tokens(call, answer, 201)
    }

    async fn refresh(&mut self) -> Passed {
        let token = self.customer.refresh_token.as_ref().map(|token| &*token.0);
        let call = Call::post(AUTH, "/sessions/refresh", json!({ "refreshToken": token }));
        let answer = self.send(&call).await?;
        self.keep_tokens(call, answer, 200)
    }

    fn keep_tokens(&mut self, call: Call, answer: Answer, status: u16) -> Passed {
        let token = |name| answer.text(name).map(|token| Secret(token.to_owned()));
        let tokens = (token("accessToken"), token("refreshToken"));
        let has_tokens = tokens.0.is_some() && tokens.1.is_some();
        if has_tokens {
            (self.customer.token, self.customer.refresh_token) = tokens;
        }
        let expected = "an accessToken and a refreshToken";
        passed_if(call, answer, status, expected, |_| has_tokens)
    }

    /// Adds a product to the table, in a category that nobody knows: no customer sees it, and the
    /// stock of all others stays as it is.
    async fn add_product(&mut self) -> Passed {
        const HOW: &str = "DynamoDB, one piece, in a category that nobody knows";
        let not_added = |why: String| {
            Trouble::Other(Failure::new(HOW).got(why).advice(
                "give the credentials dynamodb:PutItem, GetItem and DeleteItem on the table. Or name \
                 a category with --category: the check then orders one piece of a product there, and \
                 cancels the order at once",
            ))
        };
        let category = self.category.parse();
        let new = NewProduct {
            name: "Check of the deployment"
                .parse()
                .map_err(|_| not_added("the name is not valid".to_owned()))?,
            description: None,
            category: category.map_err(|_| not_added("the category is not valid".to_owned()))?,
            // One cent, so that an order of it waits for a payment as others do.
            price: 1,
            currency: Currency::EUR,
            stock: Some(1),
            selling: true,
        };
        let id = ProductId::new();
        // It is deleted even if the answer to this gets lost.
        self.own_product = Some(id);
        let added = Products::new(self.table.clone()).create(id, new).await;
        added.map_err(|error| not_added(with_sources(&error).to_string()))?;
        Ok(HOW.to_owned())
    }

    /// Finds a product that can be ordered.
    async fn list_products(&mut self) -> Passed {
        let until = self.until(LAG);
        loop {
            let mut cursor = None;
            for _ in 0..PAGES {
                let call = self.list_of_category(cursor.as_deref());
                let answer = self.send(&call).await?;
                let items = answer.body["items"].as_array().into_iter().flatten();
                let mut available = items.filter(|item| item["available"] == true);
                if let Some(found) = available.next() {
                    let id = found["id"].as_str().unwrap_or_default().to_owned();
                    let price = found["price"].as_u64().unwrap_or_default();
                    self.product = Product { id, price };
                    return passed(call, answer, 200);
                }
                cursor = answer.text("nextCursor").map(str::to_owned);
                if answer.status != 200 || (cursor.is_none() && Instant::now() >= until) {
                    return Err(self.nothing_to_order(call, answer));
                }
                if cursor.is_none() {
                    break;
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn nothing_to_order(&self, call: Call, answer: Answer) -> Trouble {
        if answer.status != 200 || self.own_product.is_some() {
            return unexpected(call, answer, "200 with a product that is available".to_owned());
        }
        Trouble::Other(
            Failure::new(answer.how(&call))
                .got(format!("the category {} has no product that can be ordered", self.category))
                .advice(
                    "name another category, or leave out --category: the check then adds a product of \
                     its own, and deletes it at the end",
                ),
        )
    }

    async fn place(&mut self) -> Passed {
        let call = self.order_call();
        self.order.may_be_open = true;
        let answer = self.send(&call).await?;
        self.order.may_be_open = !(400..500).contains(&answer.status);
        answer.text("id").unwrap_or_default().clone_into(&mut self.order.id);
        passed_if(call, answer, 201, "a pending order", |body| body["status"] == "pending")
    }

    async fn place_again(&self) -> Passed {
        let call = self.order_call();
        let answer = self.send(&call).await?;
        let is_replayed = answer.is_replayed;
        passed_if(call, answer, 200, "the first order and Idempotency-Replayed: true", |body| {
            body["id"] == self.order.id && is_replayed
        })
    }

    fn order_call(&self) -> Call {
        let items = json!([{ "productId": self.product.id, "quantity": 1 }]);
        let body = json!({ "items": items, "expectedTotal": self.product.price });
        let call = Call::post(ORDERS, "/orders", body).keyed(&self.order.idempotency_key);
        self.as_customer(call)
    }

    async fn list_orders(&self) -> Passed {
        let call = self.as_customer(Call::get(ORDERS, "/orders"));
        self.follow(call, LAG, "the order", |body| {
            let orders = body["items"].as_array();
            orders.is_some_and(|orders| orders.iter().any(|order| order["id"] == self.order.id))
        })
        .await
    }

    async fn read_order(&self) -> Passed {
        let path = format!("/orders/{}", self.order.id);
        let call = self.as_customer(Call::get(ORDERS, path));
        self.follow(call, LAG, "the order with its item", |body| {
            body["items"][0]["productId"] == self.product.id
        })
        .await
    }

    /// Only `availability` changes what lists say.
    async fn sold_out(&self) -> Passed {
        let call = self.list_of_category(None);
        let followed = self.follow(call, REFRESH, "the product with available: false", |body| {
            body["items"][0]["available"] == false
        });
        match followed.await {
            Err(Trouble::Answer(exchange, expected)) if exchange.1.status == 200 => {
                let (call, answer) = *exchange;
                let failure =
                    Failure::new(answer.how(&call)).sent(call.description()).got(format!(
                        "{} after {} s; expected {expected}",
                        answer.status,
                        self.within(REFRESH).as_secs()
                    ));
                Err(Trouble::Consumer(AVAILABILITY, failure))
            }
            other => other,
        }
    }

    async fn cancel(&mut self) -> Passed {
        let (path, body) = (format!("/orders/{}", self.order.id), json!({ "status": CANCELLED }));
        let call = self.as_customer(Call::patch(ORDERS, path, body));
        self.cancelled_at = Timestamp::now();
        let answer = self.send(&call).await?;
        self.order.may_be_open = answer.body["status"] != CANCELLED;
        passed_if(call, answer, 200, "a cancelled order", |body| body["status"] == CANCELLED)
    }

    async fn back_in_stock(&self) -> Passed {
        self.follow(self.read_product(), LAG, "a stock of 1", |body| body["stock"] == 1).await
    }

    /// Says what SES sends, and to whom. In its sandbox it is enough to try the shop out.
    async fn sends_mail(&self) -> Passed {
        const HOW: &str = "GetAccount of SES";
        let account = self.aws.get(&SES, "GetAccount", "v2/email/account").await;
        let account = account.map_err(|error| {
            let failure = Failure::new(HOW).got(error.to_string());
            Trouble::Other(failure.advice("give the credentials ses:GetAccount"))
        })?;
        if account["SendingEnabled"] != true {
            let failure =
                Failure::new(HOW).got("SES has paused the account's sending in this region");
            let advice =
                "the SES console says why, and what to do; nobody gets any mail until then";
            return Err(Trouble::Other(failure.advice(advice)));
        }
        if account["ProductionAccessEnabled"] != true {
            Report::note(
                "SES is still in its sandbox: only addresses that you have verified get mail, and all other \
                 mails are lost; request production access in the SES console",
            );
        }
        let rate = account["SendQuota"]["MaxSendRate"].as_f64().unwrap_or_default();
        Ok(format!("{HOW}, {rate} mails a second"))
    }

    async fn counted(&self) -> Passed {
        let how =
            format!("{STATUS_CHANGES_PUBLISHED} of CloudWatch's namespace {}", self.stack.name);
        Report::note(&format!(
            "waiting up to {} s until CloudWatch has counted the event",
            self.timeout.as_secs()
        ));
        let (since, started) = (self.cancelled_at, Instant::now());
        let mut pause = PAUSE;
        loop {
            let counted = published(&self.aws, &self.stack.name, CANCELLED, since).await;
            let counted = counted.map_err(|error| {
                Trouble::Other(
                    Failure::new(&how)
                        .got(error.to_string())
                        .advice("give the credentials cloudwatch:GetMetricStatistics"),
                )
            })?;
            if counted > 0.0 {
                return Ok(format!("{how}, {} s", started.elapsed().as_secs()));
            }
            if started.elapsed() >= self.timeout {
                let got = format!("no change to {CANCELLED} within {} s", self.timeout.as_secs());
                return Err(Trouble::Consumer(ORDER_EVENTS, Failure::new(how).got(got)));
            }
            sleep(pause.min(self.timeout.saturating_sub(started.elapsed()))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn read_product(&self) -> Call {
        Call::get(PRODUCTS, format!("/products/{}", self.product.id))
    }

    fn list_of_category(&self, cursor: Option<&str>) -> Call {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let cursor = cursor.map(|cursor| format!("&cursor={}", encoded(cursor)));
        let category = encoded(&self.category);
        let path = format!("/products?limit=100&category={category}{}", cursor.unwrap_or_default());
        Call::get(PRODUCTS, path)
    }

    pub(super) fn as_customer(&self, call: Call) -> Call {
        call.by(self.customer.token.as_ref().map(|token| token.0.as_str()))
    }

    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Trouble> {
        self.shop
            .call(call)
            .await
            .map_err(|silence| Trouble::Silence(Box::new(call.clone()), silence))
    }

    pub(super) async fn expect(&self, call: Call, status: u16) -> Passed {
        let answer = self.send(&call).await?;
        passed(call, answer, status)
    }

    /// Repeats a request until its answer shows what an earlier request did.
    async fn follow(
        &self,
        call: Call,
        patience: Duration,
        expected: &str,
        is_met: impl Fn(&Value) -> bool,
    ) -> Passed {
        let until = self.until(patience);
        loop {
            let answer = self.send(&call).await?;
            let is_lagging = [200, 404].contains(&answer.status) && !is_met(&answer.body);
            if !is_lagging || Instant::now() >= until {
                return passed_if(call, answer, 200, expected, is_met);
            }
            sleep(PAUSE).await;
        }
    }

    fn within(&self, patience: Duration) -> Duration {
        patience.min(self.timeout)
    }

    fn until(&self, patience: Duration) -> Instant {
        Instant::now() + self.within(patience)
    }
}

const CANCELLED: &str = OrderStatus::Cancelled.as_str();

pub(super) fn passed(call: Call, answer: Answer, status: u16) -> Passed {
    if answer.status == status {
        Ok(answer.how(&call))
    } else {
        Err(unexpected(call, answer, status.to_string()))
    }
}

fn passed_if(
    call: Call,
    answer: Answer,
    status: u16,
    expected: &str,
    is_met: impl FnOnce(&Value) -> bool,
) -> Passed {
    if answer.status == status && is_met(&answer.body) {
        Ok(answer.how(&call))
    } else {
        Err(unexpected(call, answer, format!("{status} with {expected}")))
    }
}

fn unexpected(call: Call, answer: Answer, expected: String) -> Trouble {
    Trouble::Answer(Box::new((call, answer)), expected)
}
