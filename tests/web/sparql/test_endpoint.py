"""The endpoint, by the tables of SPARQL 1.1 Protocol, section 2.1, and of our promises."""

import asyncio
import html
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pyoxigraph import RdfFormat, parse

from engines import EACH, PUBLISHED, Endpoint, expect_shortfall
from thc_graph.instance.service import Service
from visiting import fill, over, visiting

ALL = "https://data.thc.example/graph/all"
SOME = "https://data.thc.example/graph/some"
SHARED = 5  # triples that stand in both: tests/web/conftest.py
FOREIGN = "https://example.org/nothing"

pytestmark = pytest.mark.anyio

SELECT = 'SELECT ?x WHERE { VALUES ?x { "é&<" } }'
ASK = "ASK { ?s ?p ?o }"
CONSTRUCT = "CONSTRUCT { ?s a ?o } WHERE { ?s a ?o } LIMIT 3"
RUNAWAY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n0 ?o }"
JSON = "application/sparql-results+json"
XML = "application/sparql-results+xml"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"

Limited = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@dataclass(frozen=True)
class Kind:
    """The service over one engine."""

    name: str
    service: Service
    client: httpx.AsyncClient


@pytest.fixture(scope="module", params=["pool", *EACH])
async def kind(
    request: pytest.FixtureRequest, service: Service, endpoint: Callable[[str], Endpoint]
) -> AsyncIterator[Kind]:
    if request.param != "pool":
        engine = endpoint(request.param)
        fill(engine, service, PUBLISHED)
        service = over(service, engine.query)
    async with visiting(service) as client:
        yield Kind(request.param, service, client)


@pytest.fixture
def client(kind: Kind, request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """Visit the service over each engine in turn: what it answers is the same."""
    expect_shortfall(request, kind.name, request.node.originalname)
    return kind.client


@pytest.mark.parametrize("query", [SELECT, ASK])
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        (JSON, JSON),
        ("application/json", JSON),
        (XML, XML),
        ("application/xml", XML),
        ("text/csv;q=0.5, " + XML + ";q=0.4", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("text/turtle, " + JSON + ";q=0.1", JSON),
    ],
)
async def test_bindings(client: httpx.AsyncClient, query: str, accept: str, expected: str) -> None:
    if query == ASK and expected.startswith("text/"):
        pytest.skip("CSV and TSV have no form for a boolean: SPARQL 1.1 CSV and TSV, section 1")
    response = await client.get("/sparql", params={"query": query}, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "text/turtle; charset=utf-8"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/n-triples", "application/n-triples"),
        ("text/html;q=0.1, text/turtle", "text/turtle; charset=utf-8"),
    ],
)
async def test_graphs(client: httpx.AsyncClient, accept: str, expected: str) -> None:
    response = await client.get("/sparql", params={"query": CONSTRUCT}, headers={"Accept": accept})
    assert response.headers["content-type"] == expected
    form = RdfFormat.from_media_type(expected)
    assert form
    assert len(list(parse(response.content, format=form))) == 3


@pytest.mark.parametrize(
    "send",
    [
        {"method": "GET", "params": {"query": SELECT}},
        {"method": "POST", "data": {"query": SELECT}},
        {
            "method": "POST",
            "content": SELECT.encode(),
            "headers": {"Content-Type": "application/sparql-query; charset=utf-8"},
        },
    ],
    ids=["get", "form", "direct"],
)
async def test_three_ways_to_ask(client: httpx.AsyncClient, send: dict[str, Any]) -> None:
    response = await client.request(url="/sparql", **send)
    (row,) = response.json()["results"]["bindings"]
    assert row["x"]["value"] == "é&<"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_a_relative_iri_is_resolved_against_the_endpoint(client: httpx.AsyncClient) -> None:
    asked = {"query": "CONSTRUCT { <s> <p> 1 } WHERE {}", "format": "nt"}
    found = (await client.get("/sparql", params=asked)).text
    assert found.startswith("<https://data.thc.example/s> <https://data.thc.example/p> ")


async def test_a_form_is_decoded_once(client: httpx.AsyncClient) -> None:
    query = 'SELECT ?x WHERE { VALUES ?x { "100%25 + 1" } }'
    for response in (
        await client.get("/sparql", params={"query": query}),
        await client.post("/sparql", data={"query": query}),
    ):
        assert response.json()["results"]["bindings"][0]["x"]["value"] == "100%25 + 1"


COUNT = "SELECT (COUNT(*) AS ?n) {froms} WHERE {{ ?s ?p ?o }}"
NAMES = "SELECT (COUNT(DISTINCT ?g) AS ?n) {froms} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}"


