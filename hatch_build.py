"""Builds what is written in C with the wheel, where a C compiler and Python's headers are.

Without it everything works, slower. OVERFLY_COMPILED=no leaves it out, OVERFLY_COMPILED=yes makes a build
without it fail; CC, CFLAGS and LDFLAGS are heeded. The libraries use only Python's stable ABI, so that one
wheel serves Python 3.11 and all that follow.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = (Path("geofence", "compiled"), Path("ingest", "decoding", "compiled"))
"""Of each the C files make one library, which lies among them."""
NAME = "library.abi3.so"
FLAGS = (
    *("-O2", "-std=c11", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden"),
    "-fno-math-errno",
    "-ffp-contract=off",  # with multiply-adds fused, results would differ from numpy's
)
LINKED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)


class CompiledLibraries(BuildHookInterface[Any]):
    """Puts the libraries into a wheel, or for an editable installation beside their sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs."""
        self._aside = tempfile.TemporaryDirectory()
        places = self._places(version)
        _remove(places)  # those of older sources, which would be taken
        wanted = os.environ.get("OVERFLY_COMPILED", "")
        if wanted == "no":
            return
        try:
            command = _command()
            for folder, library in places.items():
                _build(command, Path(self.root) / folder, library)
        except BuildError as problem:
            _remove(places)
            if wanted == "yes":
                raise
            self.app.display_warning(f"nothing is compiled, numpy and Python serve: {problem}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{sysconfig.get_platform().translate(str.maketrans('-.', '__'))}"
        for folder, library in places.items():
            build_data["force_include"][str(library)] = str(folder / NAME)

    def _places(self, version: str) -> dict[Path, Path]:
        """Where the library of each folder is put."""
        root = Path(self.root if version == "editable" else self._aside.name)
        return {folder: root / folder / NAME for folder in FOLDERS}


def _remove(places: dict[Path, Path]) -> None:
    for library in places.values():
        library.unlink(missing_ok=True)


def _command() -> list[str]:
    """Compiler and flags, for every library."""
    compiler = _compiler()
    headers = sysconfig.get_path("include")
    if not Path(headers, "Python.h").exists():
        raise BuildError(f"there is no Python.h in {headers} (Debian's package: python3-dev)")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise BuildError("free-threaded Python has no stable ABI")
    return [*compiler, *FLAGS, *shlex.split(os.environ.get("CFLAGS", "")), f"-I{headers}"]


def _build(command: list[str], sources: Path, library: Path) -> None:
    library.parent.mkdir(parents=True, exist_ok=True)
    linked = (*LINKED, *shlex.split(os.environ.get("LDFLAGS", "")), "-lm")
    whole = [*command, *map(str, sorted(sources.glob("*.c"))), "-o", str(library), *linked]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)  # noqa: S603 - a compiler
    if done.returncode:
        raise BuildError(f"{shlex.join(whole)} failed:\n{done.stderr}")


class BuildError(Exception):
    """The libraries cannot be built here; says why."""


def _compiler() -> list[str]:
    named = [os.environ.get("CC", ""), sysconfig.get_config_var("CC") or "", "cc", "gcc", "clang"]
    for command in filter(None, map(shlex.split, named)):
        if shutil.which(command[0]):
            return command[:1]
    raise BuildError("there is no C compiler (Debian's package: gcc)")
