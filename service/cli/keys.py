"""`overfly keys`: who may call, and who changed what.

They work on the database; where a running service holds the data folder (SQLite), through that.
"""

import getpass
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from ingest.timestamps import iso, milliseconds
from service.access.caller import Scope
from service.api.audit import AuditItem
from service.api.keys import KeyItem, NewKey
from service.bootstrap import open_database, sole_use
from service.cli.keepers import Keeper, OfDatabase, OfService
from service.cli.running_service import HERE, Url, client_of
from service.errors import Refused
from service.intake import DAY
from service.named_access import named_keys_secret
from service.settings import Settings, read_settings
from service.store.folder import holder_of
from service.store.schema_state import prepare
from service.timestamps import now

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class Kind(StrEnum):
    """How a key is used."""

    API = "api"
    ACCESS = "access"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who may call, and who changed what.", no_args_is_help=True)
    group.command("create")(_create)
    group.command("list")(_list)
    group.command("revoke")(_revoke)
    group.command("audit")(_audit)
    app.add_typer(group, name="keys")


def _create(
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    kind: Annotated[
        Kind,
        typer.Option(help="api: is sent with requests; access: signs them, as Amazon's clients do."),
    ] = Kind.API,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            help="read: ask; write: send positions, change geofences; admin: all. May be given more than "
            "once; read when not given."
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="It may touch only trackers and collections with this tag. May be given more than once.",
        ),
    ] = None,
    rate_limit: Annotated[
        float | None, typer.Option(help="Requests a second; OVERFLY_RATE_LIMIT when not given.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Until when it is good: 90d, or a time in ISO 8601.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Account it belongs to, 12 digits; OVERFLY_ACCOUNT_ID when not given.")
    ] = None,
    url: Url = HERE,
) -> None:
    """Make a key and show it, this once. stdout has the key alone; of an access key its id and its secret.

    Of an API key a hash is kept, of an access key nothing: its secret is made anew from OVERFLY_KEYS_SECRET,
    or `keys.secret` in the data folder, wherever a signature is verified.
    """
    new = NewKey(
        name=name,
        kind=kind.value,
        scopes=[each.value for each in scope or [Scope.READ]],
        tags=dict(map(_tag, tag or ())),
        rate_limit=rate_limit,
        expires_time=None if expires is None else _time(expires),
        account_id=account,
    )
    with _keeper(url) as keeper:
        made = keeper.make(new)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if made.kind == "api":
        typer.echo(made.api_key)
        console.print(f"Key {made.key_id} ({', '.join(made.scopes)}). It is shown only now: X-Api-Key: <key>")
    else:
        typer.echo(f"AWS_ACCESS_KEY_ID={made.key_id}\nAWS_SECRET_ACCESS_KEY={made.secret_access_key}")
        console.print(f"Access key {made.key_id} ({', '.join(made.scopes)}). Its secret is shown only now.")


def _list(as_json: Json = False, url: Url = HERE) -> None:
    """List all keys, with when each was used last; never what would let somebody use one."""
    with _keeper(url) as keeper:
        found = keeper.all()
    if as_json:
        for key in found:
            typer.echo(msgspec.json.encode(key))
        return
    for key in found:
        typer.echo(f"{key.key_id}  {key.name}: {', '.join(_terms(key))}")


def _revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key, as `list` shows it.")],
    url: Url = HERE,
) -> None:
    """End a key: within five seconds nobody gets in by it."""
    with _keeper(url) as keeper:
        keeper.revoke(key_id)
    Console(stderr=True, highlight=False).print(f"Key {key_id} is revoked.")


def _audit(
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most, the newest.")] = 100,
    as_json: Json = False,
    url: Url = HERE,
) -> None:
    """Show who changed what, the newest last."""
    with _keeper(url) as keeper:
        entries = deque(keeper.record(), limit)
    for entry in entries:
        typer.echo(msgspec.json.encode(entry) if as_json else _line(entry))


@contextmanager
def _keeper(url: str) -> Iterator[Keeper]:
    """The database where it is free, else the service that holds it."""
    settings = read_settings()
    if settings.database_url is None and url == HERE and holder_of(settings.data_dir) is None:
        with sole_use(settings, "keys"), _of_database(settings) as keeper:
            yield keeper
    elif settings.database_url is not None:
        with _of_database(settings) as keeper:
            yield keeper
    else:
        with client_of(url) as client:
            yield OfService(client)


@contextmanager
def _of_database(settings: Settings) -> Iterator[Keeper]:
    database = open_database(settings)
    try:
        prepare(database)
        yield OfDatabase(database, named_keys_secret(settings), settings.account_id, _operator())
    finally:
        database.close()


def _operator() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # who has no name on this machine
        user = "somebody"
    return f"overfly keys, {user}@{socket.gethostname()}"


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refused(f"--tag {text}: expected NAME=VALUE")
    return name, value


def _time(text: str) -> str:
    """ISO 8601, of that or of a number of days from now."""
    days = text.removesuffix("d")
    if text.endswith("d") and days.isascii() and days.isdigit():
        return iso(now() + int(days) * DAY)
    if milliseconds(text) is None:
        raise Refused(f"--expires {text}: expected days, such as 90d, or a time in ISO 8601 with a zone")
    return text


def _terms(key: KeyItem) -> Iterator[str]:
    yield from key.scopes
    if key.tags:
        yield "tagged " + " ".join(f"{name}={value}" for name, value in key.tags.items())
    if key.rate_limit is not None:
        yield f"{key.rate_limit:g} a second"
    yield f"last used {key.last_used_time}" if key.last_used_time else "never used"
    yield _state(key)


def _state(key: KeyItem) -> str:
    if key.revoked_time is not None:
        return f"revoked {key.revoked_time}"
    expires = None if key.expires_time is None else milliseconds(key.expires_time)
    if expires is None:
        return "good"
    return f"{'expired' if expires <= now() else 'good until'} {key.expires_time}"


def _line(entry: AuditItem) -> str:
    times = f" x{entry.calls}" if entry.calls > 1 else ""
    where = f" from {entry.address}" if entry.address else ""
    return f"{entry.time}  {entry.caller}{where}: {entry.operation} {entry.target} -> {entry.status}{times}"
