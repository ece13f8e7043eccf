"""Both kernels find the same changes, bit for bit; the compiled one refuses columns that do not fit."""

from dataclasses import fields
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofence.containment import Containment
from geofence.evaluation.evaluator import evaluate
from geofence.fixes.fix_columns import FixColumns
from geofence.kernels import COMPILED, NUMPY, Kernel, Library
from geofence.state.evaluation import Evaluation
from geofence.state.inside_state import NEVER, InsideState

assert COMPILED is not None, "tests/geofence/compiled/test_presence.py says what is missing"
assert COMPILED.library is not None
LIBRARY: Library = COMPILED.library

Fixes = tuple[NDArray[np.int32], NDArray[np.int64], Containment]
LARGEST = 2**31 - 1
times = st.integers(-20, 20) | st.sampled_from([NEVER, NEVER + 1, 2**63 - 1])
keys = st.integers(1, 12) | st.sampled_from([LARGEST - 1, LARGEST])


@st.composite
def batches(draw: st.DrawFn, devices: int) -> Fixes:
    """Fixes in any order, with times that repeat; few or many geofences around each."""
    rows = draw(
        st.lists(st.tuples(st.integers(0, devices - 1), times, st.frozensets(keys, max_size=14)), max_size=30)
    )
    pairs = [(number, key) for number, (_, _, inside) in enumerate(rows) for key in sorted(inside)]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return (
        np.array([device for device, _, _ in rows], np.int32),
        np.array([time for _, time, _ in rows], np.int64),
        Containment(columns[:, 0], columns[:, 1].astype(np.int32)),
    )


def same(one: Evaluation, other: Evaluation) -> bool:
    columns = [(getattr(one, name), getattr(other, name)) for name in COLUMNS]
    columns += zip(one.records.columns(), other.records.columns(), strict=True)
    assert (one.last_fixes is None) == (other.last_fixes is None)
    if one.last_fixes is not None and other.last_fixes is not None:
        columns += zip(one.last_fixes.columns(), other.last_fixes.columns(), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in columns)


COLUMNS = [each.name for each in fields(Evaluation) if each.name not in {"last_fixes", "records"}]


def fixes_of(device: NDArray[np.int32], time: NDArray[np.int64]) -> FixColumns:
    """Fixes at places of their own, each third of unknown altitude and accuracy."""
    place = np.arange(len(device)) / 1e6
    metres = np.where(np.arange(len(device)) % 3 == 0, np.nan, 1e9 * place)
    return FixColumns(
        device, [], time, place, -place, metres, lambda at: -metres[at], lambda at: [""] * len(at)
    )


@given(data=st.data(), devices=st.sampled_from([1, 3, 40]), remembering=st.booleans())
@settings(max_examples=100, deadline=None)
def test_both_kernels_evaluate_alike_batch_after_batch(
    data: st.DataObject, devices: int, remembering: bool
) -> None:
    state = InsideState(devices, remembering_fixes=remembering)
    for device, time, containment in data.draw(st.lists(batches(devices), max_size=4)):
        found = evaluate(fixes_of(device, time), containment, state, kernel=COMPILED)
        assert (found.last_fixes is not None) == remembering
        assert same(found, evaluate(fixes_of(device, time), containment, state, kernel=NUMPY))
        state.apply(found)
        state.discard_geofences(np.array(sorted(data.draw(st.frozensets(keys, max_size=2))), np.int32))


