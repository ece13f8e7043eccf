"""Tags of trackers and geofence collections: TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.api.services import ApiServices
from service.catalog import TagChange
from service.errors import NotFound
from service.location.arns import TRACKER
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.faults import shown
from service.location.prose import RESERVED_TAGS
from service.store.reading.collections import collection_named
from service.store.reading.trackers import tracker_named


def tag_resource(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    check_tags(request["Tags"])
    most = services.limits.tags

    def change(tags: Mapping[str, str]) -> Mapping[str, str]:
        changed = {**tags, **request["Tags"]}
        if len(changed) > most:
            raise ValidationException(
                f"the resource would have {len(changed)} tags: expected at most {most}",
                FIELD_VALIDATION_FAILED,
                [Field("Tags", f"more than {most} with those that the resource has")],
            )
        return changed

    _change_tags(services, request["ResourceArn"], change)
    return {}


def untag_resource(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    gone = set(request["TagKeys"])
    check_tags(gone, "TagKeys")

    def change(tags: Mapping[str, str]) -> Mapping[str, str]:
        return {key: value for key, value in tags.items() if key not in gone}

    _change_tags(services, request["ResourceArn"], change)
    return {}


def list_tags_for_resource(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    kind, name = _resource(services, request["ResourceArn"])
    with services.database.read() as connection:
        row = tracker_named(connection, name) if kind == TRACKER else collection_named(connection, name)
    return {"Tags": row.tags}


def check_tags(keys: Iterable[str], member: str = "Tags") -> None:
    """Raises ValidationException where a key is reserved."""
    reserved = [key for key in keys if key.lower().startswith(RESERVED_TAGS)]
    if reserved:
        what = f"keys that begin with {RESERVED_TAGS} are reserved"
        fields = [Field(f"{member}[{shown(key)}]", what) for key in reserved]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields)


def _change_tags(services: ApiServices, arn: str, change: TagChange) -> None:
    kind, name = _resource(services, arn)
    (services.catalog.tag_tracker if kind == TRACKER else services.catalog.tag_collection)(name, change)


def _resource(services: ApiServices, arn: str) -> tuple[str, str]:
    """Its kind and name. Raises NotFound."""
    resource = services.home.resource(arn)
    if resource is None:
        raise NotFound(f"there is no resource {arn}")
    return resource
