use storefront_core::{
    AccountMailKind, LoginAttempt, NewUser, PageRequest, PasswordHash, Role, Source, Timestamp,
    UserChanges, UserId, schema,
};

use crate::access_patterns::Costs;
use crate::shop::{Shop, attempt, email, new_user};

pub(crate) async fn measure(costs: &mut Costs) {
    Box::pin(measure_reads(costs)).await;
    Box::pin(measure_writes(costs)).await;
    Box::pin(measure_log_ins(costs)).await;
    Box::pin(measure_sessions(costs)).await;
    Box::pin(measure_mail_tokens(costs)).await;
    Box::pin(measure_registrations(costs)).await;
}

async fn measure_reads(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (anna_email, unknown) = (email("anna@example.com"), email("ben@example.com"));

    let found = costs.measure("user by id", 1, shop.users.find(anna.id)).await;
    assert!(found.unwrap().is_some());
    // A miss is only reported after a strongly consistent read.
    let missing = shop.users.find(UserId::new());
    let found = costs.measure("user by id … that does not exist", 2, missing).await;
    assert!(found.unwrap().is_none());

    let name = "a user's role, for what only administrators may do";
    for id in [anna.id, UserId::new()] {
        costs.measure(name, 1, shop.users.role_of(id)).await.unwrap();
    }
    let name = "a user's name, email and language, for a mail";
    for id in [anna.id, UserId::new()] {
        costs.measure(name, 1, shop.users.recipient(id)).await.unwrap();
    }
    let name = "a user's name and language by email, for a mail";
    let found = costs.measure(name, 2, shop.users.recipient_at(&anna_email)).await;
    assert!(found.unwrap().is_some());
    let name = "a user's name and language by email, for a mail … that no user has";
    let found = costs.measure(name, 1, shop.users.recipient_at(&unknown)).await;
    assert!(found.unwrap().is_none());
    let name = "user by id, to check a password";
    let found = costs.measure(name, 1, shop.users.find_now(anna.id)).await;
    assert_eq!(found.unwrap().as_ref(), Some(&anna));

    let found = costs.measure("user by email", 1, shop.users.find_by_email(&anna_email)).await;
    assert!(found.unwrap().is_some());
    let missing = shop.users.find_by_email(&unknown);
    let found = costs.measure("user by email … that no user has", 2, missing).await;
    assert!(found.unwrap().is_none());
    // A missing item costs as much as a small one.
    for (address, exists) in [(&anna_email, true), (&unknown, false)] {
        let to_log_in = shop.users.find_to_log_in(address);
        let found = costs.measure("user by email, at log-in", 2, to_log_in).await;
        assert_eq!(found.unwrap().is_some(), exists);
    }

    // The embedded index never lags the table. A user without index keys stands for one that the
    // index does not have yet.
    shop.remove_from_index(schema::Key::user(anna.id)).await;
    let name = "user by email … that the index does not have yet";
    let found = costs.measure(name, 3, shop.users.find_by_email(&anna_email)).await;
    assert_eq!(found.unwrap().as_ref(), Some(&anna));
}

async fn measure_writes(costs: &mut Costs) {
    let shop = Shop::open().await;
    let register = shop.users.register(UserId::new(), new_user("anna@example.com"));
    // Two items at two units each in a transaction, and the user's copy in GSI1 at one.
    let anna = costs.measure("register a user", 1, register).await.unwrap();

    let changes = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
    let change = shop.users.update(anna.id, changes, None);
    // The item at two units, and its copy in GSI1.
    costs.measure("change a user's name, password or role", 2, change).await.unwrap();

    let new = PasswordHash::new("$argon2id$renewed".to_owned());
    let renewal = shop.users.renew_password_hash(anna.id, &anna.password_hash, &new);
    let name = "renew a password's hash, at the first log-in of a user from another shop";
    // The item at two units, and its copy in GSI1.
    assert!(costs.measure(name, 1, renewal).await.unwrap());

    let changes = UserChanges { email: Some(email("anna@example.org")), ..UserChanges::default() };
    let change = shop.users.update(anna.id, changes, None);
    // Three items at two units each; in GSI1 one copy is removed and another added.
    costs.measure("change a user's email", 2, change).await.unwrap();

    let admin = NewUser { role: Role::Admin, ..new_user("admin@example.com") };
    let admin = shop.users.register(UserId::new(), admin).await.unwrap();
    let promoted = shop.users.assign_role(anna.id, Role::Admin, None, admin.id);
    let name = "change a user's name, password or role";
    costs.measure(name, 2, promoted).await.unwrap();
    // As a change, and the check at two units.
    let demoted = shop.users.assign_role(anna.id, Role::Staff, None, admin.id);
    costs.measure("take a user's role away", 2, demoted).await.unwrap();

    let deleted = shop.users.delete_on_behalf_of(admin.id, anna.id, None);
    costs.measure("delete a user", 2, deleted).await.unwrap();
    let other = NewUser { role: Role::Admin, ..new_user("other@example.com") };
    let other = shop.users.register(UserId::new(), other).await.unwrap();
    let deleted = shop.users.delete_on_behalf_of(admin.id, other.id, None);
    let name = "delete a user … who is an administrator";
    costs.measure(name, 2, deleted).await.unwrap();
}

