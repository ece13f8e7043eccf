"""What is amended in ministack, and the proof at each start that it still is as it was when we amended it."""

import hashlib
import inspect
from importlib import import_module, metadata
from pathlib import Path

from infra.stand_in import batches, deliveries, iam_names, loopback, rule_role

VERSION = "1.5.33"

READ_WHEN_AMENDED = {
    "app.main": "aae886212adbdc54",
    "core.iam_actions.extract_iam_action": "ec476b92d969822b",
    "core.iam_actions.extract_resource_arn": "82f51700695c62fd",
    "core.iam_evaluator._gather_role_policies": "d83d1661b86595ac",
    "core.iam_evaluator.caller_arn": "8dc478d34f4697cf",
    "core.iam_evaluator.combine_resource_policy": "3972f81213f8b84b",
    "core.iam_evaluator._resolve_condition_key": "15e26964cd38f32c",
    "services.iot._dispatch_rule_sqs": "7fd16790d8a1b99d",
    "services.iot._iot_role_usable": "b91f4c25e565eb3f",
    "services.iot._mtls_start_locked": "2920d506142957f0",
    "services.lambda_svc._poll_sqs": "e438a6a1e09482dc",
    "services.sns._fanout": "984cdd91d64aa056",
    "services.sns._matches_filter_policy": "16fce5e70fec3494",
    "services.sns._publish": "df41cb2faa099b60",
    "services.sqs._collect_msgs": "308a6eb1b3d4c8ad",
    "services.sqs._enforce_queue_policy": "2ab74344d2b2bd18",
    "services.sqs._receive_messages_for_esm": "f230dbcd4974adcf",
}
"""The start of SHA-256 over the source of each function that an amendment replaces or rests on."""


def amend(deliveries_file: Path) -> None:
    """Amends ministack in this process. Raises SystemExit where it is not the one that we know."""
    found = _changes()
    if found:
        raise SystemExit(
            f"The AWS stand-in is amended for ministack {VERSION}, but in {metadata.version('ministack')} "
            f"{', '.join(found)}. Read what changed, mend infra/stand_in/, then note the new digests in "
            "infra/stand_in/amendments.py."
        )
    loopback.amend()
    rule_role.amend()
    iam_names.amend()
    deliveries.amend(deliveries_file)
    batches.amend()


def _changes() -> list[str]:
    """What is not as it was, a phrase each."""
    changes = []
    for name, known in READ_WHEN_AMENDED.items():
        module, _, function = name.rpartition(".")
        found = getattr(import_module(f"ministack.{module}"), function, None)
        if found is None:
            changes.append(f"{name} is gone")
        elif (digest := digest_of(found)) != known:
            changes.append(f"{name} has changed (its digest is {digest})")
    return changes


def digest_of(function: object) -> str:
    """Of its source."""
    assert callable(function)  # noqa: S101 - narrows: each name in the table is a function's
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
