"""`overfly import amazon-location`: an account, served by Overfly itself, is copied through boto3."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from click.testing import Result
from typer.testing import CliRunner

from service.cli import everything
from service.errors import CannotNow, OverflyError, Refused, StoreAway
from service.moving.amazon_location.account import Account, account_client
from service.ownership.owned_shards import OwnedShards
from service.ownership.sharing import Sharing
from service.settings import PREFIX
from tests.postgres import Postgres
from tests.service.api.ground import Ground, grounded
from tests.service.location.clients import location_client
from tests.service.moving.canned_account import CannedAccount
from tests.stores import PostgresStore, SqliteStore, Store

NOW = datetime.now(UTC).replace(microsecond=250_000)
SQUARE = [[[7.0, 46.0], [8.0, 46.0], [8.0, 47.0], [7.0, 47.0], [7.0, 46.0]]]
HERE, THERE = [7.5, 46.5], [9.0, 46.5]


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


@pytest.fixture
def account(migrated: Path, tmp_path: Path) -> Iterator[Ground]:
    """Overfly as Amazon Location, with an account's trackers, collections, geofences and devices."""
    with grounded(SqliteStore.copied(migrated, tmp_path / "account")) as source:
        location = location_client(str(source.client.base_url))
        location.create_geofence_collection(
            CollectionName="depots", Description="Where vans sleep", Tags={"team": "blue"}
        )
        location.create_geofence_collection(CollectionName="empty")
        location.put_geofence(
            CollectionName="depots",
            GeofenceId="square",
            Geometry={"Polygon": SQUARE},
            GeofenceProperties={"kind": "depot"},
        )
        location.put_geofence(
            CollectionName="depots",
            GeofenceId="circle",
            Geometry={"Circle": {"Center": [9.5, 46.5], "Radius": 5_000}},
        )
        location.create_tracker(
            TrackerName="vans",
            Description="All of them",
            Tags={"team": "blue", "plan": "b"},
            PositionFiltering="DistanceBased",
            EventBridgeEnabled=True,
        )
        location.create_tracker(TrackerName="ships")
        arn = location.describe_geofence_collection(CollectionName="depots")["CollectionArn"]
        location.associate_tracker_consumer(TrackerName="vans", ConsumerArn=arn)
        for hours, place in ((4, THERE), (3, [8.9, 46.5]), (2, [8.5, 46.5]), (1, HERE)):
            moved(location, "van-1", ago(hours=hours), place)
        moved(location, "van-2", ago(hours=1), THERE)
        source.tracker.evaluate_due()
        yield source


def moved(location: Any, device: str, at: datetime, place: list[float]) -> None:
    update = {
        "DeviceId": device,
        "SampleTime": at,
        "Position": place,
        "Accuracy": {"Horizontal": 12.5},
        "PositionProperties": {"driver": "jane"},
    }
    answer = location.batch_update_device_position(TrackerName="vans", Updates=[update])
    assert answer["Errors"] == []


