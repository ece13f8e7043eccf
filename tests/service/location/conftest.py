"""Amazon Location's face on a database of its own, and boto3 at it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.api.ground import Ground, grounded
from tests.service.location.clients import location_client
from tests.stores import Store


@pytest.fixture
def ground(store: Store) -> Iterator[Ground]:
    with grounded(store) as made:
        yield made


@pytest.fixture
def location(ground: Ground) -> Any:
    """boto3's client of the served face."""
    return location_client(str(ground.client.base_url))
