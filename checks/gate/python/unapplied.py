"""Checks the settings that the emulator accepts but does not apply, in the template that CloudFormation gets.

The emulator loses nothing, expires nothing and retries nothing, so using it cannot show that backups, expiry and
retries are configured. This module lists what a deployment with the default parameters must have.
"""

from samcli.lib.intrinsic_resolver.intrinsic_property_resolver import IntrinsicResolver
from samcli.lib.intrinsic_resolver.intrinsics_symbol_table import IntrinsicsSymbolTable

from processes import Failure


def check(template):
    """Reports every wrong setting in one failure; returns the number of settings checked."""
    resources = _resolved(template)
    found = [*_table(resources), *_log_groups(resources), *_stream(resources, template), *_functions(resources)]
    found += _queues(resources, template)
    wrong = [f"{what}: expected {expected!r}, found {value!r}" for what, value, expected in found if value != expected]
    if wrong:
        raise Failure("the template is not safe to deploy:\n  " + "\n  ".join(wrong))
    return len(found)


def _resolved(template):
    """The resources, with the parameters' default values substituted."""
    defaults = {
        name: parameter["Default"] for name, parameter in template["Parameters"].items() if "Default" in parameter
    }
    symbols = IntrinsicsSymbolTable(template=template, logical_id_translator=defaults)
    return IntrinsicResolver(template=template, symbol_resolver=symbols).resolve_template(ignore_errors=True)[
        "Resources"
    ]


def _of_type(resources, resource_type):
    return [(name, each) for name, each in resources.items() if each["Type"] == resource_type]


def _setting(resource, *path):
    value = resource
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _table(resources):
    for name, table in _of_type(resources, "AWS::DynamoDB::Table"):
        recovery = ("Properties", "PointInTimeRecoverySpecification")
        expiry = ("Properties", "TimeToLiveSpecification")
        for path, expected in [
            (("DeletionPolicy",), "Retain"),
            (("UpdateReplacePolicy",), "Retain"),
            (("Properties", "DeletionProtectionEnabled"), True),
            ((*recovery, "PointInTimeRecoveryEnabled"), True),
            ((*recovery, "RecoveryPeriodInDays"), 35),
            ((*expiry, "Enabled"), True),
            ((*expiry, "AttributeName"), "expiresAt"),
            (("Properties", "SSESpecification", "SSEEnabled"), True),
            (("Properties", "StreamSpecification", "StreamViewType"), "NEW_AND_OLD_IMAGES"),
        ]:
            yield f"{name}: {'.'.join(path)}", _plain(_setting(table, *path)), expected


def _plain(value):
    """Parameters are strings; CloudFormation accepts "true" for true."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _log_groups(resources):
    for name, group in _of_type(resources, "AWS::Logs::LogGroup"):
        yield f"{name}: RetentionInDays is set", bool(_setting(group, "Properties", "RetentionInDays")), True


def _functions(resources):
    groups = {_setting(each, "Properties", "LogGroupName") for _, each in _of_type(resources, "AWS::Logs::LogGroup")}
    groups |= {name for name, _ in _of_type(resources, "AWS::Logs::LogGroup")}
    for name, function in _of_type(resources, "AWS::Lambda::Function"):
        group = _setting(function, "Properties", "LoggingConfig", "LogGroup")
        yield f"{name}: its log group is one of the template's", group in groups, True
        yield f"{name}: TracingConfig.Mode", _setting(function, "Properties", "TracingConfig", "Mode"), "Active"


def _mappings(resources, of_streams):
    """The event source mappings that read streams, which have a place to start at, or those that read queues."""
    mappings = _of_type(resources, "AWS::Lambda::EventSourceMapping")
    return [(name, each) for name, each in mappings if ("StartingPosition" in each["Properties"]) == of_streams]


def _queues(resources, template):
    for name, mapping in _mappings(resources, of_streams=False):
        settings = mapping["Properties"]
        yield f"{name}: FunctionResponseTypes", settings.get("FunctionResponseTypes"), ["ReportBatchItemFailures"]
        yield f"{name}: ScalingConfig", settings.get("ScalingConfig"), {"MaximumConcurrency": 2}
        # From the unresolved template: resolving makes up an ARN.
        written = template["Resources"][name]["Properties"]
        queue = resources[_setting(written, "EventSourceArn").get("Fn::GetAtt")[0]]["Properties"]
        hours = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] / 3600
        wanted = 1 if "Account" in name else 6
        yield f"{name}: its queue delivers for more than the {wanted} hours of a mail", wanted < hours, True
        kept = queue["MessageRetentionPeriod"] / 3600
        yield f"{name}: its queue keeps messages for longer than it delivers them", hours < kept, True
    for name, queue in _of_type(resources, "AWS::SQS::Queue"):
        yield f"{name}: SqsManagedSseEnabled", _setting(queue, "Properties", "SqsManagedSseEnabled"), True


def _stream(resources, template):
    mappings = _mappings(resources, of_streams=True)
    yield "the template has an event source mapping", bool(mappings), True
    for name, mapping in mappings:
        settings = mapping["Properties"]
        for setting, expected in [
            ("BisectBatchOnFunctionError", True),
            ("FunctionResponseTypes", ["ReportBatchItemFailures"]),
            ("StartingPosition", "TRIM_HORIZON"),
        ]:
            yield f"{name}: {setting}", settings.get(setting), expected
        # Retried as long as they are in the stream, and given up before it forgets them after 24 hours.
        yield f"{name}: MaximumRetryAttempts has no limit", int(settings.get("MaximumRetryAttempts", 0)), -1
        age = int(settings.get("MaximumRecordAgeInSeconds", -1))
        yield f"{name}: MaximumRecordAgeInSeconds is less than 24 hours", 0 < age < 24 * 60 * 60, True

        # From the unresolved template: resolving makes up an ARN.
        written = template["Resources"][name]["Properties"]
        bucket, attribute = _setting(written, "DestinationConfig", "OnFailure", "Destination").get("Fn::GetAtt")
        yield f"{name}: type of the failure destination", resources[bucket]["Type"], "AWS::S3::Bucket"
        yield f"{name}: attribute that names the failure destination", attribute, "Arn"
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            yield f"{bucket}: {policy}", resources[bucket].get(policy), "Retain"
