"""What the courier keeps, whatever the destination answers: order within a shard, and every publication."""

import json
import random
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.backoff import Backoff
from ingest.envelope import packed
from ingest.republishing import courier
from ingest.republishing.courier import QUESTION, Consignment, Courier
from ingest.republishing.destination import Answer, Outcome
from ingest.republishing.shard_arrays import packed_bodies
from ingest.topics import shard_of

PASSING = (Outcome.BUSY, Outcome.UNHEARD, Outcome.DENIED)


class Fickle:
    """A destination that fails as chance has it, and answers late and in any order.

    `deaf` are topics that nobody subscribes to, `refusing` those that are refused for good. What failed may
    have arrived all the same, as with a broker that dies before its acknowledgement.
    """

    url = "fickle"
    ready = True
    problem = None

    def __init__(self, seed: int, room: int, failing: float, deaf: tuple[str, ...], most: int) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.published: list[bytes] = []
        self.under_way: dict[int, tuple[str, bytes]] = {}
        self._chance = random.Random(seed)  # noqa: S311 - chance, no secret
        self._room, self._failing = room, failing
        self._deaf, self._most = deaf, most

    @property
    def has_room(self) -> bool:
        return len(self.under_way) < self._room

    def most_bytes(self, topic: str) -> int:
        return self._most - len(topic)

    def publish(self, key: int, topic: str, payload: bytes) -> None:
        assert len(payload) <= self.most_bytes(topic)
        self.under_way[key] = topic, payload
        self.published.append(payload)

    def turn(self, wait: float) -> list[Answer]:
        keys = [key for key in self.under_way if self._chance.random() < 0.7]
        self._chance.shuffle(keys)
        return [self._answer(key) for key in keys]

    def wake(self) -> None:
        """Never waits."""

    def close(self) -> None:
        """Has nothing open."""

    def _answer(self, key: int) -> Answer:
        topic, payload = self.under_way.pop(key)
        if topic in self._deaf:
            return Answer(key, Outcome.UNHEARD, "deaf")
        if self._chance.random() < self._failing:
            if self._chance.random() < 0.3:
                self.got.append((topic, payload))
            return Answer(key, self._chance.choice(PASSING), "fails")
        self.got.append((topic, payload))
        return Answer(key, Outcome.DELIVERED)


def consignment(bodies: list[str]) -> Consignment:
    return Consignment(packed_bodies(bodies).publications, len(bodies))


def line(device: str, number: int, size: int = 0) -> str:
    payload = json.dumps({"deviceId": device, "n": number, "x": "y" * size}).encode()
    return packed(f"aircraft/{device}/position", payload).decode()


def bad(device: str, number: int) -> str:
    return packed(f"aircraft/{device}/position", b"no JSON %d" % number).decode()


def carried(carrier: Courier, *consignments: Consignment) -> None:
    for each in consignments:
        carrier.hand_in(each)
    carrier.turn(0.0)
    for _ in range(100_000):
        if all(each.done.is_set() for each in consignments):
            return
        carrier.turn(0.0)
    raise AssertionError("not done")


def without_pauses() -> Backoff:
    return Backoff(first=0.0, longest=0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=4), min_size=1, max_size=6),
    st.integers(0, 1 << 30),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.sampled_from([200, 1 << 17]),
)
def test_each_shards_messages_first_arrive_in_their_order_and_none_is_missing(
    sent: list[list[tuple[str, bool]]], seed: int, room: int, failing: float, most: int
) -> None:
    expected: dict[int, list[str]] = defaultdict(list)
    bodies, number = [], 0
    for messages in sent:
        lines = []
        for device, good in messages:
            number += 1
            lines.append(line(device, number) if good else bad(device, number))
            expected[shard_of(device)].append(f"{number}")
        bodies.append("\n".join(lines) or "[]")
    destination = Fickle(seed, room, failing, (), most)
    carrier = Courier(destination, pauses=without_pauses)
    half = len(bodies) // 2
    consignments = consignment(bodies[:half]), consignment(bodies[half:])

    carried(carrier, *consignments)

    put_aside = {json.loads(why.body)["topic"] for each in consignments for _, why in each.undeliverable}
    assert all(why.reason in ("unheard", "refused") for each in consignments for _, why in each.undeliverable)
    seen: dict[int, list[str]] = defaultdict(list)
    for topic, payload in destination.got:
        if topic.startswith("aircraft/"):
            seen[shard_of(topic.split("/")[1])].append(payload.decode().split()[-1])
        else:
            seen[int(topic.rpartition("/")[2])] += [str(item["n"]) for item in json.loads(payload)]
    for shard, numbers in expected.items():
        first = list(dict.fromkeys(seen[shard]))
        missing = [each for each in numbers if each not in first]
        assert first == [each for each in numbers if each in first]
        assert bool(missing) <= bool(put_aside)
    assert carrier.clear.is_set()


def test_while_nobody_subscribes_only_the_question_is_asked_again_and_nothing_overtakes() -> None:
    topic = f"overfly/positions/{shard_of('a')}"
    destination = Fickle(1, 10, 0.0, (topic,), 1 << 17)
    carrier = Courier(destination, pauses=without_pauses)
    waiting = consignment([line("a", 1), bad("a", 2), line("a", 3)])
    carrier.hand_in(waiting)
    for _ in range(50):
        carrier.turn(0.0)

    assert destination.got == []
    assert len(destination.published) > 10
    assert set(destination.published[1:]) == {QUESTION}
    assert not carrier.clear.is_set()
    assert carrier.problem == "deaf"
    assert not waiting.settled(0)


def test_one_shard_in_trouble_does_not_hold_up_the_others() -> None:
    destination = Fickle(1, 10, 0.0, (f"overfly/positions/{shard_of('a')}",), 1 << 17)
    carrier = Courier(destination, pauses=without_pauses)
    waiting, going = consignment([line("a", 1)]), consignment([line("b", 1)])
    carrier.hand_in(waiting)

    carried(carrier, going)

    assert not waiting.done.is_set()


def test_what_is_withdrawn_is_not_published_any_further() -> None:
    destination = Fickle(1, 1, 0.0, (), 1 << 17)
    carrier = Courier(destination, pauses=without_pauses)
    first = consignment([line("a", number, 100_000) for number in range(3)])
    carrier.hand_in(first)
    while not destination.got:
        carrier.turn(0.0)
    first.withdrawn = True

    carried(carrier, consignment([line("a", 9)]))

    numbers = [item["n"] for _, payload in destination.got for item in json.loads(payload)]
    assert numbers[0] == 0
    assert numbers[-1] == 9
    assert 2 not in numbers
    assert not first.done.is_set()


def test_pauses_are_bounded() -> None:
    backoff = courier.usual_pauses()

    assert max(backoff.delay() for _ in range(30)) <= courier.LONGEST_PAUSE
