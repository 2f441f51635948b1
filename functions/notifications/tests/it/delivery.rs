//! Which events are mailed, how often, and what is tried again.

use lambda_runtime::Context;
use serde_json::{Value, json};
use storefront_core::{Timestamp, UserChanges};
use storefront_notifications::Notifications;
use storefront_testing::faults::{Fault, Plan};
use storefront_testing::unreachable_table;

use crate::events::paid;
use crate::ses::Answer;
use crate::world::{World, one};
use crate::{batch, invoke, message, notifications, send};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).unwrap()
}

fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(now().as_millis() + millis).unwrap()
}

impl World {
    fn function_at(&self, time: Timestamp) -> Notifications {
        self.function_with(&Plan::none(), time)
    }

    fn function_with(&self, plan: &Plan, time: Timestamp) -> Notifications {
        self.function_on(self.shop.dynamodb.table(plan), time)
    }

    fn event(&self) -> Value {
        paid(self.ada.id, 2, now())
    }
}

#[tokio::test]
async fn an_event_that_is_delivered_several_times_is_mailed_once() {
    let world = World::new().await;
    let function = world.function_at(now());
    assert_eq!(send(&function, &[world.event(), world.event()]).await, [""; 0]);
    assert_eq!(send(&world.function_at(later(HOUR)), &[world.event()]).await, [""; 0]);
    assert_eq!(world.ses.requests(), 1);
    assert_eq!(world.counted(), [one("MailsSent paid")]);
}

#[tokio::test]
async fn an_event_is_mailed_for_six_hours() {
    let world = World::new().await;
    let old = paid(world.ada.id, 3, later(-6 * HOUR - 1));
    assert_eq!(send(&world.function_at(now()), &[old]).await, [""; 0]);
    assert_eq!((world.ses.requests(), world.counted()), (0, vec![one("MailsTooOld")]));

    let just = paid(world.ada.id, 4, later(-6 * HOUR));
    // By another clock.
    let early = paid(world.ada.id, 5, later(HOUR));
    assert_eq!(send(&world.function_at(now()), &[just, early]).await, [""; 0]);
    assert_eq!(world.ses.requests(), 2);
}

#[tokio::test]
async fn a_deleted_customer_is_not_written_to() {
    let world = World::new().await;
    world.shop.users.delete(world.ada.id, None).await.unwrap();
    assert_eq!(send(&world.function_at(now()), &[world.event()]).await, [""; 0]);
    assert_eq!((world.ses.requests(), world.counted()), (0, vec![]));
}

#[tokio::test]
async fn an_address_that_nobody_can_have_is_not_written_to() {
    let world = World::new().await;
    let changes = UserChanges {
        email: Some("check@storefront.invalid".parse().unwrap()),
        ..UserChanges::default()
    };
    world.shop.users.update(world.ada.id, changes, None).await.unwrap();
    assert_eq!(send(&world.function_at(now()), &[world.event()]).await, [""; 0]);
    assert_eq!((world.ses.requests(), world.counted()), (0, vec![]));
}

#[tokio::test]
async fn what_passes_fails_the_message_and_is_sent_at_the_next_delivery() {
    for (status, code) in [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (400, "SendingPausedException"),
        (400, "AccountSuspendedException"),
        (400, "MailFromDomainNotVerifiedException"),
        (403, "AccessDeniedException"),
        (500, "InternalServiceErrorException"),
        (503, "MessageRejected"),
    ] {
        let world = World::new().await;
        world.ses.answer_next([Answer::Fail(status, code)]);
        let function = world.function_at(now());
        let others = paid(world.ada.id, 3, now());
        assert_eq!(send(&function, &[world.event(), others]).await, ["0"], "{code}");
        assert_eq!(world.ses.mails().len(), 1, "the others are sent, {code}");
        assert_eq!(send(&function, &[world.event()]).await, [""; 0], "{code}");
        let sent = [("MailsSent paid".to_owned(), 1.0), one("MailsSent paid")];
        assert_eq!(world.counted(), sent, "{code}");
    }
}

