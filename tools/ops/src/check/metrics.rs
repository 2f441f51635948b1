//! The metrics of the stack's functions.

use storefront_core::Timestamp;

use super::aws::{Aws, AwsError, CLOUDWATCH};
use super::xml::Element;

/// The metric of published status changes (`functions/order-events`), and its dimension.
pub(crate) const STATUS_CHANGES_PUBLISHED: &str = "StatusChangesPublished";
const DIMENSION: &str = "Status";

const MINUTE: i64 = 60_000;

/// Returns how many changes to this status were published since this moment. CloudWatch counts by
/// the minute, so those of the whole minute count.
pub(crate) async fn published(
    aws: &Aws,
    stack: &str,
    status: &str,
    since: Timestamp,
) -> Result<f64, AwsError> {
    let minute = |moment: Timestamp, add: i64| {
        let start = moment.as_millis().div_euclid(MINUTE) * MINUTE + add * MINUTE;
        Timestamp::from_millis(start).unwrap_or(moment).to_string()
    };
    let parameters = [
        ("Namespace", stack),
        ("MetricName", STATUS_CHANGES_PUBLISHED),
        ("Dimensions.member.1.Name", DIMENSION),
        ("Dimensions.member.1.Value", status),
        ("StartTime", &minute(since, 0)),
        ("EndTime", &minute(Timestamp::now(), 1)),
        ("Period", "60"),
        ("Statistics.member.1", "Sum"),
    ];
    let answer = Element::read(&aws.query(&CLOUDWATCH, "GetMetricStatistics", &parameters).await?);
    let sums = answer.members("Datapoints").iter().filter_map(|point| point.text("Sum"));
    Ok(sums.filter_map(|sum| sum.parse::<f64>().ok()).sum())
}