@pytest.mark.parametrize(
    ("query", "froms", "protocol", "expected"),
    [
        (COUNT, f"FROM <{SOME}>", {}, SHARED),
        (COUNT, f"FROM <{SOME}> FROM <{SOME}>", {}, SHARED),
        (COUNT, f"FROM NAMED <{SOME}>", {}, 0),
        (NAMES, "", {}, 2),
        (NAMES, f"FROM NAMED <{SOME}>", {}, 1),
        (COUNT, "", {"default-graph-uri": SOME}, SHARED),
        (COUNT, f"FROM <{ALL}>", {"default-graph-uri": SOME}, SHARED),
        (COUNT, f"FROM <{ALL}>", {"named-graph-uri": SOME}, 0),
        (NAMES, "", {"named-graph-uri": SOME}, 1),
        (NAMES, f"FROM NAMED <{SOME}>", {"default-graph-uri": ALL}, 0),
    ],
)
async def test_the_dataset(
    client: httpx.AsyncClient, query: str, froms: str, protocol: dict[str, str], expected: int
) -> None:
    """SPARQL 1.1 Protocol, section 2.1.4: the protocol's dataset wins over the text's."""
    asked = {"query": query.format(froms=froms), "format": "csv"} | protocol
    assert int((await client.get("/sparql", params=asked)).text.split()[1]) == expected


@pytest.mark.parametrize("send", ["text", "protocol"])
async def test_several_default_graphs_are_one_set(client: httpx.AsyncClient, send: str) -> None:
    graphs = [ALL, SOME]
    froms = " ".join(f"FROM <{each}>" for each in graphs) if send == "text" else ""
    asked: list[tuple[str, str]] = [("query", COUNT.format(froms=froms)), ("format", "csv")]
    if send == "protocol":
        asked += [("default-graph-uri", each) for each in graphs]
    both = (await client.get("/sparql", params=asked)).text
    union = await client.get("/sparql", params={"query": COUNT.format(froms=""), "format": "csv"})
    assert both == union.text


@pytest.mark.parametrize(
    "asked",
    [
        {"query": f"ASK FROM <{FOREIGN}> {{ ?s ?p ?o }}"},
        {"query": f"ASK FROM <{ALL}> FROM NAMED <{FOREIGN}> {{ ?s ?p ?o }}"},
        {"query": "PREFIX f: <https://example.org/> ASK FROM f:nothing { ?s ?p ?o }"},
        {"query": "BASE <https://example.org/> ASK FROM <nothing> { ?s ?p ?o }"},
    ],
)
async def test_a_graph_that_is_not_published_is_refused_by_name(
    client: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    response = await client.get("/sparql", params=asked)
    assert response.status_code == 403
    assert response.json()["code"] == "GraphNotPublished"
    assert response.json()["graph"] == FOREIGN


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
async def test_a_graph_of_the_protocol_that_is_not_published_is_empty_and_told(
    client: httpx.AsyncClient, name: str
) -> None:
    response = await client.get("/sparql", params={"query": ASK, name: FOREIGN})
    assert response.json()["boolean"] is False
    assert response.headers["x-empty-graph"] == f"<{FOREIGN}>"


async def test_what_is_no_iri_names_no_graph(client: httpx.AsyncClient) -> None:
    response = await client.get("/sparql", params={"query": ASK, "default-graph-uri": "a b"})
    assert (response.status_code, response.json()["graph"]) == (403, "a b")


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        (SELECT, "json", JSON),
        (SELECT, "xml", XML),
        (SELECT, "csv", "text/csv; charset=utf-8"),
        (SELECT, JSON, JSON),
        (CONSTRUCT, "turtle", "text/turtle; charset=utf-8"),
        (CONSTRUCT, "xml", "application/rdf+xml"),
        (CONSTRUCT, "json-ld", "application/ld+json"),
        (CONSTRUCT, "nq", "application/n-quads"),
        (CONSTRUCT, "trig", "application/trig"),
        (CONSTRUCT, "n3", "text/n3; charset=utf-8"),
        ("DESCRIBE <https://w3id.org/thc/theme/opengov>", "nt", "application/n-triples"),
    ],
)
async def test_a_format_by_its_name(
    client: httpx.AsyncClient, query: str, name: str, expected: str
) -> None:
    asked = {"query": query, "format": name, "version": "1.2"}
    response = await client.get("/sparql", params=asked, headers={"Accept": "image/png"})
    assert response.headers["content-type"] == expected


