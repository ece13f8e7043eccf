"""The real AWS CLI, from its own environment: a process that runs command after command, and its program."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

REPOSITORY = Path(__file__).parent.parent.parent
PROGRAM = REPOSITORY / ".overfly/aws-cli/bin/aws"
DRIVER = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
driver = create_clidriver()
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


class Done(NamedTuple):
    """What a command ended with."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """The JSON that it printed, of a command that must have gone well."""
        assert self.status == 0, self.err
        return json.loads(self.out) if self.out.strip() else {}


def environment(url: str, folder: Path) -> Mapping[str, str]:
    """As a user of Amazon Location sets it who moves: the endpoint, and no host prefixes."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **clean,
        "AWS_ENDPOINT_URL_LOCATION": url,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }


def aws(url: str, folder: Path, *arguments: str) -> Done:
    """`aws ARGUMENTS`, as a program of its own."""
    assert PROGRAM.exists(), f"{PROGRAM} is missing: `./run test` makes it"
    done = subprocess.run(
        [PROGRAM, *arguments],
        env=environment(url, folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class AwsCli:
    """Its code in one process: a start of the program takes a second."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        python = PROGRAM.with_name("python")
        assert python.exists(), f"{python} is missing: `./run test` makes it"
        self._process = subprocess.Popen(
            [python, "-c", DRIVER],
            env=environment(self._url, self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.communicate()

    def run(self, *arguments: str) -> Done:
        """`aws ARGUMENTS`."""
        return self._ran(arguments)

    def _ran(self, arguments: Sequence[str]) -> Done:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        return Done(*json.loads(process.stdout.readline()))
