"""What account B tells people in the demo, at the stand-in."""

import json
from pathlib import Path

from service.demo.account_b import BUS, make_account_b
from service.demo.deliveries import Deliveries
from service.demo.stand_in import StandIn
from tests.stand_in import PROGRAM
from tests.waiting import wait_until


def entered(**properties: object) -> str:
    """Of an event, its detail."""
    time = "2018-08-01T05:00:00.000Z"
    plain = {"EventType": "ENTER", "DeviceId": "my-van", "GeofenceId": "LSZB", "SampleTime": time}
    return json.dumps({**plain, **properties})


def test_sentence_has_no_gap_where_a_device_has_no_callsign_or_a_geofence_no_name(tmp_path: Path) -> None:
    callsign = {"PositionProperties": {"callsign": "VAN1"}}
    name = {"GeofenceProperties": {"name": "Bern"}}
    with StandIn(PROGRAM, tmp_path) as aws:
        wait_until(aws.is_ready, 30)
        make_account_b(aws, ["LSZB"])
        details = [entered(**callsign, **name), entered(**name), entered(**callsign), entered()]
        details.append(entered(**callsign, **name, GeofenceId="LSZH"))
        common = {"Source": "overfly", "DetailType": "Location Geofence Event", "EventBusName": BUS}
        entries = [{**common, "Detail": detail} for detail in details]
        assert aws.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0
        deliveries = Deliveries(aws.deliveries)
        told = deliveries.take_new
        mails: list[str] = []

        def all_told() -> bool:
            mails.extend(each.text for each in told() if each.kind == "mail")
            return len(mails) >= 4

        wait_until(all_told, 20)
    assert sorted(mails) == [
        "VAN1 (my-van) entered Bern (LSZB) at 2018-08-01T05:00:00.000Z.",
        "VAN1 (my-van) entered LSZB at 2018-08-01T05:00:00.000Z.",
        "my-van entered Bern (LSZB) at 2018-08-01T05:00:00.000Z.",
        "my-van entered LSZB at 2018-08-01T05:00:00.000Z.",
    ]
