"""The SPARQL endpoint: SPARQL 1.1 Protocol, section 2.1.

GET with `query`, POST of a form, POST of `application/sparql-query`. Beside the
protocol's own parameters: `timeout` (seconds, never above the limit) and `format`
(a short name or a media type, for links that cannot set Accept), which other engines'
clients call `output` or `results`. Without a query, the service description for
machines, the query page for people.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from thc_graph import quantities
from thc_graph.errors import QueryForbidden, QueryNotAcceptable
from thc_graph.instance.cache import Cache, digest
from thc_graph.instance.reading import Published
from thc_graph.instance.settings import Settings
from thc_graph.rdf import formats
from thc_graph.rdf.iris import is_iri
from thc_graph.store.engine import guard
from thc_graph.store.engine.guard import Dataset, Examined
from thc_graph.web.http import bodies
from thc_graph.web.http.hangups import Listening
from thc_graph.web.http.negotiation import acceptable, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import etag, is_fresh, with_charset
from thc_graph.web.http.routing import LANG, LANGUAGES, Router
from thc_graph.web.http.visit import language_of
from thc_graph.web.sparql import description
from thc_graph.web.sparql import page as query_page
from thc_graph.web.sparql.answering import (
    Question,
    Result,
    answer,
    aside,
    examine,
    unpublished,
)

if TYPE_CHECKING:
    from thc_graph.instance.service import Service

HTML: Final = "text/html"
IRI: Final = ":/?#[]@!$&'()*+,;=%"  # what an IRI keeps as it is in a header
FORM: Final = "application/x-www-form-urlencoded"
DIRECT: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
JSON, XML, CSV, TSV = formats.BINDINGS
TURTLE, JSON_LD, RDF_XML, N_TRIPLES = formats.GRAPHS
GRAPHS: Final = (*formats.GRAPHS, *(each.media_type for each in formats.DATASET_FORMATS), "text/n3")

# What clients say → what they get, for each form of result; our own types first.
BINDINGS_NAMES: Final = {each: each for each in formats.BINDINGS} | {
    "application/json": JSON,
    "application/xml": XML,
    "text/xml": XML,
    "json": JSON,
    "xml": XML,
    "csv": CSV,
    "tsv": TSV,
}
GRAPHS_NAMES: Final = (
    {each: each for each in GRAPHS}
    | {
        "application/json": JSON_LD,
        "application/xml": RDF_XML,
        "text/xml": RDF_XML,
        "application/x-turtle": TURTLE,
        "text/plain": N_TRIPLES,
        "json": JSON_LD,
        "json-ld": JSON_LD,
        "xml": RDF_XML,
        "rdf+xml": RDF_XML,
        "turtle": TURTLE,
        "n3": "text/n3",
        "ntriples": N_TRIPLES,
        "nquads": "application/n-quads",
    }
    | {each.suffix: each.media_type for each in formats.GRAPH_FORMATS + formats.DATASET_FORMATS}
)
NAMES: Final = {
    "SELECT": BINDINGS_NAMES,
    "ASK": BINDINGS_NAMES,
    "CONSTRUCT": GRAPHS_NAMES,
    "DESCRIBE": GRAPHS_NAMES,
}
EITHER: Final = {**GRAPHS_NAMES, **BINDINGS_NAMES}  # of a text that has no form
TYPES: Final[Mapping[str | None, tuple[str, ...]]] = {
    form: tuple(name for name in names if "/" in name)
    for form, names in (*NAMES.items(), (None, EITHER))
}

FORMAT: Final = ("format", "output", "results")  # ours, then Fuseki's and RDF4J's, then Stardog's
GRAPH: Final = ("default-graph-uri", "named-graph-uri")
KNOWN: Final = frozenset({"query", "update", *GRAPH, "timeout", *FORMAT, "view", "lang"})
PARAMETERS: Final = 200  # of one request, the graphs of its dataset among them
DESCRIBED: Final = f'<{description.VOID_PATH}>; rel="describedby"; type="{TURTLE}"'

router = Router()


@dataclass(frozen=True)
class Asked:
    """A request of the protocol, read but not yet judged."""

    query: str
    dataset: Dataset | None
    timeout: str | None
    format: str | None


@router.get("/sparql", asks=None)
async def get(request: Request, reading: Published) -> Response:
    limit: int = request.app.state.service.settings.line_size
    query: bytes = request.scope["query_string"]
    if len(query) > limit:
        raise Problem(414, "LineTooLong", {"limit": limit})
    parameters = _of_address(request, query.decode("latin-1"))
    known = [pair for pair in parameters if _is_known_parameter(*pair)]
    if len(known) < len(parameters):  # no page has the others in its links
        request.scope["query_string"] = urlencode(known).encode("ascii")
    if not any(name in ("query", "update") for name, _ in parameters):
        return await _introduction(request, reading)
    return await _answer(request, reading, _asked(parameters))


@router.post("/sparql")
async def post(request: Request, reading: Published) -> Response:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == UPDATE:
        raise QueryForbidden("SPARQL Update")
    if media_type not in (FORM, DIRECT):
        raise Problem(415, "UnsupportedType", {"offered": (FORM, DIRECT)})
    text = await _body(request)
    parameters = _parameters(request.url.query)
    with Listening(request.receive):
        if media_type == FORM:
            return await _answer(request, reading, _asked(await aside(request, _parameters, text)))
        return await _answer(request, reading, _asked([*parameters, ("query", text)]))


def _parameters(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=PARAMETERS)
    except ValueError as fault:
        raise Problem(400, "TooManyParameters", {"limit": PARAMETERS}) from fault


def _of_address(request: Request, text: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of an address, which is short; the last ones asked for are kept."""
    texts: Cache = request.app.state.service.texts
    name = digest("address", text)
    kept: tuple[tuple[str, str], ...] | None = texts.get(name)
    if kept is None:
        kept = tuple(_parameters(text))
        texts.put(name, kept)
    return kept


