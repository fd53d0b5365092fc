"""The SPARQL endpoint: SPARQL 1.1 Protocol, section 2.1, and a plain form for people.

GET with `query`, POST of a form, POST of `application/sparql-query`. Beside the
protocol's own parameters: `timeout` (seconds, never above the limit) and `format`
(a short name, for links that cannot set Accept).
"""

import asyncio
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results

from thc_graph.errors import QueryError, QueryForbidden, QuerySyntaxError, QueueFull
from thc_graph.rdf import formats
from thc_graph.rdf.terms import PREFIXES
from thc_graph.service import Published, Service
from thc_graph.settings import Settings
from thc_graph.store import guard
from thc_graph.store.engine import Answer, Query
from thc_graph.web.negotiation import acceptable
from thc_graph.web.problems import Problem, problem_of, sentences_of
from thc_graph.web.quotas import quotas_of
from thc_graph.web.rendering import language_of, pages_of
from thc_graph.web.responses import with_charset

HTML: Final = "text/html"
FORM: Final = "application/x-www-form-urlencoded"
DIRECT: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
MACHINE: Final = (*formats.BINDINGS, *formats.GRAPHS)
ALIASES: Final = {  # what clients ask for → what they get
    "application/json": "application/sparql-results+json",
    "application/xml": "application/sparql-results+xml",
    "text/xml": "application/sparql-results+xml",
}
SHORT: Final = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
} | {each.suffix: each.media_type for each in formats.GRAPH_FORMATS}
SHOWN: Final = 500  # rows of a table on a page; the files hold them all
EXAMPLE: Final = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

SELECT ?class (COUNT(?thing) AS ?things)
WHERE { ?thing a ?class }
GROUP BY ?class
ORDER BY DESC(?things)
LIMIT 50
"""
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Max-Age": "86400",
}
GONE: Final = 499  # nobody is there to read it; it stands in the log

router = APIRouter()
Done = TypeVar("Done")


@dataclass(frozen=True)
class Asked:
    """A request of the protocol, read but not yet judged."""

    query: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    timeout: str | None
    format: str | None


@router.options("/sparql")
async def preflight() -> Response:
    return Response(status_code=204, headers={**PREFLIGHT, "Allow": "GET, HEAD, POST, OPTIONS"})


@router.api_route("/sparql", methods=["GET", "HEAD"])
async def get(request: Request) -> Response:
    settings: Settings = request.app.state.service.settings
    if len(request.url.query) > settings.line_size:
        raise Problem(414, "LineTooLong", {"limit": settings.line_size})
    parameters = parse_qsl(request.url.query, keep_blank_values=True)
    if not any(name in ("query", "update") for name, _ in parameters):
        return _form(request)
    return await _answer(request, _asked(parameters))


@router.post("/sparql")
async def post(request: Request) -> Response:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == UPDATE:
        raise QueryForbidden("SPARQL Update")
    if media_type not in (FORM, DIRECT):
        raise Problem(415, "UnsupportedType", {"offered": (FORM, DIRECT)})
    text = await _body(request)
    parameters = parse_qsl(request.url.query, keep_blank_values=True)
    if media_type == FORM:
        return await _answer(request, _asked(parse_qsl(text, keep_blank_values=True)))
    return await _answer(request, _asked([*parameters, ("query", text)]))


async def _body(request: Request) -> str:
    """Return the body, refused before it is read whole where it is too large."""
    limit: int = request.app.state.service.settings.body_size
    content = bytearray()
    if request.headers.get("content-length", "0").isdigit():
        _check_size(int(request.headers.get("content-length", "0")), limit)
    async for chunk in request.stream():
        content += chunk
        _check_size(len(content), limit)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Problem(400, "NotUtf8") from fault


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Problem(413, "BodyTooLarge", {"limit": limit})


def _asked(parameters: list[tuple[str, str]]) -> Asked:
    """Read the parameters of SPARQL 1.1 Protocol, section 2.1.4: one query, any graphs."""
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    if "update" in values:
        raise QueryForbidden("SPARQL Update")
    if len(values.get("query", ())) != 1:
        raise Problem(400, "OneQuery")
    return Asked(
        query=values["query"][0],
        default_graphs=tuple(values.get("default-graph-uri", ())),
        named_graphs=tuple(values.get("named-graph-uri", ())),
        timeout=values.get("timeout", [None])[0],
        format=values.get("format", [None])[0],
    )


async def _answer(request: Request, asked: Asked) -> Response:
    service: Service = request.app.state.service
    wanted = _wanted(request, asked)
    as_page = wanted[0] == HTML
    types = MACHINE if as_page else tuple(each for each in wanted if each != HTML)
    query = _query(asked, types, service.settings)
    async with service.reading() as published:
        try:
            answer = await _charged(request, published, query)
        except (QueryError, Problem) as error:
            if as_page:
                return _form(request, asked.query, problem_of(error))
            raise
        if as_page:
            return await _page(request, asked, answer)
        content = await answer.read()
    return Response(
        content, media_type=with_charset(answer.media_type), headers=_headers(answer.truncated)
    )


def _wanted(request: Request, asked: Asked) -> tuple[str, ...]:
    """Return the media types that will do, best first; HTML is for those who prefer it."""
    if asked.format == "html":
        return (HTML,)
    if asked.format in SHORT:
        return (SHORT[asked.format],)
    offered = (*MACHINE, *ALIASES, HTML)
    found = acceptable(request.headers.get("accept", ""), offered)
    if not found:
        raise Problem(406, "NotAcceptable", {"offered": (*MACHINE, HTML)})
    return tuple(dict.fromkeys(ALIASES.get(each, each) for each in found))


def _query(asked: Asked, media_types: tuple[str, ...], settings: Settings) -> Query:
    return Query(
        text=asked.query,
        media_types=media_types,
        seconds=_seconds(asked.timeout, settings.seconds),
        default_graphs=asked.default_graphs or None,
        named_graphs=asked.named_graphs or None,
    )


def _seconds(timeout: str | None, limit: float) -> float:
    """Return the time a client asks for, never more than the limit."""
    if timeout is None or timeout == "":
        return limit
    try:
        asked = float(timeout)
    except ValueError as fault:
        raise Problem(400, "BadTimeout") from fault
    if not asked > 0:  # also not a number
        raise Problem(400, "BadTimeout")
    return min(asked, limit)


async def _charged(request: Request, published: Published, query: Query) -> Answer:
    """Answer on the client's account, and stop when the client hangs up."""
    quotas = quotas_of(request)
    client = request.client.host if request.client else ""
    quotas.admit(client)
    start = time.monotonic()
    try:
        guard.check(query.text)
        answering = published.pool.answer(query, lane="public")
        return await _while_listening(request, answering)
    except QueueFull:
        raise
    except QueryError as error:
        quotas.fail(client)
        raise _explained(error, query.text) from error
    finally:
        quotas.spend(client, time.monotonic() - start)


