"""What is said of settings that cannot be."""

import pytest

from service.errors import SettingsError
from service.named_queue import named_queue
from service.settings import Settings, read_settings

QUEUE = "https://sqs.eu-central-1.amazonaws.com/222222222222/q"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OVERFLY_BRIDGE_BYTES", "16 MiB", "expected a whole number such as 16777216 (bytes that the bridge"),
        ("OVERFLY_BRIDGE_BYTES", "1000", "greater than or equal to 1048576 (bytes that the bridge"),
        ("OVERFLY_BRIDGE_LINGER", "1s", "expected a number such as 0.25 (seconds that the bridge"),
        ("OVERFLY_RETENTION_DAYS", "week", "expected a number (days that positions and events are kept"),
    ],
)
def test_of_a_number_that_cannot_be_its_unit_and_an_example_are_said(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as raised:
        read_settings()

    assert str(raised.value).startswith(f"{name}: ")
    assert said in str(raised.value)


@pytest.mark.parametrize("arn", ["bridge", "arn:aws:iam::222222222222:user/bridge", "arn:aws:iam::2:role/x"])
def test_what_is_no_role_is_refused_before_anything_is_asked(arn: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^OVERFLY_QUEUE_ROLE_ARN is no role's ARN: expected arn:aws:iam"
    ):
        named_queue(Settings(queue_url=QUEUE, queue_role_arn=arn))


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::222222222222:role/path/bridge@x", "arn:aws-cn:iam::222222222222:role/bridge"]
)
def test_a_role_may_have_a_path_and_be_of_any_partition(arn: str) -> None:
    assert named_queue(Settings(queue_url=QUEUE, queue_role_arn=arn)) is not None
