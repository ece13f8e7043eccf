"""What a broker could still send."""

from ingest.mqtt.credit import NEVER, Credit


def test_broker_that_stopped_where_it_never_went_beyond_may_be_at_its_limit() -> None:
    credit = Credit()
    credit.subscribed(10.0)
    for unacknowledged in range(1, 21):
        credit.received(unacknowledged)
    assert credit.free_from == NEVER


def test_broker_is_free_from_when_it_can_have_seen_an_acknowledgement() -> None:
    credit = Credit()
    credit.received(1)
    credit.received(2)
    credit.acknowledged(1, 10.5)
    credit.acknowledged(0, 11.0)
    assert credit.free_from == 10.5


def test_limit_is_learned_where_the_broker_stops_twice_and_forgotten_when_it_goes_beyond() -> None:
    credit = Credit()
    for unacknowledged in range(1, 21):
        credit.received(unacknowledged)
    credit.fell_silent(20)
    assert credit.limit is None
    credit.fell_silent(20)
    assert credit.limit == 20
    credit.received(21)
    assert credit.limit is None


def test_silence_below_the_most_seen_teaches_nothing() -> None:
    credit = Credit()
    for unacknowledged in range(1, 21):
        credit.received(unacknowledged)
    for _ in range(3):
        credit.fell_silent(7)
    assert credit.limit is None
