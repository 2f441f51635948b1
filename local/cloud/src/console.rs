//! Output on the terminal.

use std::fmt;
use std::io::{self, Write as _};

use storefront_http::logging;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cloud::LocalCloud;

/// Shows one line per request and event, and problems, unless `RUST_LOG` says otherwise. The
/// embedded database warns of every failed condition, which is normal for the shop.
fn default_filter() -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("dynoxide", LevelFilter::ERROR)
        .with_target("storefront_cloud", LevelFilter::INFO)
}

/// Starts logging in readable lines.
pub fn init() {
    let filter = logging::filter(default_filter());
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_timer(UtcTime)
        .with_writer(io::stdout);
    tracing_subscriber::registry().with(lines).with(filter).init();
}

/// Prints where everything is.
pub fn welcome(cloud: &LocalCloud) {
    let data = cloud.data_dir().map_or_else(
        || "in memory".to_owned(),
        |folder| format!("{} (delete it to start over)", folder.display()),
    );
    let mut lines = vec![
        "storefront is ready".to_owned(),
        String::new(),
        format!("  API        {}", cloud.api_url()),
        format!("  Events     {}/_local/events", cloud.api_url()),
        format!("  Mail       {}/_local/mail", cloud.api_url()),
        format!("  DynamoDB   {} (table {})", cloud.dynamodb_url(), crate::TABLE_NAME),
        format!("  Data       {data}"),
    ];
    let (api, scheduled, queues) = (cloud.api_url(), cloud.scheduled(), cloud.queues());
    if !scheduled.is_empty() {
        let names = scheduled.join(", ");
        lines.push(format!("  Schedules  {names} (POST {api}/_local/schedules/NAME/run runs one)"));
    }
    if !queues.is_empty() {
        lines.push(format!("  Queues     {} ({api}/_local/queues)", queues.join(", ")));
    }
    let users = cloud.demo_users();
    if !users.emails.is_empty() {
        let emails = users.emails.join(", ");
        lines.push(format!("  Users      {emails} (password {})", users.password));
    }
    let who = if cloud.is_reachable_from_others() {
        "anybody on the network may use"
    } else {
        "programs on this machine may use"
    };
    lines.push(String::new());
    lines.push(format!(
        "Without a password, {who} DynamoDB and /_local. Pages of other sites are refused."
    ));
    lines.push("Ctrl-C stops it.".into());
    // If the terminal is gone, nobody reads it anyway.
    let _ = writeln!(io::stdout(), "{}\n", lines.join("\n"));
}

struct UtcTime;

impl FormatTime for UtcTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
}
