"""Keys made and ended: what one may be, and the only moment at which it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sqlalchemy import Connection

from service.access.caller import Scope
from service.access.keys_secret import KeysSecret
from service.access.minting import (
    api_key_digest,
    keys_secret_digest,
    new_access_key_id,
    new_api_key,
    secret_access_key,
)
from service.errors import NotFound, Refused
from service.store.access_keys import KeyRow, insert_key, revoke_key

KINDS: Final = ("api", "access")
MOST_TAGS: Final = 50
TAG_CHARACTERS: Final = 128, 256
"""Of a tag's name and of its value, as of what is tagged."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a key is to be. `kind`: api, which is sent with requests, or access, which signs them.

    `rate_limit`: requests a second, None for the usual. `expires_time`: milliseconds, None for never.
    """

    name: str
    account_id: str
    kind: Literal["api", "access"] = "api"
    scopes: frozenset[Scope] = frozenset({Scope.READ})
    tags: Mapping[str, str] = field(default_factory=dict)
    rate_limit: float | None = None
    expires_time: int | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """`secret` is shown now and never again: the whole API key, or the secret access key."""

    row: KeyRow
    secret: str = field(repr=False)


def make_key(connection: Connection, terms: Terms, secret: KeysSecret, at: int) -> MadeKey:
    """Raises Refused for terms that cannot be, SettingsError where there is nothing to make a key of."""
    _check(terms, at)
    if terms.kind == "api":
        key_id, shown = new_api_key()
        digest = api_key_digest(shown)
    else:
        made_of = secret.read_or_make()
        key_id = new_access_key_id()
        shown, digest = secret_access_key(made_of, key_id), keys_secret_digest(made_of)
    row = KeyRow(
        key_id,
        terms.kind,
        terms.name,
        terms.account_id,
        frozenset(terms.scopes),
        terms.tags,
        terms.rate_limit,
        digest,
        at,
        terms.expires_time,
        None,
        None,
    )
    insert_key(connection, row)
    return MadeKey(row, shown)


def end_key(connection: Connection, key_id: str, at: int) -> None:
    """Raises NotFound."""
    if not revoke_key(connection, key_id, at):
        raise NotFound(f"there is no key {key_id!r} that could be revoked: `overfly keys list` has all")


def _check(terms: Terms, at: int) -> None:
    if not (1 <= len(terms.name) <= 100 and terms.name.isprintable()):
        raise Refused("name: expected 1 to 100 printable characters")
    if not terms.scopes:
        raise Refused(f"scopes: expected one or more of {', '.join(Scope)}")
    if not (terms.account_id.isascii() and terms.account_id.isdigit() and len(terms.account_id) == 12):
        raise Refused("account id: expected 12 digits")
    if len(terms.tags) > MOST_TAGS:
        raise Refused(f"tags: expected at most {MOST_TAGS}")
    for name, value in terms.tags.items():
        most_of_name, most_of_value = TAG_CHARACTERS
        if not 1 <= len(name) <= most_of_name or len(value) > most_of_value:
            raise Refused(
                f"tags: expected names of 1 to {most_of_name} characters, values of {most_of_value} at most"
            )
        if not (name + value).isprintable():
            raise Refused(f"tag {name!r}: expected printable characters")
    if terms.rate_limit is not None and not 0 < terms.rate_limit < 1e9:
        raise Refused("rate limit: expected more than 0 requests a second")
    if terms.expires_time is not None and terms.expires_time <= at:
        raise Refused("expiry: expected a time to come")
