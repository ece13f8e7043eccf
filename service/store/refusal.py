"""What the database refuses, as one line: what it says, and what an operator does about it.

SQLSTATE says what it is, whatever language the server speaks. Where no connection came about there is none,
and only the server's words are left.
https://www.postgresql.org/docs/15/errcodes-appendix.html
"""

from typing import Final

from sqlalchemy.exc import DBAPIError, NotSupportedError, ProgrammingError

ADVICE: Final = {
    "0A000": "its schema changed under a statement that was prepared; it is tried again",
    "25006": "it takes no writes: point OVERFLY_DATABASE_URL at the primary, or wait until it is one",
    "25P03": "what stood still in a transaction was ended; it is tried again",
    "3F000": "its tables are not there: was a copy restored, is it the right database?",
    "40001": "another transaction was in the way; it is tried again",
    "40P01": "another session took locks in another order; it is tried again; the server's log names both",
    "42501": "a right is missing: make the role of OVERFLY_DATABASE_URL the owner of the tables",
    "42703": "its schema is not this version's: `overfly migrate`, or the version that fits it",
    "42883": "its schema is not this version's: `overfly migrate`, or the version that fits it",
    "42P01": "its tables are not there: was a copy restored, is it the right database?",
    "53100": "its disk is full: make room there, and all goes on by itself",
    "53200": "it has no memory left: lower work_mem or shared_buffers there, or give it more",
    "53300": "others have all its connections: raise max_connections there, or put a pooler between",
    "53400": "a limit that is set there was reached: raise it",
    "55P03": "somebody holds a lock, such as a migration or an open session: see pg_locks there",
    "57014": "a statement took too long or was cancelled: see pg_stat_activity for what keeps it busy",
    "57P01": "it was shut down, or an administrator ended the connection; it is tried again",
    "57P02": "another process of it crashed; it is tried again",
    "57P03": "it is starting or stopping; it is tried again",
    "58030": "its disk fails: see the server's log",
}
"""By SQLSTATE. What is not here says enough by itself."""

CUT: Final = "by the network, a restart or an administrator; it is tried again"

WORDS: Final = {
    "too many clients": ADVICE["53300"],
    "too many connections": ADVICE["53300"],
    "connection slots are reserved": ADVICE["53300"],
    "password authentication failed": "mend user or password; a file or secret is read anew by itself",
    "no password supplied": "it asks for a password: set OVERFLY_DATABASE_PASSWORD_FILE or _SECRET",
    "no pg_hba.conf entry": "let its pg_hba.conf allow this user from this host, with TLS if it says so",
    "does not support SSL": "turn on ssl there; sslmode=disable in OVERFLY_DATABASE_URL goes without",
    "certificate verify failed": "name its authority: sslrootcert=<PEM file> in OVERFLY_DATABASE_URL",
    "does not match host name": "name the host as in its certificate, or have it one for this name",
    "Connection refused": "is it running, and is this its address?",
    "closed the connection unexpectedly": CUT,
    "connection is lost": CUT,
    "connection is closed": CUT,
}
"""Of connections that did not come about, or ended; found in what libpq, the driver or a server says that
speaks English."""


def waited_out(error: DBAPIError) -> bool:
    """Whether the same may succeed later: all but the data, and a statement that can never be."""
    if isinstance(error, (ProgrammingError, NotSupportedError)):
        return _state(error) in ADVICE
    return True


def sentence(error: DBAPIError) -> str:
    """What it says and what to do, on one line. Never the statement, nor its values."""
    said, state = first_line(error), _state(error)
    advice = ADVICE.get(state) or next((WORDS[words] for words in WORDS if words in said), None)
    known = f"{said} ({state})" if state else said
    return f"{known}: {advice}" if advice else known


def first_line(error: DBAPIError) -> str:
    """What the database says; the lines that follow show statements, or each address that was tried."""
    first, _, others = str(error.orig).partition("\n")
    if first.endswith("All failures were:"):  # of a host with several addresses
        return others.rpartition("\n")[2].removeprefix("- ")
    return first


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
