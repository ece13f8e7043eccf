"""The PostgreSQL that the settings name, and where its password is kept."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ingest.aws.clients import AwsClientError, Timeouts, client
from ingest.aws.faults import AwsError, sentence
from service.errors import SettingsError, StoreAway
from service.settings import Settings
from service.store.credentials import Credentials, KeptCredentials
from service.store.database import Database
from service.store.postgres import SETTING, open_postgres, tls_weakness

TIMEOUTS: Final = Timeouts(connect=3.0, read=10.0)
PARAMETER: Final = "ssm:"
"""Before the name of a parameter of Systems Manager; its ARN says so by itself."""
REGION: Final = re.compile(r"arn:aws[-\w]*:(?:ssm|secretsmanager):(?P<region>[-\w]+):")


def named_postgres(url: str, settings: Settings, setting: str = SETTING) -> Database:
    """Connects and reads nothing before it is first used. setting: what names it. Raises SettingsError."""
    return open_postgres(url, _credentials(settings), setting)


def database_weakness(settings: Settings) -> str | None:
    """What the way to the database leaves open, as it was chosen, if anything. Raises SettingsError."""
    if settings.database_url is None:
        return None
    weakness = tls_weakness(settings.database_url.get_secret_value())
    return weakness and f"OVERFLY_DATABASE_URL: {weakness}; expected sslmode=verify-full, or none at all"


def _credentials(settings: Settings) -> KeptCredentials | None:
    file, secret = settings.database_password_file, settings.database_password_secret
    if file is not None and secret is not None:
        raise SettingsError(
            "OVERFLY_DATABASE_PASSWORD_FILE and OVERFLY_DATABASE_PASSWORD_SECRET: set one of them"
        )
    if file is not None:
        return KeptCredentials(lambda: _of_file(file))
    if secret is not None:
        return KeptCredentials(_in_aws(secret))
    return None


def _of_file(file: Path) -> Credentials:
    try:
        return _taken_apart(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise StoreAway(f"OVERFLY_DATABASE_PASSWORD_FILE: {file}: {reason}") from None


def _in_aws(secret: str) -> Callable[[], Credentials]:
    """Reads it, each time that it is called. Raises SettingsError."""
    match = REGION.match(secret)
    service = "ssm" if secret.startswith(PARAMETER) or ":ssm:" in secret else "secretsmanager"
    try:
        made = client(service, region=match["region"] if match else None, timeouts=TIMEOUTS)
    except AwsClientError as error:
        raise SettingsError(f"OVERFLY_DATABASE_PASSWORD_SECRET, AWS_*: {error}") from None
    asked = _parameter if service == "ssm" else _secret

    def read() -> Credentials:
        try:
            text = asked(made, secret.removeprefix(PARAMETER))
        except AwsError as error:
            raise StoreAway(f"OVERFLY_DATABASE_PASSWORD_SECRET: {sentence(error)}") from None
        return _taken_apart(text, secret)

    return read


def _secret(made: Any, name: str) -> str:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"""
    return str(made.get_secret_value(SecretId=name).get("SecretString") or "")


def _parameter(made: Any, name: str) -> str:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html"""
    return str(made.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _taken_apart(text: str, where: str) -> Credentials:
    """The password itself, or JSON as RDS keeps it. What is wrong is said without what it holds.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
    """
    password: Any = text.rstrip("\r\n")
    user: Any = None
    if password.lstrip().startswith("{"):
        try:
            members = json.loads(password)
        except ValueError:
            members = None  # a password may begin so
        if isinstance(members, dict):
            password, user = members.get("password"), members.get("username")
    if not isinstance(password, str) or not password or not isinstance(user, str | None):
        raise StoreAway(f"{where} holds no password: expected it alone, or JSON with `password` in it")
    return Credentials(password, user)
