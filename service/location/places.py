"""Positions: longitude and latitude on the Earth, which the model leaves to prose."""

from collections.abc import Sequence

from ingest.decoding.faults import Fault


def place_fault(position: Sequence[float]) -> Fault | None:
    """What is wrong with [longitude, latitude] in degrees."""
    longitude, latitude = position
    if not -180 <= longitude <= 180:
        return Fault("bad_longitude", f"longitude {longitude:.10g}", "expected -180..180")
    if not -90 <= latitude <= 90:
        return Fault("bad_latitude", f"latitude {latitude:.10g}", "expected -90..90")
    return None
