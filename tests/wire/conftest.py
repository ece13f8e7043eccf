"""`overfly serve` for Amazon Location's clients, one for all of them."""

import json
from collections.abc import Iterator

import pytest

from tests.services import Overfly

LIMITS = {"trackers": 10, "collections": 10, "consumers": 2}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overfly]:
    """With few quotas; known as fleet.example, too."""
    settings = {"LOCATION_LIMITS": json.dumps(LIMITS), "PUBLIC_URL": "https://fleet.example"}
    with Overfly(tmp_path_factory.mktemp("served"), settings) as started:
        yield started
