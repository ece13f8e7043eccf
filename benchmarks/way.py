"""The whole way: each hop beside its bare library, what AWS would bill, and the delay that each hop adds."""

from benchmarks import way_bridge, way_delay, way_republish, way_track


def run() -> None:
    for title, part in (
        ("bridge", way_bridge.run),
        ("republisher", way_republish.run),
        ("tracker from the queue", way_track.run),
        ("delay", way_delay.run),
    ):
        print(f" {title}", flush=True)
        part()
