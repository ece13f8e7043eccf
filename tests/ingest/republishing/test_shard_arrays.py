"""Positions packed into arrays: bounded, in order, each with the bodies that it came from."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.envelope import packed, unpacked
from ingest.republishing.bodies import ARRAY_BYTES
from ingest.republishing.shard_arrays import packed_bodies
from ingest.topics import ARRAY_TOPICS, shard_of

DEVICES = ("a", "b", "c")


def body(*positions: tuple[str, int], size: int = 0) -> str:
    lines = [
        packed(
            f"aircraft/{device}/position",
            json.dumps({"deviceId": device, "n": number, "x": "y" * size}).encode(),
        )
        for device, number in positions
    ]
    return b"\n".join(lines).decode()


@given(st.lists(st.lists(st.sampled_from(DEVICES), max_size=5), max_size=6), st.sampled_from([0, 50_000]))
def test_each_position_is_in_one_array_of_its_shard_in_order_and_arrays_know_their_bodies(
    bodies: list[list[str]], size: int
) -> None:
    numbered, count = [], 0
    for devices in bodies:
        numbered.append([(device, count + place) for place, device in enumerate(devices)])
        count += len(devices)

    result = packed_bodies([body(*positions, size=size) or "[]" for positions in numbered])

    seen: dict[int, list[int]] = defaultdict(list)
    for publication in result.publications:
        assert len(publication.payload) <= ARRAY_BYTES
        assert publication.topic == ARRAY_TOPICS[publication.shard]
        items = json.loads(publication.payload)
        assert len(items) == publication.positions
        seen[publication.shard] += [item["n"] for item in items]
        came_from = {
            source
            for source, positions in enumerate(numbered)
            for item in items
            if (item["deviceId"], item["n"]) in positions
        }
        assert publication.sources == tuple(sorted(came_from))
    expected: dict[int, list[int]] = defaultdict(list)
    for positions in numbered:
        for device, number in positions:
            expected[shard_of(device)].append(number)
    assert seen == expected
    assert result.undeliverable == []


def test_small_bodies_share_an_array_and_a_large_one_is_cut_as_seldom_as_can_be() -> None:
    [shared] = packed_bodies(['{"deviceId":"a","n":1}', '{"deviceId":"a","n":2}']).publications
    assert (shared.payload, shared.sources) == (b'[{"deviceId":"a","n":1},{"deviceId":"a","n":2}]', (0, 1))

    cut = packed_bodies([body(*[("a", number) for number in range(1000)], size=500)]).publications
    sizes = [len(publication.payload) for publication in cut]
    assert len(sizes) == sum(sizes) // ARRAY_BYTES + 1
    assert min(sizes[:-1]) > ARRAY_BYTES - 600


def test_a_payload_as_it_came_parts_the_arrays_of_its_shard_and_of_no_other() -> None:
    first = body(("a", 1), ("b", 1))
    bad = packed("aircraft/a/position", b"no JSON").decode()

    publications = packed_bodies([first, bad, body(("a", 2), ("b", 2))]).publications

    of_a = [(each.positions, each.payload[:4]) for each in publications if each.shard == shard_of("a")]
    of_b = [each.positions for each in publications if each.shard == shard_of("b")]
    assert of_a == [(1, b'[{"d'), (0, b"no J"), (1, b'[{"d')]
    assert of_b == [2]


def test_halves_hold_what_the_whole_held() -> None:
    [whole] = packed_bodies([body(*[("a", number) for number in range(5)])]).publications

    halves = whole.halves()

    assert halves is not None
    assert [half.positions for half in halves] == [2, 3]
    assert [item for half in halves for item in json.loads(half.payload)] == json.loads(whole.payload)
    assert packed_bodies([body(("a", 1))]).publications[0].halves() is None


@given(st.lists(st.lists(st.sampled_from(DEVICES), max_size=5), max_size=6))
def test_singly_each_position_is_one_message_to_its_devices_topic_in_order(bodies: list[list[str]]) -> None:
    count, numbered = 0, []
    for devices in bodies:
        numbered.append([(device, count + place) for place, device in enumerate(devices)])
        count += len(devices)

    result = packed_bodies([body(*positions) or "[]" for positions in numbered], singly=True)

    for device in DEVICES:
        mine = [each for each in result.publications if each.topic == f"aircraft/{device}/position"]
        numbers = [json.loads(each.payload)["n"] for each in mine]
        assert numbers == [number for some in numbered for name, number in some if name == device]
        assert {each.positions for each in mine} <= {1}
        for each, number in zip(mine, numbers, strict=True):
            assert any((device, number) in numbered[source] for source in each.sources)
    assert len(result.publications) == count
    assert result.undeliverable == []


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("{}", "missing"),
        ('{"deviceId":null}', "missing"),
        ('{"deviceId":5}', "bad_device_id"),
        ('{"deviceId":"a/b#"}', "bad_device_id"),
        ('{"deviceId":"a\\u0000"}', "bad_text"),
        ("7", "not_object"),
    ],
)
def test_singly_an_item_without_a_device_is_undeliverable_and_its_neighbours_go_on(
    item: str, reason: str
) -> None:
    good = '{"deviceId":"a"}'

    result = packed_bodies([good, f"[{good},{item},{good}]", item], singly=True)

    assert [(each.topic, each.sources) for each in result.publications] == [
        ("aircraft/a/position", (0,)),
        ("aircraft/a/position", (1,)),
        ("aircraft/a/position", (1,)),
    ]
    assert [(source, each.reason) for source, each in result.undeliverable] == [(1, reason), (2, reason)]
    [message] = unpacked(result.undeliverable[0][1].body)
    assert message.payload == f"[{item}]".encode()


@pytest.mark.parametrize("singly", [False, True])
@pytest.mark.parametrize("item", ["1", "{}", '{"deviceId":7}'])
def test_a_body_of_many_bad_items_becomes_few_messages(item: str, singly: bool) -> None:
    raw = f"[{','.join([item] * ((1 << 19) // (len(item) + 1)))}]"

    for body_of_many in (raw, packed("fleet/7", raw.encode()).decode()):
        result = packed_bodies([body_of_many], singly=singly)

        assert 4 <= len(result.publications) + len(result.undeliverable) <= 5
        assert bool(result.undeliverable) == singly


def test_many_lines_that_are_no_json_become_few_messages() -> None:
    result = packed_bodies(["1\n" + "x\n" * (1 << 17)])

    assert len(result.publications) == 3
    assert all(len(each.payload) <= ARRAY_BYTES for each in result.publications)
