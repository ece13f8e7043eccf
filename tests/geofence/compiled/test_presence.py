"""The compiled kernel serves wherever it can be built."""

import shutil

import pytest

from geofence.kernels import BEST, COMPILED

COMPILERS = ("cc", "gcc", "clang")


@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="no C compiler: numpy serves")
def test_where_a_c_compiler_is_the_compiled_kernel_serves() -> None:
    assert COMPILED is not None, (
        "not built: are Python's headers there (Debian: python3-dev)? ./run lint says"
    )
    assert BEST is COMPILED
