"""What a check of the doctor gives back."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """verdict: ok, warning (works, but a promise is weaker than it could be) or fault (does not work)."""

    subject: str
    verdict: Literal["ok", "warning", "fault"]
    detail: str
