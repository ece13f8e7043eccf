"""An event in words that a person understands.

Devices choose their properties and may send anything in them: what is no callsign, altitude, speed or heading
is left out, and text is made harmless.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from ingest.timestamps import EPOCH
from service.dispatch.visible_text import visible
from service.store.reading.alert_events import ToldEvent

FEET_PER_METRE = 1 / 0.3048
KNOTS = 3600 / 1852
"""Knots in one metre per second."""
CALLSIGN_LENGTH = 20
ID_LENGTH = 100
NAME_LENGTH = 80
PLAUSIBLE = 1e7
"""Above it, a number is no altitude in metres and no speed in metres per second."""
BETWEEN = " (between two positions)"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Crossing:
    """What people are told of one event; a fact is (label, value). `link` is "" where no API is served."""

    short: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    link: str


def crossing(told: ToldEvent, public_url: str) -> Crossing:
    device = visible(told.device_id, ID_LENGTH)
    callsign = _callsign(told)
    name, place = place_names(told.geofence_name, told.geofence_id)
    happened = _happened(told, name)
    facts = (
        ("When", readable_time(told.sample_time) + (BETWEEN if told.interpolated else "")),
        ("Geofence", place),
        ("Altitude", _altitude(told)),
        ("Speed", _speed(told)),
        ("Heading", _heading(told)),
        ("Position", _position(told)),
    )
    return Crossing(
        short=f"{callsign or device} {happened}",
        headline=f"{f'{callsign} ({device})' if callsign else device} {happened}",
        facts=tuple((label, value) for label, value in facts if value),
        link=_link(told, public_url),
    )


def _happened(told: ToldEvent, name: str) -> str:
    match told.event_type:
        case "ENTER":
            return f"entered {name}"
        case "EXIT":
            return f"left {name}"
        case "DWELL" if told.dwell_seconds is None:  # asked for no longer
            return f"has stayed inside {name}"
        case "DWELL":
            return f"has been inside {name} for {readable_duration(told.dwell_seconds)}"


def place_names(geofence_name: str, geofence_id: str) -> tuple[str, str]:
    """The name of a geofence, and the name with the id where that is another."""
    shown_id = visible(geofence_id, ID_LENGTH)
    name = visible(geofence_name, NAME_LENGTH) or shown_id
    return name, name if name == shown_id else f"{name} ({shown_id})"


def readable_time(sample_time: int) -> str:
    """`Wed 1 Aug 2018, 05:00:00 UTC` of milliseconds since the epoch."""
    moment = EPOCH + timedelta(milliseconds=sample_time)
    day = f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]} {moment.year}"
    return f"{day}, {moment:%H:%M:%S} UTC"


def readable_duration(seconds: float) -> str:
    """`1 h 30 min`, `5 minutes`, `90.5 seconds`: as it is said, in the largest units that come out even."""
    if seconds < 60 or seconds % 60:
        return _several(seconds, "second")
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours and minutes:
        return f"{hours:,} h {minutes} min"
    return _several(hours, "hour") if hours else _several(minutes, "minute")


def _several(number: float, unit: str) -> str:
    return f"{number:,.10g} {unit}{'' if number == 1 else 's'}"


def _callsign(told: ToldEvent) -> str:
    sent = told.properties.get("callsign")
    if isinstance(sent, int) and not isinstance(sent, bool) and 0 <= sent < 10**CALLSIGN_LENGTH:
        sent = str(sent)
    return visible(sent, CALLSIGN_LENGTH) if isinstance(sent, str) else ""


def _altitude(told: ToldEvent) -> str:
    metres = _number(told, "altitude")
    return "" if metres is None else f"{_round(metres * FEET_PER_METRE)} ft ({_round(metres)} m)"


def _speed(told: ToldEvent) -> str:
    speed = _number(told, "speed")
    return "" if speed is None else f"{_round(speed * KNOTS)} kt ({_round(speed * 3.6)} km/h)"


def _heading(told: ToldEvent) -> str:
    degrees = _number(told, "heading")
    return "" if degrees is None else f"{_round(degrees)}°"


def _position(told: ToldEvent) -> str:
    north = f"{abs(told.latitude):.5f}° {'S' if told.latitude < 0 else 'N'}"
    east = f"{abs(told.longitude):.5f}° {'W' if told.longitude < 0 else 'E'}"
    return f"{north}, {east}"


def _number(told: ToldEvent, name: str) -> float | None:
    value = told.properties.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -PLAUSIBLE < value < PLAUSIBLE:
        return None
    return None if math.isnan(value) else float(value)


def _round(value: float) -> str:
    return f"{round(value):,}"


def _link(told: ToldEvent, public_url: str) -> str:
    if not public_url:
        return ""
    tracker = "" if told.tracker_name == "default" else f"&tracker={quote(told.tracker_name, safe='')}"
    return f"{public_url.rstrip('/')}/v1/events?device={quote(told.device_id, safe='')}{tracker}"
