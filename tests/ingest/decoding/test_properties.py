"""What a position carries beside its own members."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding.faults import Fault
from ingest.decoding.properties import canonical, nesting

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('abé[{"\\', max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)
MEMBERS = st.dictionaries(st.text("abcé", max_size=4), JSON, max_size=6)


@given(MEMBERS)
def test_properties_come_back_without_those_that_are_null(members: dict[str, object]) -> None:
    text = canonical(members, 8192, 64)

    assert json.loads(text or "{}") == {name: value for name, value in members.items() if value is not None}


@given(MEMBERS, st.randoms(use_true_random=False))
def test_order_of_members_does_not_change_the_text(members: dict[str, object], random: object) -> None:
    names = list(members)
    random.shuffle(names)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert canonical({name: members[name] for name in names}, 8192, 64) == canonical(members, 8192, 64)


def test_text_is_compact_and_sorted_at_every_level() -> None:
    members = {"b": {"d": 1, "c": [1.0, None]}, "a": "é\n", "n": None}

    assert canonical(members, 8192, 64) == '{"a":"é\\n","b":{"c":[1.0,null],"d":1}}'


def test_properties_of_exactly_8_kib_are_taken_and_one_byte_more_is_not() -> None:
    fits = "x" * (8192 - len('{"a":""}'))

    assert len(canonical({"a": fits}, 8192, 64)) == 8192
    with pytest.raises(Fault, match="too_large"):
        canonical({"a": fits + "x"}, 8192, 64)


def test_64_levels_are_taken_and_65_are_not() -> None:
    assert canonical({"a": _nested(63)}, 8192, 64)
    for depth in (64, 300, 5000):
        with pytest.raises(Fault, match=r"too_deep|too_large"):
            canonical({"a": _nested(depth)}, 8192, 64)


def test_brackets_in_texts_are_no_levels() -> None:
    assert canonical({"a": "[{" * 100 + '"[\\"['}, 8192, 64)
    assert nesting(b'{"[[":"]]\\"[[","b":[[{}],[]]}') == 4


def test_integer_that_no_double_can_hold_is_refused_and_digits_in_a_text_are_not() -> None:
    with pytest.raises(Fault, match="bad_number"):
        canonical({"a": [10**309]}, 8192, 64)
    assert canonical({"a": "1" * 400, "b": 10**308}, 8192, 64)


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value
