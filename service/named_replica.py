"""The read replica that the settings name."""

from sqlalchemy import URL

from service.errors import SettingsError
from service.named_database import named_postgres
from service.read_replica import ReadReplica
from service.settings import Settings
from service.store.database import Database
from service.store.postgres import check_url

SETTING = "OVERFLY_DATABASE_READ_URL"


def named_replica(settings: Settings, primary: Database) -> ReadReplica | None:
    """None where the API reads from the primary. Raises SettingsError."""
    check_read_url(settings)
    if settings.database_read_url is None:
        return None
    url = settings.database_read_url.get_secret_value()
    return ReadReplica(primary, named_postgres(url, settings, SETTING), settings.database_read_max_lag)


def check_read_url(settings: Settings) -> None:
    """Raises SettingsError where no replica of ours can be there."""
    if settings.database_read_url is None:
        return
    if settings.database_url is None:
        raise SettingsError(f"{SETTING} needs the database that it is a replica of: set OVERFLY_DATABASE_URL")
    url = check_url(settings.database_read_url.get_secret_value(), SETTING)
    if _names_several(url):
        raise SettingsError(
            f"{SETTING} names several servers, of which each may be behind by another time: expected one"
        )


def _names_several(url: URL) -> bool:
    """https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS"""
    asked = url.normalized_query
    named = (url.host or "",), asked.get("host", ()), asked.get("hostaddr", ())
    return any("," in ",".join(hosts) for hosts in named)
