"""What an operator does to users with AWS credentials: docs/operations.md says how."""

import subprocess

from processes import Failure


def make_first_administrator(aws, table, email):
    """Gives the registered user with this email the role `admin`."""
    command = ["cargo", "run", "--quiet", "--locked", "--bin", "storefront-ops", "--"]
    command += ["make-admin", "--yes", "--table", table, email]
    if subprocess.run(command, env=aws.environment(), stdin=subprocess.DEVNULL).returncode != 0:
        raise Failure(f"{email} could not be made an administrator")


def set_hash(aws, table, user_id, password_hash):
    """Gives a user a password hash, as a migration from another shop does."""
    aws.client("dynamodb").update_item(
        TableName=table,
        Key={"PK": {"S": f"USER#{user_id}"}, "SK": {"S": "METADATA"}},
        UpdateExpression="SET passwordHash = :hash",
        ExpressionAttributeValues={":hash": {"S": password_hash}},
    )
