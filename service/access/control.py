"""What the gate before the API is given, built by the composition root."""

from dataclasses import dataclass, field
from enum import Enum

from service.access.audit import AuditLog
from service.access.fair_share import Shares
from service.access.key_ring import KeyRing
from service.access.keys_secret import KeysSecret
from service.access.rules import Kind
from service.access.tokens import Tokens
from service.access.verifying import Verifier


class Asked(Enum):
    """Who is asked who they are: everybody; who is not on this machine, or offers to say it; nobody."""

    ALL = "required"
    STRANGERS = "auto"
    NOBODY = "off"


@dataclass(frozen=True, slots=True)
class AccessControl:
    """rate_limit: requests a second of a caller whose key says nothing else; None for any number.

    defaults: the tracker and the collection that are meant where a request names none.
    """

    asked: Asked
    account_id: str
    ring: KeyRing
    verifier: Verifier
    secret: KeysSecret
    tokens: Tokens | None
    audit: AuditLog
    defaults: dict[Kind, str]
    rate_limit: float | None = None
    shares: Shares = field(default_factory=Shares)
