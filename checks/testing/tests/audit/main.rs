//! Audits the evidence of a shop with one function.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use serde_json::{Value, json};
use storefront_template::Template;
use storefront_testing::audit::{self, Error};
use storefront_testing::evidence::files::{Evidence, Kind, Recorder};
use tempfile::TempDir;

const TEMPLATE: &str = include_str!("template.yaml");

/// The evidence of tests.
struct Tests {
    folder: TempDir,
    own: Recorder,
}

impl Tests {
    /// Tests that use everything that is granted, without any finding.
    fn sound() -> Self {
        let tests = Self::without_reading_users();
        tests.access("dynamodb:GetItem", Some("table"), Some("USER#"));
        tests
    }

    fn without_reading_users() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = Recorder::open(folder.path(), "storefront-shop.it.1").unwrap();
        let local = Recorder::open(folder.path(), "storefront-cloud.it.2").unwrap();
        for kind in Kind::EXPECTED {
            own.secret(kind, &format!("the tests' {kind}")).unwrap();
        }
        let tests = Self { folder, own };
        for (action, resource, leading_key) in [
            ("dynamodb:GetItem", Some("table"), Some("EMAIL#")),
            ("dynamodb:Query", Some("GSI1"), Some("EMAIL#")),
            ("secretsmanager:GetSecretValue", None, None),
        ] {
            tests.access(action, resource, leading_key);
        }
        local
            .log(&line("storefront_http::service", &json!({ "message": "request served" })))
            .unwrap();
        tests
    }

    fn access(&self, action: &str, resource: Option<&str>, leading_key: Option<&str>) {
        let fields = json!({
            "message": "access", "action": action, "resource": resource,
            "leading_key": leading_key,
        });
        self.own.log(&line("storefront_core::access", &fields)).unwrap();
    }

    fn findings(&self) -> Vec<String> {
        self.findings_with(TEMPLATE)
    }

    fn findings_with(&self, template: &str) -> Vec<String> {
        let template = Template::parse("template.yaml", template).unwrap();
        let evidence = Evidence::read(self.folder.path()).unwrap();
        let folder = format!("{}/", self.folder.path().display());
        let findings = audit::check(&evidence, &template).unwrap().into_iter();
        findings.map(|finding| finding.to_string().replace(&folder, "")).collect()
    }
}

/// A line that the tests' subscriber writes during an invocation of the function.
fn line(target: &str, fields: &Value) -> Vec<u8> {
    let spans = json!([
        { "name": "request", "function": "shop", "request_id": "r-1" },
        { "name": "try_attempt", "attempt": 1 },
    ]);
    let line = json!({ "level": "DEBUG", "fields": fields, "target": target, "spans": spans });
    format!("{line}\n").into_bytes()
}

#[test]
fn tests_that_use_every_grant_and_log_no_secret_pass() {
    assert_eq!(Tests::sound().findings(), [""; 0]);
}

