"""What can go wrong, in one tree.

OverflyError
├── TheirFault            what a sender or caller did wrong: put aside, answered with 4xx
│   ├── NotFound          names what is not there
│   ├── Conflict          cannot be while something else is
│   │   └── TooMany       there are as many as there may be
│   ├── Refused           cannot be taken, with every fault named
│   └── AccessRefused     may not be asked, or not now: `service.access.refusals` has the kinds
├── SettingsError         an operator's setting cannot be: said at start, exit status 2
└── CannotNow             what we could not do now: retried, answered with 503
    ├── StoreAway         the database does not answer, is full or is held by another process
    ├── ShardsLost        another process has taken over shards that this one evaluated
    │   └── NameTaken     and runs under this one's name: it ends
    ├── DutyLost          another process has taken over what this one did for all: it stands by
    ├── ReplicaBehind     the read replica is away, or too far behind to be shown
    └── SchemaNotReady    the database has data of another schema: `overfly migrate` first
"""


class OverflyError(Exception):
    """Every error that Overfly raises on purpose."""


class TheirFault(OverflyError):
    """What the sender or caller did wrong."""


class NotFound(TheirFault):
    """What was named is not there. `sentence` says so; path: of /v1, where what is there is listed."""

    def __init__(self, sentence: str, path: str | None = None) -> None:
        super().__init__(sentence if path is None else f"{sentence}: GET {path} lists those there are")
        self.sentence = sentence


class Conflict(TheirFault):
    """What was asked cannot be while something else is."""


class TooMany(Conflict):
    """There are as many as there may be."""


class Refused(TheirFault):
    """What was sent cannot be taken."""


class AccessRefused(TheirFault):
    """What the caller may not ask, or not so, or not now."""


class SettingsError(OverflyError):
    """A setting that is unknown or has a value that cannot be."""


class CannotNow(OverflyError):
    """What we could not do now; the same again may succeed."""


class StoreAway(CannotNow):
    """The database does not answer, is full, or is held by another process."""


class ShardsLost(CannotNow):
    """Another process has taken over shards that this one evaluated: nothing of them is written here."""


class NameTaken(ShardsLost):
    """Another process runs under this worker's name. Trying again would not help: it must end."""


class DutyLost(CannotNow):
    """Another process has taken over what this one did for all."""


class ReplicaBehind(CannotNow):
    """The read replica is away, or does not have yet what was committed a while ago."""


class SchemaNotReady(CannotNow):
    """The database holds data of another schema than this version's."""
