"""Geofences: PutGeofence, BatchPutGeofence, GetGeofence, ListGeofences, BatchDeleteGeofence."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.api.services import ApiServices
from service.location.batch_errors import CONFLICT, NOT_FOUND, VALIDATION, item_error
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.geometry_rules import GeometryRefused, GivenGeofence, given_geofence
from service.location.paging import paging
from service.location.shown_geofences import shown_geofence
from service.store.geofences import Times
from service.store.reading.collections import collection_named
from service.store.reading.geofences import geofence_of_id, geofences

PAGE_CHARACTERS: Final = 8 * 1024 * 1024
"""A page ends once its geofences together are longer than this."""


def put_geofence(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    try:
        given = _given(request)
    except GeometryRefused as refused:
        fields = [Field(member, problem) for member, problem in refused.faults]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields) from None
    (put,) = _put(services, request["CollectionName"], [given])
    return put


def batch_put_geofence(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Puts those that are right in one commit. Of several with one id the first is put."""
    good: dict[str, GivenGeofence] = {}
    errors = []
    for entry in request["Entries"]:
        geofence_id = entry["GeofenceId"]
        if geofence_id in good:
            errors.append(_error(geofence_id, CONFLICT, "an entry before has this GeofenceId, too"))
            continue
        try:
            good[geofence_id] = _given(entry)
        except GeometryRefused as refused:
            errors.append(_error(geofence_id, VALIDATION, str(refused)))
    return {
        "Successes": _put(services, request["CollectionName"], list(good.values())),
        "Errors": errors,
    }


def get_geofence(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    with services.database.read() as connection:
        key = collection_named(connection, request["CollectionName"]).key
        row = geofence_of_id(connection, key, request["GeofenceId"])
    return shown_geofence(row)


def list_geofences(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """By their last change. A page of large geofences may hold fewer than MaxResults."""
    name = request["CollectionName"]
    page = paging(request, ("geofences", name), (-1, -1))
    revision, key = page.after
    with services.database.read() as connection:
        of_collection = collection_named(connection, name).key
        rows, more = geofences(connection, of_collection, (revision, key), page.limit, PAGE_CHARACTERS)
    next_token = page.next_token(rows, more, lambda row: (row.revision, row.key))
    return {"Entries": [shown_geofence(row) for row in rows], **next_token}


def batch_delete_geofence(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Deletes those that are there, in one commit."""
    name, ids = request["CollectionName"], request["GeofenceIds"]
    missing = services.catalog.delete_those(name, ids)
    message = f"there is no such geofence in collection {name!r}"
    return {"Errors": [_error(each, NOT_FOUND, message) for each in dict.fromkeys(ids) if each in missing]}


def _given(entry: Mapping[str, Any]) -> GivenGeofence:
    """Raises GeometryRefused."""
    return given_geofence(entry["GeofenceId"], entry["Geometry"], entry.get("GeofenceProperties"))


def _put(services: ApiServices, collection: str, given: Sequence[GivenGeofence]) -> list[dict[str, Any]]:
    otherwise = {each.geofence.id: each.given for each in given if each.given is not None}
    geofences = [each.geofence for each in given]
    times = services.catalog.put_few(collection, geofences, otherwise, services.limits.geofences)
    return [_summary(each.geofence.id, times[each.geofence.id]) for each in given]


def _summary(geofence_id: str, times: Times) -> dict[str, Any]:
    return {"GeofenceId": geofence_id, "CreateTime": times.created, "UpdateTime": times.updated}


def _error(geofence_id: str, code: str, message: str) -> dict[str, Any]:
    return {"GeofenceId": geofence_id, "Error": item_error(code, message)}
