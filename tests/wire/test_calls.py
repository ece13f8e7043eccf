"""boto3 and the AWS CLI call every operation of `overfly serve`: success, and the errors that it declares."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from service.location.model import MODEL
from tests.service.location.clients import location_client
from tests.services import Overfly
from tests.wire.aws_cli import AwsCli, aws
from tests.wire.calls import CALLS, Members, arn, prepared

OPERATIONS = list(CALLS)

Caller = Callable[[str, Members], Mapping[str, Any]]
"""Calls an operation; raises Failed."""


class Failed(Exception):
    """Answered by an error with this code."""


@pytest.fixture(scope="module", params=["boto3", "aws"])
def call(request: pytest.FixtureRequest, served: Overfly) -> Iterator[Caller]:
    """The one client and then the other, each on what is made for it anew."""
    prepared(served)
    if request.param == "boto3":
        yield _by_boto3(location_client(served.url))
        return
    with AwsCli(served.url, served.folder) as cli:
        yield _by_aws(cli)


def _by_boto3(client: Any) -> Caller:
    def call(operation: str, members: Members) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(client, xform_name(operation))(**members)
        except ClientError as error:
            raise Failed(error.response["Error"]["Code"]) from error
        return answer

    return call


def _by_aws(cli: AwsCli) -> Caller:
    def call(operation: str, members: Members) -> Mapping[str, Any]:
        command = ("location", xform_name(operation, "-"), "--cli-input-json", json.dumps(members))
        done = cli.run(*command, "--no-paginate")
        if done.status:
            raise Failed(done.err.partition("(")[2].partition(")")[0] or done.err)
        answer: Mapping[str, Any] = done.answer
        return answer

    return call


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_succeeds(call: Caller, operation: str) -> None:
    answer = call(operation, CALLS[operation].succeeds)
    assert set(MODEL.shapes[MODEL.operations[operation].output].required) <= set(answer)


@pytest.mark.parametrize(
    ("operation", "error"), [(name, error) for name in OPERATIONS for error in CALLS[name].fails]
)
def test_it_fails_with_its_error(call: Caller, operation: str, error: str) -> None:
    assert error in MODEL.operations[operation].errors
    with pytest.raises(Failed, match=f"^{error}$"):
        call(operation, CALLS[operation].fails[error])


OVER = {
    "CreateTracker": {"TrackerName": "more"},
    "CreateGeofenceCollection": {"CollectionName": "more"},
    "AssociateTrackerConsumer": {"TrackerName": "x0", "ConsumerArn": arn("geofence-collection", "x2")},
}


def test_it_fails_where_there_are_as_many_as_there_may_be(served: Overfly, call: Caller) -> None:
    names = [f"x{number}" for number in range(10)]
    for name in names:
        served.post("/v1/trackers", {"trackerName": name})
        served.post("/v1/collections", {"collectionName": name})
    for name in names[:2]:
        served.put_link("x0", name)
    for operation, members in OVER.items():
        with pytest.raises(Failed, match="ServiceQuotaExceededException"):
            call(operation, members)
    for name in names:
        for path in (f"trackers/{name}", f"collections/{name}"):
            httpx.delete(f"{served.url}/v1/{path}", timeout=30).raise_for_status()


def test_each_error_that_an_operation_declares_is_met() -> None:
    """Beside those that any may meet, which other tests do."""
    of_any = {"InternalServerException", "AccessDeniedException", "ThrottlingException"}
    quota = {"ServiceQuotaExceededException"}
    for name, called in CALLS.items():
        missed = set(MODEL.operations[name].errors) - of_any - quota - set(called.fails)
        assert missed == ({"ConflictException"} if name == "PutGeofence" else set()), name


@pytest.mark.parametrize(
    ("noun", "command"), [("tracker", "delete-tracker"), ("collection", "delete-geofence-collection")]
)
def test_the_program_aws_deletes(served: Overfly, noun: str, command: str) -> None:
    served.post(f"/v1/{noun}s", {f"{noun}Name": "by-program"})
    option = f"--{'tracker' if noun == 'tracker' else 'collection'}-name"
    assert aws(served.url, served.folder, "location", command, option, "by-program").answer == {}
    again = aws(served.url, served.folder, "location", command, option, "by-program")
    assert "(ResourceNotFoundException)" in again.err
