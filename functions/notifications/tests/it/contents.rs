//! What mails say, and that nobody can make them say anything else.

use storefront_core::{
    CancelReason, Locale, OrderAccess, OrderId, OrderStatus, StatusChange, Timestamp, Tracking,
    User,
};

use crate::ses::{Mail, Ses};
use crate::shop::Shop;
use crate::{notifications, send};

/// Sends the mails about everything that happened in a shop.
async fn mails(shop: &Shop) -> Vec<Mail> {
    let ses = Ses::start().await;
    let failed = send(&notifications(shop.table(), &ses), &shop.events()).await;
    assert_eq!(failed, [""; 0]);
    ses.mails()
}

async fn number(shop: &Shop, id: OrderId) -> String {
    shop.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order.number().to_string()
}

fn shipped(url: Option<&str>) -> StatusChange {
    let tracking = Tracking {
        carrier: Some("DHL & Co".parse().unwrap()),
        number: "JD0146".parse().unwrap(),
        url: url.map(str::to_owned),
    };
    StatusChange { tracking: Some(tracking), ..StatusChange::new(OrderStatus::Shipped) }
}

#[tokio::test]
async fn the_whole_life_of_an_order_in_english() {
    let shop = Shop::open();
    let ada = shop.customer("Ada", None).await;
    let (espresso, filter) =
        (shop.product("Espresso", 123_450).await, shop.product("Filter", 5).await);
    let id = shop.place(&ada, &[&espresso, &filter]).await;
    shop.change(id, OrderStatus::Paid).await;
    shop.change_as(OrderAccess::Any, id, shipped(Some("https://dhl.example/?n=1&m=2"))).await;
    shop.change(id, OrderStatus::Delivered).await;
    shop.refund(id, 23_450).await;
    shop.refund(id, 10).await;
    shop.change(id, OrderStatus::Returned).await;

    let number = number(&shop, id).await;
    let link = format!("https://shop.example/orders/{id}");
    let mails = mails(&shop).await;
    let [placed, paid, shipped, delivered, part, rest] = &mails[..] else {
        panic!("six mails, none about the return: {mails:?}")
    };
    // The items are sorted by the ids of their products.
    assert_eq!(placed.subject(), format!("Your order {number}"));
    assert_eq!(
        placed.text(),
        format!(
            "Hello Ada,\n\nThank you for your order {number}.\n\n1 × Espresso: EUR 1,234.50\n\
             2 × Filter: EUR 0.10\nTotal: EUR 1,234.60\n\nYour order: {link}\n"
        )
    );
    assert_eq!(paid.subject(), format!("We have received your payment for order {number}"));
    assert!(paid.text().contains("your payment of EUR 1,234.60"), "{}", paid.text());
    assert_eq!(shipped.subject(), format!("Your order {number} is on its way"));
    let text = shipped.text();
    let tracking = "\nCarrier: DHL & Co\nParcel number: JD0146\nFollow your parcel: \
                    https://dhl.example/?n=1&m=2\n";
    assert!(text.contains(tracking), "{text}");
    let html = shipped.html();
    assert!(html.contains("Carrier: DHL &#38; Co<br>"), "{html}");
    assert!(html.contains("href=\"https://dhl.example/?n=1&#38;m=2\""), "{html}");
    assert_eq!(delivered.subject(), format!("Your order {number} has arrived"));
    assert_eq!(part.subject(), format!("A refund for your order {number}"));
    assert!(part.text().contains("paid back EUR 234.50 for"), "{}", part.text());
    assert!(!part.text().contains("In all"), "{}", part.text());
    assert!(rest.text().contains("paid back EUR 0.10 for"), "{}", rest.text());
    assert!(rest.text().contains("got back EUR 234.60 of EUR 1,234.60"), "{}", rest.text());
    for mail in &mails {
        assert_eq!(mail.to, ada.email.as_str());
        assert!(mail.html().starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
        assert!(mail.html().contains(&format!("<a href=\"{link}\">")), "{}", mail.html());
        assert!(mail.text().contains(&link), "{}", mail.text());
        let message = mail.parsed();
        assert_eq!(message.header("Content-Language").unwrap().as_text(), Some("en"));
        assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.address(), Some("shop@example.com"));
    }
}

