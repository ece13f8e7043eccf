"""Tokens: JSON Web Tokens of one issuer, for us, good now; and what their claims let their bearer do.

https://www.rfc-editor.org/rfc/rfc8725 (what must be checked), https://www.rfc-editor.org/rfc/rfc9068 (access
tokens), https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from service.access.caller import Caller, Scope
from service.access.issuer import Issuer
from service.access.refusals import ExpiredKey, UnknownKey

LEEWAY_SECONDS: Final = 60
MOST_CHARACTERS: Final = 16_384
TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class Tokens:
    """Which tokens count. `audiences`: whom they are for. `claims`: where scopes are, as `<prefix>read`."""

    issuer: Issuer
    audiences: frozenset[str]
    claims: tuple[str, ...]
    prefix: str
    account_id: str

    def caller(self, token: str) -> Caller:
        """Who bears this token. Raises UnknownKey, ExpiredKey, IssuerAway."""
        claims = self._verified(token)
        if not self._is_for_us(claims):
            raise UnknownKey(f"token: it is for another audience than {', '.join(sorted(self.audiences))}")
        subject = claims.get("sub") or claims.get("client_id")
        if not isinstance(subject, str):
            raise UnknownKey("token: expected a subject (`sub`)")
        digest = hashlib.sha256(f"{self.issuer.url}\0{subject}".encode()).hexdigest()
        return Caller(
            f"token {_shown(subject)}", f"token {digest}", self.account_id, frozenset(self._scopes(claims))
        )

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > MOST_CHARACTERS:
            raise UnknownKey(f"token: expected at most {MOST_CHARACTERS} characters")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise UnknownKey("token: expected a JSON Web Token that is signed, or an API key") from None
        if str(header.get("typ", "JWT")).lower() not in TYPES:
            raise UnknownKey(f"token: of type {_shown(str(header.get('typ')))}, expected JWT or at+jwt")
        key = self.issuer.key(header.get("kid"))
        if key is None:
            raise UnknownKey(f"token: it is signed with a key that {self.issuer.url} does not have")
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=list(key.algorithms),
                issuer=self.issuer.url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise ExpiredKey("token: it has expired") from None
        except jwt.PyJWTError as error:
            raise UnknownKey(f"token: {error}") from None

    def _is_for_us(self, claims: Mapping[str, Any]) -> bool:
        """Cognito's access tokens have no `aud`: they say for which client they are."""
        if "aud" in claims:
            named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            return any(isinstance(each, str) and each in self.audiences for each in named)
        client = claims.get("client_id")
        return claims.get("token_use") == "access" and isinstance(client, str) and client in self.audiences

    def _scopes(self, claims: Mapping[str, Any]) -> Iterator[Scope]:
        for claim in self.claims:
            value = claims.get(claim)
            named = value.split() if isinstance(value, str) else value if isinstance(value, list) else ()
            for each in named:
                if isinstance(each, str) and each.startswith(self.prefix):
                    rest = each.removeprefix(self.prefix)
                    if rest in Scope.__members__.values():
                        yield Scope(rest)


def _shown(text: str) -> str:
    """Of a stranger's text what a log may have."""
    return "".join(each if each.isprintable() else "�" for each in text[:200])