#[test]
fn a_grant_that_no_test_uses_is_reported() {
    let tests = Tests::sound();
    let actions = "[dynamodb:GetItem, dynamodb:DeleteItem]";
    let more = TEMPLATE.replace("Action: dynamodb:GetItem", &format!("Action: {actions}"));
    assert_eq!(
        tests.findings_with(&more),
        [
            "Shop: its role grants dynamodb:DeleteItem on EMAIL#* of the table, which no test used",
            "Shop: its role grants dynamodb:DeleteItem on USER#* of the table, which no test used",
        ]
    );
    let more = TEMPLATE.replace(r#"["EMAIL#*", "USER#*"]"#, r#"["EMAIL#*", "ORDER#*", "USER#*"]"#);
    assert_eq!(
        tests.findings_with(&more),
        ["Shop: its role grants dynamodb:GetItem on ORDER#* of the table, which no test used"]
    );
    let more = TEMPLATE.replace("Resource: !Ref TokenSecret", "Resource: '*'");
    assert!(
        tests.findings_with(&more).contains(
            &"Shop: its role grants secretsmanager:GetSecretValue on every resource, which no \
              test used"
                .to_owned()
        )
    );
}

#[test]
fn a_function_with_the_table_needs_to_read_a_user_at_start_up() {
    let tests = Tests::without_reading_users();
    let unused =
        "Shop: its role grants dynamodb:GetItem on USER#* of the table, which no test used";
    assert_eq!(tests.findings(), [unused]);

    let environment =
        "Properties:\n      Environment: { Variables: { TABLE_NAME: shop } }\n      Role:";
    let with_table = TEMPLATE.replace("Properties:\n      Role:", environment);
    assert_ne!(with_table, TEMPLATE);
    assert_eq!(tests.findings_with(&with_table), [""; 0]);

    let findings =
        tests.findings_with(&with_table.replace(r#"["EMAIL#*", "USER#*"]"#, r#"["EMAIL#*"]"#));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("start-up"), "{findings:?}");
}

#[test]
fn a_grant_of_all_partitions_is_not_covered_by_uses_of_some() {
    let at = TEMPLATE.find("                Condition:").unwrap();
    let end = at + TEMPLATE[at..].find("              - Sid").unwrap();
    let all = [&TEMPLATE[..at], &TEMPLATE[end..]].concat();
    let findings = Tests::sound().findings_with(&all);
    assert_eq!(
        findings[0],
        "Shop: its role grants dynamodb:GetItem on all partitions of the table, which no test used"
    );
    assert_eq!(findings.len(), 3, "the unused grant and two uses without one: {findings:?}");
}

#[test]
fn a_use_without_a_grant_is_reported_with_its_count_and_first_process() {
    let tests = Tests::sound();
    tests.access("dynamodb:PutItem", Some("table"), Some("USER#"));
    tests.access("dynamodb:PutItem", Some("table"), Some("USER#"));
    tests.access("dynamodb:Query", Some("GSI1"), Some("ORDER#"));
    tests.access("dynamodb:Scan", Some("table"), None);
    tests.access("events:PutEvents", None, None);
    let used = |what: &str, times: &str| {
        format!(
            "Shop used {what}, {times}, first in storefront-shop.it.1, which its role does not grant"
        )
    };
    assert_eq!(
        tests.findings(),
        [
            used("dynamodb:PutItem on USER#* of the table", "2 times"),
            used("dynamodb:Query on ORDER#* of the index GSI1", "once"),
            used("dynamodb:Scan on all partitions of the table", "once"),
            used("events:PutEvents", "once"),
        ]
    );
}

#[test]
fn the_privileges_that_lambda_needs_must_be_granted() {
    let less = TEMPLATE.replace("logs:PutLogEvents", "logs:TagResource");
    assert_eq!(
        Tests::sound().findings_with(&less),
        [
            "Shop: its role grants logs:TagResource, which no test used",
            "Shop: its role does not grant logs:PutLogEvents on ShopLogGroup, which Lambda needs \
             to run it",
        ]
    );
}

#[test]
fn a_secret_in_any_log_is_reported_by_its_line_and_never_shown() {
    for text in [
        "who: anna+shop@example.com",
        "ANNA+SHOP@example.com",
        "GET /users?email=anna%2Bshop%40example.com",
        r#"{"message":"{\"password\":\"a \\\"quoted\\\" one\"}"}"#,
        "Password(\"a \\\"quoted\\\" one\")",
        "$argon2id$v=19$",
    ] {
        let tests = Tests::sound();
        tests.own.secret(Kind::Email, " anna+shop@example.com ").unwrap();
        tests.own.secret(Kind::Password, "a \"quoted\" one").unwrap();
        tests.own.log(format!("{text}\n").as_bytes()).unwrap();
        let findings = tests.findings();
        let [finding] = &findings[..] else { panic!("one finding of {text}: {findings:?}") };
        let place = "storefront-shop.it.1.log:5: the log contains a secret of the tests: ";
        assert!(finding.starts_with(place), "{finding}");
        assert!(!finding.contains("anna") && !finding.contains("quoted"), "{finding}");
    }
}

#[test]
fn a_secret_of_one_process_is_searched_for_in_the_logs_of_all() {
    let tests = Tests::sound();
    let other = Recorder::open(tests.folder.path(), "storefront-other.it.3").unwrap();
    other.log(b"the tests' Password\n").unwrap();
    assert_eq!(
        tests.findings(),
        ["storefront-other.it.3.log:1: the log contains a secret of the tests: password"]
    );
}

#[test]
fn a_secret_too_short_to_search_for_is_reported() {
    let tests = Tests::sound();
    tests.own.secret(Kind::Password, "short").unwrap();
    tests.own.secret(Kind::Password, "").unwrap();
    let findings = tests.findings();
    assert_eq!(findings.len(), 1, "an empty text is not a secret: {findings:?}");
    assert!(findings[0].contains("a secret (password) of 5 characters"), "{findings:?}");
}

#[test]
fn missing_evidence_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Evidence::read(folder.path()), Err(Error::NoEvidence(_))));

    let tests =
        Tests { own: Recorder::open(folder.path(), "storefront-shop.it.1").unwrap(), folder };
    let findings = tests.findings();
    for wanted in [
        "Shop: the evidence shows no invocation by a test of storefront-shop;",
        "Shop: the evidence shows no invocation by a test of storefront-cloud;",
        "the evidence contains no secret of kind password;",
        "the evidence contains no secret of kind access token;",
        "the evidence contains no secret of kind token secret;",
        "the evidence contains no secret of kind email;",
        "Shop: its role grants dynamodb:GetItem on EMAIL#* of the table, which no test used",
    ] {
        assert!(findings.iter().any(|found| found.starts_with(wanted)), "{wanted}: {findings:?}");
    }
}

