"""Names by which IAM judges, where ministack's are not AWS's.

`aws:PrincipalArn` of a role's session is the role's ARN, not the session's; a batch of SQS asks for the right
to its single action, since there is no other.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

import re
from typing import Any

from ministack.core import iam_actions
from ministack.core import iam_evaluator as iam

SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+")
BATCH = re.compile(r"(sqs:\w+)Batch")


def amend() -> None:
    value_of, action_of = iam._resolve_condition_key, iam_actions.extract_iam_action

    def with_the_roles_arn(key: str, context: iam.EvalContext) -> Any:
        value = value_of(key, context)
        if key.lower() != "aws:principalarn" or not isinstance(value, str):
            return value
        return SESSION.sub(r"arn:\1:iam::\2:role/\3", value)

    def without_batches(*request: Any) -> str | None:
        action = action_of(*request)
        return action and BATCH.sub(r"\1", action)

    iam._resolve_condition_key = with_the_roles_arn
    iam_actions.extract_iam_action = without_batches
