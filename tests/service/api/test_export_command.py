"""`overfly export` from a service or its folder, and `overfly evaluate --revisions` of what it wrote."""

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from service.cli import evaluate, export
from service.errors import CannotNow, NotFound, Refused, StoreAway
from service.store.folder import hold
from tests.service.api.ground import Ground, feature_collection, position, square
from tests.stores import Store


def overfly(*arguments: str) -> Result:
    app = typer.Typer()
    for command in (evaluate, export):
        command.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def flown(ground: Ground) -> Ground:
    """Devices of two trackers have crossed geofences of one collection, which have changed on the way."""
    ground.catalog.create_tracker("ships")
    ground.catalog.link("ships", "default")
    ground.client.post("/v1/geofences", json=feature_collection(square("é", 10, 46), square("b", 12, 46)))
    for tracker in ("default", "ships"):
        ground.post_positions(
            *(position(f"d{n}", f"05:00:{n % 60:02}", 10.5, 46.5) for n in range(700)), tracker=tracker
        )
    ground.client.put("/v1/geofences/b", json=square("b", 10, 46))
    ground.client.delete("/v1/geofences/é")
    ground.post_positions(*(position(f"d{n}", f"06:00:{n % 60:02}", 10.5, 46.5) for n in range(0, 700, 3)))
    ground.post_positions(position("d0", "05:30:00", 0, 0))
    return ground


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("export")


def stored(ground: Ground, *trackers: str) -> list[Any]:
    events = []
    for tracker in trackers:
        cursor: dict[str, str] = {}
        while True:
            page = ground.get("/v1/events", tracker=tracker, limit=1000, **cursor)
            events += page["items"]
            if page["nextCursor"] is None:
                break
            cursor = {"cursor": page["nextCursor"]}
    return sorted(events, key=lambda event: event["eventId"])


def rewound(folder: Path, suffix: str = "") -> tuple[list[Any], str]:
    done = overfly(
        "evaluate",
        "--positions", str(folder / f"fixes.ndjson{suffix}"),
        "--revisions", str(folder / f"revisions.ndjson{suffix}"),
        "--output", str(folder / "events.ndjson"),
    )  # fmt: skip
    assert done.exit_code == 0, (done.stderr, done.exception)
    return [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()], done.stderr


def test_what_a_service_exported_gives_its_events_again_ids_included(flown: Ground, folder: Path) -> None:
    done = overfly("export", "--output", str(folder / "new"), "--url", str(flown.client.base_url))
    assert done.exit_code == 0
    assert "1,635 positions of 2 trackers and 6 changes of geofences and links" in done.stderr
    events, said = rewound(folder / "new")
    assert len(events) == 1634
    assert sorted(events, key=lambda event: event["eventId"]) == stored(flown, "default", "ships")
    order = [(event["sampleTime"], event["deviceId"], event["eventType"] == "ENTER") for event in events]
    assert order == sorted(order)
    assert "1,634 positions of 1,400 devices, 5 revisions: 1,634 events" in said
    assert "1 position left out: late" in said


def test_one_tracker_alone_and_gzipped(flown: Ground, folder: Path) -> None:
    url = str(flown.client.base_url)
    done = overfly("export", "--output", str(folder), "--tracker", "ships", "--gzip", "--url", url)
    assert done.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["fixes.ndjson.gz", "revisions.ndjson.gz"]
    assert len(gzip.decompress((folder / "fixes.ndjson.gz").read_bytes()).splitlines()) == 700
    events, _ = rewound(folder, ".gz")
    assert sorted(events, key=lambda event: event["eventId"]) == stored(flown, "ships")


@pytest.mark.parametrize("new_store", ["sqlite"], indirect=True)
def test_from_a_folder_that_nobody_holds_the_same_comes_out(
    flown: Ground, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERFLY_DATA_DIR", store.name)
    assert (
        overfly("export", "--output", str(folder / "a"), "--url", str(flown.client.base_url)).exit_code == 0
    )
    assert overfly("export", "--output", str(folder / "b"), "--from-folder").exit_code == 0
    for name in ("fixes.ndjson", "revisions.ndjson"):
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()
    with hold(Path(store.name), "serve"):
        error = overfly("export", "--output", str(folder / "c"), "--from-folder").exception
    assert isinstance(error, StoreAway)
    assert "overfly serve" in str(error)
    assert "leave out --from-folder" in str(error)


def test_what_cannot_be_exported_is_said_in_a_sentence_and_leaves_no_file(
    flown: Ground, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    url = str(flown.client.base_url)
    file = folder / "file"
    file.touch()
    monkeypatch.setenv("OVERFLY_DATA_DIR", str(folder / "nothing"))
    for more, kind, sentence in [
        (["--url", url, "--tracker", "ferries"], NotFound, "ferries"),
        (["--url", f"http://127.0.0.1:{free}"], CannotNow, "overfly serve"),
        (["--from-folder"], NotFound, "OVERFLY_DATA_DIR"),
    ]:
        error = overfly("export", "--output", str(folder / "out"), *more).exception
        assert isinstance(error, kind)
        assert sentence in str(error)
    assert [path for path in folder.rglob("*") if path.is_file()] == [file]
    error = overfly("export", "--output", str(file / "in"), "--url", url).exception
    assert isinstance(error, Refused)
    assert "cannot be written" in str(error)
