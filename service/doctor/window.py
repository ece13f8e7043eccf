"""Whether the reorder window is right for what positions come through."""

from typing import Final

from service.doctor.finding import Finding

MARGIN_SECONDS: Final = 5


def reorder_finding(reorder_seconds: float) -> Finding:
    """The window, by its length in seconds."""
    if reorder_seconds == 0:
        return Finding(
            "reorder window",
            "ok",
            "0 s: right at what keeps order (Mosquitto, a FIFO queue); AWS IoT and standard queues do not",
        )
    return Finding("reorder window", "ok", f"{reorder_seconds:g} s: each event comes that much later")


def queue_window_finding(reorder_seconds: float, visibility: int) -> Finding:
    """At a standard queue, by its visibility timeout in seconds."""
    right = f"OVERFLY_REORDER_SECONDS={visibility + MARGIN_SECONDS}"
    if reorder_seconds == 0:
        return Finding(
            "queue order",
            "warning",
            "a standard queue hands messages out in another order than they came, and no window waits for "
            "the late ones: events are lost and others invented (2,968 and 2,506 of 22,496 on real flights, "
            f"with two readers); set {right}, or read a FIFO queue",
        )
    if reorder_seconds <= visibility:
        return Finding(
            "queue order",
            "warning",
            f"the window of {reorder_seconds:g} s is not above the visibility timeout of {visibility} s: "
            f"what a killed reader held comes again too late to be evaluated; set {right} or more",
        )
    detail = f"standard, put in order by the window; visibility timeout {visibility} s"
    return Finding("queue order", "ok", detail)
