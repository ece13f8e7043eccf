"""The API on a database of its own, for each test."""

from collections.abc import Iterator

import pytest

from tests.service.api.ground import Ground, grounded
from tests.stores import Store


@pytest.fixture
def ground(store: Store) -> Iterator[Ground]:
    with grounded(store) as made:
        yield made
