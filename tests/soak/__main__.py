"""`./run soak MINUTES`: trackers that share a PostgreSQL, near their limit, with faults at random moments.

Three `overfly track`, two `overfly dispatch` and the API run on a PostgreSQL, and read and tell a Mosquitto.
Simulated flights are published at a part of what the trackers stored in the first seconds, geofences come,
change and go, and every 10 to 40 seconds a fault is drawn: a process is killed or paused past its lease, its
connections are cut, broker or database restart or crash, a tracker comes or goes. Then all must be as if
nothing had happened: see judgement.py for what is asked.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.run import DEVICES, PART, Terms, soak


def main() -> int:
    """0 if all is as it must be."""
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("minutes", type=float, help="how long flights are published")
    parser.add_argument("--seed", type=int, help="of faults and changes; printed if left out")
    parser.add_argument(
        "--rate", type=float, help=f"positions a second ({PART:.0%} of what is stored in the first seconds)"
    )
    parser.add_argument("--devices", type=int, default=DEVICES, help=f"aircraft ({DEVICES:,})")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep logs and the summary there")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    seed = time.time_ns() % 1_000_000 if chosen.seed is None else chosen.seed
    terms = Terms(chosen.minutes * 60, seed, chosen.rate, chosen.devices)
    print(f"soak: {chosen.minutes:g} minutes, --seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="overfly-soak-") as folder:
        kept = Path(folder) if chosen.keep is None else chosen.keep.absolute()
        kept.mkdir(parents=True, exist_ok=True)
        summary = soak(kept, terms, random.Random(seed))  # noqa: S311 - faults, no secrets
        text = json.dumps(summary)
        (kept / "summary.json").write_text(text)
    print(text)
    failures = summary["failures"]
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"soak: {len(failures)} failures, --seed {seed}" if failures else "soak: all is as it must be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
