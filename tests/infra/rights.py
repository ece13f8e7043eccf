"""Users, roles and policies of tests' own in the stand-in's accounts, and what those of a stack may do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stand_in import DESTINATION, StandIn


def user_with_policy(aws: StandIn, name: str, policy_arn: str) -> dict[str, str]:
    """The environment of a user of account B who may do what the policy says and nothing else."""
    key = user_without_rights(aws, name)
    aws.client("iam", DESTINATION).attach_user_policy(UserName=name, PolicyArn=policy_arn)
    return key


def user_without_rights(aws: StandIn, name: str) -> dict[str, str]:
    """The environment of a user of account B."""
    iam = aws.client("iam", DESTINATION)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@contextmanager
def role_that_may_all_of_sqs(aws: StandIn, account: str) -> Iterator[str]:
    """Its ARN; it is gone afterwards."""
    iam = aws.client("iam", account)
    trust = policy(_trust_in_root_of(account))
    role = iam.create_role(RoleName="pretender", AssumeRolePolicyDocument=trust)["Role"]
    rights = policy({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})
    iam.put_role_policy(RoleName="pretender", PolicyName="all", PolicyDocument=rights)
    try:
        yield role["Arn"]
    finally:
        iam.delete_role_policy(RoleName="pretender", PolicyName="all")
        iam.delete_role(RoleName="pretender")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def assumed(aws: StandIn, role_arn: str, *, by: dict[str, str], **said: str) -> dict[str, str]:
    """Options of a client with the session of a role, which somebody (options of theirs) assumes."""
    key = aws.client("sts", **by).assume_role(RoleArn=role_arn, RoleSessionName="test", **said)["Credentials"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
        "aws_session_token": key["SessionToken"],
    }


def root_of(account: str) -> dict[str, str]:
    """Options of a client."""
    return {"account": account}


def as_the_task(aws: StandIn, account: str, role_arn: str) -> dict[str, str]:
    """The session that Fargate would give the bridge: its trust is widened to the account's root for it."""
    name = role_arn.rpartition("/")[2]
    trust = policy(_trust_in_root_of(account))
    aws.client("iam", account).update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    return assumed(aws, role_arn, by=root_of(account))


def _trust_in_root_of(account: str) -> dict[str, Any]:
    root = f"arn:aws:iam::{account}:root"
    return {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}


def identity_statements(aws: StandIn, account: str) -> Iterator[dict[str, Any]]:
    """All that roles and managed policies of an account allow."""
    iam = aws.client("iam", account)
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            yield from found["PolicyDocument"]["Statement"]
    for managed in iam.list_policies(Scope="Local")["Policies"]:
        found = iam.get_policy_version(PolicyArn=managed["Arn"], VersionId=managed["DefaultVersionId"])
        yield from found["PolicyVersion"]["Document"]["Statement"]


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
