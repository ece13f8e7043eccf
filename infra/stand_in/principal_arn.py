"""`aws:PrincipalArn` of a role's session is the role's ARN, as AWS has it; ministack gives the session's.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

import re
from typing import Any

from ministack.core import iam_evaluator as iam

SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+")


def amend() -> None:
    value_of = iam._resolve_condition_key

    def with_the_roles_arn(key: str, context: iam.EvalContext) -> Any:
        value = value_of(key, context)
        if key.lower() != "aws:principalarn" or not isinstance(value, str):
            return value
        return SESSION.sub(r"arn:\1:iam::\2:role/\3", value)

    iam._resolve_condition_key = with_the_roles_arn
