"""TLS to PostgreSQL: what is asked of a server elsewhere unless the operator says otherwise.

A server on this machine is trusted as it is. Of one elsewhere the certificate is verified, its name too, by
the authorities of `sslrootcert` or those of the system. libpq by itself would go without where the server
offers none, and verify nothing: https://www.postgresql.org/docs/15/libpq-ssl.html
"""

import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
READABLE: Final = frozenset({"disable", "allow", "prefer"})
"""Who sits on the way may read these, or have them so."""

OWN_AUTHORITIES: Final = Path(".postgresql/root.crt")
"""In the home folder, where libpq looks by itself."""
AUTHORITIES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep theirs. The OpenSSL that comes with the driver knows of none: `system` finds nothing."""


def tls_defaults(given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """What is to be added to libpq's parameters, where neither they nor its variables (PG*) say it."""
    mode = _mode(given, environment)
    added = {}
    if mode is None and is_elsewhere(given, environment):
        added["sslmode"] = mode = "verify-full"
    authorities = given.get("sslrootcert") or environment.get("PGSSLROOTCERT")
    if mode == "verify-full" and authorities in (None, "", "system"):
        own = Path(environment.get("HOME", "/")) / OWN_AUTHORITIES
        if authorities == "system" or not own.exists():
            added["sslrootcert"] = _authorities_of_the_system()
    return added


def weakness(given: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """What somebody on the way to the server could do, as an operator chose it; None where nothing."""
    mode = _mode(given, environment)
    if mode in (None, "verify-full") or not is_elsewhere(given, environment):
        return None
    if mode in READABLE:
        return f"sslmode={mode}: who is on the way may read and change what goes to the database"
    return f"sslmode={mode}: who is on the way may pass himself off as the database"


def is_elsewhere(given: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """Whether any of the servers may be on another machine; a service file may name any."""
    hosts = given.get("hostaddr") or given.get("host") or environment.get("PGHOSTADDR")
    hosts = hosts or environment.get("PGHOST")
    if not hosts:
        return bool(given.get("service") or environment.get("PGSERVICE"))
    return not all(_is_here(host) for host in str(hosts).split(","))


def _authorities_of_the_system() -> str:
    known = (ssl.get_default_verify_paths().cafile, *AUTHORITIES)
    return next((file for file in known if file is not None and Path(file).exists()), "system")


def _mode(given: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    return given.get("sslmode") or environment.get("PGSSLMODE") or None


def _is_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
