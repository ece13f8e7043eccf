"""What a hop says in the log of what it has done."""

import pytest
from structlog.testing import capture_logs

import service.hop_log
from ingest.republishing.bodies import Undeliverable
from ingest.republishing.dead_letters import DeadLetter
from service.hop_log import Changes, Done, PutAside


def test_what_was_done_is_said_once_and_an_idle_hop_says_nothing() -> None:
    readings = {"sent": 3, "requests": 10, "waiting": 0}
    done = Done("hop.sent", ("sent",), lambda: dict(readings))

    with capture_logs() as said:
        readings |= {"sent": 5, "requests": 12}
        done.tell()
        readings["requests"] = 20
        done.tell()
        readings["waiting"] = 2
        done.tell()

    assert said == [
        {"event": "hop.sent", "log_level": "info", "sent": 2, "requests": 2, "waiting": 0},
        {"event": "hop.sent", "log_level": "info", "sent": 0, "requests": 0, "waiting": 2},
    ]


def test_while_nothing_gets_through_the_last_problem_is_said_again_as_a_warning() -> None:
    readings = {"sent": 3, "requests": 10, "waiting": 0}
    done = Done("hop.sent", ("sent",), lambda: dict(readings), lambda: "denied")

    with capture_logs() as said:
        readings["requests"] = 20
        done.tell()
        readings["sent"] = 4
        done.tell()

    assert said == [
        {
            "event": "hop.sent",
            "log_level": "warning",
            "sent": 0,
            "requests": 10,
            "waiting": 0,
            "problem": "denied",
        },
        {"event": "hop.sent", "log_level": "info", "sent": 1, "requests": 0, "waiting": 0},
    ]


def test_what_has_become_of_an_end_is_said_once_with_its_facts() -> None:
    changes = Changes("hop.away", "hop.there", {"broker": "mqtt://h"})

    with capture_logs() as said:
        for problem in ("denied", "denied", None, None):
            changes.note(problem)

    assert [(each["event"], each["broker"]) for each in said] == [
        ("hop.away", "mqtt://h"),
        ("hop.there", "mqtt://h"),
    ]


def letter(reason: str, source: str) -> DeadLetter:
    return DeadLetter(Undeliverable(reason, f"{reason}: why", "body"), (source,), None)


def test_what_was_put_aside_is_said_at_once_and_then_once_a_minute_with_its_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_aside = PutAside("hop.put_aside")

    with capture_logs() as said:
        put_aside.add([letter("malformed", "m1"), letter("bad_topic", "m2")])
        put_aside.look()
        put_aside.add([letter("malformed", "m3")])
        put_aside.add([letter("malformed", "m4")])
        put_aside.look()
        assert len(said) == 2
        monkeypatch.setattr(service.hop_log, "TELL_SECONDS", 0.0)
        put_aside.look()
        put_aside.look()
        put_aside.tell()

    assert [(each["reason"], each["count"], each["source_message_id"]) for each in said] == [
        ("malformed", 1, "m1"),
        ("bad_topic", 1, "m2"),
        ("malformed", 2, "m4"),
    ]
    assert {each["log_level"] for each in said} == {"warning"}
    assert said[0]["detail"] == "malformed: why"
