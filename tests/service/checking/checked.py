"""Checks of a workshop's database, for tests."""

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.store.database import Database


def checked(
    database: Database, *, fixes_at_once: int = 1_000, unknown_altitude_inside: bool = False
) -> tuple[Findings, list[Violation]]:
    """What a check counts, and the violations that it tells."""
    violations: list[Violation] = []
    findings = Findings(violations.append)
    check_database(
        database,
        findings,
        fixes_at_once=fixes_at_once,
        unknown_altitude_inside=unknown_altitude_inside,
    )
    return findings, violations
