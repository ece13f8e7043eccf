"""What becomes of an alert after an attempt: when to try again, and when to give up."""

from ingest.backoff import Backoff
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.store.alerts import AlertChange, PendingAlert

FIRST_MS = 2_000
LONGEST_MS = 300_000
GIVE_UP_MS = 24 * 3_600_000
GIVE_UP_ATTEMPTS = 100
"""Fewer attempts in 24 hours mean that we slept, not that the receiver was away: one every five minutes makes
288."""


def delay(attempts: int) -> int:
    """Milliseconds to wait after so many failed attempts: 1 to 2 s, 2 to 4 s, ... 2.5 to 5 minutes."""
    return round(1000 * Backoff(FIRST_MS / 1000, LONGEST_MS / 1000, attempts - 1).delay())


def waits(pending: PendingAlert, now: int) -> bool:
    """Whether its next attempt is still to come. A clock that was set back makes nobody wait."""
    return 0 < pending.next_attempt_time - now <= LONGEST_MS


def change(pending: PendingAlert, outcome: DeliveryOutcome, now: int) -> AlertChange:
    """What becomes of an alert after an attempt that ended so."""
    attempts = pending.attempts + 1
    match outcome:
        case Sent(answer):
            return AlertChange(pending.key, "sent", attempts, answer, now, now)
        case Permanent(reason):
            return AlertChange(pending.key, "failed", attempts, reason, now, now)
        case Temporary(reason) if _hopeless(pending, attempts, now):
            given_up = f"given up after {attempts} attempts in {GIVE_UP_MS // 3_600_000} hours: {reason}"
            return AlertChange(pending.key, "failed", attempts, given_up, now, now)
        case Temporary(reason):
            return AlertChange(pending.key, "pending", attempts, reason, now, now + delay(attempts))


def _hopeless(pending: PendingAlert, attempts: int, now: int) -> bool:
    return now - pending.created_time >= GIVE_UP_MS and attempts >= GIVE_UP_ATTEMPTS
