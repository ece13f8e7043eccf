"""`overfly serve` and `overfly doctor` with a read replica among their settings."""

from pathlib import Path

import httpx

from service.cli.doctor import _findings
from service.settings import Settings
from service.timestamps import now
from tests.replicas import Pair
from tests.services import Overfly
from tests.waiting import wait_until


def test_serve_reads_from_the_replica_says_its_lag_and_never_the_secret(pair: Pair, tmp_path: Path) -> None:
    url = pair.primary.new_database()
    pair.goes_on()
    there = {
        "database_url": url.replace("@", ":secret1@"),
        "database_read_url": pair.replica_url(url).replace("@", ":secret2@"),
        "database_read_max_lag": "3",
    }
    (found,) = (each for each in _findings(Settings(**there)) if each.subject == "read replica")
    assert found.verdict == "ok"
    assert "s behind, streams" in found.detail

    with Overfly(tmp_path, {name.upper(): value for name, value in there.items()}) as overfly:
        assert overfly.get("/v1/ready")["dependencies"]["read replica"]["lagSeconds"] < 3
        pair.stands()
        at = {"deviceId": "x", "timestamp": now(), "longitude": 5, "latitude": 0}
        httpx.post(f"{overfly.url}/v1/positions", json=at).raise_for_status()
        wait_until(lambda: httpx.get(f"{overfly.url}/v1/ready").status_code == 503, 30)
        refused = httpx.get(f"{overfly.url}/v1/devices")
        assert refused.status_code == 503
        assert "more than OVERFLY_DATABASE_READ_MAX_LAG (3 s)" in refused.text

        pair.goes_on()
        wait_until(lambda: httpx.get(f"{overfly.url}/v1/ready").status_code == 200, 30)
        assert len(overfly.get("/v1/devices")["features"]) == 1
    assert "replica.read" in overfly.log
    assert "secret" not in overfly.log
