"""Events are found by their time. On PostgreSQL what they name is looked up by the statement, not row by row.

The version before goes on working: triggers do what foreign keys did, with the same SQLSTATE.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("event_by_time", "event", ["tracker_key", "sample_time", "seq"])
    if op.get_context().dialect.name != "postgresql":
        return
    for statement in (LOOK_UP, TAKE_ALONG):
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER event_looked_up AFTER INSERT ON event REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_looked_up()"
    )
    for name in ("device", "geofence"):
        op.execute(
            f"CREATE TRIGGER {name}_takes_events AFTER DELETE ON {name} REFERENCING OLD TABLE AS gone "
            f"FOR EACH STATEMENT EXECUTE FUNCTION events_taken_along('{name}_key')"
        )
    for name in ("tracker", "device", "geofence"):  # a tracker is its device's
        op.drop_constraint(f"event_{name}_key_fk", "event", type_="foreignkey")


LOOK_UP = """
CREATE FUNCTION event_looked_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- nobody deletes these until the transaction ends, as with a foreign key
    PERFORM FROM geofence WHERE key IN (SELECT geofence_key FROM added) ORDER BY key FOR KEY SHARE;
    PERFORM FROM device WHERE key IN (SELECT device_key FROM added) ORDER BY key FOR KEY SHARE;
    IF EXISTS (SELECT FROM added WHERE NOT EXISTS (SELECT FROM geofence WHERE key = added.geofence_key))
        OR EXISTS (SELECT FROM added WHERE NOT EXISTS (SELECT FROM device WHERE key = added.device_key))
    THEN
        RAISE foreign_key_violation USING MESSAGE = 'an event of a device or geofence that is not there';
    END IF;
    RETURN NULL;
END
$$
"""

TAKE_ALONG = """
CREATE FUNCTION events_taken_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_ARGV[0] = 'device_key' THEN
        DELETE FROM event USING gone WHERE event.device_key = gone.key;
    ELSE
        DELETE FROM event USING gone WHERE event.geofence_key = gone.key;
    END IF;
    RETURN NULL;
END
$$
"""
