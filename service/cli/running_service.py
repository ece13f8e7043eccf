"""A service that runs, as commands speak to it: over its API, at a URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn

from geofence.faults import GeofenceFault
from service.errors import CannotNow, NotFound, OverflyError, Refused
from service.named_access import named_api_key
from service.settings import read_settings

if TYPE_CHECKING:
    import httpx

PAGE = 1000
"""Rows of a list asked for at once: the most that the API gives."""

ANSWER_SECONDS = 600.0
CONNECT_SECONDS = 10.0

HERE = "http://127.0.0.1:8080"
HOW_TO_SHOW_A_KEY = ": set OVERFLY_API_KEY, or OVERFLY_API_KEY_FILE, to one that may"
Url = Annotated[str, typer.Option(help="Where `overfly serve` answers.")]


@contextmanager
def client_of(url: str) -> "Iterator[httpx.Client]":
    """A client of the API at this URL, with the key of OVERFLY_API_KEY.

    Raises CannotNow where nobody answers, Refused for what is no URL.
    """
    import httpx  # noqa: PLC0415 - a fifth of a second that other commands do not need

    directly: dict[str, httpx.BaseTransport | None] = {
        f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")
    }  # no proxy of the environment's knows our own machine
    try:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        key = named_api_key(read_settings())
        headers = {} if key is None else {"X-Api-Key": key}
        with httpx.Client(base_url=url, timeout=timeout, mounts=directly, headers=headers) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Refused(f"--url {url}: {error}; expected for example {HERE}") from None
    except httpx.TransportError as error:
        raise CannotNow(
            f"no Overfly answers at {url} ({error}): start `overfly serve`, or say where it is with --url"
        ) from None


def content_of(answer: "httpx.Response", what: str) -> bytes:
    """The content of an answer that is none of a problem; else raises what the problem says."""
    if answer.is_success and "json" in answer.headers.get("content-type", ""):
        return answer.content
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.MsgspecError:
        raise OverflyError(f"{answer.url} answered {answer.status_code}, but not as Overfly does") from None
    how = HOW_TO_SHOW_A_KEY if answer.status_code == HTTPStatus.UNAUTHORIZED else ""
    sentence = "\n".join([f"{what}: {problem.detail}{how}", *(f"  {fault}" for fault in problem.errors)])
    raise {404: NotFound, 503: CannotNow}.get(answer.status_code, Refused)(sentence)


def pages_of(client: "httpx.Client", path: str, shape: "type[AnyPage]", **query: str) -> "Iterator[AnyPage]":
    """All pages of a list of the API, one after the other. Raises as `content_of`."""
    query["limit"] = str(PAGE)
    while True:
        answer = client.get(path, params=query)
        page = msgspec.json.decode(content_of(answer, "export"), type=shape)
        yield page
        if page.next_cursor is None:
            return
        query["cursor"] = page.next_cursor


class Page(msgspec.Struct, rename="camel"):
    """As much of a page of any list as is needed to ask for the next."""

    next_cursor: str | None


AnyPage = TypeVar("AnyPage", bound=Page)


def bar_with(console: Console, column: ProgressColumn) -> Progress:
    """A bar on the terminal, gone when its work is done; nothing where stderr is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        column,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class Fault(msgspec.Struct, rename="camel"):
    """A fault as the API names it."""

    reason: str = ""
    detail: str = ""
    feature: int | None = None
    geofence_id: str | None = None
    ring: str | None = None
    vertex: int | None = None

    def __str__(self) -> str:
        where = (self.feature, self.geofence_id, self.ring, self.vertex)
        return str(GeofenceFault(self.reason, self.detail, *where))


class Problem(msgspec.Struct):
    """What the API answers where something is wrong."""

    detail: str
    errors: list[Fault] = []