def test_both_kernels_number_many_fixes_of_many_devices_alike() -> None:
    random = np.random.default_rng(1)
    for devices, count in ((1, 5_000), (2_500, 5_000), (5_000_000, 20_000)):
        state = InsideState(devices)
        device = random.integers(0, devices, count).astype(np.int32)
        time = random.integers(0, count // 2, count)
        position = np.sort(random.integers(0, count, 3 * count))
        pairs = np.unique(position << 32 | random.integers(1, 9, 3 * count))
        containment = Containment(pairs >> 32, pairs.astype(np.int32))
        evaluations = [
            evaluate(fixes_of(device, time), containment, state, kernel=each) for each in (NUMPY, COMPILED)
        ]
        assert same(*evaluations)
        assert len(evaluations[0].position) > count / 2


def test_kernel_that_is_named_serves_whichever_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unwilling:
        def __getattr__(self, name: str) -> object:
            raise LookupError(name)

    monkeypatch.setattr("geofence.kernels.BEST", Kernel("unwilling", cast(Library, Unwilling())))
    fixes, state = fixes_of(np.array([0], np.int32), np.array([5])), InsideState(1)
    nowhere = Containment(np.empty(0, np.int64), np.empty(0, np.int32))
    for kernel in (NUMPY, COMPILED):
        assert evaluate(fixes, nowhere, state, kernel=kernel).watermarks.tolist() == [5]
    with pytest.raises(LookupError, match="numbered_fixes"):
        evaluate(fixes, nowhere, state)


def column(kind: type, *values: object) -> NDArray[np.generic]:
    return np.array(values, kind)


NUMBERED = {
    "device": column(np.int32, 0, 1, 0),
    "sample_time": column(np.int64, 5, 6, 7),
    "watermark": column(np.int64, NEVER, NEVER),
}
CHANGED = {
    "late": column(np.bool_, False, False),
    "fix": column(np.int64, -1, 0, 1, -1),
    "past": column(np.int64, 0),
    "devices": column(np.int32, 0),
    "position": column(np.int64, 0, 0, 1),
    "geofence": column(np.int32, 1, 2, 2),
    "table": column(np.int32, 7, 8, 0, 0),
    "width": column(np.int64, 4),
    "aside": column(np.int64, 0),
    "first": column(np.int64, 0, 1),
    "key": column(np.int32, 9),
}


def test_columns_that_fit_are_taken() -> None:
    assert np.frombuffer(LIBRARY.numbered_fixes(*NUMBERED.values())[2], np.int64).tolist() == [
        -1,
        0,
        2,
        -1,
        1,
        -1,
    ]
    number, geofence, kind, *_ = LIBRARY.changes_at_fixes(*CHANGED.values())
    assert np.frombuffer(number, np.int64).tolist() == [1, 1, 1, 1, 1, 2]
    assert np.frombuffer(geofence, np.int32).tolist() == [7, 8, 9, 1, 2, 1]
    assert np.frombuffer(kind, np.int8).tolist() == [0, 0, 0, 1, 1, 0]


@pytest.mark.parametrize("name", NUMBERED)
def test_columns_of_fixes_of_another_kind_or_length_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        LIBRARY.numbered_fixes(*(NUMBERED | {name: NUMBERED[name].astype(np.float32)}).values())
    with pytest.raises(TypeError, match=name):
        LIBRARY.numbered_fixes(*(NUMBERED | {name: NUMBERED[name].reshape(1, -1)}).values())
    with pytest.raises(ValueError, match="expected"):
        LIBRARY.numbered_fixes(*(NUMBERED | {name: NUMBERED[name][:1]}).values())


@pytest.mark.parametrize("name", CHANGED)
def test_columns_of_changes_of_another_kind_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        LIBRARY.changes_at_fixes(*(CHANGED | {name: CHANGED[name].astype(np.float32)}).values())


WRONG = [
    ("late", column(np.bool_, False)),
    ("fix", column(np.int64)),
    ("fix", column(np.int64, -1, 2, 1, -1)),
    ("fix", column(np.int64, -1, -5, 1, -1)),
    ("fix", column(np.int64, -1, 2**62, 1, -1)),
    ("past", column(np.int64, -1)),
    ("past", column(np.int64, 0, 9)),
    ("devices", column(np.int32, 1)),
    ("devices", column(np.int32, -1)),
    ("devices", column(np.int32)),
    ("position", column(np.int64, 0, 0, 2)),
    ("position", column(np.int64, -1, 0, 1)),
    ("position", column(np.int64, 1, 0, 1)),
    ("position", column(np.int64, 0, 0)),
    ("geofence", column(np.int32, 2, 1, 2)),
    ("geofence", column(np.int32, 1, 1, 2)),
    ("table", column(np.int32, 7, 8, 0)),
    ("table", column(np.int32)),
    ("width", column(np.int64, 0)),
    ("width", column(np.int64, 2**62)),
    ("width", column(np.int64)),
    ("first", column(np.int64, 0, 2)),
    ("first", column(np.int64, -1, 0)),
    ("first", column(np.int64, 1, 0)),
    ("first", column(np.int64, 0)),
]


@pytest.mark.parametrize(("name", "values"), WRONG)
def test_columns_of_changes_that_lead_out_of_one_another_are_refused(
    name: str, values: NDArray[np.generic]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        LIBRARY.changes_at_fixes(*(CHANGED | {name: values}).values())


@pytest.mark.parametrize("device", [-1, 2, LARGEST, -LARGEST - 1])
def test_a_device_that_the_state_does_not_know_is_refused(device: int) -> None:
    with pytest.raises(ValueError, match=f"device {device} at 1: expected 0 to 1"):
        LIBRARY.numbered_fixes(*(NUMBERED | {"device": column(np.int32, 0, device, 0)}).values())


def test_another_number_of_columns_is_refused() -> None:
    with pytest.raises(TypeError, match="expected 3"):
        LIBRARY.numbered_fixes()
    with pytest.raises(TypeError):
        LIBRARY.numbered_fixes(*NUMBERED.values(), "text")
    with pytest.raises(TypeError):
        LIBRARY.numbered_fixes(NUMBERED["device"], NUMBERED["sample_time"], None)
