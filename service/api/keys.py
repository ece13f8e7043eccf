"""Keys: who else may call. Each is shown once, when it is made."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType, field
from starlette.concurrency import run_in_threadpool

from ingest.timestamps import iso, milliseconds
from service.access.caller import Scope
from service.access.control import AccessControl
from service.access.key_making import MadeKey, Terms, end_key, make_key
from service.api.answers import JSON, Shape, answer, documented_answer
from service.api.bodies import read_content
from service.api.devices import Time
from service.api.parameters import NoParameters
from service.api.problems import documented
from service.api.services import ApiServices, Services
from service.errors import NotFound, Refused
from service.store.access_keys import KeyRow, keys
from service.timestamps import now

router = APIRouter(prefix="/keys", tags=["access"])

Scopes = Annotated[
    list[Literal["read", "write", "admin"]],
    Meta(description="read: ask; write: send positions, change geofences; admin: all", examples=[["read"]]),
]
Tags = Annotated[
    dict[str, str],
    Meta(description="the key may touch only trackers and geofence collections that have each of these tags"),
]
Kind = Annotated[
    Literal["api", "access"],
    Meta(description="api: is sent with requests; access: an access key, which signs them as Amazon's do"),
]
RateLimit = Annotated[float | None, Meta(description="requests a second; null: as OVERFLY_RATE_LIMIT has it")]


class NewKey(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A key to make."""

    name: Annotated[str, Meta(description="whose it is, or what for", examples=["gateway 3"])]
    kind: Kind = "api"
    scopes: Scopes = field(default_factory=lambda: ["read"])
    tags: Tags = {}
    rate_limit: RateLimit = None
    expires_time: Annotated[
        str | None, Meta(description="until when it is good; null: until it is revoked")
    ] = None
    account_id: Annotated[str | None, Meta(description="12 digits; null: OVERFLY_ACCOUNT_ID")] = None


class KeyItem(Shape, frozen=True):
    """A key, without what would let somebody use it."""

    key_id: str
    kind: Kind
    name: str
    account_id: str
    scopes: Scopes
    tags: Tags
    rate_limit: RateLimit
    created_time: Time
    expires_time: Time | None
    revoked_time: Time | None
    last_used_time: Annotated[Time | None, Meta(description="to a minute or so")]


class NewKeyItem(KeyItem, frozen=True):
    """A key that was just made: the one answer that has it."""

    api_key: Annotated[str | UnsetType, Meta(description="for the header X-Api-Key")] = UNSET
    secret_access_key: Annotated[
        str | UnsetType, Meta(description="goes with `keyId`, the access key id")
    ] = UNSET


class KeyList(Shape, frozen=True):
    """All keys, also those that have ended."""

    items: list[KeyItem]


NEW_KEY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"$ref": "#/components/schemas/NewKey"},
                "example": {"name": "gateway 3", "scopes": ["write"], "tags": {"fleet": "north"}},
            }
        },
    }
}


@router.get("", responses=documented_answer(KeyList, "The keys"))
def list_keys(services: Services, _: Annotated[NoParameters, Query()]) -> Response:
    """Which keys are there, and when was each used last?"""
    with services.database.read() as connection:
        rows = keys(connection)
    return answer(KeyList([key_item(row) for row in rows]))


@router.post(
    "",
    status_code=201,
    openapi_extra=NEW_KEY,
    responses={**documented_answer(NewKeyItem, "Made", status=201), **documented(413)},
)
async def create_key(request: Request, services: Services, _: Annotated[NoParameters, Query()]) -> Response:
    """Makes a key. This answer has it, no other ever will."""
    new = await read_content(request, NewKey)
    made = await run_in_threadpool(partial(_make, services, terms_of(new, _control(services).account_id)))
    return answer(new_key_item(made), 201, headers={"Cache-Control": "no-store"})


@router.delete("/{key_id}", status_code=204, response_description="Revoked", responses=documented(404))
def revoke_key(
    key_id: Annotated[str, Path(pattern=r"^\w{1,40}$", description="`keyId` of the key")],
    services: Services,
    _: Annotated[NoParameters, Query()],
) -> Response:
    """Ends a key: at once here, within five seconds where other processes answer."""
    with services.database.write() as connection:
        end_key(connection, key_id, now())
    _control(services).ring.forget()
    return Response(status_code=204)


def terms_of(new: NewKey, account_id: str) -> Terms:
    """Raises Refused."""
    expires = None if new.expires_time is None else milliseconds(new.expires_time)
    if new.expires_time is not None and expires is None:
        raise Refused(f"expiresTime {new.expires_time!r}: expected ISO 8601 with a zone")
    scopes = frozenset(map(Scope, new.scopes))
    account = account_id if new.account_id is None else new.account_id
    return Terms(new.name, account, new.kind, scopes, new.tags, new.rate_limit, expires)


def key_item(row: KeyRow) -> KeyItem:
    return KeyItem(**_members(row))


def new_key_item(made: MadeKey) -> NewKeyItem:
    shown: dict[str, Any] = {"api_key" if made.row.kind == "api" else "secret_access_key": made.secret}
    return NewKeyItem(**_members(made.row), **shown)


def _make(services: ApiServices, terms: Terms) -> MadeKey:
    control = _control(services)
    with services.database.write() as connection:
        made = make_key(connection, terms, control.secret, now())
    control.ring.forget()
    return made


def _control(services: ApiServices) -> AccessControl:
    if services.access is None:
        raise NotFound("keys are not asked for here")
    return services.access


def _members(row: KeyRow) -> dict[str, Any]:
    times = ("created_time", "expires_time", "revoked_time", "last_used_time")
    members = {name: value for name, value in row._asdict().items() if name != "digest"}
    shown = {name: None if members[name] is None else iso(members[name]) for name in times}
    return {**members, **shown, "scopes": sorted(row.scopes)}
