"""The kernels, over which tests run that say so: `pytestmark = pytest.mark.usefixtures("kernel")`."""

from collections.abc import Iterator

import pytest

from geofence import kernels
from geofence.kernels import PRESENT, Kernel


@pytest.fixture(scope="module", params=PRESENT, ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """Each of the kernels in turn, as the one that serves where none is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "BEST", request.param)
        yield request.param
