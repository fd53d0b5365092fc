"""Notices: who publishes and who hosts, and the limits that hold for everyone."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from thc_graph.instance.reading import Published
from thc_graph.instance.settings import Settings
from thc_graph.store.engine import guard
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import language_of, pages_of

KIBI: Final = 1024
UNITS: Final = ("bytes", "kibibytes", "mebibytes", "gibibytes")  # of the catalogue

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
        "result": _sized(settings.result_size),
        "query": _sized(guard.MAX_BYTES),
        "line": _sized(settings.line_size),
        "head": _sized(settings.head_size),
        "body": _sized(settings.body_size),
        "slow": (settings.slow_seconds, "seconds"),
        "memory": _sized(settings.memory),
        "depth": (guard.MAX_DEPTH, "brackets"),
        "chain": (guard.MAX_CHAIN, "operators"),
        "spent": (settings.client_seconds, "seconds_a_minute"),
        "failed": (settings.client_failures, "queries_a_minute"),
        "connections": (settings.client_connections, "connections"),
    }


def _sized(size: int) -> tuple[int, str]:
    """Return a number of bytes in the largest unit that has it whole.

    >>> _sized(16_384), _sized(1_000)
    ((16, 'kibibytes'), (1000, 'bytes'))
    """
    unit = 0
    while size and size % KIBI == 0 and unit < len(UNITS) - 1:
        size, unit = size // KIBI, unit + 1
    return size, UNITS[unit]
