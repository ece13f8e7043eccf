"""Laws of the evaluator, against one fix after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.state.inside_state import NEVER, InsideState
from tests.geofence.reference import Crossing, Fix, Reference, crossings_of, evaluated

pytestmark = pytest.mark.usefixtures("kernel")

DEVICES = 4

fixes = st.lists(
    st.builds(Fix, st.integers(0, DEVICES - 1), st.integers(-50, 50), st.frozensets(st.integers(1, 9))),
    max_size=40,
)


def in_device_order(stream: list[Fix]) -> list[Fix]:
    """The same stream with each device's fixes in order of time, devices mixed as before."""
    waiting = {
        device: sorted(fix.sample_time for fix in stream if fix.device == device) for device in range(DEVICES)
    }
    return [fix._replace(sample_time=waiting[fix.device].pop(0)) for fix in stream]


def split(stream: list[Fix], places: list[int]) -> list[list[Fix]]:
    cuts = sorted(place % (len(stream) + 1) for place in places)
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def applied(stream: list[Fix], state: InsideState) -> list[Crossing]:
    evaluation = evaluated(stream, state)
    state.apply(evaluation)
    return crossings_of(stream, evaluation)


def snapshot(state: InsideState) -> tuple[list[int], list[list[int]]]:
    return state.watermark.tolist(), [state.inside(slot) for slot in range(len(state))]


@given(batches=st.lists(fixes, max_size=4))
@settings(max_examples=100, deadline=None)
def test_crossings_and_state_equal_those_of_one_fix_after_the_other(batches: list[list[Fix]]) -> None:
    state, reference = InsideState(DEVICES), Reference()
    for batch in batches:
        assert applied(batch, state) == reference.crossings(batch)
        for device in range(DEVICES):
            assert state.inside(device) == sorted(reference.inside.get(device, ()))
            assert state.watermark[device] == reference.watermark.get(device, NEVER)


@given(stream=fixes.map(in_device_order), places=st.lists(st.integers(0, 40), max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_split_of_a_stream_into_batches_gives_the_same_crossings(
    stream: list[Fix], places: list[int]
) -> None:
    whole, parts = InsideState(DEVICES), InsideState(DEVICES)
    at_once = applied(stream, whole)
    bit_by_bit = [crossing for batch in split(stream, places) for crossing in applied(batch, parts)]
    assert sorted(bit_by_bit) == sorted(at_once)
    assert snapshot(parts) == snapshot(whole)


@given(stream=fixes, data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_shuffle_within_a_batch_gives_the_same_crossings(stream: list[Fix], data: st.DataObject) -> None:
    stream = list({(fix.device, fix.sample_time): fix for fix in stream}.values())
    shuffled = data.draw(st.permutations(stream))
    assert applied(shuffled, InsideState(DEVICES)) == applied(stream, InsideState(DEVICES))


@given(stream=fixes.map(in_device_order), start=st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_redelivery_of_any_suffix_changes_nothing(stream: list[Fix], start: int) -> None:
    state = InsideState(DEVICES)
    applied(stream, state)
    before = snapshot(state)
    again = evaluated(stream[start:], state)
    state.apply(again)
    assert again.late.all()
    assert len(again.position) == len(again.devices) == len(again.changed) == 0
    assert snapshot(state) == before


@given(first=fixes, second=fixes)
@settings(max_examples=25, deadline=None)
def test_evaluation_is_pure(first: list[Fix], second: list[Fix]) -> None:
    state = InsideState(DEVICES)
    applied(first, state)
    before = snapshot(state)
    one, other = evaluated(second, state), evaluated(second, state)
    assert snapshot(state) == before
    assert crossings_of(second, one) == crossings_of(second, other)


@given(first=fixes, second=fixes, gone=st.frozensets(st.integers(1, 9)))
@settings(max_examples=25, deadline=None)
def test_discarded_geofence_ends_without_an_event(
    first: list[Fix], second: list[Fix], gone: frozenset[int]
) -> None:
    state, reference = InsideState(DEVICES), Reference()
    applied(first, state)
    reference.crossings(first)
    state.discard_geofences(np.array(sorted(gone), np.int32))
    reference.inside = {device: inside - gone for device, inside in reference.inside.items()}
    remaining = [fix._replace(inside=fix.inside - gone) for fix in second]
    assert applied(remaining, state) == reference.crossings(remaining)


def test_device_that_crosses_between_two_fixes_of_one_batch_yields_enter_and_exit() -> None:
    stream = [Fix(0, 10, frozenset({7})), Fix(0, 20, frozenset())]
    assert applied(stream, InsideState(1)) == [Crossing(0, 10, True, 7), Crossing(0, 20, False, 7)]


def test_first_fix_inside_is_an_enter() -> None:
    assert applied([Fix(0, 10, frozenset({7}))], InsideState(1)) == [Crossing(0, 10, True, 7)]


def test_exit_comes_before_enter_at_one_fix() -> None:
    stream = [Fix(0, 10, frozenset({8})), Fix(0, 20, frozenset({7}))]
    assert applied(stream, InsideState(1))[1:] == [Crossing(0, 20, False, 8), Crossing(0, 20, True, 7)]


def test_fix_at_the_watermark_or_second_of_its_time_is_late() -> None:
    state = InsideState(1)
    applied([Fix(0, 10, frozenset({7}))], state)
    stream = [
        Fix(0, 10, frozenset()),
        Fix(0, 11, frozenset({7})),
        Fix(0, 11, frozenset()),
        Fix(0, 9, frozenset()),
    ]
    evaluation = evaluated(stream, state)
    assert evaluation.late.tolist() == [True, False, True, True]
    assert crossings_of(stream, evaluation) == []
    assert evaluation.devices.tolist() == [0]
    assert evaluation.watermarks.tolist() == [11]


def test_no_fixes_at_all_change_nothing() -> None:
    state = InsideState(1)
    assert applied([], state) == []
    assert snapshot(state) == ([NEVER], [[]])
