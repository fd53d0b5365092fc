"""Descriptions: what the service says of itself and, in VoID, of its data.

Everything is computed: formats from `rdf.formats`, limits from the settings, graphs
and counts from the snapshot, once for each. No blank nodes: parts are fragments.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.instance.reading import Published
from thc_graph.instance.settings import Settings
from thc_graph.rdf import formats
from thc_graph.rdf.terms import DCT, FOAF, RDF, RDFS, VOCABULARY, VOID, XSD, Namespace, Term
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import pages_of

SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
W3C_FORMATS: Final = "http://www.w3.org/ns/formats/"
VOID_PATH: Final = "/.well-known/void"
OFFERED: Final = tuple(
    each.media_type for each in (*formats.GRAPH_FORMATS, *formats.DATASET_FORMATS)
)
# https://www.w3.org/ns/formats/ has these names.
RESULT_FORMATS: Final = (
    *("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV"),
    *("Turtle", "JSON-LD", "RDF_XML", "N-Triples", "N-Quads", "TriG", "N3"),
)
PREFIXES: Final = {"sd": SD, "void": VOID, "formats": W3C_FORMATS}

Facts = Iterator[tuple[NamedNode, NamedNode, Term]]
Describe = Callable[[Request, Published], Awaitable[list[Triple]]]

router = Router()


@router.get(VOID_PATH)
async def void(request: Request, reading: Published) -> Response:
    wanted = choose(request.headers.get("accept", ""), OFFERED)
    if wanted is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    return await respond(request, reading, dataset, wanted)


async def respond(
    request: Request, reading: Published, describe: Describe, media_type: str
) -> Response:
    form = formats.by_media_type(media_type)
    if form is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    content = formats.write(await describe(request, reading), form, PREFIXES)
    links = {VOID_PATH: 'rel="describedby"; type="text/turtle"', "/sparql": 'rel="service"'}
    return represent(request, reading, content, media_type, links=links)


async def service(request: Request, reading: Published) -> list[Triple]:
    """Return the service description; its endpoint is the base's, whatever Host was told."""
    settings: Settings = request.app.state.service.settings
    endpoint = f"{settings.base}/sparql"
    graphs = await reading.once("graphs", partial(reading.bindings, "service/graphs"))
    totals = await reading.once("totals", partial(reading.bindings, "service/totals"))
    return [
        *_triples(_service(request, endpoint, settings)),
        *_triples(_dataset(endpoint, settings, graphs, totals[0]["triples"])),
    ]


def _service(request: Request, endpoint: str, settings: Settings) -> Facts:
    node, data = NamedNode(f"{endpoint}#service"), NamedNode(f"{endpoint}#dataset")
    yield node, RDF["type"], SD["Service"]
    yield node, SD["endpoint"], NamedNode(endpoint)
    yield node, SD["supportedLanguage"], SD["SPARQL10Query"]
    yield node, SD["supportedLanguage"], SD["SPARQL11Query"]
    if settings.is_ruled:
        yield node, SD["feature"], SD["UnionDefaultGraph"]
    for name in RESULT_FORMATS:
        yield node, SD["resultFormat"], NamedNode(W3C_FORMATS + name)
    yield node, SD["defaultDataset"], data
    yield node, SD["availableGraphs"], NamedNode(f"{endpoint}#graphs")
    yield node, RDFS["seeAlso"], NamedNode(settings.base + VOID_PATH)
    for language in ("fr", "en"):
        yield node, RDFS["label"], Literal(settings.title, language=language)
        yield (
            node,
            RDFS["comment"],
            Literal(_limits(request, settings, language), language=language),
        )


def _limits(request: Request, settings: Settings, language: str) -> str:
    t = pages_of(request).translator(language)
    sizes = {"seconds": f"{settings.seconds:g}", "size": settings.result_size >> 20}
    budget = {"budget": f"{settings.client_seconds:g}", "failures": settings.client_failures}
    return " ".join(
        (t("sparql.limits", **sizes), t("sparql.budget", **budget), t("sparql.default"))
    )


