"""The compiled kernel serves wherever it can be built."""

from geofence.kernels import BEST, COMPILED


def test_the_compiled_kernel_is_built_and_serves() -> None:
    assert COMPILED is not None, (
        "not built: are Python's headers there (Debian: python3-dev)? ./run lint says"
    )
    assert BEST is COMPILED
