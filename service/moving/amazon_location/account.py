"""An account at Amazon Location as boto3 reads it, page by page."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from ingest.aws.clients import AwsClientError, client
from ingest.aws.faults import AwsError, sentence
from service.errors import CannotNow, Refused

ATTEMPTS: Final = 10
"""Of each request that is throttled or meets a failure that passes, each later than the one before."""

Entry = Mapping[str, Any]
"""What Amazon Location says of something, by its own names."""


def account_client() -> Any:
    """boto3's client, by its own configuration (AWS_PROFILE, AWS_REGION, ...). Raises Refused."""
    try:
        return client("location", attempts=ATTEMPTS)
    except AwsClientError as error:
        raise Refused(f"{error}: set AWS_REGION, and credentials as boto3 takes them") from None


class Account:
    """Raises CannotNow where AWS does not answer, or refuses, after ATTEMPTS."""

    def __init__(self, location: Any) -> None:
        """location: boto3's client."""
        self._location = location

    @property
    def name(self) -> str:
        """Where it is asked for."""
        return f"Amazon Location ({self._location.meta.region_name}, {self._location.meta.endpoint_url})"

    def trackers(self) -> Iterator[Entry]:
        """All that is said of each."""
        for each in self._pages("list_trackers", "Entries"):
            yield self._asked("describe_tracker", TrackerName=each["TrackerName"])

    def collections(self) -> Iterator[Entry]:
        """All that is said of each."""
        for each in self._pages("list_geofence_collections", "Entries"):
            yield self._asked("describe_geofence_collection", CollectionName=each["CollectionName"])

    def linked_collections(self, tracker: str) -> Iterator[str]:
        """By name."""
        for arn in self._pages("list_tracker_consumers", "ConsumerArns", TrackerName=tracker):
            yield arn.rpartition("/")[2]

    def geofences(self, collection: str) -> Iterator[Entry]:
        """Each with its geometry."""
        return self._pages("list_geofences", "Entries", CollectionName=collection)

    def latest_positions(self, tracker: str) -> Iterator[Entry]:
        """One of each device."""
        return self._pages("list_device_positions", "Entries", TrackerName=tracker)

    def history(self, tracker: str, device: str, start: datetime, end: datetime) -> Iterator[Entry]:
        """Positions from start to before end."""
        return self._pages(
            "get_device_position_history",
            "DevicePositions",
            TrackerName=tracker,
            DeviceId=device,
            StartTimeInclusive=start,
            EndTimeExclusive=end,
        )

    def _pages(self, operation: str, members: str, **request: Any) -> Iterator[Any]:
        pages = iter(self._location.get_paginator(operation).paginate(**request))
        while (page := _answered(lambda: next(pages, None))) is not None:
            yield from page[members]

    def _asked(self, operation: str, **request: Any) -> Entry:
        answer: Entry = _answered(lambda: getattr(self._location, operation)(**request))
        return answer


def _answered(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except AwsError as error:
        raise CannotNow(f"Amazon Location: {sentence(error)}") from None
