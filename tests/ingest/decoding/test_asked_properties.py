"""What is kept of properties where only some are asked for."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding import asked_properties
from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.decoder import DecodeLimits, decode
from ingest.decoding.ndjson import LineReader
from ingest.decoding.usual_lines import COMPILED, Library
from ingest.messages import Message

LIMITS = DecodeLimits(max_ahead=None)
values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values |= st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5) | st.lists(st.integers())


def line(properties: dict[str, object]) -> bytes:
    position = {"deviceId": "a", "timestamp": "2020-01-01T00:00:00Z", "latitude": 1.5, "longitude": 2}
    return msgspec.json.encode({**properties, **position})


@pytest.mark.parametrize(
    "library", dict.fromkeys((None, COMPILED)), ids=lambda way: "compiled" if way else "python"
)
@given(
    reported=st.lists(st.dictionaries(st.sampled_from(["a", "b", "altitude", "é"]), values), max_size=4),
    odd=st.booleans(),
)
def test_what_is_asked_for_is_as_it_is_stored_whichever_way_a_line_goes(
    library: Library | None, reported: list[dict[str, object]], odd: bool
) -> None:
    lines = [line(each) for each in reported]
    if odd:
        lines = [each.replace(b'"deviceId":"a"', b'"deviceId":"\\u0061"') for each in lines]
    asked = ["a", "é", "altitude", "timestamp", "none"]
    reader = LineReader(LIMITS, altitudes=True, properties=asked, library=library)
    reader.read(io.BytesIO(b"\n".join(lines)).read)

    stored = decode([Message(b"\n".join([*lines, b"x"]))], 0, LIMITS).batch.properties
    for kept, whole in zip(reader.positions().properties.tolist(), stored, strict=True):
        members = msgspec.json.decode(whole or "{}", type=dict[str, msgspec.Raw])
        expected = {
            name: bytes(value)
            for name, value in members.items()
            if name in ("a", "é", "altitude") and not bytes(value).startswith((b"[", b"{"))
        }
        found = msgspec.json.decode(kept or "{}", type=dict[str, msgspec.Raw])
        assert {name: bytes(value) for name, value in found.items()} == expected
        assert kept != "{}"


@pytest.mark.parametrize("value", [b"1e400", b'"\xff"', b"[1]", b"{}", b"null"])
def test_what_no_position_can_have_is_not_there(value: bytes) -> None:
    assert AskedProperties(["a"]).text({"a": msgspec.Raw(value)}) == ""


def test_equal_texts_are_one_object_while_they_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_properties, "REMEMBERED", 2)
    asked = AskedProperties(["a"])
    texts = [asked.of_properties(text) for text in ('{"a":1}', '{"a":1}', '{"a":2}', '{"a":3}', "")]
    assert texts == ['{"a":1}', '{"a":1}', '{"a":2}', '{"a":3}', ""]
    assert texts[0] is texts[1]
    assert len(asked.texts) == 1
