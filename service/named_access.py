"""Who may call, as the settings have it."""

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from service.access.audit import AuditLog
from service.access.control import AccessControl, Asked
from service.access.issuer import Issuer, checked_url
from service.access.key_ring import KeyRing
from service.access.keys_secret import FILE, KeysSecret
from service.access.rules import Kind
from service.access.tokens import Tokens
from service.access.verifying import Verifier
from service.catalog import DEFAULT
from service.errors import SettingsError
from service.settings import Settings
from service.store.database import Database
from service.timestamps import now

HOW: Final = (
    "`overfly keys create NAME --scope admin` makes a key, or set OVERFLY_OIDC_ISSUER and "
    "OVERFLY_OIDC_AUDIENCE, whose tokens are taken"
)


def named_access(settings: Settings, database: Database, *, at_home: bool) -> AccessControl:
    """at_home: whether only this machine reaches the API. Raises SettingsError, StoreAway."""
    ring, secret, tokens = KeyRing(database), named_keys_secret(settings), _tokens(settings)
    asked = Asked(settings.auth) if at_home or settings.auth != "auto" else Asked.ALL
    if asked is Asked.NOBODY and not at_home:
        raise SettingsError(
            "OVERFLY_AUTH=off is for loopback only: whoever reaches another address could do all"
        )
    if asked is Asked.ALL and tokens is None and not ring.look_for_any():
        why = "OVERFLY_AUTH=required" if at_home else "an address that others reach"
        raise SettingsError(f"{why}: callers must say who they are, and nothing knows any. {HOW}")
    return AccessControl(
        asked=asked,
        account_id=settings.account_id,
        ring=ring,
        verifier=Verifier(secret, now),
        secret=secret,
        tokens=tokens,
        audit=AuditLog(database, ring, now),
        defaults={Kind.TRACKER: settings.tracker, Kind.COLLECTION: DEFAULT},
        rate_limit=settings.rate_limit,
    )


def named_keys_secret(settings: Settings) -> KeysSecret:
    """Raises SettingsError."""
    given = _secret(settings.keys_secret, settings.keys_secret_file, "OVERFLY_KEYS_SECRET")
    made_here = settings.database_url is None
    return KeysSecret(None if given is None else given.encode(), settings.data_dir / FILE, made_here)


def named_api_key(settings: Settings) -> str | None:
    """What commands show to a running service. Raises SettingsError."""
    return _secret(settings.api_key, settings.api_key_file, "OVERFLY_API_KEY")


def named_tls(settings: Settings) -> tuple[Path, Path] | None:
    """Certificate and key that `serve` shows; None for plain HTTP. Raises SettingsError."""
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsError("OVERFLY_TLS_CERT_FILE and OVERFLY_TLS_KEY_FILE: set both, or none")
    return certificate, key


def _tokens(settings: Settings) -> Tokens | None:
    if settings.oidc_issuer is None:
        if settings.oidc_audience:
            raise SettingsError("OVERFLY_OIDC_AUDIENCE needs OVERFLY_OIDC_ISSUER, whose tokens it is about")
        return None
    if not settings.oidc_audience:
        raise SettingsError(
            "OVERFLY_OIDC_ISSUER needs OVERFLY_OIDC_AUDIENCE: an issuer makes tokens for others, too, "
            "which must not count here"
        )
    try:
        issuer = Issuer(checked_url(settings.oidc_issuer))
    except ValueError as error:
        raise SettingsError(f"OVERFLY_OIDC_ISSUER: {error}") from None
    audiences = frozenset(settings.oidc_audience)
    return Tokens(issuer, audiences, settings.oidc_claims, settings.oidc_prefix, settings.account_id)


def _secret(given: SecretStr | None, file: Path | None, name: str) -> str | None:
    if given is not None and file is not None:
        raise SettingsError(f"{name} and {name}_FILE: set one of them")
    if file is None:
        return None if given is None else given.get_secret_value()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise SettingsError(f"{name}_FILE: {file}: {reason}") from None
