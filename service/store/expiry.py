"""Up to when history may have gone: what is measured before is no longer promised to be there.

Retention notes it before it drops anything, so that whoever reads the database knows what may be missing.
"""

from sqlalchemy import Connection, select

from service.store.columns import upsert
from service.store.schema import sequence

EXPIRED_BEFORE = "expired_before"


def note_expiry(connection: Connection, sample_time: int) -> None:
    """From now on positions and events measured before `sample_time` (ms) may go. It never goes back."""
    statement = upsert(connection, sequence).values(name=EXPIRED_BEFORE, value=sample_time)
    newer = statement.excluded.value > sequence.c.value
    new = {"value": statement.excluded.value}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=new, where=newer))


def expired_before(connection: Connection) -> int | None:
    """The sample_time (ms) before which positions and events may have gone; None where none ever went."""
    return connection.scalar(select(sequence.c.value).where(sequence.c.name == EXPIRED_BEFORE))
