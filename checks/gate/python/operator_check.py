"""Checks the deployment as docs/operations.md says: with `storefront-ops check`."""

import json
import subprocess
import time
from contextlib import suppress

from metrics import Extraction
from processes import Failure
from stack import STACK

# A denied action, the role that grants it, and its statement in the template.
ACTION, ROLE, STATEMENT = "dynamodb:BatchGetItem", "OrdersRole", "ProductsOfNewOrders"

# What docs/operations.md says that the operator's credentials need.
OPERATOR = "operator"
PERMISSIONS = [
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
    "cloudwatch:GetMetricStatistics",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "logs:FilterLogEvents",
    "ses:GetAccount",
]


def expect_passed(aws, url):
    """Every step passes, with the permissions that the documentation names."""
    status, output = _check(aws, url)
    if status != 0:
        raise Failure(f"`storefront-ops check` failed:\n{output}")


def expect_denial_explained(deployed, url):
    """If a role lacks an action, the check fails and names the statement that should grant it."""
    _revoke(deployed)
    status, output = _check(deployed.emulator, url)
    expected = ["FAILED   place an order  (POST /orders, ", ACTION, f"the statement {STATEMENT} of {ROLE}"]
    missing = [text for text in expected if text not in output]
    if status != 1 or missing:
        raise Failure(f"`storefront-ops check` without {ACTION}: exit code {status}, without {missing}:\n{output}")


def _check(aws, url):
    """Runs the check; returns its exit code and its output."""
    command = ["cargo", "run", "--quiet", "--locked", "--bin", "storefront-ops", "--"]
    # The emulator's output ApiUrl is a host name that only resolves where everything under localhost does.
    command += ["check", "--stack", STACK, "--url", url, "--timeout", "60"]
    process = subprocess.Popen(
        command,
        env=aws.environment() | _credentials(aws),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    extraction = Extraction(aws)
    try:
        while process.poll() is None:
            extraction.extract()
            time.sleep(1)
        return process.returncode, process.stdout.read()
    finally:
        process.kill()


def _credentials(aws):
    """Creates keys of an operator. Unlike the administrator's, the emulator also verifies their signatures."""
    iam = aws.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=OPERATOR)
    allowed = {"Effect": "Allow", "Action": PERMISSIONS, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=OPERATOR, PolicyName="check", PolicyDocument=policy)
    key = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def _revoke(deployed):
    """Takes the action out of the role, behind CloudFormation's back."""
    iam, role = deployed.emulator.client("iam"), deployed.resources[ROLE]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        document["Statement"] = [each for each in document["Statement"] if each.get("Sid") != STATEMENT]
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
