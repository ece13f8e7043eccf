"""No module of the kernel is without tests that have to notice when it is changed."""

from pathlib import Path

from tests.mutants.own_tests import COUNTING_CALLS, OWN_TESTS, files_of, modules, room_of


def test_every_module_of_the_kernel_is_in_a_room_whose_tests_are_listed() -> None:
    assert len(modules()) > 80
    assert [file for file in modules() if room_of(file) not in OWN_TESTS] == []


def test_rooms_that_are_listed_have_modules_and_tests_that_are_there(repository: Path) -> None:
    for room, tests in OWN_TESTS.items():
        assert files_of(room)
        assert [test for test in tests if not (repository / "tests/geofence" / test).exists()] == []


def test_tests_that_are_left_out_are_there(repository: Path) -> None:
    for room, test in COUNTING_CALLS.items():
        file, _, name = test.partition("::")
        assert room in OWN_TESTS
        assert f"def {name}(" in (repository / "tests/geofence" / file).read_text(encoding="utf-8")
