"""The SAM command line, from its own environment, aimed at the stand-in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.stand_in import REGION, REPOSITORY

PROGRAM = REPOSITORY / ".overfly/sam/bin/sam"


def sam(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """What `sam ARGUMENTS` prints. Raises AssertionError with all of it where it fails."""
    assert PROGRAM.exists(), f"{PROGRAM} is missing: `./run test` makes it"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [PROGRAM, *map(str, arguments), "--region", REGION],
        env={**clean, "SAM_CLI_TELEMETRY": "0", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"sam {' '.join(map(str, arguments))}:\n{said[-6000:]}"
    return said


def deploy(
    template: Path, stack: str, parameters: Mapping[str, str], *, environment: Mapping[str, str]
) -> None:
    """`sam deploy` as infra/README.md has it."""
    sam(
        *("deploy", "--template-file", template, "--stack-name", stack, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_NAMED_IAM", "--no-confirm-changeset", "--no-progressbar"),
        *("--tags", "stage=test", "--parameter-overrides"),
        *(f"{name}={value}" for name, value in parameters.items()),
        environment=environment,
    )
