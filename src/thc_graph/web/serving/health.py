"""Health: is the process up, can it answer, and how is it doing."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from thc_graph.instance.service import Service
from thc_graph.web.http.clients import may_read_metrics
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import OWN
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.serving.metrics import Metrics

NOW = {"Cache-Control": "no-store"}

router = Router()


@router.get("/healthz")
async def healthz() -> Response:
    """Say that the process is up, whatever state its data are in."""
    return PlainTextResponse("ok\n", headers=NOW)


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether visitors should be sent here and, if not, all that is missing."""
    missing = _service(request).unready()
    if not missing:
        return PlainTextResponse("ok\n", headers=NOW)
    t = pages_of(request).translator(language_of(request))
    lines = (t(f"ready.{each}") for each in missing)
    return PlainTextResponse("".join(f"{line}\n" for line in lines), 503, headers=NOW)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Tell the measures to the networks of `metrics_from`; for others there is nothing."""
    if not may_read_metrics(request):
        raise Problem(404, "NotFound")
    text = _measures(request).text()
    return Response(text, headers={**NOW, **OWN, "Content-Type": CONTENT_TYPE_LATEST})


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _measures(request: Request) -> Metrics:
    measures: Metrics = request.app.state.metrics
    return measures
