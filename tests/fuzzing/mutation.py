"""Changes of a GeoJSON document that leave it JSON most of the time, and geofences often."""

import json
import math
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import TypeGuard

from tests.fuzzing.seeds import FEATURES, NAMES, NUMBERS, TEXTS

Place = tuple[dict[str, object] | list[object], str | int]
"""Something that holds values, and the name or number of one."""

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def mutated(document: bytes, random: Random) -> bytes | None:
    """The document with some changes of its values; None where it is not JSON."""
    try:
        root = [json.loads(document)]
    except (ValueError, RecursionError):
        return None
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        places = list(_places(root))
        random.choice(CHANGES)(random.choice(_of_interest(places, random)), random)
        if not root:
            return None
    text = json.dumps(root[0], separators=(",", ":"), ensure_ascii=random.random() < 0.5)
    changed = text.encode(errors="surrogatepass")
    return _with_odd_number(changed, random) if random.random() < 0.2 else changed


MOST_PLACES = 20_000


def _places(root: list[object]) -> Iterator[Place]:
    """Every value, found without recursion: documents nest deeper than Python calls."""
    waiting: list[object] = [root]
    count = 0
    while waiting and count < MOST_PLACES:
        holder = waiting.pop()
        if isinstance(holder, dict):
            parts: list[Place] = [(holder, name) for name in holder]
        elif isinstance(holder, list):
            parts = [(holder, number) for number in range(len(holder))]
        else:
            continue
        count += len(parts)
        yield from parts
        waiting += [holder[at] for holder, at in parts]  # type: ignore[index]  # each with its own kind of key


def _of_interest(places: list[Place], random: Random) -> list[Place]:
    """Most values are numbers of positions; half of the time those that are not are chosen among."""
    others = [(holder, at) for holder, at in places if not isinstance(_value(holder, at), int | float)]
    return others if others and random.random() < 0.5 else places


def _value(holder: dict[str, object] | list[object], at: str | int) -> object:
    return holder[at]  # type: ignore[index]


def _put(place: Place, value: object) -> None:
    holder, at = place
    holder[at] = value  # type: ignore[index]


def _another_value(place: Place, random: Random) -> None:
    value: object = random.choice((None, True, 0, 1.5, "text", [], {}, [[0, 0], [1, 0], [1, 1], [0, 0]]))
    _put(place, random.choice(TEXTS) if value == "text" else value)


def _another_number(place: Place, random: Random) -> None:
    value = _value(*place)
    number = float(value) if _is_moderate(value) else 0.0
    near = random.choice((-1.0, -1e-9, 1e-9, 0.5, 1.0, 360.0, -360.0))
    choices = (number + near, -number, number * 2, math.nextafter(number, random.choice((-999, 999))))
    _put(place, random.choice((*choices, float(random.randint(-180, 180)), random.uniform(-180, 180))))


def _another_text(place: Place, random: Random) -> None:
    _put(place, random.choice(TEXTS))


def _removal(place: Place, _: Random) -> None:
    holder, at = place
    del holder[at]  # type: ignore[arg-type]


def _copy_elsewhere(place: Place, random: Random) -> None:
    """A vertex, ring, polygon or feature once more, beside itself or further on."""
    holder, at = place
    if isinstance(holder, list):
        holder.insert(random.randint(0, len(holder)), _copied(holder[int(at)]))
    else:
        holder[random.choice(NAMES)] = _copied(holder[str(at)])


def _exchange(place: Place, random: Random) -> None:
    holder, at = place
    others: list[str | int] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    other = random.choice(others)
    one, two = _value(holder, at), _value(holder, other)
    _put((holder, at), two)
    _put((holder, other), one)


def _reversal(place: Place, random: Random) -> None:
    value = _value(*place)
    if isinstance(value, list):
        start = random.randint(0, len(value))
        value[start:] = value[start:][::-1]


def _one_more_level(place: Place, _: Random) -> None:
    _put(place, [_value(*place)])


def _one_level_less(place: Place, random: Random) -> None:
    value = _value(*place)
    if isinstance(value, list | dict) and value:
        _put(place, random.choice(list(value.values()) if isinstance(value, dict) else value))


def _member(place: Place, random: Random) -> None:
    holder, _ = place
    if isinstance(holder, dict):
        holder[random.choice(NAMES)] = random.choice((None, 5, -1.5, "1*", ["4b1*"], {"x": ["y"]}))


def _part_of_a_seed(place: Place, random: Random) -> None:
    """A value of a seed in the place of this one: of the same name, if it is named."""
    _, at = place
    seed = _copied(random.choice(FEATURES))
    same = [_value(holder, name) for holder, name in _places([seed]) if name == at]
    _put(place, random.choice(same) if same else seed)


def _translation(place: Place, random: Random) -> None:
    """All positions of a ring moved or scaled together."""
    value = _value(*place)
    scale, east, north = random.choice((1, 1, 0.5, 2, 1e-6)), *random.choices((0, 0, 10, -170, 85, 1e-7), k=2)
    if isinstance(value, list):
        for position in value:
            if isinstance(position, list) and all(map(_is_moderate, position[:2])):
                position[:2] = [
                    each * scale + by for each, by in zip(position[:2], (east, north), strict=False)
                ]


def _is_moderate(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number that can be reckoned with."""
    return isinstance(value, int | float) and abs(value) < 1e300


Change = Callable[[Place, Random], None]
CHANGES: tuple[Change, ...] = (
    _another_value,
    _another_number,
    _another_number,
    _another_text,
    _removal,
    _copy_elsewhere,
    _exchange,
    _reversal,
    _one_more_level,
    _one_level_less,
    _member,
    _part_of_a_seed,
    _translation,
)


def _copied(value: object) -> object:
    return json.loads(json.dumps(value))


def _with_odd_number(document: bytes, random: Random) -> bytes:
    """One number written as no writer of JSON writes it."""
    places = list(NUMBER.finditer(document))
    if not places:
        return document
    start, end = random.choice(places).span()
    return document[:start] + random.choice(NUMBERS).encode() + document[end:]
