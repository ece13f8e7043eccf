"""Geofence collections: Create-, Describe-, Update-, Delete- and ListGeofenceCollections."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from service.access.caller import Caller
from service.access.touching import check_new, visible
from service.api.services import ApiServices
from service.location.arns import COLLECTION
from service.location.paging import paging
from service.location.tags import check_tags
from service.location.trackers import PRICING
from service.store.collections import CollectionValues
from service.store.reading.collections import CollectionRow, collection_named, collections
from service.store.reading.geofences import count_geofences

VALUES: Final = {"Description": "description", "Tags": "tags", "KmsKeyId": "kms_key_id"}
"""Amazon's name -> ours, of what a collection may be told to be."""


def create_geofence_collection(
    services: ApiServices, request: Mapping[str, Any], caller: Caller
) -> dict[str, Any]:
    name = request["CollectionName"]
    check_tags(request.get("Tags", ()))
    check_new(caller, request.get("Tags", {}))
    services.catalog.create_collection(name, most=services.limits.collections, **_values(request))
    return {**_named(services, name), "CreateTime": _collection(services, name).created_time}


def describe_geofence_collection(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    with services.database.read() as connection:
        row = collection_named(connection, request["CollectionName"])
        count = count_geofences(connection, row.key)
    return {
        **_entry(row),
        **_named(services, row.name),
        "Tags": row.tags,
        "GeofenceCount": count,
        **({} if row.kms_key_id is None else {"KmsKeyId": row.kms_key_id}),
    }


def update_geofence_collection(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    name = request["CollectionName"]
    services.catalog.update_collection(name, **_values(request))
    return {**_named(services, name), "UpdateTime": _collection(services, name).updated_time}


def delete_geofence_collection(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    """Of a collection that trackers watch the links end first, as Amazon says: they watch it no longer."""
    services.catalog.delete_collection(request["CollectionName"], unlinking=True)
    return {}


def list_geofence_collections(
    services: ApiServices, request: Mapping[str, Any], caller: Caller
) -> dict[str, Any]:
    page = paging(request, ("collections",), (0,))
    with services.database.read() as connection:
        rows = visible(caller, partial(collections, connection), page.after[0], page.look)
    shown, more = page.page(rows, lambda row: (row.key,))
    return {"Entries": [_entry(row) for row in shown], **more}


def _collection(services: ApiServices, name: str) -> CollectionRow:
    with services.database.read() as connection:
        return collection_named(connection, name)


def _named(services: ApiServices, name: str) -> dict[str, str]:
    return {"CollectionName": name, "CollectionArn": services.home.arn(COLLECTION, name)}


def _entry(row: CollectionRow) -> dict[str, Any]:
    return {
        "CollectionName": row.name,
        "Description": row.description,
        **PRICING,
        "CreateTime": row.created_time,
        "UpdateTime": row.updated_time,
    }


def _values(request: Mapping[str, Any]) -> CollectionValues:
    return {VALUES[name]: value for name, value in request.items() if name in VALUES}  # type: ignore[return-value]  # by table
