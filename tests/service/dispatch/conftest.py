"""The AWS stand-in, once for all tests of receivers in AWS."""

from collections.abc import Iterator

import pytest

from tests.service.dispatch.cloud import CloudProxy
from tests.stand_in import StandIn


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture
def proxy(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudProxy]:
    """In front of the stand-in; boto3's clients that are made now go through it."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    with CloudProxy(aws.endpoint) as started:
        monkeypatch.setenv("AWS_ENDPOINT_URL", started.url)
        yield started
