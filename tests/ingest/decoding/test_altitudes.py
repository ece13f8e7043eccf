"""An altitude is the same wherever it is read: from the message, or from what was kept of it."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoding.altitudes import altitudes_among
from ingest.decoding.decoder import DecodeLimits, decode
from ingest.messages import Message

VALUES = st.sampled_from(
    [None, 0, -0.0, 12_000, 1e308, 2**63, 10**30, "12000", True, [5], {"altitude": 7}, 0.1 + 0.2]
) | st.floats(allow_nan=False, allow_infinity=False)


@given(
    sent=st.lists(
        st.dictionaries(st.sampled_from(["altitude", "speed", "a", "Altitude"]), VALUES), max_size=20
    )
)
@settings(max_examples=200, deadline=None)
def test_the_altitude_among_the_properties_kept_is_the_one_of_the_message(
    sent: list[dict[str, object]],
) -> None:
    fixes = [{"deviceId": "x", "timestamp": 0, "longitude": 0, "latitude": 0, **each} for each in sent]
    batch = decode([Message(json.dumps(fixes).encode())], 0, DecodeLimits()).batch
    assert len(batch) == len(sent)
    again = altitudes_among(batch.properties)
    assert again.tobytes() == batch.altitude.tobytes() or np.array_equal(
        again, batch.altitude, equal_nan=True
    )
