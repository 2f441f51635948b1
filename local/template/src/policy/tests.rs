use super::*;

/// Returns a template with one function, whose role has this statement.
fn template(statement: &str) -> Template {
    let text = format!(
        r"
Resources:
  Table: {{ Type: AWS::DynamoDB::Table }}
  Shop:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildProperties: {{ Binary: shop }} }}
    Properties:
      Role: !GetAtt ShopRole.Arn
      LoggingConfig: {{ LogGroup: !Ref ShopLogGroup }}
  ShopRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{}}
      Policies:
        - PolicyName: Shop
          PolicyDocument:
            Statement:
              - {statement}
"
    );
    Template::parse("t.yaml", &text).unwrap()
}

fn grants(statement: &str) -> Vec<(String, GrantedResource, Partitions)> {
    let [permissions] = &template(statement).permissions().unwrap()[..] else {
        panic!("one function");
    };
    assert_eq!(permissions.function, "Shop");
    assert_eq!(permissions.log_group.as_deref(), Some("ShopLogGroup"));
    let grants = permissions.grants.clone().into_iter();
    grants.map(|((action, resource), partitions)| (action, resource, partitions)).collect()
}

/// Returns what was expected instead of the statement.
fn refusal(statement: &str) -> String {
    let error = template(statement).permissions().unwrap_err().to_string();
    error.split_once(": expected ").unwrap().1.to_owned()
}

const TABLE_ARN: &str =
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}";

#[test]
fn a_grant_names_its_actions_its_resource_and_its_partitions() {
    let users = Partitions::BeginningWith(["EMAIL#".to_owned(), "USER#".to_owned()].into());
    let condition = r#"{ "ForAllValues:StringLike": { dynamodb:LeadingKeys: ["EMAIL#*", "USER#*"] },
                         "Null": { dynamodb:LeadingKeys: "false" } }"#;
    let statement = format!(
        "{{ Effect: Allow, Action: [dynamodb:GetItem, dynamodb:PutItem], \
         Resource: !Sub '{TABLE_ARN}', Condition: {condition} }}"
    );
    assert_eq!(
        grants(&statement),
        [
            ("dynamodb:GetItem".to_owned(), GrantedResource::Table, users.clone()),
            ("dynamodb:PutItem".to_owned(), GrantedResource::Table, users),
        ]
    );
}

#[test]
fn resources_are_recognised_in_every_notation() {
    let index = GrantedResource::Index("GSI1".to_owned());
    let bucket = |inside: fn(String) -> GrantedResource| inside("Bucket".to_owned());
    for (resource, expected) in [
        ("'*'", GrantedResource::Any),
        ("!GetAtt Table.Arn", GrantedResource::Table),
        ("!GetAtt Table.StreamArn", GrantedResource::Stream),
        ("!Sub '${Table.Arn}/index/GSI1'", index.clone()),
        (&format!("!Sub '{TABLE_ARN}/index/GSI1'"), index),
        (&format!("!Sub '{TABLE_ARN}/stream/*'"), GrantedResource::Stream),
        ("!Ref Bucket", bucket(GrantedResource::Other)),
        ("!GetAtt Bucket.Arn", bucket(GrantedResource::Other)),
        ("!Sub '${Bucket.Arn}/*'", bucket(GrantedResource::Inside)),
    ] {
        let statement = format!("{{ Effect: Allow, Action: a:B, Resource: {resource} }}");
        assert_eq!(grants(&statement), [("a:B".to_owned(), expected, Partitions::All)]);
    }
}

#[test]
fn a_grant_on_a_bucket_may_require_this_account() {
    let statement = "{ Effect: Allow, Action: s3:PutObject, Resource: !GetAtt Bucket.Arn, \
                     Condition: { StringEquals: { s3:ResourceAccount: !Ref AWS::AccountId } } }";
    assert_eq!(grants(statement).len(), 1);
}

