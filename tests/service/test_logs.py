"""What libraries may say in our log."""

import logging

import pytest

from service.logs import configure_logs


def test_botocore_says_nothing_since_its_errors_are_raised_and_said_by_us(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, botocore = logging.getLogger(), logging.getLogger("botocore")
    before = root.handlers, root.level, botocore.level
    try:
        configure_logs("json", "info")
        logging.getLogger("botocore.credentials").warning("Refreshing temporary credentials failed")
        logging.getLogger("paho").warning("of another library")
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        botocore.setLevel(before[2])

    assert "Refreshing" not in (said := capsys.readouterr().err)
    assert "of another library" in said
