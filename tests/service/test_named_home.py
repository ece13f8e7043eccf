"""The account and region of ARNs."""

import pytest

from service.location.arns import Home
from service.named_home import named_home
from service.settings import Settings


@pytest.mark.parametrize(
    ("environment", "settings", "home"),
    [
        ({}, {}, Home("000000000000", "us-east-1")),
        ({"AWS_REGION": "eu-west-1"}, {}, Home("000000000000", "eu-west-1")),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, {}, Home("000000000000", "eu-west-2")),
        ({"AWS_PROFILE": "nobody"}, {}, Home("000000000000", "us-east-1")),
        ({"AWS_REGION": "No Region"}, {}, Home("000000000000", "us-east-1")),
        ({"AWS_REGION": "local"}, {}, Home("000000000000", "local")),
        (
            {"AWS_REGION": "eu-west-1"},
            {"region": "cn-north-1", "account_id": "123456789012"},
            Home("123456789012", "cn-north-1", "aws-cn"),
        ),
    ],
)
def test_the_region_is_the_settings_or_that_of_awss_clients(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], settings: dict[str, str], home: Home
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert named_home(Settings.model_validate(settings)) == home
