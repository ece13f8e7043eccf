"""The gate before the API: who calls, whether they may, and when it is their turn.

A stranger costs little: no body is read before the key that is named is known. Nothing is at work before
its body is there, so that who sends slowly takes no place from others.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final, TypeVar
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from service.access.all_rules import RULES
from service.access.caller import IN_SCOPE, Caller, Scope, local_caller
from service.access.control import AccessControl, Asked
from service.access.fair_share import TOGETHER, FairShare
from service.access.offered import KEY_IN_QUERY, ApiKey, Offered, offered
from service.access.rates import Rates
from service.access.refusals import (
    BadSignature,
    Forbidden,
    NoCredentials,
    NoSuchPath,
    answer_of,
)
from service.access.request_body import Held, empty, once_more, read_whole
from service.access.rules import Audited, Found
from service.access.signatures import Signature, SignedRequest, only, without, without_signature
from service.access.touching import Thing, check_touched, touched
from service.access.verifying import check_account, check_scope
from service.api.amazon_errors import amazon_error
from service.api.bodies import KIBIBYTE, MEBIBYTE
from service.api.guard import METHOD_SENT
from service.api.problems import RETRY_SECONDS, problem
from service.errors import AccessRefused, CannotNow
from service.location.paths import is_location
from service.store.audit import AuditEntry

PASSED_ON: Final = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"cf-connecting-ip",
        b"via",
    }
)
"""Headers of a proxy: who comes through one is not on this machine."""

TARGET_CHARACTERS: Final = 500
UNKNOWN_BODY: Final = 64 * KIBIBYTE
"""Bytes that a signed request to nowhere may have."""

UNPROVED_IN_ALL, UNPROVED_OF_ONE = 256 * MEBIBYTE, 96 * MEBIBYTE
"""Bytes of bodies that are read before their signature can be verified, which is of them: who knows the id of
an access key, and not its secret, takes no room from those who have said who they are."""

LOOKING_UP: Final = 8
"""Threads that ask the database for keys; as many ask an issuer for its. Routes have others."""

Answer = TypeVar("Answer")


class Gate:
    """An ASGI middleware, of one event loop."""

    def __init__(self, app: ASGIApp, control: AccessControl) -> None:
        self.app = app
        self.control = control
        self.share = FairShare(control.shares)
        self.together = FairShare(TOGETHER)
        self.held = Held()
        self.unproved = Held(UNPROVED_IN_ALL, UNPROVED_OF_ONE)
        self.rates = Rates()
        self.local = local_caller(control.account_id)
        self.key_threads = CapacityLimiter(LOOKING_UP)
        self.token_threads = CapacityLimiter(LOOKING_UP)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await _Passage(self, scope, receive, send).answer()


class _Passage:
    """One request on its way through."""

    def __init__(self, gate: Gate, scope: AsgiScope, receive: Receive, send: Send) -> None:
        self._gate, self._control = gate, gate.control
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = Headers(scope=scope)
        self._path = scope["raw_path"].decode("latin-1")
        self._query = scope["query_string"].decode("latin-1")
        self._found = RULES.find(scope["method"], self._path)
        self._caller: Caller | None = None
        self._amazon = not self._path.startswith("/v1/") and (
            self._found.rule.amazon if self._found else is_location(scope)
        )

    async def answer(self) -> None:
        try:
            await self._pass()
        except AccessRefused as refusal:
            if isinstance(refusal, Forbidden):
                self._gather(refusal.status)
            browser = self._found is not None and self._found.rule.browser
            await self._answer(answer_of(refusal, amazon=self._amazon, basic=browser))
        except CannotNow as error:
            headers = {"Retry-After": str(RETRY_SECONDS)}
            if self._amazon:
                said = {"message": str(error)}
                await self._answer(amazon_error("InternalServerException", 503, said, headers))
            else:
                await self._answer(problem(503, str(error), headers=headers))
        except ClientDisconnect:
            return

    async def _pass(self) -> None:
        async with AsyncExitStack() as held:
            caller, body = await self._authenticated(held)
            self._caller = caller
            if caller is None:
                if not self._asks_nobody():
                    await held.enter_async_context(self._gate.share.place(f"stranger {self._address()}"))
                await self._app_with(None)
                return
            rate = caller.rate_limit or self._control.rate_limit
            if rate is not None:
                self._gate.rates.take(caller.identity, rate)
            check_account(caller, self._control.account_id)
            found = self._checked(caller)
            if body is None and not empty(self._headers) and found is not None:
                account = held.enter_context(self._gate.held.account(caller.identity))
                body = await read_whole(self._receive, self._headers, found.rule.body, account)
            if body is not None:
                self._receive = once_more(body, self._receive)
            together = found is not None and found.rule.together
            share = self._gate.together if together else self._gate.share
            await held.enter_async_context(share.place(caller.identity))
            if found is not None:
                await self._check_touched(caller, found)
            await self._app_with(caller)

    async def _authenticated(self, held: AsyncExitStack) -> tuple[Caller | None, bytes | None]:
        """Who calls, and the body where it had to be read for that; None: it does not matter who."""
        if self._asks_nobody():
            return None, None
        asked = self._control.asked
        passed_on = any(name in PASSED_ON for name, _ in self._scope["headers"])
        at_home = asked is Asked.STRANGERS and not passed_on
        verified = not at_home or (self._offers_something() and await self._anything_to_verify())
        if asked is Asked.NOBODY or not verified:
            if "X-Amz-" in self._query:  # what nobody looks at is no parameter of what is asked, either
                self._query = without_signature(self._query)
            return self._gate.local, None
        request = SignedRequest(
            self._scope.get(METHOD_SENT, self._scope["method"]),
            self._path,
            self._query,
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._scope["headers"]],
        )
        key_in_query = self._found is not None and self._found.rule.key_in_query
        credentials = offered(request, key_in_query=key_in_query)
        if key_in_query:
            self._query = without(self._query, {KEY_IN_QUERY})
        if credentials is None:
            if at_home:
                return self._gate.local, None
            if self._found is not None and self._found.rule.strangers:
                return None, None
            raise NoCredentials(self._what_is_expected())
        return await self._verified(credentials, request, held)

    async def _verified(
        self, credentials: Offered, request: SignedRequest, held: AsyncExitStack
    ) -> tuple[Caller, bytes | None]:
        verifier, ring = self._control.verifier, self._control.ring
        if isinstance(credentials, Signature | ApiKey):
            if isinstance(credentials, Signature):
                verifier.check_early(credentials, iot=self._path.startswith("/topics/"))
            kept = ring.kept(credentials.key_id)
            row = kept[0] if kept else await self._in_thread(lambda: ring.look_up(credentials.key_id))
            if isinstance(credentials, ApiKey):
                caller, body = verifier.holder(credentials, row), None
            else:
                body = b""
                if row is not None and not empty(self._headers):
                    address = f"unproved {self._address()}"
                    account = held.enter_context(self._gate.unproved.account(address))
                    most = self._found.rule.body if self._found else UNKNOWN_BODY
                    body = await read_whole(self._receive, self._headers, most, account)
                caller = verifier.signer(credentials, row, request, body)
                self._query = without_signature(self._query)
            assert row is not None  # noqa: S101 - narrows the type: there is no caller without
            ring.note_use(row, verifier.clock())
            return caller, body
        tokens = self._control.tokens
        if tokens is None:
            raise BadSignature("token: no issuer is configured here, only keys are taken")
        return await to_thread.run_sync(
            tokens.caller, credentials.text, limiter=self._gate.token_threads
        ), None

    def _asks_nobody(self) -> bool:
        return self._found is not None and self._found.rule.scope is None

    def _offers_something(self) -> bool:
        """Whether there may be credentials. Who has none, and need not, is answered without the database."""
        key_in_query = self._found is not None and self._found.rule.key_in_query
        return (
            "authorization" in self._headers
            or "x-api-key" in self._headers
            or "X-Amz-" in unquote(self._query)
            or (key_in_query and f"{KEY_IN_QUERY}=" in self._query)
        )

    async def _anything_to_verify(self) -> bool:
        """Whether there is a key or an issuer, so that credentials mean something."""
        if self._control.tokens is not None:
            return True
        kept = self._control.ring.kept_any()
        return await self._in_thread(self._control.ring.look_for_any) if kept is None else kept

    def _checked(self, caller: Caller) -> Found | None:
        """The rule, which allows it. Raises Forbidden, NoSuchPath."""
        found = self._found
        if found is None:
            if not caller.may(Scope.ADMIN) or caller.tags:
                raise NoSuchPath(f"there is nothing at {self._scope['path']} that {caller.name} may ask")
            return None
        if found.rule.scope is not None:
            check_scope(caller, found.rule.scope, found.rule.operation)
        if found.rule.untagged and caller.tags:
            raise Forbidden(f"{caller.name} may touch what has its tags only: not {found.rule.operation}")
        return found

    async def _check_touched(self, caller: Caller, found: Found) -> None:
        if not found.rule.touches:
            return
        things = touched(found, self._query, self._control.defaults, self._control.account_id)
        if caller.tags:
            await self._in_thread(lambda: self._look_at_tags(caller, things))

    def _look_at_tags(self, caller: Caller, things: Sequence[Thing]) -> None:
        with self._control.ring.database.read() as connection:
            check_touched(connection, caller, things)

    async def _app_with(self, caller: Caller | None) -> None:
        scope = {**self._scope, IN_SCOPE: caller, "query_string": self._query.encode("latin-1")}
        rule = self._found.rule if self._found else None
        send = self._send if rule is None or rule.audited is Audited.NOT else self._auditing
        await self._gate.app(scope, self._receive, send)

    async def _auditing(self, message: Message) -> None:
        """A change is on the record before its answer is sent."""
        if message["type"] == "http.response.start":
            assert self._found is not None  # noqa: S101 - narrows the type: only these are audited
            if self._found.rule.audited is Audited.EACH and message["status"] < 400:
                entry = self._entry(message["status"])
                await self._in_thread(lambda: self._control.audit.write(entry))
            else:
                self._gather(message["status"])
        await self._send(message)

    def _gather(self, status: int) -> None:
        if (
            self._caller is not None
            and self._found is not None
            and self._found.rule.audited is not Audited.NOT
        ):
            self._control.audit.gather(self._entry(status))

    def _entry(self, status: int) -> AuditEntry:
        assert self._found is not None and self._caller is not None  # noqa: S101 - narrows the types
        rule = self._found.rule
        if rule.audited is Audited.GATHERED:  # a position's members are none of what it was sent to
            query = only(self._query, {each.parameter for each in rule.touches})
        else:
            query = without(self._query, {KEY_IN_QUERY})  # sent by mistake, where none is taken from it
        target = (self._path + (f"?{query}" if query else ""))[:TARGET_CHARACTERS]
        return AuditEntry(
            self._control.verifier.clock(),
            self._caller.name,
            self._caller.account_id,
            rule.operation,
            target,
            status,
            self._address(),
        )

    def _address(self) -> str:
        client = self._scope.get("client")
        return client[0] if client else ""

    def _what_is_expected(self) -> str:
        if self._amazon:
            return "Missing Authentication Token"
        ways = "an API key (X-Api-Key), a token (Authorization: Bearer) or a signature (AWS4-HMAC-SHA256)"
        if self._control.asked is Asked.STRANGERS:
            return (
                f"expected {ways}: this came through a proxy. Where that asks people who they are, "
                "set OVERFLY_AUTH=off here"
            )
        return f"expected {ways}"

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        return await to_thread.run_sync(work, limiter=self._gate.key_threads)

    async def _answer(self, response: Response) -> None:
        await response(self._scope, self._receive, self._send)