#[test]
fn unknown_statements_are_rejected() {
    let partitions = |condition: &str| {
        refusal(&format!("{{ Effect: Allow, Action: a:B, Resource: '*', Condition: {condition} }}"))
    };
    for (actual, expected) in [
        (refusal("{ Effect: Deny, Action: a:B, Resource: '*' }"), "Allow"),
        (refusal("{ Effect: Allow, NotAction: a:B, Resource: '*' }"), "only known members"),
        (refusal("{ Effect: Allow, Action: a:*, Resource: '*' }"), "the exact name of an action"),
        (
            refusal("{ Effect: Allow, Action: a:B, Resource: arn:x }"),
            "one resource in the template",
        ),
        (
            refusal("{ Effect: Allow, Action: a:B, Resource: !Sub '${Table.Arn}/*' }"),
            "one resource in the template",
        ),
        (
            refusal("{ Effect: Allow, Action: [a:B, a:B], Resource: '*' }"),
            "each action on a resource only once",
        ),
        (partitions("{ StringLike: { dynamodb:LeadingKeys: ['USER#*'] } }"), "ForAllValues"),
        (
            partitions("{ ForAllValues:StringLike: { dynamodb:LeadingKeys: ['USER#*'] } }"),
            "ForAllValues:StringLike and Null",
        ),
        (
            partitions(
                "{ ForAllValues:StringLike: { dynamodb:LeadingKeys: ['USER#*'] }, \
                 'Null': { dynamodb:LeadingKeys: 'true' } }",
            ),
            "\"false\"",
        ),
        (
            partitions(
                "{ ForAllValues:StringLike: { dynamodb:LeadingKeys: ['*'] }, \
                 'Null': { dynamodb:LeadingKeys: 'false' } }",
            ),
            "the beginning of a partition key",
        ),
        (
            partitions(
                "{ ForAllValues:StringLike: { dynamodb:Attributes: ['a*'] }, \
                 'Null': { dynamodb:LeadingKeys: 'false' } }",
            ),
            "only known members",
        ),
    ] {
        assert!(actual.starts_with(expected), "{actual}");
    }
}

#[test]
fn a_shared_policy_counts_for_each_role_that_lists_it() {
    let shared = "  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        \
                  Statement: [{ Effect: Allow, Action: a:B, Resource: '*' }]\n";
    let unattached = outcome("", "", shared).unwrap();
    assert_eq!(unattached[0].grants.len(), 0);
    let attached = outcome(", ManagedPolicyArns: [!Ref P]", "", shared).unwrap();
    let granted = ("a:B".to_owned(), GrantedResource::Any);
    assert_eq!(attached[0].grants, [(granted, Partitions::All)].into());
}

#[test]
fn permissions_outside_the_role_are_rejected() {
    assert_eq!(outcome("", "", "").unwrap()[0].grants.len(), 0);
    let role = |role: &str| outcome(role, "", "").unwrap_err().to_string();
    assert!(role(", ManagedPolicyArns: [arn:x]").contains("ManagedPolicyArns[0]"));
    assert!(role(", ManagedPolicyArns: [!Ref Table]").contains("AWS::IAM::ManagedPolicy"));
    assert!(outcome("", ", Policies: [AdministratorAccess]", "").is_err());
    for kind in ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"] {
        assert!(outcome("", "", &format!("  P: {{ Type: {kind} }}\n")).is_err(), "{kind}");
    }
    let attached_by_itself =
        "  P: { Type: AWS::IAM::ManagedPolicy, Properties: { Roles: [!Ref R] } }\n";
    assert!(outcome("", "", attached_by_itself).is_err());
}

/// Returns the permissions of one function. `role` and `function` are additional properties, and
/// `resources` additional resources.
fn outcome(role: &str, function: &str, resources: &str) -> Result<Vec<Permissions>, Error> {
    let text = format!(
        "Resources:\n  Table: {{ Type: AWS::DynamoDB::Table }}\n  F:\n    \
         Type: AWS::Serverless::Function\n    \
         Metadata: {{ BuildProperties: {{ Binary: f }} }}\n    \
         Properties: {{ Role: !GetAtt R.Arn{function} }}\n  R:\n    Type: AWS::IAM::Role\n    \
         Properties: {{ Policies: []{role} }}\n{resources}"
    );
    Template::parse("t.yaml", &text).unwrap().permissions()
}
