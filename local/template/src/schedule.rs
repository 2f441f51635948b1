use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::Error;
use crate::node::Node;
use crate::template::Template;

/// The type of a function's event that is a schedule of EventBridge Scheduler.
pub(crate) const SCHEDULER_EVENT: &str = "ScheduleV2";
/// The type of a function's event that is a scheduled rule of EventBridge.
pub(crate) const RULE_EVENT: &str = "Schedule";

/// A schedule that invokes a function.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The logical id of the function.
    pub function: String,
    /// Its name among the function's events.
    pub event: String,
    /// The service that sends the event.
    pub service: Scheduler,
    /// When it runs.
    pub expression: ScheduleExpression,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// What the function gets instead of the scheduled event, as JSON text.
    pub input: Option<String>,
}

/// The service that runs a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    /// EventBridge Scheduler (`ScheduleV2`).
    EventBridgeScheduler,
    /// A scheduled rule of EventBridge (`Schedule`).
    EventBridgeRule,
}

/// When a schedule runs.
#[derive(Debug, Clone)]
pub enum ScheduleExpression {
    /// `rate(…)`: after each period, for the first time one period after its creation.
    Rate(Duration),
    /// `cron(…)`, in UTC.
    Cron(Box<CronExpression>),
    /// `at(…)`: once.
    At(Timestamp),
}

/// A cron expression of EventBridge: minutes, hours, day of month, month, day of week, year.
#[derive(Debug, Clone)]
pub struct CronExpression(Cron);

impl Template {
    /// Returns the schedules of all functions, by function and event.
    pub fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        let mut schedules = Vec::new();
        for (function, event, properties) in self.named_events(SCHEDULER_EVENT)? {
            let expression = properties.member("ScheduleExpression");
            self.check_hand_over(&properties)?;
            schedules.push(Schedule {
                expression: ScheduleExpression::read(&expression, Scheduler::EventBridgeScheduler)?,
                service: Scheduler::EventBridgeScheduler,
                enabled: is_enabled(&properties)?,
                input: input(&properties)?,
                function,
                event,
            });
        }
        for (function, event, properties) in self.named_events(RULE_EVENT)? {
            let expression = properties.member("Schedule");
            self.check_hand_over(&properties)?;
            schedules.push(Schedule {
                expression: ScheduleExpression::read(&expression, Scheduler::EventBridgeRule)?,
                service: Scheduler::EventBridgeRule,
                enabled: is_enabled(&properties)?,
                input: input(&properties)?,
                function,
                event,
            });
        }
        schedules.sort_by(|one, other| {
            (&one.function, &one.event).cmp(&(&other.function, &other.event))
        });
        Ok(schedules)
    }
}

impl Schedule {
    /// Returns the function and the event, `OrderExpiryFunction.Hourly`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.function, self.event)
    }
}

impl ScheduleExpression {
    /// Returns the next time after `now` at which a schedule runs that was created at `created`.
    /// `None` means never again.
    #[must_use]
    pub fn next(&self, created: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(period) => {
                let period = i128::try_from(period.as_nanos()).ok()?;
                let passed = now.as_nanosecond() - created.as_nanosecond();
                let periods = passed.div_euclid(period).max(0) + 1;
                Timestamp::from_nanosecond(created.as_nanosecond() + periods * period).ok()
            }
            Self::Cron(cron) => cron.next(now),
            Self::At(time) => Some(*time).filter(|time| *time > now),
        }
    }

    fn read(node: &Node<'_>, service: Scheduler) -> Result<Self, Error> {
        let text = node.text()?;
        let arguments = |name: &str| text.strip_prefix(name)?.strip_suffix(')');
        if let Some(rate) = arguments("rate(") {
            rate_of(rate, service)
                .map(Self::Rate)
                .ok_or_else(|| node.unexpected("a rate, such as rate(1 hour) or rate(5 minutes)"))
        } else if let Some(cron) = arguments("cron(") {
            CronExpression::parse(cron)
                .map(|cron| Self::Cron(Box::new(cron)))
                .map_err(|error| node.unexpected(error))
        } else if let Some(at) =
            arguments("at(").filter(|_| service == Scheduler::EventBridgeScheduler)
        {
            at.parse::<jiff::civil::DateTime>()
                .and_then(|time| time.to_zoned(TimeZone::UTC))
                .map(|time| Self::At(time.timestamp()))
                .map_err(|_| node.unexpected("a time, such as at(2030-01-31T12:00:00)"))
        } else {
            Err(node.unexpected("rate(…) or cron(…)"))
        }
    }
}

/// Reads `5 minutes`. A rule accepts a singular unit only for 1, and Scheduler any.
fn rate_of(text: &str, service: Scheduler) -> Option<Duration> {
    let (value, unit) = text.split_once(' ')?;
    let value: u32 = value.parse().ok().filter(|value| *value > 0)?;
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    if service == Scheduler::EventBridgeRule && (value == 1) != (unit == singular) {
        return None;
    }
    let minutes = match singular {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    Some(Duration::from_mins(minutes) * value)
}

impl CronExpression {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [_, _, day_of_month, _, day_of_week, _] = *fields else {
            return Err("cron(…) with six fields: minutes, hours, day of month, month, day of \
                        week and year"
                .to_owned());
        };
        if (day_of_month == "?") == (day_of_week == "?") {
            return Err("cron(…) with ? as either the day of month or the day of week".to_owned());
        }
        // Where AWS differs from Vixie cron: Sunday is 1, and 0/15 means each fifteenth from 0.
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let cron = parser.parse(&format!("0 {}", fields.join(" ")));
        cron.map(Self).map_err(|error| format!("a cron expression of EventBridge ({error})"))
    }

    /// Returns the first time after this one that matches, in UTC.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.to_zoned(TimeZone::UTC).datetime();
        let next = self.0.find_next_occurrence(&after, false).ok()?;
        Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

/// Reads `State`, or `Enabled`, which only scheduled rules have.
pub(crate) fn is_enabled(properties: &Node<'_>) -> Result<bool, Error> {
    if let Some(enabled) = properties.optional("Enabled") {
        return enabled.flag();
    }
    let Some(state) = properties.optional("State") else {
        return Ok(true);
    };
    match state.text()? {
        "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Ok(true),
        "DISABLED" => Ok(false),
        _ => Err(state.unexpected("ENABLED or DISABLED")),
    }
}

/// Reads the constant that a function gets in place of the event.
pub(crate) fn input(properties: &Node<'_>) -> Result<Option<String>, Error> {
    let Some(input) = properties.optional("Input") else {
        return Ok(None);
    };
    let text = input.text()?;
    serde_json::from_str::<serde_json::Value>(text)
        .map_err(|error| input.unexpected(format!("JSON ({error})")))?;
    Ok(Some(text.to_owned()))
}
