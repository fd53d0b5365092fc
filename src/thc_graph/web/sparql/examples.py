"""Examples: saved queries as pages, with their parameters as boxes and their answer below.

A file of queries/example/ is one: its header says for whom, for what task, how to see
the answer and what may be filled in. The gallery is also published as data, as the
Swiss Institute of Bioinformatics does: https://github.com/sib-swiss/sparql-examples.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import Literal, NamedNode, Triple
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from thc_graph import quantities
from thc_graph.instance.reading import Published
from thc_graph.rdf import formats
from thc_graph.rdf.terms import PREFIXES, RDF, RDFS, SH, XSD, Namespace, Term
from thc_graph.schema.shapes import Text
from thc_graph.store.engine import guard
from thc_graph.store.library import Library, StoredQuery, Value
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent, with_charset
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages.problem import sentences_of
from thc_graph.web.sparql import page as query_page
from thc_graph.web.sparql.answering import Question, answer, examine

if TYPE_CHECKING:
    from thc_graph.instance.service import Service

FOLDER: Final = "example"
PATH: Final = "/sparql/exemples"
QUERY: Final = "application/sparql-query"
FORMATS: Final = (*formats.GRAPH_FORMATS, *formats.DATASET_FORMATS)
OFFERED: Final = (HTML, *(each.media_type for each in FORMATS))
SCHEMA: Final = Namespace("https://schema.org/")  # as sparql-examples writes it
EXECUTABLE: Final = {  # form of query → class and property that carry it in SHACL-SPARQL
    "SELECT": (SH["SPARQLSelectExecutable"], SH["select"]),
    "ASK": (SH["SPARQLAskExecutable"], SH["ask"]),
    "CONSTRUCT": (SH["SPARQLConstructExecutable"], SH["construct"]),
}
VALUES: Final = 100  # for one parameter

router = Router()


def _slots(scope: Scope) -> Collection[str]:
    """Return the names of the boxes of an address's example."""
    library: Library = scope["app"].state.service.library
    stored = f"{FOLDER}/{scope['path_params']['name'].removesuffix('.rq')}"
    return library.get(stored).slots if stored in library.names(FOLDER) else ()


@dataclass(frozen=True)
class Parameter:
    """A slot as people fill it: `kind` is text, iri or date; `options` a stored query, or empty."""

    name: str
    label: Text
    kind: str
    options: str
    default: str


@dataclass(frozen=True)
class Example:
    """One saved query; `view` is how its answer is best seen."""

    name: str
    title: Text
    query: StoredQuery
    users: tuple[str, ...]
    task: str
    keywords: tuple[str, ...]
    view: str
    parameters: tuple[Parameter, ...]

    @property
    def text(self) -> str:
        return plain(self.query.text)


