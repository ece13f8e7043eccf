"""The envelope: what is packed into a queue's body comes out again, byte for byte."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.aws.limits import BODY_BYTES
from ingest.decoding.decoder import DecodeLimits, decode
from ingest.envelope import packed, unpacked
from ingest.messages import Message

TOPIC = "aircraft/4ca7b3/position"
SQS_REFUSES = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)
payloads = (
    st.binary()
    | texts.map(str.encode)
    | json_values.map(lambda value: json.dumps(value, ensure_ascii=False).encode())
)


@given(st.lists(st.tuples(texts, payloads), min_size=1))
def test_messages_packed_line_by_line_come_out_as_they_went_in(messages: list[tuple[str, bytes]]) -> None:
    body = b"\n".join(packed(topic, payload) for topic, payload in messages)

    assert [(message.topic, message.payload) for message in unpacked(body)] == messages
    assert unpacked(body.decode()) == unpacked(body)


@given(texts, payloads)
def test_a_line_is_one_line_of_characters_that_sqs_takes(topic: str, payload: bytes) -> None:
    line = packed(topic, payload)

    assert b"\n" not in line
    assert b"\r" not in line
    assert SQS_REFUSES.search(line.decode()) is None
    assert json.loads(line)["topic"] == topic


def test_json_travels_as_it_came() -> None:
    assert packed(TOPIC, b'{"latitude": 46.680}') == (
        b'{"topic":"aircraft/4ca7b3/position","payload":{"latitude": 46.680}}'
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no JSON",
        b"\xff\x00",
        b"{}\n{}",
        b"[1,\r2]",
        b" {} ",
        b'"\xef\xbf\xbf"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'{"a":1},"topic":"another"',
        b'{"a":1},"payload":2',
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=range(12),
)
def test_what_is_no_json_on_one_line_travels_as_base64(payload: bytes) -> None:
    line = packed("a", payload)

    assert line.startswith(b'{"topic":"a","payloadBase64":"')
    assert unpacked(line) == [Message(payload, "a")]


@pytest.mark.parametrize("size", [BODY_BYTES - 23, BODY_BYTES, 16 << 20])
@pytest.mark.parametrize("kind", [b"1", b"\xff"])
def test_a_message_that_no_queue_message_holds_travels_cut_and_is_refused_with_its_size(
    size: int, kind: bytes
) -> None:
    line = packed("a", kind * size)

    assert len(line) < 6000
    (message,) = unpacked(line)
    assert message == Message(kind * 4096, "a", cut_from=size)
    (reject,) = decode([message], 0, DecodeLimits()).rejects
    assert (reject.reason, reject.topic) == ("too_large", "a")
    assert f"{size:,} bytes" in reject.detail


def test_the_largest_message_that_fits_is_not_cut() -> None:
    payload = b"1" * (BODY_BYTES - 24)

    line = packed("a", payload)

    assert len(line) == BODY_BYTES
    assert unpacked(line) == [Message(payload, "a")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"no JSON",
        b'{"deviceId":"a","latitude":1}',
        b'{"deviceId":"a"}\n{"deviceId":"b"}',
        b'{"topic":"a"}',
        b'{"payload":1}',
        b'{"topic":null,"payload":1}',
        b'{"topic":"a","payload":1,"more":2}',
        b'{"topic":"a","payload":1,"payloadBase64":"AA=="}',
        b'{"topic":"a","payloadBase64":null}',
        b'{"topic":"a","payloadBase64":"A"}',
        b'{"topic":"a","payloadBase64":"AA==","cutFrom":1}',
        b'{"topic":"a","payload":1,"cutFrom":9}',
        b'{"topic":"a",\n"payload":1}',
        b'{"topic":"a","payload":1}{"topic":"a","payload":1}',
        b'\n{"topic":"a","payload":1}',
        b"[" * 100_000,
    ],
    ids=range(18),
)
def test_a_body_that_does_not_begin_with_an_envelope_is_one_raw_payload(body: bytes) -> None:
    assert unpacked(body) == [Message(body)]


@pytest.mark.parametrize("odd", [b"no JSON", b'{"deviceId":"a"}', b"\xff", b'{"topic":"b","payload":1}{}'])
def test_an_odd_line_in_an_envelope_is_a_message_of_its_own_between_its_neighbours(odd: bytes) -> None:
    body = b"\n".join([packed("a", b"1"), odd, b"", b" \r", packed("b", b"2"), b""])

    assert unpacked(body) == [Message(b"1", "a"), Message(odd), Message(b"2", "b")]


@pytest.mark.parametrize(
    "body",
    [
        b'{"deviceId":"a"}',
        packed("a", b"1"),
        packed("a", b"\xff"),
        packed("a", b"x" * (2 << 20)),
        packed("a", b"1") + b"\nno JSON\n" + packed("b", b"2"),
    ],
    ids=["raw", "JSON", "not JSON", "cut", "with an odd line"],
)
def test_each_message_of_a_body_knows_what_is_known_of_the_body(body: bytes) -> None:
    messages = unpacked(body, redelivered=True, receipt=7)

    assert {(message.redelivered, message.receipt) for message in messages} == {(True, 7)}
    assert [msgspec.structs.replace(each, redelivered=False, receipt=None) for each in messages] == unpacked(
        body
    )
