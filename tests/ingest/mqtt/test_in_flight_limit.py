"""A broker that stops is told from one that has nothing more."""

from ingest.mqtt.in_flight_limit import SILENCE, InFlightLimit


def test_the_most_there_ever_was_is_taken_for_the_limit() -> None:
    limit = InFlightLimit()

    limit.received(100, now=1.0)

    assert limit.reached_at() == 1.0 + SILENCE


def test_with_fewer_unacknowledged_than_before_the_broker_has_nothing_more() -> None:
    limit = InFlightLimit()
    limit.received(100, now=1.0)
    limit.acknowledged(40, now=1.01)

    limit.received(99, now=1.02)

    assert limit.reached_at() is None


def test_a_few_are_no_limit_of_a_broker_that_is_only_slow() -> None:
    limit = InFlightLimit()
    for number in range(10):
        limit.received(1, now=float(number))
        assert limit.reached_at() is None
        limit.acknowledged(0, now=number + 0.1)


def test_few_are_one_where_the_broker_went_on_as_soon_as_we_acknowledged() -> None:
    limit = InFlightLimit()
    limit.received(1, now=1.0)
    limit.acknowledged(0, now=1.1)

    limit.received(1, now=1.101)

    assert limit.reached_at() == 1.101 + SILENCE


def test_no_longer_once_it_goes_further() -> None:
    limit = InFlightLimit()
    limit.received(1, now=1.0)
    limit.acknowledged(0, now=1.1)
    limit.received(1, now=1.101)

    limit.received(2, now=1.102)

    assert limit.reached_at() is None


def test_a_message_soon_after_an_acknowledgement_in_a_steady_flow_is_no_sign() -> None:
    limit = InFlightLimit()
    limit.received(1, now=1.0)
    limit.acknowledged(0, now=1.02)

    limit.received(1, now=1.021)

    assert limit.reached_at() is None
