"""The record: who changed what, before they hear of it; positions by the minute; nothing of who only asks."""

from service.access.audit import GATHERED_OF_ONE, MANY
from service.access.caller import Scope
from service.retention import Retention
from service.store.audit import AuditEntry, audited, delete_old_audit, insert_audit
from service.timestamps import now
from tests.gates import ACCOUNT, Keys
from tests.service.access.guarded import Guarded
from tests.service.api.ground import grounded, position, square
from tests.stores import Store

DAY = 86_400_000


def test_every_change_of_both_faces_is_on_record_with_who_and_what(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN, name="boss")
    name = f"key {admin.row.key_id} (boss)"
    guarded.ask(admin, "GET", "/v1/devices")
    guarded.ask(admin, "PUT", "/v1/geofences/x?collection=default", json=square("x", 7, 46))
    guarded.ask(admin, "POST", "/tracking/v0/trackers", json={"TrackerName": "vans"})
    guarded.ask(admin, "DELETE", "/v1/trackers/vans")
    listed = guarded.ask(admin, "GET", "/v1/audit").json()
    found = [(each["caller"], each["operation"], each["target"], each["status"]) for each in listed["items"]]
    assert found == [
        (name, "put_geofence", "/v1/geofences/x?collection=default", 201),
        (name, "CreateTracker", "/tracking/v0/trackers", 200),
        (name, "delete_tracker", "/v1/trackers/vans", 204),
    ]
    others = {(each["accountId"], each["address"], each["calls"]) for each in listed["items"]}
    assert others == {(ACCOUNT, "127.0.0.1", 1)}
    rest = guarded.ask(admin, "GET", "/v1/audit", params={"cursor": listed["resumeCursor"]}).json()
    assert rest["items"] == []
    nobodys = guarded.ask(admin, "GET", "/v1/audit", params={"caller": "nobody"}).json()
    assert nobodys["items"] == []


def test_positions_and_what_was_refused_are_gathered(guarded: Guarded) -> None:
    writer = guarded.keys.make(Scope.WRITE)
    for second in range(5):
        fix = position("x", f"05:00:0{second}", 7, 46)
        assert guarded.ask(writer, "POST", "/v1/positions", json=fix).status_code == 202
    for _ in range(3):
        guarded.refusal(403, writer, "DELETE", "/v1/devices/x")
    guarded.refusal(400, writer, "POST", "/v1/geofences", json={})
    found = {(entry.operation, entry.status, entry.calls) for entry in guarded.audit()}
    assert found == {("post_positions", 202, 5), ("forget_device", 403, 3), ("put_geofences", 400, 1)}


def test_the_record_is_kept_as_long_as_it_is_to_be(store: Store) -> None:
    database = store.open()
    at = now()
    entries = [AuditEntry(at - days * DAY, "a", ACCOUNT, "b", "c", 200, "") for days in (401, 399, 0)]
    with database.write() as connection:
        insert_audit(connection, entries)
    Retention(database, None).expire(at)
    with database.write() as connection:
        assert [row.entry for row in audited(connection, 0, 10)] == entries[1:]
        assert [row.entry.time for row in audited(connection, 0, 10, since=at)] == [at]
        assert delete_old_audit(connection, at) == 1
    database.close()


def test_keys_are_kept_alike_by_both_stores(store: Store) -> None:
    keys = Keys(store.open())
    terms = {"tags": {"fleet": "nörth"}, "rate_limit": 0.5, "expires_time": now() + DAY}
    made = keys.make(Scope.READ, Scope.WRITE, **terms)
    assert keys.ring.look_up(made.row.key_id) == made.row
    assert keys.ring.look_for_any()
    keys.ring.note_use(made.row, 7)
    keys.ring.write_uses()
    row = keys.ring.look_up(made.row.key_id)
    assert row is not None
    assert row.last_used_time == 7
    keys.database.close()


def test_a_change_is_answered_also_where_the_record_cannot_be_written(store: Store) -> None:
    keys = Keys(store.open())
    key = {"X-Api-Key": keys.make(Scope.ADMIN).secret}
    control = keys.control()
    elsewhere = store.open()
    with grounded(store, access=control) as ground:
        store.take_away(keys.database)
        try:
            control.audit.write(AuditEntry(now(), "a", ACCOUNT, "b", "c", 200, ""))
            control.audit.gather(AuditEntry(now(), "a", ACCOUNT, "d", "c", 200, ""))
            control.audit.write_gathered()
        finally:
            store.give_back()
        assert ground.client.post("/v1/trackers", headers=key, json={"trackerName": "x"}).status_code == 201
        control.audit.write_gathered()
        with elsewhere.read() as connection:
            found = {row.entry.operation for row in audited(connection, 0, 10)}
        assert found == {"create_tracker", "d"}
    keys.database.close()
    elsewhere.close()


def test_a_writer_cannot_push_changes_out_of_the_record_by_asking_in_many_ways(guarded: Guarded) -> None:
    writer = guarded.keys.make(Scope.WRITE)
    for number in range(3 * GATHERED_OF_ONE):
        guarded.refusal(403, writer, "DELETE", f"/v1/devices/x{number}")
    found = guarded.audit()
    assert len(found) == GATHERED_OF_ONE + 1
    assert found[-1].target == MANY
    assert sum(entry.calls for entry in found) == 3 * GATHERED_OF_ONE


def test_a_key_that_is_sent_where_none_is_taken_is_not_on_record(guarded: Guarded) -> None:
    writer = guarded.keys.make(Scope.WRITE)
    guarded.refusal(400, writer, "POST", f"/v1/geofences?key={writer.secret}", json={})
    (entry,) = guarded.audit()
    assert entry.target == "/v1/geofences"


def test_where_somebody_was_is_not_on_record(guarded: Guarded) -> None:
    writer = guarded.keys.make(Scope.WRITE)
    for latitude in (46, 47):
        fix = {
            "tracker": "default",
            "id": "x",
            "lat": latitude,
            "lon": 7,
            "timestamp": "2026-11-28T05:00:00Z",
        }
        guarded.ask(writer, "GET", "/osmand", params=fix)
    (entry,) = guarded.audit()
    assert (entry.target, entry.calls) == ("/osmand?tracker=default", 2)


def test_a_line_break_behind_a_path_opens_no_route_that_is_not_on_record(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    for path in ("/v1/keys%0a", "/v1/keys%0A", "/v1/trackers%0a", "/v1/geofences%0a"):
        said = guarded.refusal(404, admin, "POST", path, json={"name": "x", "trackerName": "x"})
        assert "line break" in said
    assert len(guarded.ask(admin, "GET", "/v1/keys").json()["items"]) == 1
