"""Stacks without the SAM command line, and what is left in an account."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.infra.accounts import STACK
from tests.sam import sam
from tests.stand_in import REPOSITORY, StandIn


def create_stack(aws: StandIn, account: str, template: str, **parameters: str) -> dict[str, str]:
    """The template as it is, without a build: it must not need the function's package."""
    text = (REPOSITORY / "infra" / template).read_text()
    formation = aws.client("cloudformation", account)
    formation.create_stack(
        StackName=STACK,
        TemplateBody=text.replace("CodeUri: republisher/", "CodeUri: s3://no/package"),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150}
    )
    [stack] = formation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def delete(aws: StandIn, account: str) -> None:
    sam("delete", "--stack-name", STACK, "--no-prompts", environment=aws.environment(account))


@dataclass(frozen=True, slots=True)
class Left:
    """Names of what is in an account."""

    names: frozenset[str]

    @classmethod
    def in_account(cls, aws: StandIn, account: str) -> "Left":
        def named(service: str, operation: str, member: str, name: str | None) -> Iterator[str]:
            for each in getattr(aws.client(service, account), operation)().get(member, []):
                yield each if name is None else each[name]

        listings = [
            ("sqs", "list_queues", "QueueUrls", None),
            ("sns", "list_topics", "Topics", "TopicArn"),
            ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
            ("events", "list_event_buses", "EventBuses", "Name"),
            ("events", "list_rules", "Rules", "Name"),
            ("iot", "list_topic_rules", "rules", "ruleName"),
            ("iot", "list_policies", "policies", "policyName"),
            ("lambda", "list_functions", "Functions", "FunctionName"),
            ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
            ("logs", "describe_log_groups", "logGroups", "logGroupName"),
            ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
            ("iam", "list_roles", "Roles", "RoleName"),
        ]
        return cls(frozenset(f"{what[0]} {name}" for what in listings for name in named(*what)))
