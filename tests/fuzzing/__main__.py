"""`./run fuzz [MINUTES]`: bytes of all kinds are read as geofences, guided by what code they reach.

The corpus stays in .overfly/fuzzed/corpus and grows from run to run. What breaks the law (law.py) ends the
run and is written to .overfly/fuzzed; `./run fuzz --again FILE` holds the law against such a file.
"""

import argparse
import hashlib
import subprocess
import sys
import time
import warnings
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["geofence"]):
    from tests.fuzzing import law

from tests.fuzzing.mutation import mutated
from tests.fuzzing.seeds import DOCUMENTS, NAMES, NUMBERS, TEXTS

FOLDER = Path(".overfly/fuzzed")
CORPUS = FOLDER / "corpus"
DICTIONARY = FOLDER / "dictionary"

ROUND = 600
"""Seconds of one process: the engine itself keeps some kilobytes of each document that it changes."""

OPTIONS = (
    str(CORPUS),
    f"-artifact_prefix={FOLDER}/",
    f"-dict={DICTIONARY}",
    "-max_len=16384",  # bytes; larger ones take longer, and find nothing that copies of a part would not
    "-rss_limit_mb=1024",  # a document of one MiB has them too
    "-timeout=30",  # seconds for one document, on a machine that has other work too
    "-print_final_stats=1",
)


def main() -> int:
    """Fuzz for some minutes, or hold the law against one file."""
    parser = argparse.ArgumentParser(
        prog="./run fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", nargs="?", type=float, default=5, help="how long (default: 5)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="hold the law against this file alone")
    parser.add_argument("--round", type=int, metavar="SECONDS", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)  # numpy's and shapely's, of numbers that are none
    if chosen.again is not None:
        law.hold(chosen.again.read_bytes())
        return 0
    if chosen.round is not None:
        options = [*OPTIONS, f"-max_total_time={chosen.round}"]
        atheris.Setup([sys.argv[0], *options], law.hold, custom_mutator=_changed)
        atheris.Fuzz()
    return _rounds(time.monotonic() + chosen.minutes * 60)


def _rounds(end: float) -> int:
    """Processes one after the other, each with what those before found of interest."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    for document in DOCUMENTS:
        (CORPUS / hashlib.sha1(document, usedforsecurity=False).hexdigest()).write_bytes(document)
    DICTIONARY.write_text("".join(f'"{_escaped(word)}"\n' for word in (*NAMES, *NUMBERS, *TEXTS) if word))
    while (left := round(end - time.monotonic())) > 0:
        command = [sys.executable, "-m", "tests.fuzzing", "--round", str(min(left, ROUND))]
        ended = subprocess.run(command, check=False).returncode
        if ended:
            return ended
    return 0


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode(errors="surrogatepass"))


def _changed(document: bytes, most: int, seed: int) -> bytes:
    """As JSON three times of four, else as bytes."""
    random = Random(seed)  # noqa: S311  # the engine gives the seed, so that a run can be repeated
    changed = mutated(bytes(document), random) if random.random() < 0.75 else None
    if changed is None or len(changed) > most:
        return bytes(atheris.Mutate(document, most))
    return changed


if __name__ == "__main__":
    sys.exit(main())
