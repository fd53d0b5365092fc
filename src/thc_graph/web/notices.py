"""Notices: who publishes and who hosts, and the limits that hold for everyone."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from thc_graph.service import Published
from thc_graph.settings import Settings
from thc_graph.store import guard
from thc_graph.web.entities import HTML
from thc_graph.web.negotiation import choose
from thc_graph.web.problems import Problem
from thc_graph.web.rendering import language_of, pages_of
from thc_graph.web.responses import represent
from thc_graph.web.routing import Router

NOTICES: Final = ("mentions-legales", "limites")

router = Router()


@router.get("/mentions-legales")
async def legal(request: Request, reading: Published) -> Response:
    return _notice(request, reading, "legal.html")


@router.get("/limites")
async def limits(request: Request, reading: Published) -> Response:
    return _notice(request, reading, "limits.html")


def _notice(request: Request, reading: Published, template: str) -> Response:
    if choose(request.headers.get("accept", ""), (HTML,)) is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML,)})
    told = language_of(request)
    settings: Settings = request.app.state.service.settings
    content = pages_of(request).render(template, request, told, limits=limits_of(settings))
    return represent(request, reading, content, HTML, language=told)


def limits_of(settings: Settings) -> dict[str, tuple[float, str]]:
    """Return each limit by its name in the catalogue, with its unit."""
    return {
        "seconds": (settings.seconds, "seconds"),
        "result": (settings.result_size, "bytes"),
        "query": (guard.MAX_BYTES, "bytes"),
        "line": (settings.line_size, "bytes"),
        "head": (settings.head_size, "bytes"),
        "body": (settings.body_size, "bytes"),
        "slow": (settings.slow_seconds, "seconds"),
        "memory": (settings.memory, "bytes"),
        "depth": (guard.MAX_DEPTH, "brackets"),
        "chain": (guard.MAX_CHAIN, "operators"),
        "spent": (settings.client_seconds, "seconds_a_minute"),
        "failed": (settings.client_failures, "queries_a_minute"),
        "connections": (settings.client_connections, "connections"),
    }
