"""Amazon Resource Names of trackers and collections: arn:aws:geo:<region>:<account>:tracker/<name>."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.identifiers import is_identifier

TRACKER: Final = "tracker"
COLLECTION: Final = "geofence-collection"
KINDS: Final = (TRACKER, COLLECTION)


_ARN: Final = re.compile(
    r"(?P<home>arn:[^:]+:geo:[^:]*:(?P<account>[0-9]{12}):)(?P<kind>tracker|geofence-collection)/(?P<name>.+)"
)


class ReadArn(NamedTuple):
    """What an ARN names: `home` is all of it before `kind`, one of KINDS."""

    home: str
    account: str
    kind: str
    name: str


def read_arn(arn: str) -> ReadArn | None:
    """None for what names no tracker or collection, whosever it is."""
    found = _ARN.fullmatch(arn)
    return None if found is None else ReadArn(*found.groups())


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
        read = read_arn(arn)
        if read is None or read.home != self._prefix or not is_identifier(read.name):
            return None
        return read.kind, read.name

    @property
    def _prefix(self) -> str:
        return f"arn:{self.partition}:geo:{self.region}:{self.account}:"


HOME: Final = Home()
"""Of who has no account at Amazon."""