async def test_a_known_answer_is_not_computed_again(client: httpx.AsyncClient) -> None:
    asked = {"query": SELECT}
    first = await client.get("/sparql", params=asked)
    same = {"query": f"# the same\n  {SELECT}  "}
    known = {"If-None-Match": f'"x", {first.headers["etag"]}'}
    second = await client.get("/sparql", params=same, headers=known)
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert "accept-encoding" in second.headers["vary"].lower()


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"query": SELECT + " LIMIT 1"}},
        {"headers": {"Accept": XML}},
        {"params": {"query": SELECT, "default-graph-uri": SOME}},
    ],
)
async def test_another_representation_has_another_tag(
    client: httpx.AsyncClient, other: dict[str, Any]
) -> None:
    plain = {"params": {"query": SELECT}}
    one = await client.get("/sparql", **plain)
    two = await client.get("/sparql", **{**plain, **other})
    assert one.headers["etag"] != two.headers["etag"]


@pytest.mark.parametrize("call", ["NOW()", "rand()", "UUID()", "STRUUID()"])
async def test_what_changes_by_itself_is_never_kept(client: httpx.AsyncClient, call: str) -> None:
    asked = {"query": f"SELECT ({call} AS ?x) {{}}"}
    one, two = [await client.get("/sparql", params=asked) for _ in range(2)]
    assert one.content != two.content
    assert "etag" not in one.headers
    assert one.headers["cache-control"] == "no-store"


async def test_the_same_query_at_the_same_time_is_evaluated_once(
    kind: Kind, client: httpx.AsyncClient
) -> None:
    query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f }"

    def answered() -> int:
        return kind.service.published.pool.state().lanes["public"].answered

    before = answered()
    found = await asyncio.gather(
        *(client.get("/sparql", params={"query": query}) for _ in range(5))
    )
    assert len({each.content for each in found}) == 1
    assert answered() == before + 1
    await client.post("/sparql", data={"query": query})
    assert answered() == before + 1


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        ({"params": {"query": "SELECT * WHERE {"}}, 400, "QuerySyntaxError"),
        ({"params": {"query": ""}}, 400, "QuerySyntaxError"),
        ({"params": [("query", ASK), ("query", ASK)]}, 400, "OneQuery"),
        ({"method": "POST", "data": {"other": "x"}}, 400, "OneQuery"),
        (
            {
                "method": "POST",
                "content": b"ASK {\xff}",
                "headers": {"Content-Type": "application/sparql-query"},
            },
            400,
            "NotUtf8",
        ),
        ({"params": {"query": ASK, "timeout": "soon"}}, 400, "BadTimeout"),
        ({"params": {"query": ASK, "timeout": "-1"}}, 400, "BadTimeout"),
        ({"params": {"query": ASK, "timeout": "nan"}}, 400, "BadTimeout"),
        ({"params": {"query": "ASK {" + "{" * 200 + "}" * 201}}, 400, "QueryTooComplex"),
        (
            {"params": {"query": "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}},
            403,
            "QueryForbidden",
        ),
        ({"params": {"query": "LOAD <http://127.0.0.1:9/>"}}, 403, "QueryForbidden"),
        ({"params": {"update": "CLEAR ALL"}}, 403, "QueryForbidden"),
        ({"method": "POST", "data": {"update": "CLEAR ALL"}}, 403, "QueryForbidden"),
        (
            {
                "method": "POST",
                "content": "CLEAR ALL",
                "headers": {"Content-Type": "application/sparql-update"},
            },
            403,
            "QueryForbidden",
        ),
        ({"method": "PUT", "content": "x"}, 405, "MethodNotAllowed"),
        ({"params": {"query": ASK}, "headers": {"Accept": "image/png"}}, 406, "NotAcceptable"),
        (
            {"params": {"query": ASK}, "headers": {"Accept": "text/turtle"}},
            406,
            "QueryNotAcceptable",
        ),
        ({"method": "POST", "data": {"query": ASK + " #" + "x" * 17_000}}, 413, "QueryTooLarge"),
        ({"method": "POST", "data": {"query": "x" * 1_100_000}}, 413, "BodyTooLarge"),
        ({"params": {"query": ASK + " #" + "x" * 9_000}}, 414, "LineTooLong"),
        (
            {"method": "POST", "content": "{}", "headers": {"Content-Type": "application/json"}},
            415,
            "UnsupportedType",
        ),
    ],
)
async def test_refusals(
    client: httpx.AsyncClient, send: dict[str, Any], status: int, code: str
) -> None:
    response = await client.request(**{"method": "GET", "url": "/sparql", **send})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["detail"]


