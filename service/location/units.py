"""Units of distance that a request may ask for, and what they are in ours."""

from typing import Final

METRES: Final = {"Kilometers": 1_000.0, "Miles": 1_609.344}
DEFAULT_UNIT: Final = "Kilometers"
