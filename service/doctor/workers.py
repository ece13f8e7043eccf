"""Whether somebody evaluates what comes, where several processes share a database."""

from service.doctor.finding import Finding
from service.errors import StoreAway
from service.shares import told_shares
from service.store.database import Database


def workers_finding(database: Database) -> Finding:
    """Who has how many shards. Nobody, or a few that nobody has for the moment, is a warning."""
    try:
        with database.read() as connection:
            whole, told = told_shares(connection)
    except StoreAway as error:
        return Finding("workers", "fault", str(error))
    return Finding("workers", "ok" if whole else "warning", told)
