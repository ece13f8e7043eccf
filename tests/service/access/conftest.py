"""The API where everybody is asked who they are."""

from collections.abc import Iterator

import pytest

from tests.gates import Keys
from tests.service.access.guarded import Guarded
from tests.service.api.ground import grounded
from tests.stores import Store


@pytest.fixture
def guarded(sqlite_store: Store) -> Iterator[Guarded]:
    keys = Keys(sqlite_store.open())
    control = keys.control()
    with grounded(sqlite_store, access=control) as ground:
        yield Guarded(ground, keys, control)
    keys.database.close()
