//! The claims of mails.

mod costs;

use storefront_core::{Claim, Claimed, Settled, Timestamp};
use storefront_testing::faults::Fault;

use crate::items;
use crate::shop::Shop;

pub(crate) use costs::measure;

const MINUTE: i64 = 60_000;

pub(crate) async fn put_examples(shop: &Shop) {
    let now = items::order().created_at();
    let [claimed, sent] = [1, 2].map(|version| format!("{}:{version}", items::order()));
    claim(shop, &claimed, now).await;
    shop.mails.settle(&claim(shop, &sent, now).await, Settled::Sent).await.unwrap();
}

/// Claims a mail that can be claimed.
async fn claim(shop: &Shop, event_id: &str, now: Timestamp) -> Claim {
    match shop.mails.claim(event_id, now).await.unwrap() {
        Claimed::Yes(claim) => claim,
        refused => panic!("{refused:?}"),
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis).unwrap()
}

#[tokio::test]
async fn a_mail_is_claimed_once_and_not_again_after_it_was_settled() {
    let shop = Shop::open().await;
    for (event, how) in [("a:1", Settled::Sent), ("a:2", Settled::Refused)] {
        let first = claim(&shop, event, at(0)).await;
        assert!(!first.may_be_sent);
        assert_eq!(shop.mails.claim(event, at(1)).await.unwrap(), Claimed::ByAnother);
        shop.mails.settle(&first, how).await.unwrap();
        for later in [2, 3 * MINUTE, 23 * 60 * MINUTE] {
            assert_eq!(shop.mails.claim(event, at(later)).await.unwrap(), Claimed::Settled);
        }
    }
}

#[tokio::test]
async fn a_claim_that_was_not_settled_ends_and_the_next_one_knows_of_it() {
    let shop = Shop::open().await;
    claim(&shop, "a:1", at(0)).await;
    let too_early = shop.mails.claim("a:1", at(2 * MINUTE - 1)).await.unwrap();
    assert_eq!(too_early, Claimed::ByAnother);
    let second = claim(&shop, "a:1", at(2 * MINUTE)).await;
    assert!(second.may_be_sent, "the first may have sent it and crashed");
}

#[tokio::test]
async fn a_mail_that_was_given_back_is_as_if_nobody_had_claimed_it() {
    let shop = Shop::open().await;
    let first = claim(&shop, "a:1", at(0)).await;
    shop.mails.give_back(&first).await.unwrap();
    let second = claim(&shop, "a:1", at(1)).await;
    assert!(!second.may_be_sent);
    // Who gives back twice, as a retry does, takes nothing from somebody else.
    shop.mails.give_back(&first).await.unwrap();
    assert_eq!(shop.mails.claim("a:1", at(2)).await.unwrap(), Claimed::ByAnother);
}

#[tokio::test]
async fn a_late_claimer_does_not_take_the_mail_from_the_next_one() {
    let shop = Shop::open().await;
    let first = claim(&shop, "a:1", at(0)).await;
    claim(&shop, "a:1", at(2 * MINUTE)).await;
    shop.mails.give_back(&first).await.unwrap();
    assert_eq!(shop.mails.claim("a:1", at(2 * MINUTE + 1)).await.unwrap(), Claimed::ByAnother);
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_is_lost_is_still_the_first() {
    for fault in [Fault::AppliedReset, Fault::AppliedServerError, Fault::SlowAnswer] {
        let (shop, plan) = Shop::with_faults();
        plan.next("UpdateItem", 1, fault);
        let first = claim(&shop, "a:1", at(0)).await;
        assert_eq!(plan.remaining(), 0, "{fault:?}");
        assert!(!first.may_be_sent, "{fault:?}");
        plan.next("UpdateItem", 1, fault);
        shop.mails.settle(&first, Settled::Sent).await.unwrap();
        assert_eq!(shop.mails.claim("a:1", at(1)).await.unwrap(), Claimed::Settled, "{fault:?}");
    }
}

#[tokio::test]
async fn of_several_that_claim_a_mail_at_once_one_gets_it() {
    let shop = Shop::open().await;
    let all = futures_util::future::join_all((0..8).map(|_| shop.mails.claim("a:1", at(0)))).await;
    let claimed = all.iter().filter(|claimed| matches!(claimed, Ok(Claimed::Yes(_)))).count();
    let by_another = all.iter().filter(|claimed| matches!(claimed, Ok(Claimed::ByAnother))).count();
    assert_eq!((claimed, by_another), (1, 7));
}
