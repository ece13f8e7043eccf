"""The fuzzer's law on what it starts from, on changes of that, and on what it once found (`./run fuzz`)."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing import law
from tests.fuzzing.mutation import mutated
from tests.fuzzing.seeds import DOCUMENTS, feature

FOUND = {
    "edge whose length squared is 0": feature(
        "Polygon", [[[-180, -10], [180, -10], [10, 10], [0, 10], [1e-300, 10], [-180, -10]]]
    ),
}


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_seeds_are_geofences_or_faults(number: int) -> None:
    law.hold(DOCUMENTS[number])


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("finding", FOUND)
def test_what_was_found_once_is_geofences_or_faults(finding: str) -> None:
    law.hold(json.dumps(FOUND[finding]).encode())


@given(document=st.sampled_from(DOCUMENTS), changes=st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
@settings(max_examples=70, deadline=None)
def test_changed_seeds_are_geofences_or_faults(document: bytes, changes: list[int]) -> None:
    for seed in changes:
        document = mutated(document, Random(seed)) or document  # noqa: S311  # a seed, so that it is repeated
    law.hold(document)
