"""What the properties of a geofence may ask, for the documentation; the kernel reads and judges it."""

from typing import Any, Final

from geofence.earth.circle import GREATEST_RADIUS
from geofence.reading.feature_conditions import LONGEST_PATTERN, LONGEST_STAY, MOST_NAMES, MOST_PATTERNS


def _patterns(description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_PATTERNS,
        "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_PATTERN},
        "description": description,
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A condition that is null is as good as absent."""
    return {**schema, "type": [schema["type"], "null"]}


SCHEDULE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "while no window of it is open, nobody is inside; `weekly`, or `start`, `rrule` and "
    "`duration`",
    "required": ["zone"],
    "properties": {
        "zone": {"type": "string", "description": "IANA name of the time zone of all times here"},
        "weekly": {
            "type": "object",
            "description": "windows by day, `monday` to `sunday`, each with begin and end; one that ends "
            "before it begins ends on the next day",
        },
        "start": {
            "type": "string",
            "description": "local date and time from which on windows open, where the rule takes it",
        },
        "rrule": {"type": "string", "description": "RFC 5545 RRULE by which windows open again"},
        "duration": {"type": "string", "description": "how long each is open, such as PT8H or P1DT30M"},
        "except": {"type": "array", "description": "local dates on which, or times at which, none opens"},
    },
    "examples": [
        {"zone": "Europe/Zurich", "weekly": {"monday": [["08:00", "17:30"]], "friday": [["22:00", "02:00"]]}},
        {
            "zone": "Europe/Zurich",
            "start": "2026-01-05T08:00",
            "rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU",
            "duration": "PT9H30M",
        },
    ],
}

CONDITIONS: Final[dict[str, Any]] = {
    "minAltitude": {
        "type": ["number", "null"],
        "description": "metres above mean sea level; a position below is outside, one at it inside, and one "
        "without altitude outside unless OVERFLY_UNKNOWN_ALTITUDE says otherwise",
    },
    "maxAltitude": {"type": ["number", "null"], "description": "likewise for a position above"},
    "maxAccuracy": {
        "type": ["number", "null"],
        "minimum": 0,
        "description": "metres; a position whose accuracy is known and greater neither enters nor leaves",
    },
    "devices": _or_null(
        _patterns(
            "patterns of the ids of the devices that it counts for, where it does not count for all: `*` is "
            "any text, `?` one character"
        )
    ),
    "deviceProperties": {
        "type": ["object", "null"],
        "minProperties": 1,
        "maxProperties": MOST_NAMES,
        "additionalProperties": _patterns(
            "patterns of its text, of a number at its shortest (225, not 225.0), of true or false"
        ),
        "description": "properties of a position, one of whose patterns each must match for it to count",
        "examples": [{"callsign": ["SWR*", "EDW*"]}],
    },
    "dwellSeconds": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": LONGEST_STAY,
        "description": "a DWELL is told of a device at its first position that is still inside so long after "
        "its ENTER, once a visit",
    },
    "exitAfterSeconds": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": LONGEST_STAY,
        "description": "an EXIT is told only at a position outside that comes so long after the device went "
        "out; one that comes back before has never left",
    },
    "exitAfterMetres": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": GREATEST_RADIUS,
        "description": "likewise at a position that is so far from the geofence; with both, both must be met",
    },
    "schedule": _or_null(SCHEDULE),
}
