"""Deploys the template with `sam deploy`, and adds the parts of the API that the emulator leaves out."""

import json
import re
import subprocess

import mails
from processes import Failure

STACK = "storefront"

PARAMETERS = [
    "CorsAllowOrigins=https://shop.example.com",
    # The most detailed level that can be set, for the audit.
    "LogLevel=DEBUG",
    # The emulator does not support alarms on expressions.
    "Monitoring=false",
    f"MailFrom={mails.SENDER}",
    f"ShopUrl={mails.SHOP}",
    # The emulator sets no partition keys; what the conditions on them allow is tested elsewhere.
    "FineGrainedAccess=false",
]


class Stack:
    """The deployed stack."""

    def __init__(self, emulator):
        self.emulator = emulator
        cloudformation = emulator.client("cloudformation")
        described = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
        resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        self.resources = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        template = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
        self.template = json.loads(template) if isinstance(template, str) else template

    def logical_ids(self, resource_type):
        resources = self.template["Resources"].items()
        return [name for name, each in resources if each["Type"] == resource_type]


def deploy(emulator, architecture):
    """Runs `sam deploy` with the settings of samconfig.toml."""
    parameters = [*PARAMETERS, f"Architecture={architecture}"]
    command = ["sam", "deploy", "--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar"]
    command += ["--parameter-overrides", *parameters]
    done = subprocess.run(
        command, env=emulator.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Failure(f"`sam deploy` failed:\n{done.stdout}{done.stderr}")
    return Stack(emulator)


def adapt_roles(stack):
    """Adapts the roles for the emulator, which resolves a secret to its name.

    On AWS a `Ref` to a secret is its ARN, and a policy for anything else allows nothing. And for a raw message, AWS's SES
    requires `ses:SendRawEmail` on an identity, and knows the sender. The emulator requires `ses:SendEmail`, and knows
    neither.
    """
    manager, iam = stack.emulator.client("secretsmanager"), stack.emulator.client("iam")
    arns = {secret["Name"]: secret["ARN"] for secret in manager.list_secrets()["SecretList"]}
    for logical_id in stack.logical_ids("AWS::IAM::Role"):
        role = stack.resources[logical_id]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                if isinstance(statement["Resource"], str):
                    statement["Resource"] = arns.get(statement["Resource"], statement["Resource"])
                if statement["Action"] == "ses:SendRawEmail":
                    statement["Action"], statement["Resource"] = "ses:SendEmail", "*"
                    del statement["Condition"]
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def connect_api(stack):
    """Creates the API's authorizers and routes; returns the API's URL and its routes.

    The emulator creates the API itself, but ignores the OpenAPI document in the template, which describes them.
    """
    (logical_id,) = stack.logical_ids("AWS::ApiGatewayV2::Api")
    document = stack.template["Resources"][logical_id]["Properties"]["Body"]
    gateway = stack.emulator.client("apigatewayv2")
    api = stack.resources[logical_id]

    schemes = document["components"]["securitySchemes"]
    authorizers = {
        name: _create_authorizer(stack, gateway, api, name, scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in schemes.items()
    }
    routes = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            routes.append(f"{method.upper()} {path}")
            integration = gateway.create_integration(
                ApiId=api,
                IntegrationType="AWS_PROXY",
                IntegrationUri=_invocation(stack, operation["x-amazon-apigateway-integration"]["uri"]),
                PayloadFormatVersion=operation["x-amazon-apigateway-integration"]["payloadFormatVersion"],
            )
            required = [name for each in operation.get("security", []) for name in each if name != "NONE"]
            gateway.create_route(
                ApiId=api,
                RouteKey=routes[-1],
                Target=f"integrations/{integration['IntegrationId']}",
                **({"AuthorizationType": "CUSTOM", "AuthorizerId": authorizers[required[0]]} if required else {}),
            )
    return f"{stack.emulator.url}/_aws/execute-api/{api}/$default", routes


def _create_authorizer(stack, gateway, api, name, settings):
    time_to_live = settings["authorizerResultTtlInSeconds"]
    if isinstance(time_to_live, dict):
        # By default, sessions are not revoked immediately.
        _, _, time_to_live = time_to_live["Fn::If"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name=name,
        AuthorizerType=settings["type"].upper(),
        AuthorizerUri=_invocation(stack, settings["authorizerUri"]),
        AuthorizerPayloadFormatVersion=settings["authorizerPayloadFormatVersion"],
        EnableSimpleResponses=settings["enableSimpleResponses"],
        AuthorizerResultTtlInSeconds=time_to_live,
        IdentitySource=settings["identitySource"],
    )
    return authorizer["AuthorizerId"]


def _invocation(stack, uri):
    """Returns the invocation URI of the function whose logical id is in the template's URI."""
    logical_id = re.search(r"(\w+Function)\b", json.dumps(uri)).group(1)
    function = stack.emulator.client("lambda").get_function(FunctionName=stack.resources[logical_id])
    arn = function["Configuration"]["FunctionArn"]
    region = arn.split(":")[3]
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
