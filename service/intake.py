"""What is let in, by its time."""

from dataclasses import dataclass

from ingest.decoder import DecodeLimits


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