def copied(monkeypatch: pytest.MonkeyPatch, url: str, settings: dict[str, str], *arguments: str) -> Result:
    """Runs the command as somebody who has AWS's variables set."""
    for name, value in settings.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    for name, value in {
        "AWS_ENDPOINT_URL_LOCATION": url,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    app.callback()(lambda: None)
    everything.register(app)
    result = CliRunner().invoke(app, ["import", "amazon-location", *arguments])
    if isinstance(result.exception, OverflyError):
        raise result.exception
    return result


def said(location: Any) -> Any:
    """All that an account says of itself but for times and ARNs."""
    trackers = [
        location.describe_tracker(TrackerName=each["TrackerName"])
        for each in location.list_trackers()["Entries"]
    ]
    collections = [
        location.describe_geofence_collection(CollectionName=each["CollectionName"])
        for each in location.list_geofence_collections()["Entries"]
    ]
    names = sorted(each["TrackerName"] for each in trackers)
    return {
        "trackers": sorted(map(_timeless, trackers), key=str),
        "collections": sorted(map(_timeless, collections), key=str),
        "geofences": {
            each["CollectionName"]: sorted(
                map(_timeless, location.list_geofences(CollectionName=each["CollectionName"])["Entries"]),
                key=str,
            )
            for each in collections
        },
        "links": {each: location.list_tracker_consumers(TrackerName=each)["ConsumerArns"] for each in names},
        "positions": {each: location.list_device_positions(TrackerName=each)["Entries"] for each in names},
    }


def _timeless(entry: dict[str, Any]) -> dict[str, Any]:
    others = {"CreateTime", "UpdateTime", "ResponseMetadata", "ReceivedTime"}
    return {name: value for name, value in entry.items() if name not in others}


def past(location: Any, device: str) -> list[dict[str, Any]]:
    answer = location.get_device_position_history(
        TrackerName="vans", DeviceId=device, StartTimeInclusive=ago(days=30), EndTimeExclusive=NOW
    )
    return list(map(_timeless, answer["DevicePositions"]))


def test_all_that_an_account_says_is_said_here_then(
    monkeypatch: pytest.MonkeyPatch, account: Ground, store: Store
) -> None:
    url = str(account.client.base_url)
    done = copied(monkeypatch, url, dict(store.settings), "--history")
    assert done.exit_code == 0, done.output
    with grounded(store) as here:
        location, theirs = location_client(str(here.client.base_url)), location_client(url)
        assert said(location) == said(theirs)
        assert past(location, "van-1") == past(theirs, "van-1")
        assert len(past(location, "van-1")) == 4


def test_without_history_only_the_latest_positions_come(
    monkeypatch: pytest.MonkeyPatch, account: Ground, sqlite_store: Store
) -> None:
    done = copied(monkeypatch, str(account.client.base_url), dict(sqlite_store.settings))
    assert "2 latest positions stored" in done.stderr
    with grounded(sqlite_store) as here:
        location = location_client(str(here.client.base_url))
        assert [each["Position"] for each in past(location, "van-1")] == [HERE]


def test_nobody_is_told_and_who_is_inside_does_not_enter_again(
    monkeypatch: pytest.MonkeyPatch, account: Ground, store: Store
) -> None:
    copied(monkeypatch, str(account.client.base_url), dict(store.settings), "--history")
    with grounded(store) as here:
        assert here.get("/v1/alerts", tracker="vans")["items"] == []
        moved(location_client(str(here.client.base_url)), "van-1", ago(minutes=30), [7.6, 46.6])
        here.tracker.evaluate_due()
        events = here.get("/v1/events", tracker="vans")["items"]
        assert [(each["eventType"], each["deviceId"], each["geofenceId"]) for each in events] == [
            ("ENTER", "van-1", "square")
        ]


def test_another_copy_brings_what_is_new_and_knows_the_rest(
    monkeypatch: pytest.MonkeyPatch, account: Ground, sqlite_store: Store, tmp_path: Path
) -> None:
    url, state = str(account.client.base_url), str(tmp_path / "copied.json")
    theirs = location_client(url)
    first = copied(monkeypatch, url, dict(sqlite_store.settings), "--history", "--state", state)
    assert "3 positions of the past stored" in first.stderr

    theirs.put_geofence(CollectionName="depots", GeofenceId="new", Geometry={"Polygon": SQUARE})
    theirs.update_tracker(TrackerName="vans", Description="Fewer", PositionFiltering="AccuracyBased")
    moved(theirs, "van-1", ago(minutes=40), THERE)
    moved(theirs, "van-1", ago(minutes=20), HERE)
    account.tracker.evaluate_due()
    again = copied(monkeypatch, url, dict(sqlite_store.settings), "--history", "--state", state)
    lines = {each.strip() for each in again.stderr.splitlines()}
    assert {
        "1 geofences put",
        "2 geofences that were there",
        "2 positions of the past",  # the one that was the latest before, and the one between
        "1 positions of the past stored",
        "1 positions of the past that were there",
        "1 latest positions stored",
        "1 latest positions that were there",
    } <= lines
    with grounded(sqlite_store) as here:
        location = location_client(str(here.client.base_url))
        assert said(location) == said(theirs)
        assert past(location, "van-1") == past(theirs, "van-1")


def test_a_dry_run_counts_and_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, account: Ground, tmp_path: Path
) -> None:
    folder = tmp_path / "nothing"
    arguments = ("--history", "--dry-run")
    done = copied(monkeypatch, str(account.client.base_url), {"DATA_DIR": str(folder)}, *arguments)
    assert done.exit_code == 0
    lines = [each.strip() for each in done.stderr.splitlines()][1:]
    assert {"3 trackers", "3 collections", "2 geofences", "2 latest positions"} <= set(lines)
    assert "3 positions of the past" in lines
    assert not folder.exists()


def test_a_state_of_another_account_is_refused(
    monkeypatch: pytest.MonkeyPatch, account: Ground, tmp_path: Path
) -> None:
    state = tmp_path / "copied.json"
    url = str(account.client.base_url)
    for content in (b"{", json.dumps({"format": "other"}).encode()):
        state.write_bytes(content)
        with pytest.raises(Refused, match="cannot be gone on from"):
            copied(monkeypatch, url, {"DATA_DIR": str(tmp_path / "new")}, "--state", str(state))
    state.unlink()
    nowhere = str(tmp_path / "nowhere" / "copied.json")
    with pytest.raises(Refused, match="cannot be written"):
        copied(monkeypatch, url, {"DATA_DIR": str(tmp_path / "new")}, "--state", nowhere)
    assert not (tmp_path / "new").exists()
    copied(monkeypatch, url, {"DATA_DIR": str(tmp_path / "new")}, "--history", "--state", str(state))
    with pytest.raises(Refused, match="choose another file"):
        copied(monkeypatch, "http://127.0.0.1:1", {"DATA_DIR": str(tmp_path)}, "--state", str(state))


