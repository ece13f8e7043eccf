"""What is let in, by its time."""

from dataclasses import dataclass

from ingest.decoding.decoder import DecodeLimits

DAY = 86_400_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Intake:
    """max_ahead: milliseconds that a sample_time may be after its receipt.

    retention: milliseconds that positions are kept, None for ever.
    """

    max_ahead: int
    retention: int | None

    def limits(self, received_time: int) -> DecodeLimits:
        """Those that hold for a message received at this time, in milliseconds since the epoch."""
        oldest = None if self.retention is None else received_time - self.retention
        return DecodeLimits(max_ahead=self.max_ahead, oldest=oldest)


def intake(max_ahead: float, retention_days: float | None) -> Intake:
    """What settings let in: seconds that a sample_time may be ahead, and days that are kept."""
    kept = None if retention_days is None else round(retention_days * DAY)
    return Intake(max_ahead=round(max_ahead * 1000), retention=kept)
