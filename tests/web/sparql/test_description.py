"""What the service says of itself is what holds: each format, each graph, each count is tried."""

import httpx
import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from thc_graph.rdf.terms import RDF, VOID
from thc_graph.web.sparql.description import SD, VOID_PATH, W3C_FORMATS

pytestmark = pytest.mark.anyio

ENDPOINT = NamedNode("https://data.thc.example/sparql")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MEDIA_TYPES = {
    "SPARQL_Results_JSON": "application/sparql-results+json",
    "SPARQL_Results_XML": "application/sparql-results+xml",
    "SPARQL_Results_CSV": "text/csv",
    "SPARQL_Results_TSV": "text/tab-separated-values",
    "Turtle": "text/turtle",
    "JSON-LD": "application/ld+json",
    "RDF_XML": "application/rdf+xml",
    "N-Triples": "application/n-triples",
    "N-Quads": "application/n-quads",
    "TriG": "application/trig",
    "N3": "text/n3",
}


async def read(client: httpx.AsyncClient, path: str, accept: str = "text/turtle") -> set[Triple]:
    response = await client.get(path, headers={"Accept": accept})
    assert response.status_code == 200
    form = RdfFormat.from_media_type(response.headers["content-type"])
    assert form
    return {quad.triple for quad in parse(response.content, format=form)}


def objects(graph: set[Triple], predicate: NamedNode) -> list[object]:
    return [each.object for each in graph if each.predicate == predicate]


@pytest.mark.parametrize("path", ["/sparql", VOID_PATH])
@pytest.mark.parametrize("accept", ["text/turtle;q=0.9", "application/ld+json", "*/*"])
async def test_machines_get_the_same_graph_in_any_format(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    assert await read(client, path, accept) == await read(client, path)


async def test_people_get_the_query_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/sparql", headers={"Accept": BROWSER})
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/sparql", VOID_PATH])
async def test_no_other_type(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"Accept": "image/png"})).status_code == 406


async def test_the_endpoint_is_the_base_s(client: httpx.AsyncClient) -> None:
    assert objects(await read(client, "/sparql"), SD["endpoint"]) == [ENDPOINT]


async def test_each_format_named_is_given(client: httpx.AsyncClient) -> None:
    named = objects(await read(client, "/sparql"), SD["resultFormat"])
    assert {str(each)[1:-1].removeprefix(W3C_FORMATS) for each in named} == MEDIA_TYPES.keys()
    for name, media_type in MEDIA_TYPES.items():
        form = "SELECT *" if name.startswith("SPARQL") else "CONSTRUCT"
        asked = {"query": f"{form} WHERE {{ ?s ?p ?o }} LIMIT 1"}
        found = await client.get("/sparql", params=asked, headers={"Accept": media_type})
        assert found.headers["content-type"].startswith(media_type)


async def test_each_graph_named_holds_what_is_said(client: httpx.AsyncClient) -> None:
    graph = await read(client, "/sparql")
    counts = {each.subject: each.object for each in graph if each.predicate == VOID["triples"]}
    contents = {each.subject: each.object for each in graph if each.predicate == SD["graph"]}
    names = [each for each in graph if each.predicate == SD["name"]]
    assert len(names) == 2
    for each in names:
        content = contents[each.subject]
        assert isinstance(content, NamedNode)
        said = counts[content]
        assert said == await counted(client, f"FROM {each.object}")
    assert counts[NamedNode(f"{ENDPOINT.value}#default")] == await counted(client, "")


async def counted(client: httpx.AsyncClient, froms: str) -> Literal:
    query = f"SELECT (COUNT(*) AS ?n) {froms} {{ ?s ?p ?o }}"
    rows = (await client.get("/sparql", params={"query": query})).json()["results"]["bindings"]
    return Literal(int(rows[0]["n"]["value"]))


async def test_void_counts_what_is_there(client: httpx.AsyncClient) -> None:
    graph = await read(client, VOID_PATH)
    whole = next(each.subject for each in graph if each.object == VOID["Dataset"])
    said = {each.predicate: each.object for each in graph if each.subject == whole}
    assert said[VOID["triples"]] == await counted(client, "")
    parts = [each for each in graph if each.predicate == VOID["propertyPartition"]]
    assert said[VOID["properties"]] == Literal(len(parts))
    types = next(
        each.subject
        for each in graph
        if each.predicate == VOID["property"] and each.object == RDF["type"]
    )
    ((count),) = [
        each.object for each in graph if each.subject == types and each.predicate == VOID["triples"]
    ]
    query = "SELECT (COUNT(*) AS ?n) { ?s a ?o }"
    rows = (await client.get("/sparql", params={"query": query})).json()["results"]["bindings"]
    assert count == Literal(int(rows[0]["n"]["value"]))


async def test_descriptions_are_linked_and_known_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/sparql", headers={"Accept": "text/turtle"})
    assert f'<{VOID_PATH}>; rel="describedby"' in first.headers["link"]
    known = {"Accept": "text/turtle", "If-None-Match": first.headers["etag"]}
    assert (await client.get("/sparql", headers=known)).status_code == 304