#[tokio::test]
async fn the_whole_life_of_an_order_in_german() {
    let shop = Shop::open();
    let zofie = shop.customer("Žofie", Some(Locale::De)).await;
    let espresso = shop.product("Espresso", 123_450).await;
    let id = shop.place(&zofie, &[&espresso]).await;
    shop.change(id, OrderStatus::Paid).await;
    shop.change_as(OrderAccess::Any, id, shipped(None)).await;
    shop.change(id, OrderStatus::Delivered).await;
    shop.refund(id, 50).await;

    let number = number(&shop, id).await;
    let mails = mails(&shop).await;
    let subjects: Vec<_> = mails.iter().map(Mail::subject).collect();
    assert_eq!(
        subjects,
        [
            format!("Ihre Bestellung {number}"),
            format!("Ihre Zahlung für die Bestellung {number} ist eingegangen"),
            format!("Ihre Bestellung {number} ist unterwegs"),
            format!("Ihre Bestellung {number} ist angekommen"),
            format!("Erstattung zu Ihrer Bestellung {number}"),
        ]
    );
    let text = mails[0].text();
    assert!(text.starts_with("Guten Tag Žofie,\n\nvielen Dank für Ihre Bestellung"), "{text}");
    assert!(text.contains("\n1 × Espresso: 1.234,50 EUR\nSumme: 1.234,50 EUR\n"), "{text}");
    let text = mails[2].text();
    assert!(text.contains("Versand mit: DHL & Co\nSendungsnummer: JD0146\n"), "{text}");
    assert!(!text.contains("verfolgen"), "{text}");
    let text = mails[4].text();
    assert!(text.contains("Ihnen 0,50 EUR zu Ihrer Bestellung"), "{text}");
    for mail in &mails {
        assert!(mail.html().contains("<html lang=\"de\">"), "{}", mail.html());
        assert!(mail.html().contains(">Zur Bestellung</a>"), "{}", mail.html());
        let language =
            mail.parsed().header("Content-Language").unwrap().as_text().map(str::to_owned);
        assert_eq!(language.as_deref(), Some("de"));
    }
}

#[tokio::test]
async fn a_cancellation_says_why_and_whether_money_comes_back() {
    let shop = Shop::open();
    let ada = shop.customer("Ada", None).await;
    let espresso = shop.product("Espresso", 1890).await;
    let by_customer = shop.place(&ada, &[&espresso]).await;
    let cancelled = StatusChange::new(OrderStatus::Cancelled);
    shop.change_as(OrderAccess::OwnedBy(ada.id), by_customer, cancelled).await;
    let expired = shop.place(&ada, &[&espresso]).await;
    shop.orders.let_expire(ada.id, Timestamp::now()).await.unwrap();
    shop.orders.expire(ada.id, expired, Timestamp::now()).await.unwrap();
    let by_shop = shop.place(&ada, &[&espresso]).await;
    shop.change(by_shop, OrderStatus::Paid).await;
    shop.change(by_shop, OrderStatus::Cancelled).await;

    let mails = mails(&shop).await;
    for (id, reason, sentence) in [
        (by_customer, CancelReason::Customer, "has been cancelled, as you asked."),
        (expired, CancelReason::Expired, "because it was not paid in time."),
        (by_shop, CancelReason::Shop, "We had to cancel your order"),
    ] {
        let order = shop.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order;
        assert_eq!(order.cancel_reason, Some(reason));
        let subject = format!("Your order {} has been cancelled", order.number());
        let mail = mails.iter().find(|mail| mail.subject() == subject).unwrap();
        assert!(mail.text().contains(sentence), "{}", mail.text());
        assert!(mail.html().contains(sentence), "{}", mail.html());
        let has_refund = mail.text().contains("You get back EUR 18.90.");
        assert_eq!(has_refund, reason == CancelReason::Shop, "{}", mail.text());
    }
}

#[tokio::test]
async fn an_order_that_waits_for_its_payment_says_until_when() {
    use storefront_core::OrderRules;
    let shop = Shop::open();
    let ada = shop.customer("Ada", None).await;
    let espresso = shop.product("Espresso", 1890).await;
    let minutes = |name: &str| (name == "PENDING_ORDER_MINUTES").then(|| "60".to_owned());
    let rules = OrderRules::from_variables(minutes).unwrap();
    let orders = shop.orders.clone().with_rules(rules);
    let item = storefront_core::NewOrderItem { product_id: espresso.id, quantity: 1 };
    let placed = orders.place(storefront_core::NewOrder::new(ada.id, vec![item])).await.unwrap();
    let year = &placed.value.order.pay_by.unwrap().to_string()[..4];
    let mails = mails(&shop).await;
    let text = mails[0].text();
    let sentence = text.lines().find(|line| line.starts_with("We hold it for you until")).unwrap();
    assert!(sentence.contains(&format!(" {year}, ")) && sentence.contains(" UTC."), "{sentence}");
}