#[tokio::test]
async fn what_ses_refuses_for_good_is_counted_and_not_tried_again() {
    for (status, code) in
        [(400, "MessageRejected"), (400, "BadRequestException"), (404, "NotFoundException")]
    {
        let world = World::new().await;
        world.ses.answer_next([Answer::Fail(status, code)]);
        let function = world.function_at(now());
        assert_eq!(send(&function, &[world.event()]).await, [""; 0], "{code}");
        assert_eq!(send(&function, &[world.event()]).await, [""; 0], "{code}");
        assert_eq!((world.ses.requests(), world.counted()), (1, vec![one("MailsRefused")]));
    }
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_sent_again_and_counted() {
    let world = World::new().await;
    world.ses.answer_next([Answer::SendAndBreakOff]);
    assert_eq!(send(&world.function_at(now()), &[world.event()]).await, ["0"]);
    // Nobody else may send it meanwhile.
    assert_eq!(send(&world.function_at(later(MINUTE)), &[world.event()]).await, ["0"]);
    assert_eq!((world.ses.requests(), world.counted()), (1, vec![]));
    assert_eq!(send(&world.function_at(later(6 * MINUTE)), &[world.event()]).await, [""; 0]);
    assert_eq!(world.ses.mails().len(), 2);
    assert_eq!(world.counted(), [one("MailsSent paid"), one("MailsSentAgain")]);
    let [first, second] = [0, 1].map(|place| world.ses.mails()[place].clone());
    let id = |mail: &crate::ses::Mail| mail.parsed().message_id().map(str::to_owned);
    assert_eq!(id(&first), id(&second), "a mail program may see that they are the same");
}

#[tokio::test]
async fn an_ses_that_cannot_be_reached_fails_the_message() {
    let world = World::new().await;
    let config = storefront_core::aws::patient_emulator_config();
    // Nothing listens there.
    let ses = storefront_notifications::Ses::new(&config, Some("http://127.0.0.1:1".to_owned()));
    let function = Notifications::new(world.shop.table(), ses, crate::settings());
    assert_eq!(send(&function.with_clock(now), &[world.event()]).await, ["0"]);
}

#[tokio::test]
async fn a_message_that_is_no_event_fails_alone() {
    let world = World::new().await;
    let mut odd = world.event();
    odd["detail"]["total"] = json!("free");
    let unknown = json!({ "detail-type": "ParcelLost", "detail": {} });
    let messages = [
        message("text", "not JSON"),
        message("odd", &odd.to_string()),
        message("unknown", &unknown.to_string()),
        message("good", &world.event().to_string()),
    ];
    let function = world.function_at(now());
    let failed = invoke(&function, json!({ "Records": messages }), Context::default()).await;
    assert_eq!(failed, ["text", "odd", "unknown"]);
    assert_eq!(world.ses.mails().len(), 1);
}

#[tokio::test]
async fn nothing_is_begun_that_might_not_be_finished() {
    let world = World::new().await;
    let mut context = Context::default();
    context.deadline = 1;
    let events = batch(&[world.event()]);
    assert_eq!(invoke(&world.function_at(now()), events, context).await, ["0"]);
    assert_eq!(world.ses.requests(), 0);
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_fails_the_message_before_anything_is_sent() {
    let world = World::new().await;
    let function = notifications(unreachable_table(), &world.ses).with_clock(now);
    assert_eq!(send(&function, &[world.event()]).await, ["0"]);
    assert_eq!(world.ses.requests(), 0);
}

#[tokio::test]
async fn a_mail_that_was_sent_is_done_with_even_if_that_cannot_be_written() {
    let world = World::new().await;
    let plan = Plan::none();
    let function = world.function_with(&plan, now());
    // The claim is written as it is; that the mail was sent is not.
    plan.next("UpdateItem", 1, Fault::ConflictBeside);
    let denied = json!({ "__type": "AccessDeniedException", "message": "no" });
    plan.answer_next("UpdateItem", 1, denied);
    assert_eq!(send(&function, &[world.event()]).await, [""; 0], "it is not delivered again");
    assert_eq!((plan.remaining(), world.counted()), (0, vec![one("MailsSent paid")]));
    // SQS may deliver it again by itself.
    assert_eq!(send(&world.function_at(later(6 * MINUTE)), &[world.event()]).await, [""; 0]);
    assert_eq!(world.ses.mails().len(), 2);
    assert_eq!(world.counted(), [one("MailsSent paid"), one("MailsSentAgain")]);
}
