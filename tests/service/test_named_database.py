"""The way to PostgreSQL: TLS that verifies, and a password that is kept elsewhere and changes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from service.bootstrap import open_database
from service.errors import SettingsError, StoreAway
from service.named_database import database_weakness
from service.settings import Settings
from service.store import credentials
from service.store.database import Database
from service.store.postgres import check_url
from service.store.tls import tls_defaults
from tests.brokers import Certificates
from tests.postgres import Postgres
from tests.stand_in import StandIn

NAMED = "postgresql+psycopg://overfly@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={ca}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Postgres]:
    """One that wants TLS of everybody at localhost, and a password of `rotated` and `other`."""
    with Postgres.of_its_own() as started:
        data = started.folder / "data"
        for name, file in (("server.crt", certificates.server), ("server.key", certificates.server_key)):
            shutil.copy(file, data / name)
            shutil.chown(data / name, data.owner(), data.group())
            (data / name).chmod(0o600)
        passwords = "hostssl all rotated,other all scram-sha-256\n"
        (data / "pg_hba.conf").write_text(passwords + "hostssl all all all trust\n")
        started.options = {"ssl": "on"}
        started.restart()
        for role in ("rotated", "other"):
            execute(started, "CREATE ROLE {role} LOGIN PASSWORD 'first'", role)
        yield started


def execute(server: Postgres, statement: LiteralString, role: str) -> None:
    url = f"postgresql://overfly@127.0.0.1:{server.port}/postgres?sslmode=require"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(role=sql.Identifier(role)))


def user(database: Database, *, anew: bool = False) -> str:
    """Who we are there, in a new connection if so asked."""
    if anew:
        database.engine.dispose()
    with database.read() as connection:
        return str(connection.scalar(text("SELECT current_user")))


def opened(**settings: object) -> Database:
    return open_database(Settings.model_validate(settings))


def test_a_server_is_verified_by_our_authority_and_by_its_name(
    server: Postgres, certificates: Certificates, tmp_path: Path
) -> None:
    url = NAMED.format(port=server.port, ca=certificates.ca)
    database = opened(database_url=url)
    with database.read() as connection:
        statement = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.scalar(text(statement)) is True

    strangers = Certificates.make(tmp_path / "strangers").ca
    for wrong, said in (
        (NAMED.format(port=server.port, ca=strangers), "certificate verify failed: name its authority"),
        (url.replace("@localhost", "@db.example") + "&hostaddr=127.0.0.1", "does not match host name"),
        (NAMED.format(port=server.port, ca=tmp_path / "none"), "does not exist"),
    ):
        with pytest.raises(StoreAway, match=said) as raised:
            user(opened(database_url=wrong))
        assert "\n" not in str(raised.value)


def test_a_server_elsewhere_is_verified_unless_the_operator_says_otherwise(tmp_path: Path) -> None:
    for here in ({}, {"host": "127.0.0.1"}, {"host": "localhost,::1"}, {"host": "/run/postgresql"}):
        assert tls_defaults(here, {}) == {}
    for there in ({"host": "db.example"}, {"host": "127.0.0.1,db.example"}, {"service": "s"}):
        assert tls_defaults(there, {"HOME": str(tmp_path)})["sslmode"] == "verify-full"
    assert tls_defaults({}, {"PGHOST": "db.example", "PGSSLMODE": "disable"}) == {}
    assert tls_defaults({"host": "db.example", "sslrootcert": "a.pem"}, {}) == {"sslmode": "verify-full"}
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql/root.crt").touch()
    assert tls_defaults({"host": "db.example"}, {"HOME": str(tmp_path)}) == {"sslmode": "verify-full"}
    system = tls_defaults({"host": "db.example", "sslrootcert": "system"}, {"HOME": str(tmp_path)})
    assert system["sslrootcert"] != "system", "this machine's authorities are not found"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://me@db.example/x", None),
        (
            "postgresql+psycopg://me@db.example/x?sslmode=disable",
            "sslmode=disable: who is on the way may read",
        ),
        ("postgresql+psycopg://me@db.example/x?sslmode=require", "may pass himself off as the database"),
        ("postgresql+psycopg://me@127.0.0.1/x?sslmode=disable", None),
    ],
)
def test_what_an_operator_leaves_open_is_said(url: str, said: str | None) -> None:
    found = database_weakness(Settings.model_validate({"database_url": url}))
    assert (found is None) == (said is None)
    assert (said or "") in (found or "")


@pytest.mark.parametrize(
    ("query", "said"),
    [("sslmode=verify", "verify is none of"), ("ssl=on", 'invalid connection option "ssl"')],
)
def test_parameters_that_libpq_does_not_know_are_refused_at_the_start(query: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^OVERFLY_DATABASE_URL: .*{said}"):
        check_url(f"postgresql+psycopg://me:secret@db.example/x?{query}")


def test_a_password_of_a_file_may_change_while_we_run(
    server: Postgres, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "READ_SECONDS", 0.0)
    file = tmp_path / "password"
    file.write_text("first\n")
    url = NAMED.format(port=server.port, ca=certificates.ca).replace("overfly@", "rotated@")
    database = opened(database_url=url, database_password_file=file)
    assert user(database) == "rotated"

    execute(server, "ALTER ROLE {role} PASSWORD 'sec0nd'", "rotated")
    with pytest.raises(StoreAway, match="password authentication failed") as raised:
        user(database, anew=True)
    assert "first" not in str(raised.value)
    file.write_text("sec0nd")
    assert user(database, anew=True) == "rotated"

    file.unlink()
    assert user(database, anew=True) == "rotated", "what still holds is not read anew"


def test_a_secret_of_the_secrets_manager_may_change_its_user_too(
    server: Postgres, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "READ_SECONDS", 0.0)
    url = NAMED.format(port=server.port, ca=certificates.ca)
    execute(server, "ALTER ROLE {role} PASSWORD 'first'", "rotated")
    with StandIn(tmp_path / "aws") as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        secrets = aws.client("secretsmanager")
        secret = {"username": "rotated", "password": "first", "engine": "postgres"}
        arn = secrets.create_secret(Name="overfly/database", SecretString=json.dumps(secret))["ARN"]
        database = opened(database_url=url, database_password_secret=arn)
        assert user(database) == "rotated"

        execute(server, "ALTER ROLE {role} PASSWORD 'gone'", "rotated")
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({**secret, "username": "other"}))
        assert user(database, anew=True) == "other"

        with pytest.raises(StoreAway, match=r"^OVERFLY_DATABASE_PASSWORD_SECRET: GetSecretValue: "):
            user(opened(database_url=url, database_password_secret="no-such-secret"))
        aws.client("ssm").put_parameter(Name="/overfly/password", Value="first", Type="SecureString")
        by_name = url.replace("overfly@", "other@")
        assert user(opened(database_url=by_name, database_password_secret="ssm:/overfly/password")) == "other"


def test_a_secret_that_holds_no_password_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "password"
    for held in ("", "\n", '{"passwort": "hidden"}', '{"password": ["hidden"]}'):
        file.write_text(held)
        database = opened(database_url="postgresql+psycopg://me@127.0.0.1:1/x", database_password_file=file)
        with pytest.raises(StoreAway, match=f"{file} holds no password: expected it alone") as raised:
            user(database)
        assert "hidden" not in str(raised.value)
    with pytest.raises(SettingsError, match="set one of them"):
        opened(
            database_url="postgresql+psycopg://me@127.0.0.1:1/x",
            database_password_file=file,
            database_password_secret="a",
        )
