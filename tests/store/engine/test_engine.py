"""What any engine promises, on every engine: bytes in a type asked for, or a named refusal."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    RdfFormat,
    Store,
    parse,
    parse_query_results,
)

from engines import EACH, ENGINES, Endpoint, expect_shortfall
from thc_graph.errors import QueryNotAcceptable, QuerySyntaxError, QueryTimeout
from thc_graph.store.engine.engine import Answer, Engine, Query
from thc_graph.store.engine.pool import Pool
from thc_graph.store.engine.remote import Dataset, Remote
from thc_graph.store.writes.mirror import Step, request

CSV, TSV = "text/csv", "text/tab-separated-values"
JSON, XML = "application/sparql-results+json", "application/sparql-results+xml"
NT, TURTLE = "application/n-triples", "text/turtle"
ANY = (CSV, JSON, NT)
UNION = NamedNode("urn:union")
DATA = r"""
<urn:s> <urn:p> 1, 2 .
<urn:t> <urn:p> "tab\tand \"quote\" \\ &<", "été\n2 €"@fr ; <urn:q> "2016"^^xsd:gYear, true, 1.5,
  "2016-02-29"^^xsd:date, <https://example.org/é?a=b#c> .
GRAPH <urn:g> { <urn:s> <urn:p> 3, 1 }
GRAPH <urn:h> { <urn:s> <urn:p> 3 }
"""
XSD = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
ROWS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"  # 9⁴ rows
CROSS = f"{ROWS} . ?m ?n ?o . ?p ?q ?r . ?t ?u ?v . ?w ?x ?y"
RUNAWAY = f"SELECT (COUNT(*) AS ?z) {{ {CROSS} FILTER(STR(?c) < STR(?l) || STR(?i) < STR(?y)) }}"


@dataclass(frozen=True)
class Kind:
    """An engine under test: its name, how to open it with a size limit, and the loop it is on."""

    name: str
    open: Callable[[int], Engine]
    runner: asyncio.Runner
    opened: dict[int, Engine] = field(default_factory=dict)

    async def answer(self, query: Query, size: int) -> tuple[Answer, bytes]:
        if size not in self.opened:
            engine = self.open(size)
            await engine.start()
            self.opened[size] = engine
        answer = await self.opened[size].answer(query)
        return answer, await answer.read()

    async def stop(self) -> None:
        for engine in self.opened.values():
            await engine.stop()


def content() -> Store:
    store = Store()
    store.update(f"{XSD} INSERT DATA {{ {DATA} }}")
    return store


def fill(endpoint: Endpoint) -> None:
    """Write the data through SPARQL Update, the default graph as a named one."""
    named = (
        Quad(*quad.triple, UNION if quad.graph_name == DefaultGraph() else quad.graph_name)
        for quad in content()
    )
    update = {"update": request(Step(quad, held=True) for quad in named)}
    answer = httpx.post(endpoint.update, data=update, auth=endpoint.auth or httpx.Auth())
    assert answer.is_success, answer.text


@contextmanager
def opening(name: str, folder: Path) -> Iterator[Callable[[int], Engine]]:
    """Give a function that opens an engine over the content, with a size limit."""
    if name == "pool":
        store = Store(str(folder / "store"))
        store.extend(content())
        store.backup(str(folder / "snapshot"))
        yield lambda size: Pool(folder / "snapshot", 1, max_bytes=size)
        return
    with ENGINES[name](folder) as endpoint:
        fill(endpoint)
        dataset = Dataset(UNION.value, ("urn:g", "urn:h"))
        yield lambda size: Remote(endpoint.query, 1, dataset=dataset, max_bytes=size)


@pytest.fixture(scope="module", params=["pool", *EACH])
def kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kind]:
    folder = tmp_path_factory.mktemp(request.param)
    with opening(request.param, folder) as engine, asyncio.Runner() as runner:
        found = Kind(request.param, engine, runner)
        yield found
        runner.run(found.stop())


def ask(kind: Kind, query: Query, size: int = 10 << 20) -> tuple[Answer, bytes]:
    return kind.runner.run(kind.answer(query, size))


CASES = {
    "order": ("SELECT ?o { <urn:s> ?p ?o } ORDER BY ?o", {}, ["1", "2"]),
    "count": ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", {}, ["9"]),
    "values": ("SELECT ?o { VALUES ?o { <urn:x> 'a' 1 } }", {}, ["urn:x", "a", "1"]),
    "strings": ("SELECT ?o { <urn:t> <urn:p> ?o }", {}, ['tab\tand "quote" \\ &<', "été\n2 €"]),
    "iri": (
        "SELECT ?o { <urn:t> ?p ?o FILTER(ISIRI(?o)) }",
        {},
        ["https://example.org/é?a=b#c"],
    ),
    "unbound": (
        "SELECT ?x ?o { <urn:s> <urn:p> ?o OPTIONAL { ?o <urn:nope> ?x } }",
        {},
        ["1", "2"],
    ),
    "no rows": ("SELECT ?o { <urn:nope> ?p ?o }", {}, []),
    "named": ("SELECT ?o { GRAPH ?g { ?s ?p ?o } }", {}, ["1", "3", "3"]),
    "graphs": ("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", {}, ["urn:g", "urn:h"]),
    "from": ("SELECT ?o FROM <urn:g> { ?s ?p ?o }", {}, ["1", "3"]),
    "from hides named": ("SELECT ?o FROM <urn:g> { GRAPH ?g { ?s ?p ?o } }", {}, []),
    "from named": ("SELECT ?o FROM NAMED <urn:h> { GRAPH ?g { ?s ?p ?o } }", {}, ["3"]),
    "from twice": ("SELECT ?o FROM <urn:g> FROM <urn:h> { ?s ?p ?o }", {}, ["1", "3"]),
    "request default": ("SELECT ?o { ?s ?p ?o }", {"default_graphs": ("urn:g",)}, ["1", "3"]),
    "request wins": (
        "SELECT ?o FROM <urn:other> { ?s ?p ?o }",
        {"default_graphs": ("urn:h",)},
        ["3"],
    ),
    "request hides named": (
        "SELECT ?o { GRAPH ?g { ?s ?p ?o } }",
        {"default_graphs": ("urn:g",)},
        [],
    ),
    "request named": (
        "SELECT ?o { GRAPH ?g { ?s ?p ?o } }",
        {"named_graphs": ("urn:h",)},
        ["3"],
    ),
    "request empties default": ("SELECT ?o { ?s ?p ?o }", {"named_graphs": ("urn:h",)}, []),
    "request two defaults": (
        "SELECT ?o { ?s ?p ?o }",
        {"default_graphs": ("urn:g", "urn:h")},
        ["1", "3"],
    ),
    "path": ("SELECT (COUNT(*) AS ?n) { <urn:t> <urn:p>|<urn:q> ?o }", {}, ["7"]),
    "numeric": ("SELECT ?o { <urn:t> ?p ?o FILTER(ISNUMERIC(?o)) }", {}, ["1.5"]),
    "exists": ("SELECT ?s { ?s <urn:q> true FILTER EXISTS { ?s <urn:p> ?o } }", {}, ["urn:t"]),
    "minus": ("SELECT DISTINCT ?s { ?s ?p ?o MINUS { ?s <urn:q> ?x } }", {}, ["urn:s"]),
    "bind": ("SELECT ?y { BIND(CONCAT('é', STR(1 + 1)) AS ?y) }", {}, ["é2"]),
    "bnode": ("SELECT ?x { BIND(ISBLANK(BNODE()) AS ?x) }", {}, ["true"]),
    "group": ("SELECT (SUM(?o) AS ?n) { <urn:s> ?p ?o } GROUP BY ?p", {}, ["3"]),
    "subselect": ("SELECT ?m { { SELECT (MAX(?o) AS ?m) { <urn:s> ?p ?o } } }", {}, ["2"]),
    "folded regex": ("SELECT ?s { ?s ?p ?o FILTER REGEX(STR(?o), '^ÉTÉ', 'i') }", {}, ["urn:t"]),
    "date": ("SELECT (YEAR(?o) AS ?y) { ?s ?p ?o FILTER(DATATYPE(?o) = xsd:date) }", {}, ["2016"]),
    "language": ("SELECT (LANG(?o) AS ?l) { ?s ?p ?o FILTER(LANG(?o) = 'fr') }", {}, ["fr"]),
}


@pytest.mark.parametrize("case", CASES)
def test_solutions(kind: Kind, case: str, request: pytest.FixtureRequest) -> None:
    expect_shortfall(request, kind.name, case)
    text, graphs, expected = CASES[case]
    answer, body = ask(kind, Query(f"{XSD} {text}", (JSON,), 10, **graphs))
    assert (answer.media_type, answer.truncated) == (JSON, False)
    rows = parse_query_results(body, format=QueryResultsFormat.JSON)
    found = [next((term.value for term in row if term is not None), None) for row in rows]
    assert found == expected if "ORDER" in text else sorted(map(str, found)) == sorted(expected)


@pytest.mark.parametrize("media_type", [JSON, XML, TSV])
def test_every_term_comes_back_in_every_syntax(
    kind: Kind, media_type: str, request: pytest.FixtureRequest
) -> None:
    expect_shortfall(request, kind.name, "booleans in rows")
    _, body = ask(kind, Query("SELECT ?s ?p ?o { ?s ?p ?o }", (media_type,), 10))
    syntax = QueryResultsFormat.from_media_type(media_type)
    rows = {tuple(row) for row in parse_query_results(body, format=syntax)}
    default = content().quads_for_pattern(None, None, None, DefaultGraph())
    assert rows == {tuple(quad.triple) for quad in default}


def test_csv_is_that_of_the_standard(kind: Kind) -> None:
    _, body = ask(kind, Query("SELECT ?o { <urn:s> ?p ?o } ORDER BY ?o", ANY, 10))
    assert body == b"o\r\n1\r\n2\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ASK {}", True), ("ASK { ?s ?p 2 }", True), ("ASK { ?s ?p 4 }", False)],
)
@pytest.mark.parametrize("media_type", [JSON, XML])
def test_verdicts(kind: Kind, text: str, media_type: str, *, expected: bool) -> None:
    answer, body = ask(kind, Query(text, (*GRAPHS, media_type), 10))
    assert answer.media_type == media_type
    verdict = parse_query_results(body, format=QueryResultsFormat.from_media_type(media_type))
    assert isinstance(verdict, QueryBoolean)
    assert bool(verdict) is expected


GRAPHS = (NT, TURTLE, "application/ld+json", "application/rdf+xml")
DESCRIBED = {
    (str(quad.predicate), str(quad.object)) for quad in content() if "t>" in str(quad.subject)
}


@pytest.mark.parametrize("media_type", GRAPHS)
@pytest.mark.parametrize(
    "text", ["CONSTRUCT { ?s ?p ?o } { ?s ?p ?o FILTER(?s = <urn:t>) }", "DESCRIBE <urn:t>"]
)
def test_graphs(kind: Kind, text: str, media_type: str) -> None:
    answer, body = ask(kind, Query(text, (*(CSV, JSON), media_type), 10))
    assert answer.media_type == media_type
    syntax = RdfFormat.from_media_type(media_type)
    assert syntax
    found = {(str(quad.predicate), str(quad.object)) for quad in parse(body, format=syntax)}
    assert found == DESCRIBED


def test_a_graph_of_nothing_is_one(kind: Kind) -> None:
    _, body = ask(kind, Query("CONSTRUCT WHERE { <urn:nope> ?p ?o }", (NT,), 10))
    assert body == b""


@pytest.mark.parametrize("media_type", [JSON, XML, CSV, TSV])
def test_rows_are_cut_whole(kind: Kind, media_type: str) -> None:
    text = f"SELECT * {{ {ROWS} }}"
    answer, body = ask(kind, Query(text, (media_type,), 20), 64 << 10)
    assert answer.truncated
    assert 20_000 < len(body) <= 64 << 10
    if media_type != CSV:
        syntax = QueryResultsFormat.from_media_type(media_type)
        rows = [*parse_query_results(body, format=syntax)]
        assert len(rows) > 10
        assert all(len([*row]) == 12 for row in rows)


@pytest.mark.parametrize("media_type", GRAPHS)
def test_graphs_are_cut_whole(kind: Kind, media_type: str) -> None:
    text = (
        "CONSTRUCT { ?x <urn:p> ?o } { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i"
        " BIND(IRI(CONCAT('urn:', MD5(CONCAT(STR(?o), STR(?c), STR(?f), STR(?i))))) AS ?x) }"
    )
    answer, body = ask(kind, Query(text, (media_type,), 20), 64 << 10)
    assert answer.truncated
    assert len(body) <= 64 << 10
    syntax = RdfFormat.from_media_type(media_type)
    assert syntax
    assert len([*parse(body, format=syntax)]) > 50


def test_a_graph_asked_as_bindings_is_not_acceptable(kind: Kind) -> None:
    with pytest.raises(QueryNotAcceptable) as refusal:
        ask(kind, Query("DESCRIBE <urn:s>", (CSV, JSON), 10))
    assert TURTLE in refusal.value.offered


@pytest.mark.parametrize(
    "text", ["SELECT * {\n ?s ?p", "INSERT DATA { <urn:s> <urn:p> 4 }", "", "DEFINE x 'y' ASK {}"]
)
def test_what_is_no_query_is_a_syntax_error(kind: Kind, text: str) -> None:
    with pytest.raises(QuerySyntaxError) as refusal:
        ask(kind, Query(text, ANY, 10))
    assert refusal.value.line == text.count("\n") + 1
    assert refusal.value.column is not None


def test_a_runaway_is_stopped(kind: Kind) -> None:
    with pytest.raises(QueryTimeout) as stopped:
        ask(kind, Query(RUNAWAY, ANY, 1.5))
    assert stopped.value.seconds == 1.5


def test_control_characters_survive(kind: Kind, request: pytest.FixtureRequest) -> None:
    expect_shortfall(request, kind.name, "control characters")
    text = r'SELECT ?x { BIND("a\u0001\u001Fb" AS ?x) }'
    _, body = ask(kind, Query(text, (TSV,), 10))
    (row,) = parse_query_results(body, format=QueryResultsFormat.TSV)
    assert row["x"].value == "a\x01\x1fb"
