"""What the demo publishes, and the geofences that it meets."""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Event

from ingest.flights.airports import AIRPORTS
from ingest.mqtt.connection import MqttEndpoint
from ingest.replay import replay
from ingest.simulate import simulate
from service.demo.publication import Flights

DEVICES = 400
RATE = 100.0
"""Simulated fixes a second, of all aircraft together."""

NEAR = 24
"""Simulated flights are between that many airports, so that they are short and cross something soon."""

LARGE_AIRPORTS = ("LSZH", "LSGG", "LFSB", "LSZB")
"""Zürich, Geneva, Basel and Bern: people are told of who enters them, about four times a minute."""

RADIUS = 50_000.0
"""Metres around an airport that make its geofence."""


def replayed(path: Path, speed: float) -> Flights:
    """Recorded flights, `speed` times as fast as they were, as if they were now."""

    def publish(endpoint: MqttEndpoint, stop: Event) -> None:
        replay(path, endpoint, speed=speed, now=True, stop=stop)

    return Flights(f"Replaying {path.name}, {speed:g} times as fast as it was, as if it were now.", publish)


def simulated() -> Flights:
    """Simulated flights between large airports, in real time."""

    def publish(endpoint: MqttEndpoint, stop: Event) -> None:
        simulate(endpoint, devices=DEVICES, rate=RATE, airports=AIRPORTS[:NEAR], stop=stop)

    return Flights(f"Simulating {DEVICES} aircraft between {NEAR} airports, in real time.", publish)


def airport_circles() -> bytes:
    """A FeatureCollection of circles around the large airports."""
    features = [
        {
            "type": "Feature",
            "id": airport.icao,
            "properties": {"name": f"{airport.name} area", "radius": RADIUS},
            "geometry": {"type": "Point", "coordinates": [airport.longitude, airport.latitude]},
        }
        for airport in AIRPORTS
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def names(geofences: bytes) -> Mapping[str, str]:
    """What people call each geofence of a FeatureCollection, by its id; ids without a name are left out.

    What is wrong with the document is said by the server that it is put into, so nothing is raised here.
    """
    try:
        features = json.loads(geofences)["features"]
        return {
            str(feature["id"]): name
            for feature in features
            if isinstance(name := (feature.get("properties") or {}).get("name"), str)
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
