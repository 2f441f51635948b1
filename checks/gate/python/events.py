"""A subscriber to the shop's events: a queue, filled by a rule on the bus."""

import json
import time

from api import equal

SOURCE = "storefront.orders"
PLACED, CHANGED, PAID_BACK = "OrderPlaced", "OrderStatusChanged", "OrderPaymentChanged"

# From the write to the queue. The emulator polls the stream about every second.
PATIENCE_SECONDS = 60


def subscribe(aws, bus):
    """Subscribes a new queue to every event of the shop."""
    sqs, eventbridge = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="order-status-changes")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    rule = {"Name": "order-status-changes", "EventBusName": bus}
    created = eventbridge.put_rule(EventPattern=json.dumps({"source": [SOURCE]}), **rule)
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attributes["QueueArn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": created["RuleArn"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    eventbridge.put_targets(
        Rule=rule["Name"], EventBusName=bus, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}]
    )
    return Subscription(sqs, queue)


class Subscription:
    """The events that a queue receives."""

    def __init__(self, sqs, queue):
        self.sqs = sqs
        self.queue = queue

    def expect(self, details):
        """Waits for one change of the status for each of the details, in order, and for these orders to be placed.

        Delivery is at least once, so a repeated `eventId` does not count. An event may have more fields than
        expected, but the expected ones must match.
        """
        received, placed = [], set()
        orders = {expected["orderId"] for expected in details}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (len(received) < len(details) or not orders <= placed) and time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                equal("the source of an event", event["source"], SOURCE)
                if event["detail-type"] == PLACED:
                    placed.add(event["detail"]["orderId"])
                    continue
                if event["detail-type"] == PAID_BACK:
                    continue
                equal("the type of an event", event["detail-type"], CHANGED)
                if event["detail"]["eventId"] not in [each["eventId"] for each in received]:
                    received.append(event["detail"])
        for found, expected in zip(received, details):
            equal("the detail of an event", {name: found.get(name) for name in expected}, expected)
        equal(f"events within {PATIENCE_SECONDS} s", len(received), len(details))
        equal("changed orders without an event that they were placed", sorted(orders - placed), [])
