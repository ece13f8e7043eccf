"""A connection to PostgreSQL that is cut in mid-COMMIT: was it committed? No loss, nothing twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.faults.traffic import Traffic
from tests.postgres import Postgres
from tests.postgres_proxy import Cut, PostgresProxy
from tests.services import Overfly
from tests.waiting import wait_until


@pytest.mark.parametrize(
    ("devices", "cuts"), [(1, [*Cut]), pytest.param(20, [*Cut] * 20, marks=pytest.mark.soak)]
)
def test_what_a_cut_commit_held_is_stored_once_and_not_refused(
    tmp_path: Path, postgres: Postgres, devices: int, cuts: list[Cut]
) -> None:
    direct = postgres.new_database()
    with Mosquitto(tmp_path / "broker") as broker, PostgresProxy(postgres.port) as proxy:
        url = re.sub(r":\d+/", f":{proxy.port}/", direct)
        with Overfly(tmp_path / "overfly", {"DATABASE_URL": url, "MQTT_URL": broker.url}) as overfly:
            traffic = Traffic(broker, overfly, devices)
            traffic.begin()
            traffic.send(5)
            traffic.assert_exact()

            proxy.cuts += cuts
            while proxy.cuts:
                before = len(proxy.done)
                traffic.send(1)
                wait_until(lambda before=before: len(proxy.done) > before, 30)
            traffic.send(5)
            traffic.assert_exact()
            wait_until(lambda: Counter(proxy.done) == Counter(cuts), 10)
            assert "tracker.store_away" in overfly.log
            assert "Traceback" not in overfly.log
