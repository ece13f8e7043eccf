"""What `./run lint` checks, so that `./run test` covers it."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("ruff", "check", "."), id="ruff"),
        pytest.param(("ruff", "format", "--check", "."), id="format"),
        pytest.param(("mypy",), id="types"),
        pytest.param(("lint-imports",), id="imports"),
    ],
)
def test_lint_finds_nothing(repository: Path, command: tuple[str, ...]) -> None:
    program, *arguments = command
    found = subprocess.run(
        [PROGRAMS / program, *arguments], cwd=repository, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