async fn measure_log_ins(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    let name = "count a log-in attempt … from the loopback address";
    costs.measure(name, 1, shop.login_attempts.begin(&attempt(&anna))).await.unwrap();
    let there = LoginAttempt::new(anna, None, Source::of([203, 0, 113, 7].into()));
    costs.measure("count a log-in attempt", 3, shop.login_attempts.begin(&there)).await.unwrap();
    let name = "count a failed log-in, for its source";
    costs.measure(name, 1, shop.login_attempts.failed(&there)).await;
    let name = "forget the failures after a log-in, and know its source";
    costs.measure(name, 3, shop.login_attempts.succeeded(&there)).await;
    let name = "forget the failures, after a password that confirms something";
    shop.login_attempts.begin(&there).await.unwrap();
    costs.measure(name, 2, shop.login_attempts.forget(&there)).await;
    let user = shop.anna().await;
    let source = Source::of([203, 0, 113, 7].into());
    let name = "know where a user has changed the email or password";
    costs.measure(name, 1, shop.login_attempts.know_source(&user, source.as_ref())).await;
}

async fn measure_sessions(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let begin = shop.sessions.begin(&anna, None);
    let session = costs.measure("begin a session, at log-in", 1, begin).await.unwrap();
    let refresh = shop.sessions.refresh(anna.id, session.id, 0);
    costs.measure("refresh a session", 2, refresh).await.unwrap();
    let list = shop.sessions.list(anna.id, PageRequest { limit: 25, after: None });
    costs.measure("a user's sessions", 2, list).await.unwrap();
    let name = "whether a session is in force, if every request asks";
    costs.measure(name, 2, shop.sessions.is_in_force(anna.id, session.id)).await.unwrap();
    let name = "whether a session may be kept, at a new password";
    costs.measure(name, 1, shop.sessions.to_keep(&anna, session.id)).await.unwrap();
    costs.measure("end a session", 1, shop.sessions.end(anna.id, session.id)).await.unwrap();
    let name = "end all of a user's sessions";
    costs.measure(name, 1, shop.sessions.end_all(anna.id)).await.unwrap();
}

async fn measure_mail_tokens(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tokens = &shop.mail_tokens;
    let mail = AccountMailKind::Verification;
    let name = "count a mail about an account";
    assert!(costs.measure(name, 1, tokens.admit(&anna.email, mail, "first")).await.unwrap());
    let to = shop.users.recipient(anna.id).await.unwrap().unwrap();
    let issue = tokens.issue(mail, &to, Timestamp::now());
    let name = "keep the token of a mail, by its hash";
    let token = costs.measure(name, 1, issue).await.unwrap();
    // Two items at two units each, and the user's copy in GSI1 at one.
    costs.measure("verify an email", 2, tokens.verify_email(&token)).await.unwrap();
    let reset = tokens.issue(AccountMailKind::PasswordReset, &to, Timestamp::now()).await.unwrap();
    let name = "look up a token for a new password";
    let reset = costs.measure(name, 1, tokens.find_reset(&reset)).await.unwrap();
    let hash = PasswordHash::new("$argon2id$reset".to_owned());
    let name = "set a new password by mail";
    costs.measure(name, 2, tokens.reset_password(reset, hash)).await.unwrap();
}

async fn measure_registrations(costs: &mut Costs) {
    let shop = Shop::open().await;
    let id = UserId::new();
    let keep = shop.registrations.keep(id, new_user("anna@example.com"));
    costs.measure("keep a registration until its email is verified", 1, keep).await.unwrap();
    let to = shop.registrations.recipient(id);
    let to = costs.measure("a registration, for its mail", 1, to).await.unwrap().unwrap();
    let mail = AccountMailKind::Registration;
    let token = shop.mail_tokens.issue(mail, &to, Timestamp::now()).await.unwrap();
    let name = "register a user whose email is verified by then";
    // Four items at two units each, and the user's copy in GSI1 at one.
    costs.measure(name, 3, shop.mail_tokens.verify_email(&token)).await.unwrap();
}