def _is_known_parameter(name: str, value: str) -> bool:
    return name in KNOWN and (name != LANG or value in LANGUAGES)


async def _body(request: Request) -> str:
    limit: int = request.app.state.service.settings.body_size
    return bodies.text(await bodies.read(request, limit))


def _asked(parameters: Iterable[tuple[str, str]]) -> Asked:
    """Read the parameters of SPARQL 1.1 Protocol, section 2.1.4: one query, any graphs."""
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    if "update" in values:
        raise QueryForbidden("SPARQL Update")
    if len(values.get("query", ())) != 1:
        raise Problem(400, "OneQuery")
    default, named = (tuple(values.get(f"{each}-graph-uri", ())) for each in ("default", "named"))
    return Asked(
        query=values["query"][0],
        dataset=Dataset(default, named) if default or named else None,
        timeout=values.get("timeout", [None])[0],
        format=next((each for name in FORMAT for each in values.get(name, ()) if each), None),
    )


async def _introduction(request: Request, reading: Published) -> Response:
    """Return what a service says of itself: Service Description, section 2, or a page."""
    offered = (*GRAPHS[:-1], HTML)
    wanted = choose(request.headers.get("accept", ""), offered)
    if wanted is None:
        raise Problem(406, "NotAcceptable", {"offered": offered})
    if wanted == HTML:
        return query_page.form(request)
    return await description.respond(request, reading, description.service, wanted)


async def _answer(request: Request, reading: Published, asked: Asked) -> Response:
    asked = replace(asked, query=await aside(request, guard.plain, asked.query))
    as_page = _prefers_page(request, asked)
    try:
        question = await _question(request, reading, asked, as_page=as_page)
        tag = _tag(request, reading, question, as_page=as_page)
        headers = _headers(tag, await unpublished(reading, question.dataset))
        if _is_known(request, tag):
            return Response(status_code=304, headers=headers)
        result = await answer(request, reading, question)
    except Problem as problem:
        if problem.code == "FunctionUnknown" and not request.app.state.service.settings.is_ruled:
            problem.status = 501  # the W3C's tests hold such a text to be well-formed
        if as_page:
            return query_page.form(request, asked.query, problem)
        raise
    if as_page:
        page = await query_page.answered(request, reading, asked.query, result)
        return Response(page, 200, headers | _told(result), with_charset(HTML))
    media_type = with_charset(result.media_type)
    return Response(result.content, 200, headers | _told(result), media_type)


def _prefers_page(request: Request, asked: Asked) -> bool:
    """Say whether the answer is for a person: RDF and results come first among equals."""
    if asked.format is not None:
        return asked.format in ("html", HTML)
    return choose(request.headers.get("accept", ""), (*TYPES[None], HTML)) == HTML


