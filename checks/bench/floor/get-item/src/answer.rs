//! The response bodies, in the shape of the suite's. They borrow from the items, and numbers are
//! not even parsed.

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Error, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::table::Item;

pub(crate) trait Body: Serialize {
    fn version(&self) -> Option<&str> {
        None
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User<'a> {
    id: &'a str,
    email: &'a str,
    name: &'a str,
    role: &'a str,
    version: &'a RawValue,
    created_at: &'a str,
    updated_at: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order<'a> {
    id: &'a str,
    user_id: &'a str,
    status: &'a str,
    total: &'a RawValue,
    currency: &'a str,
    version: &'a RawValue,
    created_at: &'a str,
    updated_at: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    category: &'a str,
    price: &'a RawValue,
    currency: &'a str,
    stock: &'a RawValue,
    available: bool,
    selling: bool,
    version: &'a RawValue,
    created_at: &'a str,
    updated_at: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<'a> User<'a> {
    pub(crate) fn of(item: &'a Item) -> Result<Self, Error> {
        Ok(Self {
            id: text(item, "id")?,
            email: text(item, "email")?,
            name: text(item, "name")?,
            role: text(item, "role")?,
            version: number(item, "version")?,
            created_at: text(item, "createdAt")?,
            updated_at: text(item, "updatedAt")?,
        })
    }
}

impl<'a> Order<'a> {
    pub(crate) fn of(item: &'a Item) -> Result<Self, Error> {
        Ok(Self {
            id: text(item, "id")?,
            user_id: text(item, "userId")?,
            status: text(item, "status")?,
            total: number(item, "total")?,
            currency: text(item, "currency")?,
            version: number(item, "version")?,
            created_at: text(item, "createdAt")?,
            updated_at: text(item, "updatedAt")?,
        })
    }
}

impl<'a> Product<'a> {
    pub(crate) fn of(item: &'a Item, stock: &'a Item) -> Result<Self, Error> {
        let (stock, selling) = (number(stock, "quantity")?, flag(item, "selling")?);
        Ok(Self {
            id: text(item, "id")?,
            name: text(item, "name")?,
            description: text(item, "description")?,
            category: text(item, "category")?,
            price: number(item, "price")?,
            currency: text(item, "currency")?,
            stock,
            available: selling && stock.get() != "0",
            selling,
            version: number(item, "version")?,
            created_at: text(item, "createdAt")?,
            updated_at: text(item, "updatedAt")?,
        })
    }
}

impl Body for User<'_> {
    fn version(&self) -> Option<&str> {
        Some(self.version.get())
    }
}

impl Body for Product<'_> {
    fn version(&self) -> Option<&str> {
        Some(self.version.get())
    }
}

impl<T: Serialize> Body for Page<T> {}

pub(crate) fn json(body: &impl Body) -> Result<Response<String>, Error> {
    let mut answer = Response::builder().header("content-type", "application/json");
    if let Some(version) = body.version() {
        answer = answer.header("etag", format!("\"{version}\""));
    }
    Ok(answer.body(serde_json::to_string(body)?)?)
}

fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, Error> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| format!("the item has no {name}").into())
}

fn flag(item: &Item, name: &str) -> Result<bool, Error> {
    let value = item.get(name).and_then(|value| value.as_bool().ok());
    value.copied().ok_or_else(|| format!("the item has no {name}").into())
}

fn number<'a>(item: &'a Item, name: &str) -> Result<&'a RawValue, Error> {
    match item.get(name) {
        Some(AttributeValue::N(number)) => Ok(serde_json::from_str(number)?),
        _ => Err(format!("the item has no {name}").into()),
    }
}
