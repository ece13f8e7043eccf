"""Lanes: whatever comes back and whenever, a shard's lines leave in their order and within SQS's limits."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.aws.limits import BODY_BYTES, REQUEST_BYTES, REQUEST_ENTRIES
from ingest.aws.queue_sender import Entry
from ingest.aws.shard_lanes import NEVER, ShardLanes
from ingest.topics import SHARDS

SIZES = (1, 200, 300_000, BODY_BYTES)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.integers(0, 15), st.lists(st.sampled_from(SIZES), min_size=1, max_size=5)
        ),
        st.tuples(st.just("take"), st.booleans(), st.lists(st.booleans(), min_size=10, max_size=10)),
    ),
    max_size=30,
)


def line(number: int, size: int) -> bytes:
    return (b"%d" % number).ljust(size, b"-")


class Queue:
    """Takes what it is given, except where it refuses. A request stays under way until the next one is."""

    def __init__(self, lanes: ShardLanes) -> None:
        self.lanes = lanes
        self.accepted: dict[int, list[bytes]] = defaultdict(list)
        self.shares: Counter[int] = Counter()
        self.under_way: list[Entry] = []

    def take(self, accepts: list[bool]) -> int:
        request = self.lanes.take(now=0.0)
        assert len(request) <= REQUEST_ENTRIES
        assert sum(entry.size for entry in request) <= REQUEST_BYTES
        for entry in request:
            assert entry.size == len(b"\n".join(entry.lines)) <= BODY_BYTES
            assert entry.shard not in {each.shard for each in self.under_way}
            self.under_way.append(entry)
        for entry, accepted in zip(list(self.under_way), accepts, strict=False):
            self.under_way.remove(entry)
            if accepted:
                self.lanes.settled(entry)
                self.accepted[entry.shard] += entry.lines
                for batch, count in entry.shares:
                    self.shares[batch] += count
            else:
                self.lanes.returned(entry, entry.halves(), retry_at=0.0)
        return len(request)


@given(steps)
def test_a_shard_has_one_entry_under_way_and_its_lines_arrive_as_they_came_whole_or_halved(
    given_steps: list[tuple[str, int, list[int]]],
) -> None:
    lanes = ShardLanes(linger=0.0, in_order=True)
    queue = Queue(lanes)
    added: dict[int, list[bytes]] = defaultdict(list)
    batches: Counter[int] = Counter()
    for number, (kind, shard, content) in enumerate(given_steps):
        if kind == "add":
            lines = [line(number, size) for size in content]
            lanes.add(shard, lines, batch=number, now=0.0)
            added[shard] += lines
            batches[number] += len(lines)
        else:
            queue.take(content)
    while queue.take([True] * 10) or queue.under_way:
        pass

    assert queue.accepted == added
    assert queue.shares == batches
    assert lanes.due_at() == NEVER


def test_lines_wait_for_more_as_long_as_they_may_linger() -> None:
    lanes = ShardLanes(linger=0.5, in_order=True)
    lanes.add(3, [b"1"], batch=0, now=10.0)

    assert lanes.gathering
    assert lanes.due_at() == 10.5
    assert lanes.take(10.4) == []
    lanes.add(3, [b"2"], batch=1, now=10.4)
    (entry,) = lanes.take(10.5)
    assert (entry.lines, entry.shares) == ([b"1", b"2"], [(0, 1), (1, 1)])


def test_what_is_in_a_hurry_does_not_linger() -> None:
    lanes = ShardLanes(linger=0.5, in_order=True)
    lanes.add(3, [b"1"], batch=0, now=10.0)

    lanes.hurry(10.1)

    assert not lanes.gathering
    assert len(lanes.take(10.1)) == 1


def test_one_lane_that_is_due_takes_the_oldest_others_along() -> None:
    lanes = ShardLanes(linger=0.5, in_order=False)
    for shard in reversed(range(SHARDS)):
        lanes.add(shard, [b"1"], batch=0, now=10.0 + (SHARDS - shard) / 1000)

    assert [entry.shard for entry in lanes.take(10.501)] == list(range(63, 53, -1))
    assert lanes.take(10.501) == []


def test_a_full_entry_does_not_linger() -> None:
    lanes = ShardLanes(linger=0.5, in_order=False)

    lanes.add(3, [line(1, BODY_BYTES // 2), line(2, BODY_BYTES // 2)], batch=0, now=10.0)

    assert [entry.lines for entry in lanes.take(10.0)] == [[line(1, BODY_BYTES // 2)]]
    assert lanes.take(10.0) == []


@pytest.mark.parametrize("in_order", [True, False])
def test_a_refused_entry_waits_its_time_and_the_lines_of_its_shard_behind_it(in_order: bool) -> None:
    lanes = ShardLanes(linger=0.0, in_order=in_order)
    lanes.add(3, [b"1"], batch=0, now=10.0)
    (refused,) = lanes.take(10.0)
    lanes.add(3, [b"2"], batch=0, now=10.0)
    lanes.add(4, [b"3"], batch=0, now=10.0)

    lanes.returned(refused, [refused], retry_at=11.0)

    assert [entry.lines for entry in lanes.take(10.9)] == [[b"3"]]
    assert lanes.take(11.0) == [refused]
