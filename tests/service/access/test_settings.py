"""What settings let in: nothing starts that would be open to all, or closed to all, by mistake."""

from pathlib import Path
from typing import Any

import pytest

from service.access.caller import Scope
from service.access.control import Asked
from service.access.keys_secret import KeysSecret
from service.errors import SettingsError
from service.named_access import named_access, named_keys_secret, named_tls
from service.settings import Settings
from tests.gates import Keys
from tests.stores import Store

ISSUER = {"oidc_issuer": "https://issuer.example", "oidc_audience": ("overfly",)}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_who_is_asked_depends_on_who_can_reach_it(sqlite_store: Store) -> None:
    keys = Keys(sqlite_store.open())
    cases: tuple[tuple[dict[str, Any], bool, Asked | str], ...] = (
        ({}, True, Asked.STRANGERS),
        ({}, False, "overfly keys create"),
        ({"auth": "required"}, True, "overfly keys create"),
        ({"auth": "off"}, True, Asked.NOBODY),
        ({"auth": "off"}, False, "loopback only"),
        (ISSUER, False, Asked.ALL),
        ({**ISSUER, "auth": "required"}, True, Asked.ALL),
    )
    for values, at_home, expected in cases:
        if isinstance(expected, Asked):
            assert named_access(Settings(**values), keys.database, at_home=at_home).asked is expected
        else:
            with pytest.raises(SettingsError, match=expected):
                named_access(Settings(**values), keys.database, at_home=at_home)
    made = keys.make(Scope.READ)
    assert named_access(Settings(), keys.database, at_home=False).asked is Asked.ALL
    with keys.database.write() as connection:
        connection.exec_driver_sql("UPDATE access_key SET revoked_time = 1")
    assert made
    with pytest.raises(SettingsError, match="overfly keys create"):
        named_access(Settings(), keys.database, at_home=False)
    keys.database.close()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"oidc_issuer": "https://issuer.example"}, "OVERFLY_OIDC_AUDIENCE"),
        ({"oidc_audience": ("x",)}, "OVERFLY_OIDC_ISSUER"),
        ({**ISSUER, "oidc_issuer": "http://issuer.example"}, "https"),
        ({"keys_secret": "x" * 32, "keys_secret_file": Path("x")}, "one of them"),
        ({"keys_secret_file": Path("not-there")}, "No such file"),
    ],
)
def test_what_does_not_go_together_is_said(sqlite_store: Store, values: dict[str, Any], said: str) -> None:
    database = sqlite_store.open()
    with pytest.raises(SettingsError, match=said):
        named_access(Settings(**values), database, at_home=True)
    database.close()


def test_a_certificate_needs_its_key() -> None:
    assert named_tls(Settings()) is None
    with pytest.raises(SettingsError, match="both"):
        named_tls(Settings(tls_cert_file=Path("server.pem")))


def test_the_keys_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = named_keys_secret(Settings(data_dir=tmp_path / "data"))
    assert secret.read() is None
    made = secret.read_or_make()
    assert (len(made), secret.read_or_make(), secret.read()) == (64, made, made)
    assert secret.file.stat().st_mode & 0o777 == 0o600


def test_where_several_processes_answer_the_keys_secret_must_be_set(tmp_path: Path) -> None:
    postgres = "postgresql+psycopg://overfly@127.0.0.1/overfly"
    secret = named_keys_secret(Settings(data_dir=tmp_path, database_url=postgres))
    with pytest.raises(SettingsError, match="OVERFLY_KEYS_SECRET_FILE"):
        secret.read_or_make()
    with pytest.raises(SettingsError, match="32 bytes"):
        KeysSecret(b"too short", tmp_path / "x", True).read_or_make()
