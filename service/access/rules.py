"""What each request needs, one line each: its scope, what it touches, and how the audit has it.

What is not in these tables is for ADMIN alone, who finds out from the routes that there is nothing. A test
holds the tables against the routes and against Amazon's model of its service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from urllib.parse import unquote

from service.access.caller import Scope
from service.api.bodies import KIBIBYTE, MEBIBYTE

ANYTHING: Final = "{}"


class Kind(Enum):
    """What has tags."""

    TRACKER = "tracker"
    COLLECTION = "geofence collection"


class Named(Enum):
    """Where a request names what it touches."""

    IN_PATH = 1
    IN_QUERY = 2
    BY_ARN = 3
    BY_DEFAULT = 4


class Audited(Enum):
    """How the audit has it: not, each call, or gathered by the minute."""

    NOT = 0
    EACH = 1
    GATHERED = 2


@dataclass(frozen=True, slots=True)
class Touched:
    """A tracker or a collection that a request names, by this parameter."""

    kind: Kind | None
    named: Named
    parameter: str


@dataclass(frozen=True, slots=True)
class Rule:
    """scope: None where nobody is asked. strangers: who does not say who they are get an answer, too.

    untagged: only for who may touch everything. key_in_query: its callers can say their key nowhere else.
    body: its most bytes. amazon: refusals are as Amazon's services write them. browser: people open it in a
    browser, which is to ask them for a key. together: its requests wait for one commit, in no thread.
    """

    method: str
    path: str
    operation: str
    scope: Scope | None
    touches: tuple[Touched, ...] = ()
    audited: Audited = Audited.NOT
    untagged: bool = False
    strangers: bool = False
    key_in_query: bool = False
    body: int = 64 * KIBIBYTE
    amazon: bool = False
    browser: bool = False
    together: bool = False


TRACKER_IN_PATH: Final = Touched(Kind.TRACKER, Named.IN_PATH, "tracker_name")
COLLECTION_IN_PATH: Final = Touched(Kind.COLLECTION, Named.IN_PATH, "collection_name")
TRACKER_IN_QUERY: Final = Touched(Kind.TRACKER, Named.IN_QUERY, "tracker")
COLLECTION_IN_QUERY: Final = Touched(Kind.COLLECTION, Named.IN_QUERY, "collection")
BOTH_IN_PATH: Final = (TRACKER_IN_PATH, COLLECTION_IN_PATH)


def _asks(path: str, operation: str, *touches: Touched) -> Rule:
    return Rule("GET", path, operation, Scope.READ, touches)


def _changes(method: str, path: str, operation: str, scope: Scope, *touches: Touched) -> Rule:
    return Rule(method, path, operation, scope, touches, Audited.EACH)


OURS: Final = (
    Rule("GET", "/", "root", None),
    Rule("GET", "/v1/health", "health", None),
    Rule("GET", "/v1/ready", "ready", Scope.READ, strangers=True),
    Rule("GET", "/metrics", "metrics", Scope.READ, untagged=True),
    Rule("GET", "/docs", "docs", Scope.READ, browser=True),
    Rule("GET", "/docs/swagger-ui-bundle.js", "docs_script", Scope.READ, browser=True),
    Rule("GET", "/docs/swagger-ui.css", "docs_style", Scope.READ, browser=True),
    Rule("GET", "/openapi.json", "openapi", Scope.READ, browser=True),
    _asks("/v1/devices", "list_devices", TRACKER_IN_QUERY),
    _asks("/v1/devices/{device_id}", "get_device", TRACKER_IN_QUERY),
    _asks("/v1/devices/{device_id}/positions", "list_positions", TRACKER_IN_QUERY),
    _changes("DELETE", "/v1/devices/{device_id}", "forget_device", Scope.ADMIN, TRACKER_IN_QUERY),
    Rule(
        "POST",
        "/v1/positions",
        "post_positions",
        Scope.WRITE,
        (TRACKER_IN_QUERY,),
        Audited.GATHERED,
        body=MEBIBYTE,
    ),
    *(
        replace(
            _changes(method, path, operation, Scope.WRITE, TRACKER_IN_QUERY),
            audited=Audited.GATHERED,
            body=MEBIBYTE,
            key_in_query=in_query,
        )
        for method, path, operation, in_query in (
            ("GET", "/osmand", "get_osmand", True),
            ("POST", "/osmand", "post_osmand", True),
            ("POST", "/owntracks", "post_owntracks", False),
        )
    ),
    _asks("/v1/positions", "list_evaluated_positions", TRACKER_IN_QUERY),
    replace(_asks("/v1/revisions", "list_revisions"), untagged=True),
    _asks("/v1/events", "list_events", TRACKER_IN_QUERY),
    _asks("/v1/rejects", "list_rejects", TRACKER_IN_QUERY),
    _asks("/v1/alerts", "list_alerts", TRACKER_IN_QUERY),
    _asks("/v1/geofences", "list_geofences", COLLECTION_IN_QUERY),
    _asks("/v1/geofences/{geofence_id}", "get_geofence", COLLECTION_IN_QUERY),
    replace(
        _changes("POST", "/v1/geofences", "put_geofences", Scope.WRITE, COLLECTION_IN_QUERY),
        body=64 * MEBIBYTE,
    ),
    replace(
        _changes("PUT", "/v1/geofences/{geofence_id}", "put_geofence", Scope.WRITE, COLLECTION_IN_QUERY),
        body=64 * MEBIBYTE,
    ),
    _changes("DELETE", "/v1/geofences/{geofence_id}", "delete_geofence", Scope.WRITE, COLLECTION_IN_QUERY),
    _asks("/v1/trackers", "list_trackers"),
    replace(_changes("POST", "/v1/trackers", "create_tracker", Scope.ADMIN), untagged=True),
    _asks("/v1/trackers/{tracker_name}", "get_tracker", TRACKER_IN_PATH),
    _changes("PATCH", "/v1/trackers/{tracker_name}", "change_tracker", Scope.ADMIN, TRACKER_IN_PATH),
    _changes("DELETE", "/v1/trackers/{tracker_name}", "delete_tracker", Scope.ADMIN, TRACKER_IN_PATH),
    _asks("/v1/trackers/{tracker_name}/collections", "list_linked_collections", TRACKER_IN_PATH),
    _asks("/v1/collections", "list_collections"),
    replace(_changes("POST", "/v1/collections", "create_collection", Scope.ADMIN), untagged=True),
    _asks("/v1/collections/{collection_name}", "get_collection", COLLECTION_IN_PATH),
    _changes(
        "PATCH", "/v1/collections/{collection_name}", "change_collection", Scope.ADMIN, COLLECTION_IN_PATH
    ),
    _changes(
        "DELETE", "/v1/collections/{collection_name}", "delete_collection", Scope.ADMIN, COLLECTION_IN_PATH
    ),
    _asks("/v1/collections/{collection_name}/trackers", "list_linked_trackers", COLLECTION_IN_PATH),
    *(
        _changes(method, path, operation + end, Scope.ADMIN, *BOTH_IN_PATH)
        for method, operation in (("PUT", "link_"), ("DELETE", "unlink_"))
        for path, end in (
            ("/v1/trackers/{tracker_name}/collections/{collection_name}", "collection"),
            ("/v1/collections/{collection_name}/trackers/{tracker_name}", "tracker"),
        )
    ),
    Rule("GET", "/v1/keys", "list_keys", Scope.ADMIN, untagged=True),
    replace(_changes("POST", "/v1/keys", "create_key", Scope.ADMIN), untagged=True),
    replace(_changes("DELETE", "/v1/keys/{key_id}", "revoke_key", Scope.ADMIN), untagged=True),
    Rule("GET", "/v1/audit", "list_audit", Scope.ADMIN, untagged=True),
)
"""The API at /v1, and what is beside it at the root."""


@dataclass(frozen=True, slots=True)
class Found:
    """A rule, and the parameters of its path, decoded once."""

    rule: Rule
    parameters: Mapping[str, str]


class Rules:
    """Finds the rule of a request."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._plain: dict[tuple[str, str], Found] = {}
        self._others: dict[tuple[str, int, str], list[tuple[tuple[str, ...], Rule]]] = {}
        for rule in rules:
            parts = tuple(rule.path.split("/")[1:])
            if "{" in rule.path:
                self._others.setdefault((rule.method, len(parts), _last(parts)), []).append((parts, rule))
            else:
                self._plain[rule.method, rule.path] = Found(rule, {})
        self._any_length = [
            (parts, rule)
            for listed in self._others.values()
            for parts, rule in listed
            if parts[-1].endswith("+}")
        ]

    def find(self, method: str, path: str) -> Found | None:
        """path: as it was sent, not decoded. None where there is no rule."""
        found = self._plain.get((method, path))
        if found is not None:
            return found
        parts = [unquote(part) for part in path.split("/")[1:]]
        for last in (parts[-1], ANYTHING):
            for template, rule in self._others.get((method, len(parts), last), ()):
                if all(map(_fits, template, parts)):
                    return Found(rule, _parameters(template, parts))
        for template, rule in self._any_length:
            given = len(template) - 1
            if rule.method == method and len(parts) > given and tuple(parts[:given]) == template[:given]:
                return Found(rule, _parameters(template, [*parts[:given], "/".join(parts[given:])]))
        plain = "/" + "/".join(parts)
        return self._plain.get((method, plain)) if "%2f" not in path.lower() else None


def _last(template: tuple[str, ...]) -> str:
    return ANYTHING if template[-1].startswith("{") else template[-1]


def _fits(named: str, part: str) -> bool:
    return named == part or named.startswith("{")


def _parameters(template: tuple[str, ...], parts: list[str]) -> dict[str, str]:
    pairs = zip(template, parts, strict=True)
    return {name.strip("{}+"): part for name, part in pairs if name.startswith("{")}
