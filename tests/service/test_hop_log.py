"""What a hop says in the log of what it has done."""

from structlog.testing import capture_logs

from service.hop_log import Done


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
