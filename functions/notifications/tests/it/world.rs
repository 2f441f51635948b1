//! A customer, an SES, and what the function counts.

use storefront_core::{Locale, Table, Timestamp, User};
use storefront_http::MetricSink;
use storefront_notifications::Notifications;
use storefront_testing::CapturedMetrics;

use crate::notifications;
use crate::ses::Ses;
use crate::shop::Shop;

/// A customer, and what the function for them needs.
pub(crate) struct World {
    pub(crate) shop: Shop,
    pub(crate) ada: User,
    pub(crate) ses: Ses,
    metrics: CapturedMetrics,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of("Ada", None).await
    }

    /// With a customer of this name and language.
    pub(crate) async fn of(name: &str, locale: Option<Locale>) -> Self {
        let shop = Shop::open();
        let ada = shop.customer(name, locale).await;
        Self { shop, ada, ses: Ses::start().await, metrics: CapturedMetrics::default() }
    }

    /// The function on this table, whose clock stands still.
    pub(crate) fn function_on(&self, table: Table, time: Timestamp) -> Notifications {
        notifications(table, &self.ses)
            .with_metrics(MetricSink::new("shop", self.metrics.clone()))
            .with_clock(move || time)
    }

    /// Takes what was counted of mails: each metric, with its dimension, and its value.
    pub(crate) fn counted(&self) -> Vec<(String, f64)> {
        let mut counted = Vec::new();
        for line in self.metrics.take() {
            let metric = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"];
            let name = metric.as_str().unwrap();
            if name.starts_with("Mails") {
                let of = line["Mail"].as_str().map(|of| format!(" {of}")).unwrap_or_default();
                counted.push((format!("{name}{of}"), line[name].as_f64().unwrap()));
            }
        }
        counted
    }
}

/// A metric that was counted once.
pub(crate) fn one(metric: &str) -> (String, f64) {
    (metric.to_owned(), 1.0)
}
