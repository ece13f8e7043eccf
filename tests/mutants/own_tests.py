"""Which tests have to notice a change of the kernel, by room.

A new module is tried as the others of its room are.
"""

from pathlib import Path

KERNEL = Path(__file__).parents[2] / "geofence"

NO_ROOM = "."
"""Where modules beside the rooms are listed."""

OWN_TESTS = {
    "evaluation": (
        "evaluation/test_between_fixes.py",
        "evaluation/test_compiled_stage.py",
        "evaluation/test_evaluator.py",
        "evaluation/test_fence_conditions.py",
        "evaluation/test_stages_together.py",
        "evaluation/test_watched.py",
    ),
    "visits": ("visits", "evaluation/test_stages_together.py"),
    "paths": ("paths", "evaluation/test_between_fixes.py", "index/test_area_distance.py"),
    "state": ("state", "evaluation/test_evaluator.py", "evaluation/test_stages_together.py"),
    "conditions": ("conditions", "evaluation/test_fence_conditions.py", "evaluation/test_between_fixes.py"),
    "schedules": ("schedules", "reading/test_feature_schedule.py"),
    "index": ("index", "paths/test_crossings.py"),
    "fixes": ("fixes", "evaluation/test_evaluator.py", "evaluation/test_stages_together.py"),
    "columns": ("columns", "cells/test_cell_index.py", "paths/test_crossings.py", "state", "visits"),
    "reading": ("reading",),
    "cells": ("cells", "index/test_geofence_index.py", "index/test_rebuild.py"),
    "areas": ("areas", "index/test_geofence_index.py", "index/test_area_distance.py"),
    "earth": ("earth", "areas", "forecasting", "paths/test_crossings.py", "cells/test_covers.py"),
    "forecasting": ("forecasting",),
    NO_ROOM: (
        "test_events.py",
        "reading",
        "evaluation/test_fence_conditions.py",
        "evaluation/test_evaluator.py",
        "evaluation/test_stages_together.py",
    ),
}
"""By room, files and folders of tests/geofence/, those first that decide events. Tests over real flights take
too long for each of some thousand mutants."""

COUNTING_CALLS = {
    "schedules": (
        "schedules/test_schedule.py::test_what_is_remembered_is_bounded_also_where_times_are_in_all_years"
    ),
}
"""Tests that are left out, by room: they count calls, and what chooses between mutants is called too."""


def files_of(room: str) -> list[str]:
    """The modules of a room, by their path in geofence/."""
    return [file for file in modules() if room_of(file) == room]


def modules() -> list[str]:
    """All modules of the kernel, but for those that only say what a room is for."""
    files = (file.relative_to(KERNEL) for file in sorted(KERNEL.rglob("*.py")))
    return [str(file) for file in files if file.name != "__init__.py"]


def room_of(file: str) -> str:
    """The room in which a module is."""
    return str(Path(file).parent)
