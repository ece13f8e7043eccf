"""An IoT rule's message to a queue is judged as the rule's role, as AWS does.

ministack asks nobody within an account and, across accounts, judges the publisher. Here, under AUTH, AWS IoT
must be trusted by the role, and the role's own policies and the queue's must allow the send.
"""

from typing import Any

from ministack import app
from ministack.core import iam_evaluator as iam
from ministack.core.responses import request_scope
from ministack.services import iam as roles
from ministack.services import iot, sqs

ACTION = "sqs:SendMessage"
SESSION = "IoTRule"


def amend() -> None:
    send = iot._dispatch_rule_sqs

    def send_as_role(
        account_id: str, region: str, rule_name: str, spec: dict[str, Any], event: object
    ) -> None:
        if not app.AUTH:
            send(account_id, region, rule_name, spec, event)
            return
        with request_scope(account_id, region):
            session = _assumed(spec.get("roleArn") or "", account_id, rule_name)
            _require_allowed(session, account_id, region, rule_name, spec.get("queueUrl") or "")
        before = iam._request_caller_arn.set(session)
        try:
            send(account_id, region, rule_name, spec, event)
        finally:
            iam._request_caller_arn.reset(before)

    iot._dispatch_rule_sqs = send_as_role


def _assumed(role_arn: str, account_id: str, rule_name: str) -> str:
    """The ARN of AWS IoT's session as the role. Raises RuntimeError, which runs the rule's error action."""
    if not iot._iot_role_usable(role_arn):
        raise RuntimeError(f"IoT rule {rule_name}: AWS IoT may not assume {role_arn or 'no role'}")
    return f"arn:aws:sts::{account_id}:assumed-role/{_name(role_arn)}/{SESSION}"


def _require_allowed(session: str, account_id: str, region: str, rule_name: str, queue_url: str) -> None:
    """Asks the role's policies, its boundary and the queue's policy. Raises RuntimeError."""
    try:
        queue = sqs._get_q(queue_url)
    except sqs._Err as error:
        raise RuntimeError(f"IoT rule {rule_name}: {queue_url}: {error.code}: {error.message}") from error
    arn = queue["attributes"]["QueueArn"]
    asked = iam.EvalContext(
        principal_arn=session,
        principal_type="AssumedRole",
        principal_account=account_id,
        action=ACTION,
        resource_arn=arn,
        region=region,
    )
    role_name = _name(session.removesuffix(f"/{SESSION}"))
    limits = iam._permissions_boundary(roles._roles, role_name, account_id)
    of_role = iam.evaluate(asked, iam._gather_role_policies(role_name, account_id), *limits)
    policy, owner = sqs.queue_policy_for_arn(arn)
    decision = iam.combine_resource_policy(of_role, asked, policy, owner, limits=limits).decision
    if decision != "Allow":
        raise RuntimeError(
            f"IoT rule {rule_name}: AccessDenied: {session} is not authorized to perform {ACTION} on {arn}"
        )


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