def _dataset(
    endpoint: str, settings: Settings, graphs: list[dict[str, Term]], total: Term
) -> Facts:
    data, default = NamedNode(f"{endpoint}#dataset"), NamedNode(f"{endpoint}#default")
    collection = NamedNode(f"{endpoint}#graphs")
    yield data, RDF["type"], SD["Dataset"]
    yield data, DCT["isPartOf"], void_of(settings.base)
    yield data, SD["defaultGraph"], default
    yield default, RDF["type"], SD["Graph"]
    yield default, VOID["triples"], total
    yield collection, RDF["type"], SD["GraphCollection"]
    for row in graphs:
        name = row["graph"]
        part = _part(endpoint, "graph", name)
        yield data, SD["namedGraph"], part
        yield collection, SD["namedGraph"], part
        yield part, RDF["type"], SD["NamedGraph"]
        yield part, SD["name"], name
        yield part, SD["graph"], NamedNode(f"{part.value}&content")
        yield NamedNode(f"{part.value}&content"), RDF["type"], SD["Graph"]
        yield NamedNode(f"{part.value}&content"), VOID["triples"], row["triples"]


def void_of(base: str) -> NamedNode:
    """Return the name of the whole published data as a dataset."""
    return NamedNode(f"{base}{VOID_PATH}#dataset")


async def dataset(request: Request, reading: Published) -> list[Triple]:
    """Return the VoID description: https://www.w3.org/TR/void/, sections 2 to 4."""
    names = ("totals", "classes", "properties")
    counts = {
        name: await reading.once(name, partial(reading.bindings, f"service/{name}"))
        for name in names
    }
    settings: Settings = request.app.state.service.settings
    return [
        *_triples(_void(settings, counts["totals"][0], reading)),
        *_triples(_partitions(settings.base, "class", "entities", counts["classes"])),
        *_triples(_partitions(settings.base, "property", "triples", counts["properties"])),
        *_triples(_counts(settings.base, counts["classes"], counts["properties"])),
    ]


def _void(settings: Settings, totals: dict[str, Term], reading: Published) -> Facts:
    node, document = void_of(settings.base), NamedNode(settings.base + VOID_PATH)
    yield document, RDF["type"], VOID["DatasetDescription"]
    yield document, FOAF["primaryTopic"], node
    yield node, RDF["type"], VOID["Dataset"]
    yield node, DCT["title"], Literal(settings.title, language="fr")
    yield node, DCT["modified"], Literal(reading.time.isoformat(), datatype=XSD["dateTime"])
    if settings.publisher:
        yield node, DCT["publisher"], Literal(settings.publisher)
    if settings.licence:
        yield node, DCT["license"], NamedNode(settings.licence)
    yield node, FOAF["homepage"], NamedNode(f"{settings.base}/")
    yield node, VOID["sparqlEndpoint"], NamedNode(f"{settings.base}/sparql")
    yield node, VOID["uriSpace"], Literal(f"{settings.base}/id/")
    yield node, VOID["vocabulary"], NamedNode(f"{VOCABULARY}ns#")
    for name in ("Turtle", "JSON-LD", "RDF_XML", "N-Triples", "N-Quads", "TriG"):
        yield node, VOID["feature"], NamedNode(W3C_FORMATS + name)
    yield node, VOID["triples"], totals["triples"]
    yield node, VOID["distinctSubjects"], totals["subjects"]
    yield node, VOID["distinctObjects"], totals["objects"]


def _counts(base: str, classes: list[dict[str, Term]], properties: list[dict[str, Term]]) -> Facts:
    node = void_of(base)
    yield node, VOID["classes"], _integer(len(classes))
    yield node, VOID["properties"], _integer(len(properties))


def _partitions(base: str, kind: str, counted: str, rows: list[dict[str, Term]]) -> Facts:
    whole = void_of(base)
    for row in rows:
        part = _part(base + VOID_PATH, kind, row[kind])
        yield whole, VOID[f"{kind}Partition"], part
        yield part, VOID[kind], row[kind]
        yield part, VOID[counted], row[counted]


def _part(document: str, kind: str, of: Term) -> NamedNode:
    return NamedNode(f"{document}#{kind}={quote(str(of).strip('<>'), safe='')}")


def _integer(number: int) -> Literal:
    return Literal(str(number), datatype=XSD["integer"])


def _triples(facts: Facts) -> Iterator[Triple]:
    return (Triple(*fact) for fact in facts)