def plain(text: str) -> str:
    """Return a stored query without its header."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#+")).strip()


def gallery(library: Library) -> tuple[Example, ...]:
    return tuple(read(library.get(name)) for name in library.names(FOLDER))


def read(query: StoredQuery) -> Example:
    told = query.headers
    return Example(
        name=query.name.removeprefix(f"{FOLDER}/"),
        title=Text(told["title fr"], told["title en"]),
        query=query,
        users=_listed(told["user"]),
        task=told["task"],
        keywords=_listed(told["keywords"]),
        view=told.get("view", "table"),
        parameters=tuple(_parameter(slot, told) for slot in query.slots),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(","))


def _parameter(slot: str, told: Mapping[str, str]) -> Parameter:
    return Parameter(
        slot,
        Text(told[f"label {slot} fr"], told[f"label {slot} en"]),
        told[f"type {slot}"],
        told.get(f"options {slot}", ""),
        told.get(f"default {slot}", ""),
    )


def terms(parameter: Parameter, written: str) -> list[Value]:
    """Return what a reader wrote in a box as terms, one a line; nothing is pasted as text.

    Raises:
        Problem: 400, where it is not of the parameter's kind.
    """
    values = [line.strip() for line in written.splitlines() if line.strip()]
    if len(values) > VALUES:
        raise Problem(400, "BadParameter", {"what": parameter.name})
    try:
        return [_term(parameter.kind, value) for value in values]
    except ValueError as fault:
        raise Problem(400, "BadParameter", {"what": parameter.name}) from fault


def _term(kind: str, value: str) -> Value:
    match kind:
        case "iri":
            return NamedNode(value)
        case "date":
            if quantities.day(value) is None:
                raise ValueError(value)
            return Literal(value, datatype=XSD["date"])
        case _:
            return Literal(value)


@router.get(PATH, asks=Parameters(("user",)))
async def listing(request: Request, reading: Published) -> Response:
    wanted = _wanted(request)
    found = gallery(reading.library)
    if wanted != HTML:
        return _as_data(request, reading, found, wanted)
    user = request.query_params.get("user", "")
    chosen = [each for each in found if not user or user in each.users]
    told = language_of(request)
    content = pages_of(request).render(
        "examples.html",
        request,
        told,
        tasks={task: [each for each in chosen if each.task == task] for task in _tasks(chosen)},
        users=sorted({user for each in found for user in each.users}),
        user=user,
        total=len(chosen),
    )
    return represent(request, reading, content, HTML, language=told)


def _tasks(found: list[Example]) -> list[str]:
    order = ("suivre", "situer", "methodes", "acteurs", "reutiliser")
    return [task for task in order if any(each.task == task for each in found)]


@router.get(PATH + "/{name}", asks=Parameters(("view",), _slots, blank=True))
async def page(name: str, request: Request, reading: Published) -> Response:
    stored = f"{FOLDER}/{name.removesuffix('.rq')}"
    if stored not in reading.library.names(FOLDER):
        raise Problem(404, "NotFound")
    example = read(reading.library.get(stored))
    if name.endswith(".rq"):
        return represent(request, reading, example.query.text.encode(), QUERY)
    wanted = _wanted(request)
    if wanted != HTML:
        return _as_data(request, reading, [example], wanted)
    return await _page(request, reading, example)


def _wanted(request: Request) -> str:
    wanted = choose(request.headers.get("accept", ""), OFFERED)
    if wanted is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    return wanted


async def _page(request: Request, reading: Published, example: Example) -> Response:
    """Run an example with what its boxes hold, and show both; a fault is shown with them."""
    pages, told = pages_of(request), language_of(request)
    given = {each.name: _written(request, each) for each in example.parameters}
    shown: dict[str, Any] | None = None
    problem: Problem | None = None
    text = example.text
    try:
        text = _filled(reading.library, example, given)
        shown = await _shown(request, reading, example, text)
    except Problem as refusal:
        problem = refusal
    content = pages.render(
        "example.html",
        request,
        told,
        example=example,
        given=given,
        options={each.name: await _options(reading, each) for each in example.parameters},
        query=text,
        answer=shown,
        problem=problem,
        sentences=sentences_of(pages, problem, told) if problem else {},
    )
    vary = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
    status, headers = (problem.status, problem.headers) if problem else (200, {})
    return Response(content, status, headers | vary, with_charset(HTML))


def _written(request: Request, parameter: Parameter) -> str:
    """Return what the address gives for a box; its default where it gives nothing at all."""
    found = request.query_params.getlist(parameter.name)
    return "\n".join(found) if found else parameter.default


def _filled(library: Library, example: Example, given: Mapping[str, str]) -> str:
    values = {each.name: terms(each, given[each.name]) for each in example.parameters}
    filled = {name: found for name, found in values.items() if found}
    return plain(library.fill(example.query.name, **filled))


async def _shown(
    request: Request, reading: Published, example: Example, text: str
) -> dict[str, Any]:
    service: Service = request.app.state.service
    settings = service.settings
    examined = await examine(request, text)
    media_types = ("application/sparql-results+json", "text/turtle")
    base = f"{settings.base}/sparql"
    question = Question(text, examined, None, media_types, settings.seconds, base)
    result = await answer(request, reading, question)
    return await query_page.shown(request, reading, text, result, example.view)


async def _options(reading: Published, parameter: Parameter) -> list[tuple[str, str]]:
    """Return what may be chosen for a parameter, as values and labels; empty for a free one."""
    if not parameter.options:
        return []
    rows = await reading.once(
        ("options", parameter.options), partial(reading.bindings, parameter.options)
    )
    return [(_plain_text(row["value"]), _plain_text(row["label"])) for row in rows]


def _plain_text(term: Term) -> str:
    return term.value if isinstance(term, NamedNode | Literal) else str(term)


def _as_data(
    request: Request, reading: Published, found: tuple[Example, ...] | list[Example], wanted: str
) -> Response:
    form = formats.by_media_type(wanted)
    if form is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    base = request.app.state.service.settings.base
    triples = [*_prefixes(base), *(fact for each in found for fact in _facts(base, each))]
    content = formats.write(triples, form, {"sh": SH, "schema": SCHEMA})
    return represent(request, reading, content, wanted)


def _facts(base: str, example: Example) -> Iterator[Triple]:
    node = NamedNode(f"{base}{PATH}/{example.name}")
    kind, carrier = EXECUTABLE[guard.form(example.text) or ""]
    yield Triple(node, RDF["type"], SH["SPARQLExecutable"])
    yield Triple(node, RDF["type"], kind)
    for language in ("fr", "en"):
        title, comment = (each.in_(language) for each in (example.title, example.query.summary))
        yield Triple(node, RDFS["label"], Literal(title, language=language))
        yield Triple(node, RDFS["comment"], Literal(comment, language=language))
    for keyword in example.keywords:
        yield Triple(node, SCHEMA["keywords"], Literal(keyword))
    yield Triple(node, SH["prefixes"], NamedNode(f"{base}{PATH}#prefixes"))
    yield Triple(node, carrier, Literal(example.text))
    yield Triple(node, SCHEMA["target"], NamedNode(f"{base}/sparql"))


def _prefixes(base: str) -> Iterator[Triple]:
    node = NamedNode(f"{base}{PATH}#prefixes")
    for prefix, space in PREFIXES.items():
        part = NamedNode(f"{node.value}-{prefix}")
        yield Triple(node, SH["declare"], part)
        yield Triple(part, SH["prefix"], Literal(prefix))
        yield Triple(part, SH["namespace"], Literal(str(space), datatype=XSD["anyURI"]))
