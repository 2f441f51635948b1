"""The metrics in the functions' logs: CloudWatch takes them from lines in the embedded metric format, the emulator does
not."""

import json
import time


class Extraction:
    """Puts the metrics that are logged from now on into the emulator's CloudWatch."""

    def __init__(self, aws):
        self.logs = aws.client("logs")
        self.cloudwatch = aws.client("cloudwatch")
        self.since = int(time.time() * 1000)
        self.known = set()

    def extract(self):
        """Extracts what was logged since the last call."""
        for group in self.logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=self.since)
            for event in (event for page in pages for event in page["events"]):
                # Each line has the id of its request.
                if event["message"] not in self.known:
                    self.known.add(event["message"])
                    for line in event["message"].splitlines():
                        self._put(line)

    def _put(self, line):
        try:
            values = json.loads(line)
            directives = values["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):
            return
        for directive in directives:
            data = [
                {
                    "MetricName": metric["Name"],
                    "Dimensions": [{"Name": name, "Value": values[name]} for name in dimensions],
                    "Timestamp": values["_aws"]["Timestamp"] / 1000,
                    "Value": values[metric["Name"]],
                    "Unit": metric.get("Unit", "None"),
                }
                for metric in directive["Metrics"]
                for dimensions in directive["Dimensions"]
            ]
            self.cloudwatch.put_metric_data(Namespace=directive["Namespace"], MetricData=data)
