"""The first administrator of a deployment, made as the README says: with the operator's AWS credentials."""

USER_BY_EMAIL = {"IndexName": "GSI1", "KeyConditionExpression": "GSI1PK = :email"}


def make_first_administrator(aws, table, email):
    """Gives the registered user with this email the role `admin`."""
    dynamodb = aws.client("dynamodb")
    found = dynamodb.query(
        TableName=table, ExpressionAttributeValues={":email": {"S": f"EMAIL#{email}"}}, **USER_BY_EMAIL
    )
    (user,) = found["Items"]
    dynamodb.update_item(
        TableName=table,
        Key={"PK": user["PK"], "SK": user["SK"]},
        ConditionExpression="attribute_exists(PK)",
        UpdateExpression="SET #role = :admin ADD #version :one",
        ExpressionAttributeNames={"#role": "role", "#version": "version"},
        ExpressionAttributeValues={":admin": {"S": "admin"}, ":one": {"N": "1"}},
    )
