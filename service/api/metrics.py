"""Counters and histograms, as Prometheus reads them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.api.parameters import NoParameters
from service.api.services import Services

router = APIRouter(tags=["service"])

TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/metrics", responses=TEXT)
def metrics(services: Services, _: Annotated[NoParameters, Query()]) -> Response:
    """Positions, late ones, duplicates, conflicts, rejects by reason, events, deliveries, and durations."""
    return Response(generate_latest(services.metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)
