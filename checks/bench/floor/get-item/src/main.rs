//! A minimal function that answers the suite's reads with `lambda_http` and the AWS SDK.
//!
//! It sends the same requests to DynamoDB as the suite's functions, and answers with bodies of the
//! same shape. Everything else that a function should do is left out: it validates nothing, has no
//! logs, metrics or router, and any error ends it. It sends no request to DynamoDB during init:
//! that would make the first invocation shorter, but the sum of both longer.

mod answer;
mod aws;
mod table;

use std::env;

use answer::{Order, Page, Product, User, json};
use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt as _, Response, run, service_fn};
use table::Table;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = Table::new(aws::client()?, env::var("TABLE_NAME")?);
    run(service_fn(|request: Request| answer(&table, request))).await
}

async fn answer(table: &Table, request: Request) -> Result<Response<String>, Error> {
    let path = request.uri().path();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", "users", _] => {
            let item = table.get(format!("USER#{}", caller(&request)?)).await?;
            json(&User::of(&item)?)
        }
        ["", "users"] => {
            // The suite checks in the table that the caller is still an administrator.
            table.role_of(format!("USER#{}", caller(&request)?)).await?;
            let query = request.query_string_parameters_ref();
            let email = query.and_then(|query| query.first("email")).ok_or("no email")?;
            let item = table.find(format!("EMAIL#{email}")).await?;
            json(&Page { items: vec![User::of(&item)?], next_cursor: None })
        }
        ["", "orders"] => {
            let (items, last) = table.newest_orders(format!("USER#{}", caller(&request)?)).await?;
            let items = items.iter().map(Order::of).collect::<Result<_, _>>()?;
            json(&Page { items, next_cursor: last })
        }
        ["", "products", id] => {
            let [product, stock] = table.product(format!("PRODUCT#{id}")).await?;
            json(&Product::of(&product, &stock)?)
        }
        _ => Err(format!("unknown path {path}").into()),
    }
}

/// Returns the user id from the authorizer.
fn caller(request: &Request) -> Result<&str, Error> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return Err("not from an HTTP API".into());
    };
    let authorizer = context.authorizer.as_ref().ok_or("no authorizer")?;
    let user_id = authorizer.fields.get("userId").and_then(|id| id.as_str());
    user_id.ok_or_else(|| "no caller".into())
}
