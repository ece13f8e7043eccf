"""Names by which IAM judges, where ministack's are not AWS's.

`aws:PrincipalArn` of a role's session is the role's ARN, not the session's; a batch of SQS asks for the right
to its single action, since there is no other. A bus is looked at by the right on the bus, not on a rule of
its name, and rules are listed by the right on all of them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

import re
from typing import Any

from ministack.core import iam_actions
from ministack.core import iam_evaluator as iam

SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+")
BATCH = re.compile(r"(sqs:\w+)Batch")


def amend() -> None:
    value_of, action_of = iam._resolve_condition_key, iam_actions.extract_iam_action
    resource_of = iam_actions.extract_resource_arn

    def with_the_roles_arn(key: str, context: iam.EvalContext) -> Any:
        value = value_of(key, context)
        if key.lower() != "aws:principalarn" or not isinstance(value, str):
            return value
        return SESSION.sub(r"arn:\1:iam::\2:role/\3", value)

    def without_batches(*request: Any) -> str | None:
        action = action_of(*request)
        return action and BATCH.sub(r"\1", action)

    def with_the_bus(*request: Any) -> str:
        *asked, region, account = request
        if asked[0] != "events":
            return resource_of(*request)
        home = f"arn:aws:events:{region}:{account}"
        match action_of(*asked):
            case "events:DescribeEventBus":
                return f"{home}:event-bus/{iam_actions._safe_json_field(asked[4], 'Name') or 'default'}"
            case "events:ListRules":
                return f"{home}:rule/*"
        return resource_of(*request)

    iam._resolve_condition_key = with_the_roles_arn
    iam_actions.extract_iam_action = without_batches
    iam_actions.extract_resource_arn = with_the_bus