async def _while_listening(request: Request, work: Coroutine[Any, Any, Done]) -> Done:
    """Return what `work` gives; cancel it when the client hangs up."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Problem(GONE, "Gone")
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _explained(error: QueryError, text: str) -> Problem:
    """Return the error with, for a fault of syntax, the PREFIX lines it lacks."""
    problem = problem_of(error)
    if isinstance(error, QuerySyntaxError):
        problem.facts["hint"] = _hint(text)
    return problem


def _hint(text: str) -> str:
    """Return the PREFIX lines that a query uses and forgets, where we know them."""
    plain = re.sub(r"<[^<>\s]*>|\"[^\"]*\"|'[^']*'|#[^\n]*", " ", text)
    declared = set(re.findall(r"(?i)\bPREFIX\s+([\w-]*)\s*:", text))
    used = set(re.findall(r"(?<![\w?$:-])([a-zA-Z][\w-]*):", plain)) - declared
    return "\n".join(f"PREFIX {p}: <{PREFIXES[p]}>" for p in sorted(used) if p in PREFIXES)


def _headers(truncated: bool) -> dict[str, str]:  # noqa: FBT001
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    return headers | {"X-Truncated": "true"} if truncated else headers


def _form(request: Request, query: str = "", problem: Problem | None = None) -> Response:
    """Return the form: empty, or with a query that was refused and the reason."""
    pages, told = pages_of(request), language_of(request)
    page = _rendered(
        request,
        query=query or EXAMPLE,
        problem=problem,
        sentences=sentences_of(pages, problem, told) if problem else {},
    )
    status, headers = (problem.status, problem.headers) if problem else (200, {})
    vary = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
    return Response(page, status, headers | vary, with_charset(HTML))


async def _page(request: Request, asked: Asked, answer: Answer) -> Response:
    """Return the form with the answer under it: a table, yes or no, or a text."""
    content = await answer.read()
    page = _rendered(request, query=asked.query, answer=_shown(content, answer))
    vary = {"Vary": "Accept, Accept-Language"}
    return Response(page, 200, _headers(answer.truncated) | vary, with_charset(HTML))


def _shown(content: bytes, answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"truncated": answer.truncated, "limit": SHOWN}
    if answer.media_type not in formats.BINDINGS:
        return shown | {"text": content.decode("utf-8")}
    found = parse_query_results(content, format=QueryResultsFormat.JSON)
    if not isinstance(found, QuerySolutions):
        return shown | {"verdict": bool(found)}
    rows = [tuple(row) for row in found]
    names = [each.value for each in found.variables]
    return shown | {"names": names, "rows": rows[:SHOWN], "total": len(rows)}


def _rendered(request: Request, **given: Any) -> bytes:
    settings: Settings = request.app.state.service.settings
    kept = {"problem": None, "sentences": {}, "answer": None, "shorts": SHORT}
    limits = {"seconds": settings.seconds, "size": settings.result_size}
    return pages_of(request).render(
        "sparql.html", request, language_of(request), **{**kept, **given}, limits=limits
    )
