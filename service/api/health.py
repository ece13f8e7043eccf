"""Whether the service lives, and whether it is ready for work."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from msgspec import UNSET, Meta, UnsetType

from service.api.answers import Shape, answer, documented_answer
from service.api.callers import PerhapsCaller
from service.api.parameters import NoParameters
from service.api.services import Services

router = APIRouter(tags=["service"])


class Health(Shape, frozen=True):
    """The process lives."""

    status: Literal["ok"]
    version: str


class DependencyState(Shape, frozen=True):
    """How something that the service needs is."""

    ok: bool
    required: Annotated[bool, Meta(description="false: while it is away the service is ready all the same")]
    detail: str
    lag_seconds: Annotated[
        float | UnsetType,
        Meta(description="how far the read replica is behind: it has all that was committed before"),
    ] = UNSET


class Readiness(Shape, frozen=True):
    """Whether the service can do its work, and what that rests on."""

    ready: bool
    dependencies: Annotated[dict[str, DependencyState], Meta(description="by name")]


@router.get("/health", responses=documented_answer(Health, "The process lives"))
def health(services: Services, _: Annotated[NoParameters, Query()]) -> Response:
    """Does the process live? For a supervisor that restarts what does not answer."""
    return answer(Health("ok", services.version))


@router.get(
    "/ready",
    responses={
        **documented_answer(Readiness, "All that is required is there"),
        **documented_answer(Readiness, "Something required is away", status=503),
    },
)
def ready(services: Services, caller: PerhapsCaller, _: Annotated[NoParameters, Query()]) -> Response:
    """Is everything there that the service needs? Each dependency by name.

    The broker is `ok` once it has acknowledged the subscription. A mail server that is away is shown, but
    the service is ready all the same: mails wait for it. `tracking` says who evaluates which part of the
    devices where several processes share a database. `read replica` is there where reads go to one; while
    it is away or too far behind, they are answered by 503, and the service is not ready. Who does not say
    who they are, where that is asked for, learns only whether it is ready.
    """
    dependencies = {
        name: DependencyState(each.ok, each.required, each.detail, UNSET if each.lag is None else each.lag)
        for name, each in services.dependencies().items()
    }
    is_ready = all(each.ok or not each.required for each in dependencies.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return answer(Readiness(is_ready, {} if caller is None else dependencies), status)