async def test_a_fault_of_syntax_says_where_and_what_is_missing(client: httpx.AsyncClient) -> None:
    query = "SELECT ?x WHERE {\n  ?x skos:prefLabel ?y }"
    problem = (await client.get("/sparql", params={"query": query})).json()
    assert problem["line"] == 2
    assert problem["column"]
    assert problem["hint"] == "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>"


async def test_a_body_is_refused_before_it_is_read_whole(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 100:
            read += 1
            yield b"x" * 100_000

    headers = {"Content-Type": "application/sparql-query"}
    response = await client.post("/sparql", content=endless(), headers=headers)
    assert response.status_code == 413
    assert read < 20


async def test_a_runaway_is_stopped_and_says_so(client: httpx.AsyncClient) -> None:
    response = await client.get("/sparql", params={"query": RUNAWAY, "timeout": "0.3"})
    assert response.status_code == 503
    assert response.json()["seconds"] == 0.3
    assert response.headers["retry-after"]
    assert (await client.get("/sparql", params={"query": ASK})).status_code == 200


@pytest.mark.parametrize(("told", "written"), [("fr", "0,3\xa0s"), ("en", "0.3\xa0s")])
async def test_what_stopped_it_is_written_as_its_reader_writes(
    limited: Limited, told: str, written: str
) -> None:
    """Over our own processes alone: an engine elsewhere goes on for ever, on every core."""
    asked = {"query": RUNAWAY, "timeout": "0.3", "lang": told}
    async with limited() as client:
        problem = (await client.get("/sparql", params=asked)).json()
        page = await client.get("/sparql", params=asked, headers={"Accept": "text/html"})
    assert written in problem["detail"]
    assert problem["detail"] in html.unescape(page.text)


async def test_a_client_may_not_ask_for_more_time(limited: Limited) -> None:
    async with limited(seconds=0.3) as client:
        response = await client.get("/sparql", params={"query": RUNAWAY, "timeout": "60"})
        assert response.json()["seconds"] == 0.3


async def test_a_cut_answer_is_told(limited: Limited) -> None:
    async with limited(result_size=65_536) as client:
        query = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }"
        response = await client.get("/sparql", params={"query": query, "format": "json"})
        assert response.headers["x-truncated"] == "true"
        assert '</sparql#limites>; rel="help"' in response.headers["link"]
        assert response.json()["results"]["bindings"]


async def test_a_query_out_of_memory_is_told_as_such(limited: Limited) -> None:
    async with limited(memory=330 << 20, seconds=30.0) as client:
        pairs = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
        query = f"SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) {{ {pairs} }}"
        response = await client.get("/sparql", params={"query": query})
        assert response.status_code == 503
        assert response.json()["code"] == "QueryOutOfMemory"
        assert response.json()["memory"] == 330 << 20
        assert (await client.get("/sparql", params={"query": ASK})).status_code == 200


async def test_a_budget_of_faults(limited: Limited) -> None:
    async with limited(client_failures=2) as client:
        asked = {"query": "nonsense"}
        found = [(await client.get("/sparql", params=asked)) for _ in range(3)]
        assert [each.status_code for each in found] == [400, 400, 429]
        assert int(found[-1].headers["retry-after"]) > 0


async def test_a_budget_of_time(limited: Limited) -> None:
    async with limited(client_seconds=0.2, seconds=0.3) as client:
        await client.get("/sparql", params={"query": RUNAWAY})
        assert (await client.get("/sparql", params={"query": ASK})).status_code == 429


async def test_nobody_bears_the_budget_of_who_asked_first(limited: Limited) -> None:
    async with limited(client_failures=1) as client:
        await client.get("/sparql", params={"query": "nonsense"})
        app = client._transport.app  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
            asked = {"query": "ASK { ?s ?p 7 }"}
            both = (each.get("/sparql", params=asked) for each in (client, other))
            assert [each.status_code for each in await asyncio.gather(*both)] == [429, 200]


async def test_nobody_bears_the_haste_of_who_asked_first(limited: Limited) -> None:
    times = (0.2, 0.8, 0.2)
    asked = ({"query": RUNAWAY, "timeout": str(seconds)} for seconds in times)
    async with limited() as client:
        found = await asyncio.gather(*(client.get("/sparql", params=each) for each in asked))
    assert tuple(each.json().get("seconds") for each in found) == times


async def test_a_wrong_method_is_told_the_right_ones(client: httpx.AsyncClient) -> None:
    response = await client.delete("/sparql")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


