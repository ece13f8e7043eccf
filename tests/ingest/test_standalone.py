"""ingest runs with boto3, msgspec, numpy and paho-mqtt alone."""

import subprocess
import sys
from pathlib import Path

import pytest

BOTO3_NEEDS = {"botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
ALLOWED = {"boto3", "geofence", "ingest", "msgspec", "numpy", "paho"} | BOTO3_NEEDS

IMPORT_ALL = """
import importlib, pkgutil, sys

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in ALLOWED:
            return None
        raise ImportError(f"ingest may not need {name}", name=name)

sys.meta_path.insert(0, OnlyThese())
import ingest
names = [module.name for module in pkgutil.walk_packages(ingest.__path__, "ingest.")]
for name in names:
    importlib.import_module(name)
print(*names)
"""


def test_all_of_ingest_imports_with_its_own_dependencies_alone(repository: Path) -> None:
    code = f"ALLOWED = {ALLOWED!r}\n{IMPORT_ALL}"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    modules = {
        ".".join(path.relative_to(repository).with_suffix("").parts)
        for path in (repository / "ingest").rglob("[a-z]*.py")
    }
    assert modules <= set(done.stdout.split())


@pytest.mark.parametrize("module", ["shapely", "sqlalchemy", "isal"])
def test_the_check_itself_refuses_what_is_not_allowed(module: str) -> None:
    code = f"ALLOWED = {ALLOWED!r}\n{IMPORT_ALL}\nimport {module}"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert f"ingest may not need {module}" in done.stderr
