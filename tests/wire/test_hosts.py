"""Clients that put Amazon's prefixes before the host's name, as they all do unless they are told not to."""

import json
import socket
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.service.location.clients import location_client
from tests.services import Overfly


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of fleet.example lead to this computer, as a wildcard in its domain's DNS would have it."""
    names: list[str] = []
    resolve = socket.getaddrinfo

    def resolved_here(host: Any, *arguments: Any, **more: Any) -> Any:
        if str(host).endswith("fleet.example"):
            names.append(str(host))
            host = "127.0.0.1"
        return resolve(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved_here)
    return names


def test_boto3_with_host_prefixes_is_answered(served: Overfly, resolved: list[str]) -> None:
    location = location_client(f"http://fleet.example:{served.port}", prefixed=True)
    location.create_tracker(TrackerName="trucks")
    arn = location.create_geofence_collection(CollectionName="zones")["CollectionArn"]
    location.associate_tracker_consumer(TrackerName="trucks", ConsumerArn=arn)
    location.tag_resource(ResourceArn=arn, Tags={"a": "b"})
    assert location.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "b"}
    location.delete_tracker(TrackerName="trucks")
    location.delete_geofence_collection(CollectionName="zones")
    hosts = {"cp.tracking.fleet.example", "cp.geofencing.fleet.example", "cp.metadata.fleet.example"}
    assert hosts <= set(resolved)


def test_boto3_without_host_prefixes_is_answered_by_option_and_by_environment(
    served: Overfly, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert location_client(served.url).list_trackers()["Entries"]
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_LOCATION", served.url)
    session = boto3.session.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
    location = session.client("location", config=Config(retries={"total_max_attempts": 1}))
    assert json.dumps(location.list_trackers()["Entries"], default=str)