/// Places an order as somebody with this name, of a product with this one. Returns the mail.
async fn mail_to(name: &str, product: &str) -> (User, Mail) {
    let shop = Shop::open();
    let user = shop.customer(name, None).await;
    let product = shop.product(product, 1890).await;
    shop.place(&user, &[&product]).await;
    let mut mails = mails(&shop).await;
    assert_eq!(mails.len(), 1);
    (user, mails.remove(0))
}

#[tokio::test]
async fn a_name_stays_a_name_in_the_header_fields_and_in_the_page() {
    for name in [
        "Ada",
        "\"Ada\" <x@evil.example>",
        "Ada, Countess; (Lovelace) <a@b>",
        "Žofie",
        "山田",
        "Ada\\",
        "O'Brien & Søn",
        "<script>alert(1)</script>",
        "{{ mail.number }}",
        &"名".repeat(200),
    ] {
        let (user, mail) = mail_to(name, "Espresso").await;
        let message = mail.parsed();
        let to = message.to().unwrap();
        let mailboxes: Vec<_> = to.iter().collect();
        let [to] = &mailboxes[..] else { panic!("{name}: one recipient: {mailboxes:?}") };
        assert_eq!((to.name(), to.address()), (Some(name), Some(user.email.as_str())), "{name}");
        assert_eq!(mail.to, user.email.as_str());
        only_our_header_fields(&mail, name);
        let escaped = askama::filters::escape(name, askama::filters::Html).unwrap().to_string();
        assert!(mail.html().contains(&format!("Hello {escaped},")), "{name}: {}", mail.html());
        assert!(mail.text().starts_with(&format!("Hello {name},\n")), "{name}: {}", mail.text());
    }
}

#[tokio::test]
async fn a_name_that_looks_encoded_is_left_out_of_the_header_fields() {
    let name = "=?utf-8?Q?Ada=0D=0ABcc:_x@evil.example?=";
    let (user, mail) = mail_to(name, "Espresso").await;
    let message = mail.parsed();
    let to = message.to().unwrap().first().unwrap();
    assert_eq!((to.name(), to.address()), (None, Some(user.email.as_str())));
    only_our_header_fields(&mail, name);
    assert!(mail.text().starts_with(&format!("Hello {name},\n")), "{}", mail.text());
}

#[tokio::test]
async fn a_products_name_is_escaped_in_the_page() {
    let name = "<b>Coffee</b> \"1/2\" & 'more'";
    let (_, mail) = mail_to("Ada", name).await;
    let html = mail.html();
    let escaped = "&#60;b&#62;Coffee&#60;/b&#62; &#34;1/2&#34; &#38; &#39;more&#39;";
    assert!(html.contains(escaped) && !html.contains("<b>"), "{html}");
    assert!(mail.text().contains(&format!("1 × {name}: EUR 18.90\n")), "{}", mail.text());
}

/// No line of the head is one that somebody else wrote.
fn only_our_header_fields(mail: &Mail, of: &str) {
    let message = String::from_utf8(mail.message.clone()).unwrap();
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    let mut names: Vec<_> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').unwrap().0)
        .collect();
    names.sort_unstable();
    let expected = [
        "Auto-Submitted",
        "Content-Language",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ];
    assert_eq!(names, expected, "{of}");
    assert!(head.is_ascii(), "{of}");
}

#[tokio::test]
async fn a_parcel_is_only_linked_to_a_page() {
    for url in ["javascript:alert(1)", "//dhl.example", "ftp://dhl.example", "HTTPS", ""] {
        let shop = Shop::open();
        let ada = shop.customer("Ada", None).await;
        let espresso = shop.product("Espresso", 1890).await;
        let id = shop.place(&ada, &[&espresso]).await;
        shop.change(id, OrderStatus::Paid).await;
        shop.change_as(OrderAccess::Any, id, shipped(Some(url))).await;
        let mails = mails(&shop).await;
        assert!(!mails[2].html().contains("Follow your parcel"), "{url}: {}", mails[2].html());
        assert!(!mails[2].text().contains("Follow your parcel"), "{url}: {}", mails[2].text());
    }
}
