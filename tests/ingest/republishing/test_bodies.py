"""Bodies of queue messages taken apart: in bulk and line by line, with the same outcome."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decoding.decoder import DecodeLimits, decode
from ingest.envelope import packed
from ingest.messages import Message
from ingest.republishing.bodies import (
    ARRAY_BYTES,
    AsItCame,
    Items,
    Piece,
    Undeliverable,
    bulk_pieces,
    exact_pieces,
    pieces,
)
from ingest.topics import shard_of, shard_of_topic

A = "aircraft/a/position"
SHARD_A = shard_of("a")


def envelope(*messages: tuple[str, bytes]) -> str:
    return b"\n".join(packed(topic, payload) for topic, payload in messages).decode()


def rule_envelope(*messages: tuple[str, bytes]) -> str:
    """As AWS IoT rules write it: any payload in base64."""
    lines = ({"topic": topic, "payloadBase64": b64encode(each).decode()} for topic, each in messages)
    return "\n".join(map(json.dumps, lines))


ENVELOPES = st.sampled_from([envelope, rule_envelope])


def items_by_shard(found: list[Piece]) -> dict[int, list[bytes]]:
    shards: dict[int, list[bytes]] = {}
    for piece in found:
        assert isinstance(piece, Items), piece
        shards.setdefault(piece.shard, []).extend(bytes(item) for item in piece.items)
    return shards


DEVICES = st.sampled_from(["a", "b", "4ca7b3", "ü", "x y", ""])
VALUES = st.sampled_from(
    [
        b"1",
        b"null",
        b'"t"',
        b"[1,{}]",
        b"1e999",
        b"9" * 400,
        b'"\\u0000"',
        b'"\\ud83d\\ude00"',
        '"ö"'.encode(),
    ]
)
PLAIN = st.builds(
    lambda device, value, space: b'{%b"deviceId":"%b","x":%b}' % (space, device.encode(), value),
    DEVICES,
    VALUES,
    st.sampled_from([b"", b" ", b"\t"]),
)
NAMELESS = st.sampled_from([b"{}", b"{ }", b'{"latitude":1}'])
ODD = st.sampled_from(
    [
        b"",
        b" ",
        b"[]",
        b' {"x":[]} ',
        b"7",
        b"null",
        b"{",
        b"\xff",
        b"NaN",
        b'{"deviceId":null}',
        b'{"deviceId":7}',
        b'{"deviceId":"a","deviceId":"b"}',
        b'{"deviceId":"b","deviceId":"a"}',
        b'{"device\\u0049d":"a"}',
        b'[{"deviceId":"a"},{"x":1}]',
        b'[{"deviceId":"a"},{"deviceId":"b"}]',
        b'[{"deviceId":"a"},7]',
        b'{"deviceId":"a"}\n{"deviceId":"a","x":1}\n',
        b'{\n"deviceId":\n"a"}',
        b'{"x":NaN}',
        b"[" * 3000 + b"]" * 3000,
        b'{"deviceId":"a","x":"\xef\xbf\xbf"}',
        b'{"deviceId":"a","x":"\xff"}',
        b'{"deviceId":"a","x":[{}',
        b'{}]},{"deviceId":"a"}',
        b'{"deviceId":"a"},{"deviceId":"a"}',
        b'{"deviceId":"a",\r"x":1}',
    ]
)
TOPICS = st.one_of(
    st.builds(lambda device: f"aircraft/{device}/position", DEVICES),
    st.sampled_from(["overfly/positions/3", "fleet/7", "", "a/+", "#", "$SYS/x", "a\0b"]),
)
MESSAGES = st.tuples(TOPICS, st.one_of(PLAIN, PLAIN, NAMELESS, ODD))
MATCHING = st.builds(
    lambda device, value: (
        f"aircraft/{device}/position",
        b'{"deviceId":"%b","x":%b}' % (device.encode(), value),
    ),
    st.sampled_from(["a", "b", "4ca7b3", "ü"]),
    VALUES,
)
UNNAMED = st.builds(lambda payload: (A, payload), NAMELESS)


@given(st.lists(st.one_of(MATCHING, UNNAMED), min_size=1, max_size=8), ENVELOPES)
def test_bodies_of_plain_positions_are_taken_apart_in_bulk_as_line_by_line(
    messages: list[tuple[str, bytes]], written: Callable[..., str]
) -> None:
    raw = written(*messages).encode()

    bulk = bulk_pieces(raw)

    assert bulk is not None
    assert items_by_shard(bulk) == items_by_shard(list(exact_pieces(raw)))


@given(st.lists(st.one_of(MESSAGES, MATCHING), min_size=1, max_size=6), ENVELOPES)
@example([(A, b'{"deviceId":"a"}'), (A, b'{"deviceId":"b","deviceId":"a"}')], envelope)
@example([(A, b'{"deviceId":"a","x":[{}'), (A, b'{}]},{"deviceId":"a"}')], rule_envelope)
@example([(A, b'{"deviceId":"a","x":"\xff"}')], rule_envelope)
def test_bulk_either_gives_what_line_by_line_gives_or_leaves_it_alone(
    messages: list[tuple[str, bytes]], written: Callable[..., str]
) -> None:
    raw = written(*messages).encode()

    bulk = bulk_pieces(raw)

    if bulk is not None:
        assert items_by_shard(bulk) == items_by_shard(list(exact_pieces(raw)))


@given(st.binary(max_size=200))
@example(b'{"topic":"aircraft/a/position","payload":{"deviceId":"a"}}\n{"topic":"aircraft/a/position"}')
@example(b'{"topic":"aircraft/a/position","payload":{"deviceId":"a"}}\n\n')
@example(b'{"topic":"aircraft/a/position","payload":{"deviceId":"a"},"more":1}')
@example(b'{"topic":"aircraft/a/position","payload":{"deviceId":"a"},"payloadBase64":"e30="}')
@example(b'{"topic":"aircraft/a/position","payloadBase64":"e30=","cutFrom":9}')
@example(b'{"topic":"aircraft/a/position","payloadBase64":"e30="}\n\n')
def test_any_bytes_are_taken_apart_without_an_error(raw: bytes) -> None:
    bulk = bulk_pieces(raw)
    exact = list(exact_pieces(raw))

    if bulk is not None:
        assert items_by_shard(bulk) == items_by_shard(exact)


@settings(max_examples=200)
@given(st.lists(st.one_of(MESSAGES, MATCHING), min_size=1, max_size=6))
def test_whatever_stands_in_an_array_leaves_its_neighbours_alone(messages: list[tuple[str, bytes]]) -> None:
    neighbour = b'{"deviceId":"a","timestamp":1533100000,"latitude":1,"longitude":2}'
    for piece in pieces(envelope(*messages)):
        if isinstance(piece, Items):
            array = b"[%b]" % b",".join([neighbour, *piece.items, neighbour])

            decoded = decode([Message(array, "overfly/positions/0")], 1_600_000_000_000, DecodeLimits())

            taken = decoded.item.tolist()
            assert taken[:1] + taken[-1:] == [0, len(piece.items) + 1]


@settings(max_examples=200)
@given(MESSAGES)
def test_a_message_is_refused_with_the_same_reasons_whichever_way_it_came(message: tuple[str, bytes]) -> None:
    topic, payload = message
    limits = DecodeLimits()
    direct = decode([Message(payload, topic)], 1_600_000_000_000, limits)
    found = pieces(envelope(message))
    if any(isinstance(piece, Undeliverable) for piece in found):
        return

    came = [
        Message(b"[%b]" % b",".join(piece.items), f"overfly/positions/{piece.shard}")
        if isinstance(piece, Items)
        else Message(piece.payload, piece.topic)
        for piece in found
        if not isinstance(piece, Undeliverable)
    ]

    assert reasons(decode(came, 1_600_000_000_000, limits)) == reasons(direct)


def reasons(decoded: Any) -> list[str]:
    return sorted(reject.reason for reject in decoded.rejects)


def test_a_position_without_a_device_takes_that_of_its_topic_as_its_first_member() -> None:
    assert pieces(envelope((A, b'{"latitude":1}'), (A, b"{ }"))) == [
        Items(SHARD_A, [b'{"deviceId":"a","latitude":1}', b'{"deviceId":"a"}'])
    ]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"deviceId":"b"}',
        b'{"deviceId":null}',
        b"no JSON",
        b"\xff",
        b"7",
        b"",
        b'[{"deviceId":"b"}]',
        b"[7]",
    ],
)
def test_what_cannot_stand_in_an_array_keeps_its_place_and_its_topic(payload: bytes) -> None:
    good = b'{"deviceId":"a"}'

    found = pieces(envelope((A, good), (A, payload), (A, good)))

    assert found == [Items(SHARD_A, [good]), AsItCame(SHARD_A, A, payload), Items(SHARD_A, [good])]


def test_arrays_and_lines_of_a_device_are_its_positions() -> None:
    body = envelope((A, b'[{"deviceId":"a","x":1},{"x":2}]'), (A, b'{"x":3}\n{"x":4}'))

    assert items_by_shard(pieces(body)) == {
        SHARD_A: [b'{"deviceId":"a","x":%d}' % number for number in (1, 2, 3, 4)]
    }


def test_a_topic_that_binds_no_device_leaves_it_to_the_position() -> None:
    found = pieces(envelope(("fleet/7", b'[{"deviceId":"a"},{"x":1}]'), ("fleet/7", b"no JSON")))

    assert found == [
        Items(SHARD_A, [b'{"deviceId":"a"}']),
        Items(0, [b'{"x":1}']),
        AsItCame(shard_of_topic("fleet/7"), "fleet/7", b"no JSON"),
    ]


@pytest.mark.parametrize(
    "payload",
    [
        b'[{"deviceId":"a","x":1},7,{"deviceId":"b"},NaN,{"deviceId":5},NaN,{"deviceId":"a","x":2}]',
        b'{"deviceId":"a","x":1}\n7\n{"deviceId":"b"}\nNaN\n{"deviceId":5}\nNaN\n{"deviceId":"a","x":2}',
    ],
)
def test_a_bad_item_of_many_devices_leaves_the_others_to_the_arrays_of_their_shards(payload: bytes) -> None:
    assert pieces(envelope(("fleet/7", payload))) == [
        Items(SHARD_A, [b'{"deviceId":"a","x":1}', b'{"deviceId":"a","x":2}']),
        Items(0, [b"7", b'{"deviceId":5}']),
        Items(shard_of("b"), [b'{"deviceId":"b"}']),
        AsItCame(shard_of_topic("fleet/7"), "fleet/7", b"NaN\nNaN"),
    ]


def test_lines_that_joined_would_be_something_else_go_one_by_one() -> None:
    found = pieces(envelope(("fleet/7", b"7\n{\n}\n")))

    assert found == [
        Items(0, [b"7"]),
        AsItCame(shard_of_topic("fleet/7"), "fleet/7", b"{"),
        AsItCame(shard_of_topic("fleet/7"), "fleet/7", b"}"),
    ]


def test_a_raw_payload_is_sorted_by_its_devices_and_its_bad_lines_are_seen_at_shard_0() -> None:
    body = '{"deviceId":"a"}\n{"deviceId":"b"}\n{"x":1}\nno JSON\n'

    assert pieces(body) == [
        Items(SHARD_A, [b'{"deviceId":"a"}']),
        Items(shard_of("b"), [b'{"deviceId":"b"}']),
        Items(0, [b'{"x":1}']),
        AsItCame(0, "overfly/positions/0", b"no JSON"),
    ]


def test_a_broken_line_of_an_envelope_is_seen_at_shard_0_and_the_others_go_on() -> None:
    body = envelope((A, b'{"deviceId":"a"}')) + '\n{"topic":\n' + envelope((A, b'{"deviceId":"a"}'))

    assert pieces(body) == [
        Items(SHARD_A, [b'{"deviceId":"a"}']),
        AsItCame(0, "overfly/positions/0", b'{"topic":'),
        Items(SHARD_A, [b'{"deviceId":"a"}']),
    ]


@pytest.mark.parametrize("body", ["no JSON", "{", "[1,", "no\nJSON"])
def test_a_body_that_is_neither_envelope_nor_json_is_malformed(body: str) -> None:
    [piece] = pieces(body)

    assert isinstance(piece, Undeliverable)
    assert (piece.reason, piece.body) == ("malformed", body)
    assert piece.detail


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "$SYS/broker", "a\0b", "t" * 70_000])
def test_only_the_message_of_a_bad_topic_is_undeliverable(topic: str) -> None:
    good = b'{"deviceId":"a"}'

    first, bad, last = pieces(envelope((A, good), (topic, b'{"deviceId":"b"}'), (A, good)))

    assert first == last == Items(SHARD_A, [good])
    assert isinstance(bad, Undeliverable)
    assert bad.reason == "bad_topic"
    assert json.loads(bad.body) == {"topic": topic, "payload": {"deviceId": "b"}}


@pytest.mark.parametrize(
    "topic",
    [
        *("x\x01y", "x\ny", "x\x1fy", "x\x7fy", "x\x85y", "x\x9fy"),
        *("x\ufdd0y", "x\ufdefy", "x\ufffey", "x\uffffy", "x\U0001fffey", "x\U0010ffffy"),
        "aircraft/a\x01b/position",
        "/".join(["a"] * 201),
    ],
)
def test_a_topic_on_which_a_broker_hangs_up_is_never_published_to(topic: str) -> None:
    [bad] = pieces(envelope((topic, b"5")))

    assert isinstance(bad, Undeliverable)
    assert bad.reason == "bad_topic"
    assert json.loads(bad.body) == {"topic": topic, "payload": 5}


@pytest.mark.parametrize("topic", ["x y", "x~\xa0", "\ufdcf\ufdf0\ufffd\U00010000", "/".join(["a"] * 200)])
def test_a_topic_next_to_what_a_broker_refuses_is_published_to(topic: str) -> None:
    assert pieces(envelope((topic, b"no JSON"))) == [AsItCame(shard_of_topic(topic), topic, b"no JSON")]


def test_a_lone_surrogate_in_a_topic_is_undeliverable() -> None:
    [bad] = pieces('{"topic":"x\\ud800","payload":{"deviceId":"a"}}')

    assert isinstance(bad, Undeliverable)
    assert bad.reason == "malformed"


def test_a_message_that_was_cut_on_its_way_is_undeliverable_with_its_true_size() -> None:
    [piece] = pieces(envelope((A, b'"%b"' % (b"x" * (2 << 20)))))

    assert isinstance(piece, Undeliverable)
    assert piece.reason == "too_large"
    assert "2,097,154 bytes" in piece.detail


def test_a_position_too_large_for_an_array_goes_alone() -> None:
    large = msgspec.json.encode({"deviceId": "a", "x": "y" * ARRAY_BYTES})
    small = b'{"deviceId":"a"}'

    assert pieces(envelope((A, small), (A, large), (A, small))) == [
        Items(SHARD_A, [small]),
        AsItCame(SHARD_A, A, large),
        Items(SHARD_A, [small]),
    ]


@pytest.mark.parametrize("body", [" ", "[]", "\n\n", envelope((A, b"[]"))])
def test_a_body_that_holds_nothing_gives_nothing(body: str) -> None:
    assert pieces(body) == []
