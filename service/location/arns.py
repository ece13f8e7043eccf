"""Amazon Resource Names of trackers and collections: arn:aws:geo:<region>:<account>:tracker/<name>."""

from dataclasses import dataclass
from typing import Final

from ingest.identifiers import is_identifier

TRACKER: Final = "tracker"
COLLECTION: Final = "geofence-collection"
KINDS: Final = (TRACKER, COLLECTION)


@dataclass(frozen=True, slots=True)
class Home:
    """Where resources are: `account` has 12 digits."""

    account: str = "000000000000"
    region: str = "us-east-1"
    partition: str = "aws"

    def arn(self, kind: str, name: str) -> str:
        return f"{self._prefix}{kind}/{name}"

    def resource(self, arn: str) -> tuple[str, str] | None:
        """Its kind, one of KINDS, and its name; None for what is not here."""
        kind, slash, name = arn.removeprefix(self._prefix).partition("/")
        here = arn.startswith(self._prefix) and kind in KINDS and bool(slash) and is_identifier(name)
        return (kind, name) if here else None

    @property
    def _prefix(self) -> str:
        return f"arn:{self.partition}:geo:{self.region}:{self.account}:"


HOME: Final = Home()
"""Of who has no account at Amazon."""
