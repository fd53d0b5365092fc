"""The query page: a plain form, the answer under it, and the ways to take it elsewhere.

Everything works without JavaScript; where the editor was installed with the package
(scripts/assets.py), the page offers it beside the form.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from pyoxigraph import Literal, QueryResultsFormat, QuerySolutions, parse_query_results
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.instance.reading import Published
from thc_graph.rdf import formats
from thc_graph.rdf.terms import Term
from thc_graph.web.drawing import answers
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import with_charset
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages.problem import sentences_of
from thc_graph.web.sparql.answering import Result
from thc_graph.web.sparql.snippets import SNIPPETS

HTML: Final = "text/html"
EDITOR: Final = Path(__file__).parents[1] / "static" / "vendor" / "yasgui" / "yasgui.min.js"
SHOWN: Final = 500  # rows of a table on a page; the files hold them all
SHARED: Final = 8000  # characters of an address that every client takes
EXAMPLE: Final = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

SELECT ?class (COUNT(?thing) AS ?things)
WHERE { ?thing a ?class }
GROUP BY ?class
ORDER BY DESC(?things)
LIMIT 50
"""
SHORT: Final = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
} | {each.suffix: each.media_type for each in formats.GRAPH_FORMATS}


def form(request: Request, query: str = "", problem: Problem | None = None) -> Response:
    """Return the form: empty, or with a query that was refused and the reason."""
    pages, told = pages_of(request), language_of(request)
    sentences = sentences_of(pages, problem, told) if problem else {}
    page = _rendered(request, query=query or EXAMPLE, problem=problem, sentences=sentences)
    status, headers = (problem.status, problem.headers) if problem else (200, {})
    vary = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
    return Response(page, status, headers | vary, with_charset(HTML))


async def answered(request: Request, reading: Published, query: str, result: Result) -> bytes:
    """Return the form with the answer under it: a table, yes or no, or a text."""
    return _rendered(request, query=query, answer=await shown(request, reading, query, result))


async def shown(
    request: Request, reading: Published, query: str, result: Result, view: str = "table"
) -> dict[str, Any]:
    """Return what answer.html needs; `view` is used where the reader names no other."""
    endpoint = f"{request.app.state.service.settings.base}/sparql"
    told = {
        "truncated": result.truncated,
        "limit": SHOWN,
        "snippets": {n: write(endpoint, query, result.media_type) for n, write in SNIPPETS.items()},
        "files": _files(query, result),
        "share": _share(query, request.query_params.get("view", view)),
    }
    if result.media_type not in formats.BINDINGS:
        return told | {"text": result.content.decode("utf-8")}
    found = parse_query_results(result.content, format=QueryResultsFormat.JSON)
    if not isinstance(found, QuerySolutions):
        return told | {"verdict": bool(found)}
    names = tuple(each.value for each in found.variables)
    table = answers.Table(names, [tuple(row) for row in found])
    return told | await _viewed(request, reading, table, request.query_params.get("view", view))


async def _viewed(
    request: Request, reading: Published, table: answers.Table, wanted: str
) -> dict[str, Any]:
    able = answers.available(table)
    view = wanted if wanted in able else "table"
    drawing: Any = None
    match view:
        case "map":
            drawing = answers.drawn(table, await reading.once("outline", partial(_ground, reading)))
        case "bar":
            drawing = answers.bars(table)
        case "timeline":
            drawing = answers.timeline(table)
    others = {each: _with(request, "view", each) for each in able} if len(able) > 1 else {}
    return {
        "names": table.names,
        "rows": table.rows[:SHOWN],
        "total": len(table.rows),
        "view": view,
        "views": others,
        "drawing": drawing,
    }


async def _ground(reading: Published) -> list[answers.Place]:
    rows = await reading.bindings("service/outline")
    return [(_degrees(row["longitude"]), _degrees(row["latitude"])) for row in rows]


def _degrees(term: Term) -> float:
    return float(term.value) if isinstance(term, Literal) else 0.0


def _files(query: str, result: Result) -> dict[str, str]:
    """Return the short names of the formats of this answer, each with its address."""
    bindings = result.media_type in formats.BINDINGS
    shorts = [short for short, each in SHORT.items() if (each in formats.BINDINGS) == bindings]
    return {short: f"/sparql?{urlencode({'query': query, 'format': short})}" for short in shorts}


def _share(query: str, view: str) -> str:
    """Return the address of this query and its answer, empty where it is too long for one."""
    address = f"/sparql?{urlencode({'query': query, 'format': 'html', 'view': view})}"
    return address if len(address) < SHARED else ""


def _with(request: Request, name: str, value: str) -> str:
    """Return this page's address with one parameter set."""
    kept = [(key, each) for key, each in request.query_params.multi_items() if key != name]
    return f"{request.url.path}?{urlencode([*kept, (name, value)])}"


def _rendered(request: Request, **given: Any) -> bytes:
    kept: dict[str, Any] = {"problem": None, "sentences": {}, "answer": None, "shorts": SHORT}
    return pages_of(request).render(
        "sparql.html",
        request,
        language_of(request),
        **{**kept, **given},
        limits=request.app.state.service.settings,
        editor=EDITOR.is_file(),
    )
