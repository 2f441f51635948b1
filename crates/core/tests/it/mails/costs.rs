use storefront_core::{Claimed, Settled, Timestamp};

use crate::access_patterns::Costs;
use crate::shop::Shop;

pub(crate) async fn measure(costs: &mut Costs) {
    let shop = Shop::open().await;
    let now = Timestamp::now();
    let claimed = costs.measure("claim a mail", 1, shop.mails.claim("order:1", now)).await.unwrap();
    let Claimed::Yes(claim) = claimed else { panic!("{claimed:?}") };
    let given_back = shop.mails.give_back(&claim);
    costs.measure("give a mail back that was not sent", 1, given_back).await.unwrap();
    let Claimed::Yes(claim) = shop.mails.claim("order:1", now).await.unwrap() else {
        panic!("it was given back")
    };
    let settled = shop.mails.settle(&claim, Settled::Sent);
    costs.measure("settle a mail", 1, settled).await.unwrap();
}
