"""OwnTracks' messages as its apps POST them: https://owntracks.org/booklet/tech/json/ and .../tech/http/.

A `location` is a position; all other types (waypoints, transitions, cards, ...) hold none. SI: `vel` comes in
km/h, `p` in kPa.
"""

from collections.abc import Iterator

from ingest.decoding.decoder import Decode
from ingest.decoding.faults import Fault, shown
from ingest.decoding.translating import (
    Members,
    decode_by,
    device_id_of,
    known_quantity,
    of_device,
    quantity,
)

RENAMED = {
    "tst": "timestamp",
    "lat": "latitude",
    "lon": "longitude",
    "acc": "accuracy",
    "alt": "altitude",
    "batt": "batteryLevel",
    "vac": "verticalAccuracy",
}
"""Members whose values mean the same with us: seconds, degrees, metres, percent."""

KMH = 1 / 3.6
KILOPASCAL = 1000.0

WHERE = (
    "set Username and Device ID in the app (Preferences, Connection, Identification), "
    "or ?u= and ?d= in its URL"
)
PSEUDO_USER = "http"
"""As whom some versions of the app publish in HTTP mode: owntracks/http/<tid>."""


def decode_owntracks(user: str | None, device: str | None) -> Decode:
    """Reads what a telephone sends that calls itself so, in the URL or in headers."""
    return decode_by(lambda members: _translated(members, user, device))


def _translated(members: Members, user: str | None, device: str | None) -> Iterator[Members]:
    kind = members.pop("_type", None)
    if kind == "encrypted":
        raise Fault(
            "encrypted", "an encrypted message", "expected it plain, over https: no key of it is known here"
        )
    if type(kind) is not str:
        what = "no _type" if kind is None else f"_type {shown(kind)}"
        raise Fault("missing", what, 'expected a type, "location" for a position')
    if kind != "location":
        return
    device_id = _device_id(members, user, device)
    with of_device(device_id):
        position: Members = {
            "speed": known_quantity(members, "vel", "km/h", KMH),
            "heading": known_quantity(members, "cog", "degrees"),
            "pressure": quantity(members, "p", "kPa", KILOPASCAL),
        }
    for theirs, ours in RENAMED.items():
        position[ours] = members.pop(theirs, None)
    yield {**members, **position, "deviceId": device_id}


def _device_id(members: Members, user: str | None, device: str | None) -> str:
    """<user>-<device> as the telephone has them, else as its topic has them, else its tracker id."""
    named = [each for each in (user, device) if each]
    topic = members.get("topic")
    if not named and type(topic) is str and topic.startswith("owntracks/"):
        named = [each for each in topic.split("/")[1:3] if each and each != PSEUDO_USER]
    if not named:
        return device_id_of(members.get("tid"), "device id", WHERE)
    return device_id_of("-".join(named), "device id", WHERE)
