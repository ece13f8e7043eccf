"""`./run bench [NAME]`: ratios against stated baselines, each measured in the same run."""

import argparse
import importlib
import sys

BENCHMARKS = {
    "engine": "the engine beside bare GEOS and beside one position at a time; `engine --help` has options",
    "paths": "what paths between positions cross, beside bare GEOS, which knows no circles and no in and out",
    "puts": "how long a put among 100 thousand geofences takes, and the next batch, which sees it",
    "state": "what is remembered of a million devices: memory, and seconds to keep and to take up again",
    "visits": "evaluation with DWELL, hysteresis and paths beside the same where geofences ask for none",
    "offline": "`overfly evaluate` on files beside the straightforward loop, process start to exit",
    "millions": "`overfly evaluate` on 5 million fixes beside gzip and json.loads alone, line by line",
    "way": "each hop of the way through two accounts beside its bare library, requests, and delays",
    "cost": "requests of each hop at a steady rate, and dollars for a million positions at list prices",
    "store": "the tracker on PostGIS and SQLite beside a bare COPY of its rows into a table without index",
    "location": "BatchUpdateDevicePosition beside a bare FastAPI endpoint that only parses the same body",
    "serve": "`overfly serve` under a flood of QoS 1 messages beside a bare subscriber that acknowledges",
}

LARGE = {
    "stored": "the tracker on PostGIS where 1, 10 and 50 million fixes are stored; builds them once, 13 GB",
    "api": "how long first pages take over HTTP from PostGIS with 50 million fixes of 10,000 devices",
}
"""Run where they are named only."""


def main() -> None:
    """Run the benchmark that is named, else all but the large ones."""
    named = BENCHMARKS | LARGE
    listing = "\n".join(f"  {name:<12} {subject}" for name, subject in named.items())
    parser = argparse.ArgumentParser(
        prog="./run bench", description=__doc__, epilog=listing, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "name", nargs="?", choices=named, help="one of those below; if left out, all but stored and api"
    )
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the engine's")
    parser.add_argument("--list", action="store_true", help="say what there is")
    chosen = parser.parse_args()
    if chosen.list:
        print(listing)
        return
    if chosen.options and chosen.name != "engine":
        parser.error(f"{chosen.name} has no options: expected none, not {chosen.options[0]!r}")
    for name in [chosen.name] if chosen.name else list(BENCHMARKS):
        print(f"\n{name}: {named[name]}", flush=True)
        importlib.import_module(f"benchmarks.{name}").run(*chosen.options)


if __name__ == "__main__":
    sys.exit(main())
