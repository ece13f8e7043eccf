"""All rules, of both faces."""

from typing import Final

from service.access.location_rules import IOT_PUBLISH, LOCATION
from service.access.rules import OURS, Rules

RULES: Final = Rules((*OURS, *LOCATION, IOT_PUBLISH))
