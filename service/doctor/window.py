"""Whether the reorder window is right for what positions come through."""

from typing import Final

from service.doctor.finding import Finding

SUBJECT: Final = "reorder window"
MARGIN_SECONDS: Final = 5


def reorder_finding(reorder_seconds: float) -> Finding:
    """The window, by its length in seconds."""
    if reorder_seconds == 0:
        return Finding(
            SUBJECT,
            "ok",
            "0 s: right at what keeps order (Mosquitto, a FIFO queue); AWS IoT and standard queues do not",
        )
    return Finding(SUBJECT, "ok", f"{reorder_seconds:g} s: each event comes that much later")


def queue_window_finding(reorder_seconds: float, visibility: int | None) -> Finding:
    """At a standard queue, by its visibility timeout in seconds; None where it could not be seen."""
    if visibility is None:
        right = "OVERFLY_REORDER_SECONDS above its visibility timeout"
    else:
        right = f"OVERFLY_REORDER_SECONDS={visibility + MARGIN_SECONDS}"
    if reorder_seconds == 0:
        return Finding(
            SUBJECT,
            "warning",
            "0 s: a standard queue hands messages out in another order than they came, and no window waits "
            "for the late ones: events are lost and others invented (2,968 and 2,506 of 22,496 on real "
            f"flights, with two readers); set {right}, or read a FIFO queue",
        )
    if visibility is None:
        detail = f"{reorder_seconds:g} s, at a standard queue whose visibility timeout could not be seen"
        return Finding(SUBJECT, "ok", f"{detail}: it must be above that")
    if reorder_seconds <= visibility:
        return Finding(
            SUBJECT,
            "warning",
            f"{reorder_seconds:g} s is not above the visibility timeout of {visibility} s: "
            f"what a killed reader held comes again too late to be evaluated; set {right} or more",
        )
    detail = f"{reorder_seconds:g} s, above the standard queue's visibility timeout of {visibility} s: "
    detail += "each event comes that much later"
    return Finding(SUBJECT, "ok", detail)
