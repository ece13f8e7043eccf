"""What is decoded of a telephone's message, as tests look at it."""

import json
from typing import Any

from hypothesis import strategies as st

from ingest.decoding.decoder import Decode, Decoded, DecodeLimits
from ingest.messages import Message

RECEIVED = 1_781_000_000_000
LIMITS = DecodeLimits(max_ahead=600_000, oldest=0)

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def decoded(decode: Decode, payload: bytes) -> Decoded:
    """Raises nothing, whatever it is; each position or reject is of this message."""
    found = decode([Message(payload)], RECEIVED, LIMITS)
    assert len(found.message) == len(found.item) == len(found.batch)
    assert {each.message for each in found.rejects} <= {0}
    return found


def position(decode: Decode, payload: bytes) -> dict[str, Any]:
    """The one position in it, as one flat object."""
    found = decoded(decode, payload)
    assert found.rejects == []
    (device_id,) = found.batch.device_id.tolist()
    properties = json.loads(found.batch.properties[0] or "{}")
    return {
        "deviceId": device_id,
        "sampleTime": int(found.batch.sample_time[0]),
        "place": (float(found.batch.longitude[0]), float(found.batch.latitude[0])),
        "accuracy": float(found.batch.accuracy[0]),
        **properties,
    }


def fault(decode: Decode, payload: bytes) -> tuple[str, str, str | None]:
    """Reason, sentence and device of the one reject, where there is nothing else."""
    found = decoded(decode, payload)
    assert len(found.batch) == 0
    (reject,) = found.rejects
    return reject.reason, reject.detail, reject.device_id