async def test_browsers_get_a_form(client: httpx.AsyncClient) -> None:
    response = await client.get("/sparql", headers={"Accept": BROWSER})
    assert response.status_code == 200
    assert '<textarea id="query" name="query"' in response.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (SELECT, "<td><span>é&amp;&lt;</span></td>"),
        (ASK, '<p class="verdict">Oui</p>'),
        (CONSTRUCT, '<pre tabindex="0">'),
        ("SELECT ?x { VALUES ?x { <javascript:alert(1)> } }", '<span class="iri">javascript:'),
        ("SELECT ?x WHERE { }", "<td></td>"),
    ],
)
async def test_browsers_see_the_answer(
    client: httpx.AsyncClient, query: str, expected: str
) -> None:
    asked = {"query": query, "format": "html"}
    response = await client.get("/sparql", params=asked, headers={"Accept": BROWSER})
    assert response.status_code == 200
    assert expected in response.text


async def test_browsers_keep_their_query_when_it_is_refused(client: httpx.AsyncClient) -> None:
    query = "SELECT </textarea><script>1</script>"
    response = await client.get("/sparql", params={"query": query}, headers={"Accept": BROWSER})
    assert response.status_code == 400
    assert "SELECT &lt;/textarea&gt;" in response.text
    assert "<script>" not in response.text


async def test_hanging_up_ends_the_work(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/sparql", params={"query": RUNAWAY}, timeout=0.3)
        await asyncio.sleep(0.5)
        # One child serves visitors: it answers only if the runaway is gone.
        response = await client.get("/sparql", params={"query": ASK, "timeout": "2"})
        assert response.json()["boolean"] is True


async def test_one_who_hangs_up_does_not_stop_the_others(address: str) -> None:
    query = {"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"}
    async with httpx.AsyncClient(base_url=address) as one, httpx.AsyncClient() as other:
        staying = asyncio.create_task(other.get(f"{address}/sparql", params=query, timeout=20))
        await asyncio.sleep(0.2)
        with pytest.raises(httpx.ReadTimeout):
            await one.get("/sparql", params=query, timeout=0.1)
        assert (await staying).status_code == 200


async def test_a_real_server_keeps_its_head(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        response = await client.head("/doc/commune/68224.ttl")
        assert response.status_code == 200
        assert "server" not in response.headers


@pytest.mark.parametrize("name", ["format", "output", "results"])
@pytest.mark.parametrize(
    ("value", "media_type"),
    [("csv", "text/csv"), ("xml", "application/sparql-results+xml"), ("text/csv", "text/csv")],
)
async def test_a_format_is_named_as_other_engines_do(
    client: httpx.AsyncClient, name: str, value: str, media_type: str
) -> None:
    query = "SELECT * { ?s ?p ?o } LIMIT 1"
    for send in (
        {"params": {"query": query, name: value}},
        {"data": {"query": query, name: value}},
    ):
        answer = await client.request("POST" if "data" in send else "GET", "/sparql", **send)
        assert answer.headers["content-type"].startswith(media_type)


async def test_our_own_name_of_a_format_comes_first(client: httpx.AsyncClient) -> None:
    asked = {"query": "SELECT * {}", "output": "xml", "results": "tsv", "format": "csv"}
    answer = await client.get("/sparql", params=asked)
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    "query",
    [
        "\ufeffASK { ?s ?p ?o }",
        "ASK\u00a0{ ?s\u202f?p ?o }\u00a0",
        "\ufeff\u00a0ASK\u2003{\u200b?s ?p ?o }",
    ],
)
async def test_what_an_editor_left_is_read(client: httpx.AsyncClient, query: str) -> None:
    answers = [
        await client.get("/sparql", params={"query": query}),
        await client.post("/sparql", data={"query": query}),
        await client.post(
            "/sparql", content=query.encode(), headers={"Content-Type": "application/sparql-query"}
        ),
    ]
    assert [answer.json()["boolean"] for answer in answers] == [True] * 3


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (<http://e/f>(1) AS ?x) {}",
        "PREFIX e: <http://e/> SELECT * { ?s ?p ?o FILTER(e:f(?o)) }",
        "ASK { FILTER(<http://www.w3.org/2001/XMLSchema#nothing>(1)) }",
    ],
)
async def test_a_function_that_is_not_is_the_query_s_fault(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get("/sparql", params={"query": query})
    assert (answer.status_code, answer.json()["code"]) == (400, "FunctionUnknown")
    assert answer.json()["what"].startswith("<http://")
    assert answer.json()["what"] in answer.json()["detail"]


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1_0", "１０", " 1", "-1", "0", "9" * 5_000, "1e999", "x"]
)
async def test_a_time_that_is_none(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.get("/sparql", params={"query": "ASK {}", "timeout": text})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadTimeout")