def test_who_uses_the_database_is_named(
    monkeypatch: pytest.MonkeyPatch, account: Ground, postgres: Postgres
) -> None:
    store = PostgresStore(postgres.new_database())
    database = store.open()
    shards = OwnedShards(database, "worker-a", lambda _: True, 60_000, Sharing.WHOLE)
    shards.start()
    with pytest.raises(StoreAway, match="worker-a"):
        copied(monkeypatch, str(account.client.base_url), dict(store.settings))
    shards.give_back(shards.owned)
    database.close()
    done = copied(monkeypatch, str(account.client.base_url), dict(store.settings))
    assert done.exit_code == 0, done.output


THROTTLED = (429, {"code": "ThrottlingException", "message": "Rate exceeded"})


def test_what_is_throttled_is_asked_again_and_what_is_denied_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with CannedAccount() as canned:
        canned.say("/geofencing/v0/list-collections", THROTTLED)
        done = copied(monkeypatch, canned.url, {"DATA_DIR": str(tmp_path / "new")}, "--dry-run")
        assert done.exit_code == 0
        assert canned.asked == ["/geofencing/v0/list-collections"] * 2 + ["/tracking/v0/list-trackers"]
        canned.say(
            "/geofencing/v0/list-collections", (403, {"code": "AccessDeniedException", "message": "no"})
        )
        with pytest.raises(CannotNow, match="ListGeofenceCollections: AccessDeniedException: no"):
            list(Account(account_client()).collections())


def test_a_geofence_that_cannot_be_here_is_named_and_the_rest_is_copied(
    monkeypatch: pytest.MonkeyPatch, sqlite_store: Store
) -> None:
    crossed = [[[7.0, 46.0], [8.0, 47.0], [8.0, 46.0], [7.0, 47.0], [7.0, 46.0]]]
    times = {"CreateTime": "2026-01-01T00:00:00Z", "UpdateTime": "2026-01-01T00:00:00Z"}
    entries = [
        {"GeofenceId": name, "Geometry": {"Polygon": rings}, "Status": "ACTIVE", **times}
        for name, rings in (("crossed", crossed), ("square", SQUARE))
    ]
    described = {"CollectionName": "depots", "CollectionArn": "arn", "Description": "", **times}
    with CannedAccount() as canned:
        canned.say("/geofencing/v0/list-collections", (200, {"Entries": [described]}))
        canned.say("/geofencing/v0/collections/depots", (200, described))
        canned.say("/geofencing/v0/collections/depots/list-geofences", (200, {"Entries": entries}))
        done = copied(monkeypatch, canned.url, dict(sqlite_store.settings))
    assert done.exit_code == 1
    assert "geofence 'crossed': Geometry.Polygon: " in done.stderr
    with grounded(sqlite_store) as here:
        location = location_client(str(here.client.base_url))
        assert location.get_geofence(CollectionName="depots", GeofenceId="square")["Status"] == "ACTIVE"
        with pytest.raises(ClientError):
            location.get_geofence(CollectionName="depots", GeofenceId="crossed")


def test_a_copy_that_was_cut_off_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, sqlite_store: Store, tmp_path: Path
) -> None:
    times = {"CreateTime": ago(days=90).isoformat(), "UpdateTime": ago(days=90).isoformat()}
    tracker = {"TrackerName": "vans", "TrackerArn": "arn", "Description": "", **times}
    latest = [measured("a", ago(hours=1)), measured("b", ago(hours=1))]
    denied = (403, {"code": "AccessDeniedException", "message": "not any more"})
    of_a, of_b = (f"/tracking/v0/trackers/vans/devices/{each}/list-positions" for each in "ab")
    arguments = ("--history", "--state", str(tmp_path / "copied.json"))
    with CannedAccount() as canned:
        for _ in range(2):
            canned.say("/tracking/v0/list-trackers", (200, {"Entries": [tracker]}))
            canned.say("/tracking/v0/trackers/vans", (200, tracker))
            canned.say("/tracking/v0/trackers/vans/list-positions", (200, {"Entries": latest}))
        canned.say(of_a, (200, {"DevicePositions": [measured("a", ago(hours=2))]}))
        canned.say(of_b, denied, (200, {"DevicePositions": [measured("b", ago(hours=2))]}))
        with pytest.raises(CannotNow, match="not any more"):
            copied(monkeypatch, canned.url, dict(sqlite_store.settings), *arguments)
        again = copied(monkeypatch, canned.url, dict(sqlite_store.settings), *arguments)
    assert "1 positions of the past stored" in again.stderr
    assert (canned.asked.count(of_a), canned.asked.count(of_b)) == (1, 2)


def measured(device: str, at: datetime) -> dict[str, Any]:
    """A position as an account says it."""
    time = at.isoformat()
    return {"DeviceId": device, "SampleTime": time, "ReceivedTime": time, "Position": HERE}
