"""Order within a lane: nothing of a device is sent before the receiver has answered for what came before."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from service.dispatch.outcomes import DeliveryOutcome, Permanent, Temporary


class InLane(Protocol):
    """What is to be delivered; `key` tells it from others."""

    @property
    def key(self) -> int: ...

    @property
    def lane(self) -> int: ...


Item = TypeVar("Item", bound=InLane)
Content = TypeVar("Content")


def outcomes_by_lane(
    items: Sequence[Item],
    contents: Mapping[int, Content],
    attempt: Callable[[Sequence[tuple[Item, Content]]], Mapping[int, DeliveryOutcome]],
) -> dict[int, DeliveryOutcome]:
    """Attempts items in order: outcomes, by key, of those that were attempted.

    contents: by key, what the items tell; one that has none is forgotten. attempt: answers for all that it is
    given, which are of different lanes. Nothing follows in a lane once it was refused for now.
    """
    outcomes: dict[int, DeliveryOutcome] = {
        each.key: Permanent("its event is forgotten") for each in items if each.key not in contents
    }
    refused_lanes: set[int] = set()
    for wave in _waves([each for each in items if each.key in contents]):
        free = [each for each in wave if each.lane not in refused_lanes]
        if free:
            outcomes |= attempt([(each, contents[each.key]) for each in free])
        refused_lanes.update(each.lane for each in free if isinstance(outcomes[each.key], Temporary))
    return outcomes


def _waves(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Splits items so that each wave has one of a lane at most, in order."""
    waves: defaultdict[int, list[Item]] = defaultdict(list)
    seen: defaultdict[int, int] = defaultdict(int)
    for each in items:
        waves[seen[each.lane]].append(each)
        seen[each.lane] += 1
    yield from waves.values()