async def _question(
    request: Request, reading: Published, asked: Asked, *, as_page: bool
) -> Question:
    service: Service = request.app.state.service
    seconds = _seconds(asked.timeout, service.settings.seconds)
    examined = await examine(request, asked.query)
    dataset = await _dataset(service.settings, reading, asked, examined)
    media_types = _page_types(examined) if as_page else _media_types(request, asked, examined)
    base = f"{service.settings.base}/sparql"
    return Question(asked.query, examined, dataset, media_types, seconds, base)


async def _dataset(
    settings: Settings, reading: Published, asked: Asked, examined: Examined
) -> Dataset | None:
    """Return the dataset to ask; the protocol's own wins: section 2.1.4.

    A text that names a graph not published here is refused, since what it asks for is
    never fetched. In the protocol's dataset such a graph is empty, as the W3C's tests
    want it, and told in a header; what is no IRI names nothing at all. In conformance
    mode the W3C's tests want it empty in a text, too.
    """
    dataset = asked.dataset or examined.dataset
    if asked.dataset is not None:
        named = (*asked.dataset.default, *asked.dataset.named)
        wrong = [each for each in named if not is_iri(each)]
    elif settings.is_ruled:
        wrong = list(await unpublished(reading, examined.dataset))
    else:
        wrong = []
    if wrong:
        raise Problem(403, "GraphNotPublished", {"graph": wrong[0]})
    return dataset


def _page_types(examined: Examined) -> tuple[str, ...]:
    return (TURTLE,) if examined.form in ("CONSTRUCT", "DESCRIBE") else (JSON, TURTLE)


def _media_types(request: Request, asked: Asked, examined: Examined) -> tuple[str, ...]:
    """Return the type the reader likes best for this form of query; all where it has no form."""
    names = NAMES.get(examined.form or "", EITHER)
    if asked.format is not None:
        found = tuple(names[each] for each in (asked.format.lower(),) if each in names)
    else:
        types = TYPES.get(examined.form, TYPES[None])
        liked = acceptable(request.headers.get("accept", ""), types)
        found = tuple(dict.fromkeys(names[each] for each in liked))
    offered = tuple(dict.fromkeys(names.values()))
    if not found and asked.format is None and not _is_any(request):
        raise Problem(406, "NotAcceptable", {"offered": (*offered, HTML)})
    if not found:
        raise QueryNotAcceptable(offered)
    return found[:1] if examined.form else found


def _is_any(request: Request) -> bool:
    """Say whether the reader takes some type of ours, be it not for this form of query."""
    return bool(acceptable(request.headers.get("accept", ""), TYPES[None]))


def _seconds(timeout: str | None, limit: float) -> float:
    """Return the time a client asks for, never more than the limit."""
    if timeout is None or timeout == "":
        return limit
    asked = quantities.real(timeout)
    if asked is None or asked <= 0:
        raise Problem(400, "BadTimeout")
    return min(asked, limit)


def _tag(request: Request, reading: Published, question: Question, *, as_page: bool) -> str | None:
    """Return the validator of one representation, None for an answer that changes by itself."""
    if not question.examined.is_constant or reading.is_behind:
        return None
    page = (HTML, language_of(request), str(request.query_params)) if as_page else ()
    return etag(reading.edition, question.key.hex(), *page)


def _is_known(request: Request, tag: str | None) -> bool:
    """Say whether the reader holds the answer already; `*` asks only whether there is one."""
    known = request.headers.get("if-none-match", "*").strip()
    if tag is None or known == "*" or request.method not in ("GET", "HEAD"):
        return False
    return is_fresh(request, tag, None)


def _headers(tag: str | None, empty: tuple[str, ...]) -> dict[str, str]:
    kept = {"ETag": tag, "Cache-Control": "public, max-age=0, must-revalidate"} if tag else {}
    fixed = {"Vary": "Accept, Accept-Language", "Link": DESCRIBED}
    told = {"X-Empty-Graph": ", ".join(f"<{quote(each, safe=IRI)}>" for each in empty)}
    return {"Cache-Control": "no-store"} | fixed | kept | (told if empty else {})


def _told(result: Result) -> dict[str, str]:
    """Tell a cut: the header and the link stand in docs/sparql.md."""
    if not result.truncated:
        return {}
    return {"X-Truncated": "true", "Link": f'{DESCRIBED}, </sparql#limites>; rel="help"'}
