"""docs/cost.md reckons as benchmarks/cost.py does."""

from pathlib import Path

from benchmarks.cost import NOTED, bills


def test_bills_in_the_documentation_are_those_of_the_benchmark(repository: Path) -> None:
    assert bills(NOTED).rstrip("\n") in (repository / "docs/cost.md").read_text()
