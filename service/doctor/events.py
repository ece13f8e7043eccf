"""What is wrong with the bus, the topic and the text messages, and what would be right; nothing is sent."""

from collections.abc import Iterator
from typing import Any

from ingest.aws.faults import AwsError, denied, sentence
from service.doctor.finding import Finding
from service.doctor.remedy import remedy


def bus_findings(events: Any, bus: str, source: str) -> Iterator[Finding]:
    """events: boto3's client of EventBridge."""
    if source.startswith("aws."):
        detail = f"OVERFLY_EVENT_SOURCE={source}: AWS keeps sources in `aws.` to itself; name another"
        yield Finding("event source", "fault", detail)
    try:
        found = events.describe_event_bus(Name=bus)
    except AwsError as error:
        if denied(error):
            yield Finding(
                "event bus",
                "warning",
                f"{bus} cannot be looked at: grant events:DescribeEventBus, since PutEvents takes events for "
                "a bus that does not exist, and drops them",
            )
        else:
            right = remedy(error) or "make the bus, or mend OVERFLY_EVENT_BUS"
            detail = f"{bus}: {sentence(error)}; {right}"
            yield Finding("event bus", "fault", detail)
        return
    yield Finding("event bus", "ok", str(found["Arn"]))
    yield from _rules(events, bus)


def topic_finding(sns: Any, topic_arn: str) -> Finding:
    """sns: boto3's client of SNS."""
    try:
        attributes = sns.get_topic_attributes(TopicArn=topic_arn)["Attributes"]
    except AwsError as error:
        if denied(error):
            detail = f"{topic_arn} cannot be looked at: grant sns:GetTopicAttributes to see who subscribes"
            return Finding("SNS topic", "warning", detail)
        right = remedy(error) or "make the topic, or mend OVERFLY_SNS_TOPIC_ARN"
        detail = f"{topic_arn}: {sentence(error)}; {right}"
        return Finding("SNS topic", "fault", detail)
    confirmed = int(attributes.get("SubscriptionsConfirmed", 0))
    pending = int(attributes.get("SubscriptionsPending", 0))
    said = f"{topic_arn}: {confirmed} subscriptions" + (f", {pending} not confirmed yet" if pending else "")
    if confirmed == 0:
        return Finding("SNS topic", "warning", f"{said}: nobody is told of what is published to it")
    return Finding("SNS topic", "ok", said)


def text_message_finding(sns: Any) -> Finding:
    """Whether SNS sends to any number, or to those alone that were verified."""
    try:
        sandbox = sns.get_sms_sandbox_account_status()["IsInSandbox"]
    except AwsError as error:
        return Finding("text messages", "warning", f"could not be looked at: {sentence(error)}")
    if sandbox:
        detail = "this account is in SNS's sandbox: only numbers that it has verified get text messages"
        return Finding("text messages", "warning", detail)
    return Finding("text messages", "ok", "SNS sends to any number")


def _rules(events: Any, bus: str) -> Iterator[Finding]:
    try:
        rules = events.list_rules(EventBusName=bus, Limit=100)["Rules"]
    except AwsError:  # who may not list rules need not know them
        return
    enabled = sum(each.get("State") == "ENABLED" for each in rules)
    if enabled == 0:
        yield Finding("bus rules", "warning", f"{bus} has no rule that is enabled: events on it go nowhere")
    else:
        yield Finding("bus rules", "ok", f"{enabled} enabled")
