"""A pytest plugin for runs on mutants: the same examples each time, and no more than a number of them.

Many tests say how many examples they want; on thousands of mutants that would take days. A mutant that lives
through the few is tried again with more.
"""

import os

import pytest
from hypothesis import Phase, settings

MOST_EXAMPLES = int(os.environ.get("MUTANTS_EXAMPLES", "0"))
"""0: as many as the tests say."""

settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller example of what is wrong helps nobody here
)
settings.load_profile("mutants")


def pytest_sessionfinish(exitstatus: int) -> None:
    """Ends the process where tests were named that are not there: mutmut would take it for a failed test."""
    if exitstatus == pytest.ExitCode.USAGE_ERROR:
        os._exit(exitstatus)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cuts the numbers of examples; no public way of hypothesis is stronger than a test's own settings."""
    for item in items:
        function = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        asked = getattr(function, "_hypothesis_internal_use_settings", None)
        if MOST_EXAMPLES and asked is not None and asked.max_examples > MOST_EXAMPLES:
            capped = settings(asked, max_examples=MOST_EXAMPLES)
            setattr(function, "_hypothesis_internal_use_settings", capped)  # noqa: B010
