"""Text messages that the stand-in's SNS would send."""

import pytest

from service.dispatch.outbox import Dispatcher
from service.dispatch.sms_channel import SmsChannel
from service.errors import SettingsError
from tests.service.dispatch.airfield import MINUTE, Airfield, rounds
from tests.service.dispatch.cloud import CloudProxy
from tests.stand_in import StandIn
from tests.stores import Store


def sms(airfield: Airfield, number: str) -> Dispatcher:
    return airfield.dispatcher(SmsChannel(number, MINUTE))


def texts(aws: StandIn, number: str) -> list[str]:
    return [each.message for each in aws.deliveries() if each.protocol == "sms" and each.endpoint == number]


def test_what_comes_within_the_interval_is_gathered_into_the_next_text_message(
    sqlite_store: Store, aws: StandIn, proxy: CloudProxy
) -> None:
    number = "+41790000001"
    airfield = Airfield(sqlite_store, [f"sms:{number}"])
    dispatcher = sms(airfield, number)
    for _ in range(3):
        airfield.cross_all(["a", "b"])
        rounds(dispatcher)
        airfield.clock.now += 20_000
    rounds(dispatcher)

    first, second = texts(aws, number)
    assert first.startswith("2 events, ")
    assert second.startswith("4 events, ")
    assert "a left Zürich Airport" in second
    assert {(each["channel"], each["recipient"], each["status"]) for each in airfield.alerts()} == {
        ("sms", number, "sent")
    }


def test_a_text_message_refused_for_now_is_sent_later_and_one_refused_for_ever_fails(
    sqlite_store: Store, aws: StandIn, proxy: CloudProxy
) -> None:
    number = "+41790000002"
    airfield = Airfield(sqlite_store, [f"sms:{number}"])
    dispatcher = sms(airfield, number)
    proxy.faults = [(400, "Throttled"), (400, "InvalidParameter")]
    airfield.cross("a", callsign="SWR1")
    rounds(dispatcher)
    assert airfield.statuses() == ["pending"]
    airfield.clock.now += 5000
    rounds(dispatcher)
    assert airfield.statuses() == ["failed"]
    assert airfield.alerts()[0]["outcome"] == "SNS: Publish: InvalidParameter: no"

    airfield.cross("a", callsign="SWR1")
    airfield.clock.now += MINUTE
    rounds(dispatcher)
    (text,) = texts(aws, number)
    assert text.startswith("SWR1 (a) left Zürich Airport, ")


@pytest.mark.parametrize(
    "number", ["", "0791234567", "+0791234567", "+41 79 123 45 67", "+4179123456789012", "+41x", "+41٧"]
)
def test_what_is_no_telephone_number_is_refused_at_start(number: str) -> None:
    with pytest.raises(SettingsError, match=r"is no telephone number: expected \+ and country code"):
        SmsChannel(number, MINUTE)
