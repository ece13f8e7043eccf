"""`overfly validate`: which messages of a file would be refused, and why."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from sample_data.flights import FlightFiles

GOOD = '{"deviceId":"a","timestamp":"2018-08-01T05:00:00Z","latitude":1,"longitude":2}'
BAD = GOOD.replace('"latitude":1', '"latitude":91.2')
COMMAND = """
import typer
from service.cli.validate import register
app = typer.Typer()
register(app)
app.callback()(lambda: None)
app()
"""


def validate(
    file: Path | str, *options: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> tuple[int, str]:
    """Exit status, and what was said."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "validate", str(file), *options],
        input=stdin,
        capture_output=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), **(environment or {})},
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_real_flights_are_accepted_with_devices_and_times(flights: FlightFiles) -> None:
    status, said = validate(flights.positions)

    assert status == 0
    assert said == (
        "139,098 positions of 842 devices"
        " from 2018-08-01T05:00:00.000Z to 2018-08-01T21:59:50.000Z accepted\n"
    )


def test_each_refused_line_is_named_with_reason_and_detail(tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text(f'{GOOD}\n\n{BAD}\nbroken\n{GOOD[:-1]},"x":"\\u0000"}}\n')

    status, said = validate(file)

    assert status == 1
    lines = [line.split() for line in said.splitlines()]
    assert [line[:3] for line in lines[:3]] == [
        ["line", "3", "bad_latitude"],
        ["line", "4", "bad_json"],
        ["line", "5", "bad_text"],
    ]
    assert "latitude 91.2 at line 3: expected -90..90" in said
    assert "1 position of 1 device at 2018-08-01T05:00:00.000Z accepted" in said
    assert "3 refused" in said
    assert "\x1b" not in said


def test_large_file_is_judged_line_by_line_and_its_listing_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "large.ndjson.gz"
    file.write_bytes(gzip.compress(f"{GOOD}\n".encode() * 20_000 + f"{BAD}\n".encode() * 500))

    status, said = validate(file, "--limit", "7")

    assert status == 1
    assert said.count("at line") == 7
    assert "line 20001" in said
    assert "and 493 more" in said
    assert "20,000 positions of 1 device" in said


@pytest.mark.parametrize("zipped", [False, True])
def test_standard_input_is_a_payload_as_well(zipped: bool) -> None:
    payload = f"[{GOOD},\n{BAD}]".encode()

    status, said = validate("-", stdin=gzip.compress(payload) if zipped else payload)

    assert status == 1
    assert "item 1  bad_latitude" in said


def test_array_above_one_mebibyte_is_too_large_as_a_payload() -> None:
    payload = ("[" + f"{GOOD}," * 20_000 + GOOD + "]").encode()

    status, said = validate("-", stdin=payload)

    assert status == 1
    assert f"a payload of {len(payload):,} bytes" in said
    assert "no position accepted" in said


def test_topic_binds_the_device() -> None:
    assert validate("-", "--topic", "aircraft/a/position", stdin=GOOD.encode())[0] == 0
    status, said = validate("-", "--topic", "aircraft/b/position", stdin=GOOD.encode())
    assert (status, "device_mismatch" in said) == (1, True)


def test_retention_holds_as_it_does_for_the_tracker() -> None:
    status, said = validate("-", stdin=GOOD.encode(), environment={"OVERFLY_RETENTION_DAYS": "30"})

    assert (status, "too_old" in said) == (1, True)


def test_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    status, said = validate(tmp_path / "nowhere.ndjson")

    assert status == 2
    assert said == f"overfly: {tmp_path / 'nowhere.ndjson'} cannot be read: No such file or directory\n"
