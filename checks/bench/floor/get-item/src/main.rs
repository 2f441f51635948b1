//! The leanest function that answers the suite's reads with `lambda_http` and the AWS SDK.
//!
//! It sends DynamoDB the requests that the suite's functions send, and answers with bodies of the
//! same shape. All else that a function should do is left out: it checks nothing, logs nothing,
//! counts nothing, has no router, and what goes wrong ends it. It asks DynamoDB nothing before it
//! has to: a request while it starts would make the first invocation shorter, but the sum longer.

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
            // The suite asks the table whether the caller is an administrator still.
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
            let item = table.get(format!("PRODUCT#{id}")).await?;
            json(&Product::of(&item)?)
        }
        _ => Err(format!("{path} is not known").into()),
    }
}

/// The user that the authorizer found.
fn caller(request: &Request) -> Result<&str, Error> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return Err("not from an HTTP API".into());
    };
    let authorizer = context.authorizer.as_ref().ok_or("no authorizer")?;
    let user_id = authorizer.fields.get("userId").and_then(|id| id.as_str());
    user_id.ok_or_else(|| "no caller".into())
}