#[test]
fn requests_outside_of_an_invocation_are_not_attributed_to_a_function() {
    let tests = Tests::sound();
    let fields = json!({ "message": "access", "action": "dynamodb:Scan", "resource": "table" });
    let line = json!({ "fields": fields, "target": "storefront_core::access", "spans": [] });
    tests.own.log(format!("{line}\n").as_bytes()).unwrap();
    assert_eq!(tests.findings(), [""; 0]);
}

/// The template, with a function that reads the table's stream.
fn with_a_stream() -> String {
    let event = r"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            DestinationConfig:
              OnFailure: { Type: S3, Destination: !GetAtt Bucket.Arn }
";
    let statements = r"
            Statement:
              - Sid: Stream
                Effect: Allow
                Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams]
                Resource: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}/stream/*
              - Sid: KeepFailedRecords
                Effect: Allow
                Action: s3:PutObject
                Resource: !Sub ${Bucket.Arn}/*
              - Sid: FindBucket
                Effect: Allow
                Action: s3:ListBucket
                Resource: !GetAtt Bucket.Arn
";
    TEMPLATE
        .replacen("Resources:\n", "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n", 1)
        .replacen(
            "        LogGroup: !Ref ShopLogGroup\n",
            &format!("        LogGroup: !Ref ShopLogGroup{event}"),
            1,
        )
        .replacen("\n            Statement:\n", statements, 1)
}

#[test]
fn a_function_may_use_what_lambda_needs_but_need_not() {
    let template = with_a_stream();
    let tests = Tests::sound();
    assert_eq!(tests.findings_with(&template), Vec::<String>::new());
    tests.access("s3:PutObject", None, None);
    assert_eq!(tests.findings_with(&template), Vec::<String>::new());

    let [finding] = &tests.findings()[..] else { panic!("one finding") };
    assert!(finding.starts_with("Shop used s3:PutObject, once"), "{finding}");
}
